/**
 * The patent record. One shape for every source; whatever a source has beyond it is kept under `extra`.
 * Texts are plain text with `\n` between paragraphs. Dates are ISO: `2016-01-25`, `2016-01` or `2016`.
 */

export interface Citation {
  /** Publication number as the source wrote it, normalised (`corpus/numbers.ts`), kind code kept. */
  id: string;
  /** Search-report category where the source has one: X, Y, A, ... */
  category?: string;
  /** Who cited: `examiner`, `applicant`, `search`, `third-party`, ... */
  origin?: string;
}

export interface PatentDates {
  priority?: string;
  filing?: string;
  publication?: string;
  grant?: string;
}

export interface Patent {
  /** Unique within a corpus; usually the publication number. */
  id: string;
  /** Other numbers of the same document. */
  aliases: string[];
  family?: string;
  title?: string;
  abstract?: string;
  /** All claims, one a line, numbers kept. */
  claims?: string;
  firstClaim?: string;
  description?: string;
  /** CPC symbols, `A61B8/08`: no blank, upper case. */
  cpc: string[];
  ipc: string[];
  /** The user's own labels. */
  labels: string[];
  cites: Citation[];
  citedBy: string[];
  dates: PatentDates;
  /** ISO 3166 or WIPO ST.3 two-letter code of the office. */
  country?: string;
  /** ISO 639-1 code of the texts. */
  language?: string;
  extra?: Record<string, unknown>;
}

export function emptyPatent(id: string): Patent {
  return { id, aliases: [], cpc: [], ipc: [], labels: [], cites: [], citedBy: [], dates: {} };
}
