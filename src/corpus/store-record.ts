/**
 * A patent as a line of the store and back. Fields stand in fixed order and empty ones are left out, so that equal patents
 * give equal bytes; `extra` keeps the order of its source.
 */
import { normaliseNumber, parseNumber } from './numbers.ts';
import { emptyPatent, type Patent } from './record.ts';

/** Line of records.jsonl without its newline. */
export function patentToLine(patent: Patent): string {
  const { priority, filing, publication, grant } = patent.dates;
  const dates = { priority, filing, publication, grant };
  return JSON.stringify({
    id: patent.id,
    aliases: list(patent.aliases),
    family: patent.family,
    title: patent.title,
    abstract: patent.abstract,
    claims: patent.claims,
    firstClaim: patent.firstClaim,
    description: patent.description,
    cpc: list(patent.cpc),
    ipc: list(patent.ipc),
    labels: list(patent.labels),
    cites: list(patent.cites.map(({ id, category, origin }) => ({ id, category, origin }))),
    citedBy: list(patent.citedBy),
    dates: (priority ?? filing ?? publication ?? grant) ? dates : undefined,
    country: patent.country,
    language: patent.language,
    extra: patent.extra !== undefined && Object.keys(patent.extra).length > 0 ? patent.extra : undefined,
  });
}

const list = <T>(items: T[]) => (items.length === 0 ? undefined : items);

export function patentFromLine(line: string): Patent {
  const stored = JSON.parse(line) as Partial<Patent> & { id: string };
  return { ...emptyPatent(stored.id), ...stored };
}

/**
 * What makes two records the same patent on import: the id, brought to one form where it is a publication number with its
 * country. A bare number may be anything (a row number, a family id), so it stays as it is.
 */
export function mergeKey(id: string): string {
  return /^[A-Za-z]{2}/.test(id) && parseNumber(id) !== undefined ? normaliseNumber(id) : id;
}
