/**
 * A query before sampling, and what is taken from it: its own family, and with `onlyEarlier` all that is not published before
 * its earliest date. A query with nothing relevant left is dropped, and the reason counted.
 */
import { type Relations, unknownDay } from './relations.ts';

/** Later than any date. */
export const never = 0x7fffffff;

export interface Draft {
  id: string;
  row?: number;
  text?: string;
  day: number;
  rows: Int32Array;
  gains: Float32Array;
  /** What the source calls relevant, and how much of it is in the corpus. */
  listed: number;
  inside: number;
}

export class Drops {
  private readonly counts = new Map<string, number>();

  add(reason: string, count = 1): void {
    if (count > 0) this.counts.set(reason, (this.counts.get(reason) ?? 0) + count);
  }

  list(): { reason: string; count: number }[] {
    return [...this.counts].map(([reason, count]) => ({ reason, count }));
  }
}

export interface DraftFilter {
  relations: Relations;
  /** Only with `onlyEarlier`. */
  days: Int32Array | undefined;
  drop: Drops;
}

/** Takes away family and later documents; undefined where nothing relevant is left, which is then counted. */
export function settle(
  { relations, days, drop }: DraftFilter,
  draft: Omit<Draft, 'rows' | 'gains' | 'day'> & { day?: number },
  rows: Int32Array,
  gains: Float32Array,
): Draft | undefined {
  const { family, earliest } = relations;
  const own = draft.row === undefined ? -1 : family[draft.row]!;
  const day = draft.day ?? (draft.row === undefined ? never : earliest[draft.row]!);
  if (days !== undefined && day === unknownDay) {
    drop.add('the query has no date');
    return undefined;
  }
  let relevant = 0;
  let inFamily = 0;
  let later = 0;
  let kept = 0;
  const keptRows = new Int32Array(rows.length);
  const keptGains = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const positive = gains[i]! > 0;
    if (family[row] === own || row === draft.row) {
      if (positive) inFamily++;
      continue;
    }
    if (days !== undefined && !(days[row]! < day)) {
      if (positive) later++;
      continue;
    }
    if (positive) relevant++;
    keptRows[kept] = row;
    keptGains[kept++] = gains[i]!;
  }
  if (relevant === 0) {
    if (later > 0) drop.add("no relevant document was published before the query's earliest date");
    else if (inFamily > 0) drop.add('the only relevant documents are of its own family');
    else drop.add('no relevant document is in the corpus');
    return undefined;
  }
  return { ...draft, day, rows: keptRows.slice(0, kept), gains: keptGains.slice(0, kept) };
}
