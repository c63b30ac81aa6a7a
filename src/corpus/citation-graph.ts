/**
 * Who cites whom inside a corpus, from both sides' lists together (`cites` of the citing, `citedBy` of the cited), in
 * compressed sparse rows: targets of a row ascending, each once, never the row itself.
 */
import { type CitationLists, type Relations, transpose } from './relations.ts';

export interface CitationGraph {
  /** Cited rows of row r: cited[offsets[r]] to cited[offsets[r + 1] - 1]. */
  offsets: Uint32Array;
  cited: Int32Array;
}

/** `accepts` looks at category and origin codes; entries of `citedBy` lists have none (0, 0). Default: all citations. */
export function citationGraph(
  relations: Relations,
  accepts: (category: number, origin: number) => boolean = () => true,
): CitationGraph {
  const { rows, cites } = relations;
  const lists: readonly CitationLists[] = [cites, transpose(relations.citedBy, rows)];
  const offsets = new Uint32Array(rows + 1);
  const cited = new Int32Array(lists.reduce((sum, { targets }) => sum + targets.length, 0));
  const stamp = new Int32Array(rows).fill(-1);
  let size = 0;
  for (let row = 0; row < rows; row++) {
    const from = size;
    for (const list of lists)
      for (let i = list.offsets[row]!; i < list.offsets[row + 1]!; i++) {
        const target = list.targets[i]!;
        if (target < 0 || target === row || stamp[target] === row) continue;
        if (!accepts(list.category[i]!, list.origin[i]!)) continue;
        stamp[target] = row;
        cited[size++] = target;
      }
    cited.subarray(from, size).sort();
    offsets[row + 1] = size;
  }
  return { offsets, cited: cited.slice(0, size) };
}

/** Whether `citing` cites `cited`: binary search. */
export function doesCite({ offsets, cited }: CitationGraph, citing: number, target: number): boolean {
  let from = offsets[citing]!;
  let to = offsets[citing + 1]!;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (cited[middle]! < target) from = middle + 1;
    else to = middle;
  }
  return from < offsets[citing + 1]! && cited[from] === target;
}
