/** Predictions of classification symbols cut to coarser levels: whether a wrong subclass is at least of the right class. */
import { type SymbolLevel, symbolAt, symbolLevels } from '../../corpus/labels.ts';
import { type LabelSets, labelSets } from '../../metrics/label-sets.ts';

export interface CoarserLabels {
  level: SymbolLevel;
  names: readonly string[];
  /** The sets of labels at this level. */
  cut(sets: LabelSets): LabelSets;
}

/** From sections down to the level above; none for labels that are no symbols. */
export function coarserLabels(names: readonly string[], level: SymbolLevel | undefined): CoarserLabels[] {
  if (level === undefined) return [];
  return symbolLevels.slice(0, symbolLevels.indexOf(level)).map((coarser) => {
    const above = names.map((name) => symbolAt(name, coarser) ?? name);
    const distinct = [...new Set(above)];
    const number = above.map((name) => distinct.indexOf(name));
    return {
      level: coarser,
      names: distinct,
      cut: ({ offsets, codes }) =>
        labelSets(
          Array.from({ length: offsets.length - 1 }, (_, row) =>
            Array.from(codes.subarray(offsets[row]!, offsets[row + 1]!), (code) => number[code]!),
          ),
        ),
    };
  });
}
