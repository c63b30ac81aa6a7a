/**
 * Several signals in one list of pairs (R4), so that every prefix holds them in the proportion wanted.
 *
 *   in turn          one of each, as long as each lasts
 *   proportionally   the next pair comes from the signal that is furthest behind its share: of signal s with n_s pairs the
 *                    i-th (from 0) has its place at (i + 1/2) / n_s, and places are taken in ascending order (Webster's rule)
 */
import { PairBuilder, type PairTable } from './pairs.ts';

export function inTurn(tables: readonly PairTable[]): PairTable {
  return merge(tables, (_, taken) => taken);
}

export function proportionally(tables: readonly PairTable[]): PairTable {
  return merge(tables, (table, taken) => (taken + 0.5) / table.length);
}

/** Takes, among the tables not used up, the next pair of the one with the smallest place; the earlier table of equals. */
function merge(tables: readonly PairTable[], placeOf: (table: PairTable, taken: number) => number): PairTable {
  const builder = new PairBuilder(tables.flatMap(({ kinds }) => kinds));
  const taken = tables.map(() => 0);
  let firstKind = 0;
  const kindOffsets = tables.map(({ kinds }) => {
    const offset = firstKind;
    firstKind += kinds.length;
    return offset;
  });
  const total = tables.reduce((sum, { length }) => sum + length, 0);
  while (builder.size < total) {
    let best = -1;
    let place = Number.POSITIVE_INFINITY;
    for (const [at, table] of tables.entries()) {
      if (taken[at]! === table.length) continue;
      const own = placeOf(table, taken[at]!);
      if (own < place) [best, place] = [at, own];
    }
    const table = tables[best]!;
    const i = taken[best]!++;
    builder.add(table.anchor[i]!, table.positive[i]!, kindOffsets[best]! + table.kind[i]!);
  }
  return builder.finish();
}
