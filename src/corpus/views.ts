/**
 * Views: which sections of a patent a model reads. Sections stand in the order of the view's letters and are joined by one
 * newline (as DAPFAM and MTEB do); a section the patent lacks is left out, so a view's text is never padded by blanks.
 *
 *   T title   A abstract   C1 first claim   C all claims   TA  TAC  AC   full = title, abstract, claims, description
 *
 * A length limit is applied by whoever encodes, from the end of the text, which is the end of the last section.
 */
import { maskCitations as mask } from './mask.ts';
import type { Patent } from './record.ts';

export const views = ['T', 'A', 'C1', 'C', 'TA', 'TAC', 'AC', 'full'] as const;

export type View = (typeof views)[number];

export type Section = 'title' | 'abstract' | 'firstClaim' | 'claims' | 'description';

export const sectionsOf: Readonly<Record<View, readonly Section[]>> = {
  T: ['title'],
  A: ['abstract'],
  C1: ['firstClaim'],
  C: ['claims'],
  TA: ['title', 'abstract'],
  TAC: ['title', 'abstract', 'claims'],
  AC: ['abstract', 'claims'],
  full: ['title', 'abstract', 'claims', 'description'],
};

export function isView(text: string): text is View {
  return (views as readonly string[]).includes(text);
}

/**
 * The text of a view; '' where the patent has none of its sections. With `maskCitations`, patent and serial numbers are
 * taken out (`mask.ts`): the record's own number and everything it cites, and whatever else reads as a patent number.
 */
export function viewText(
  patent: Patent,
  view: View,
  { maskCitations = false }: { maskCitations?: boolean } = {},
): string {
  const parts: string[] = [];
  for (const section of sectionsOf[view]) {
    const text = patent[section]?.trim();
    if (text) parts.push(text);
  }
  const text = parts.join('\n');
  return maskCitations ? mask(text, knownNumbers(patent)) : text;
}

function knownNumbers(patent: Patent): string[] {
  return [patent.id, ...patent.aliases, ...patent.cites.map((citation) => citation.id), ...patent.citedBy];
}
