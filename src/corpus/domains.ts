/**
 * IN and OUT of domain by DAPFAM's rule (arXiv 2506.22141): a document relevant to a query is IN where the two share at
 * least one three-character IPC class (`A61`), else OUT.
 *
 * A patent without IPC codes is placed by its CPC codes, whose classes bear the same names. One with neither has no
 * domain: its judgements are neither IN nor OUT (DAPFAM, where every patent has codes, does not meet the case), and how many
 * they are is told.
 */
import type { Relevance } from './relevance.ts';
import type { Corpus } from './store.ts';

export type Domain = 'in' | 'out';

export interface Domains {
  /** Per query, beside its judged rows: the domain of each relevant one; undefined for others and where a code is wanting. */
  of: (Domain | undefined)[][];
  /** Relevant judgements by domain. */
  judgements: Record<Domain | 'unknown', number>;
  /** Patents that are queries or relevant, by the codes that place them. */
  patents: { ipc: number; cpc: number; none: number };
}

/** The three-character classes of classification symbols (`A61B8/08` -> `A61`), each once. */
export function classesOf(symbols: readonly string[]): string[] {
  return [...new Set(symbols.flatMap((symbol) => /^[A-HY]\d\d/.exec(symbol)?.[0] ?? []))];
}

/** The domain of every relevant judgement; undefined where no patent of the corpus has a code. Reads each patent at most once. */
export async function judgementDomains(corpus: Corpus, relevance: Relevance): Promise<Domains | undefined> {
  const { fields } = corpus.summary;
  if ((fields.ipc?.present ?? 0) === 0 && (fields.cpc?.present ?? 0) === 0) return undefined;
  const wanted = new Uint8Array(corpus.size);
  for (const [query, { rows, gains }] of relevance.judged.entries()) {
    const { row } = relevance.queries[query]!;
    if (row !== undefined) wanted[row] = 1;
    for (const [i, relevant] of rows.entries()) if (gains[i]! > 0) wanted[relevant] = 1;
  }
  const patents = { ipc: 0, cpc: 0, none: 0 };
  const classes = new Map<number, string[]>();
  for (let row = 0; row < wanted.length; row++) {
    if (wanted[row] === 0) continue;
    const { ipc, cpc } = await corpus.get(row);
    const [own, other] = [classesOf(ipc), classesOf(cpc)];
    patents[own.length > 0 ? 'ipc' : other.length > 0 ? 'cpc' : 'none']++;
    classes.set(row, own.length > 0 ? own : other);
  }
  const judgements = { in: 0, out: 0, unknown: 0 };
  const of = relevance.judged.map(({ rows, gains }, query) => {
    const { row } = relevance.queries[query]!;
    const own = (row === undefined ? undefined : classes.get(row)) ?? [];
    return Array.from(rows, (relevant, i): Domain | undefined => {
      if (gains[i]! <= 0) return undefined;
      const other = classes.get(relevant) ?? [];
      const domain =
        own.length === 0 || other.length === 0 ? undefined : other.some((name) => own.includes(name)) ? 'in' : 'out';
      judgements[domain ?? 'unknown']++;
      return domain;
    });
  });
  return { of, judgements, patents };
}
