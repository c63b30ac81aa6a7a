/** Texts of held-out patents: what has one of them must not train, whatever else sets the two patents apart. */
import { type CorpusSplit, droppedPart, trainPart } from '../corpus/splits.ts';
import { NameIndex } from '../corpus/store-index.ts';
import type { TextPrints } from '../corpus/text-prints.ts';
import type { View } from '../corpus/views.ts';

/** Names of every text that a held-out patent has under one of the views. */
export function heldOutTexts(
  { split, prints }: { split: CorpusSplit; prints: TextPrints },
  views: readonly View[],
): NameIndex {
  const texts = new NameIndex();
  for (let row = 0; row < split.part.length; row++) {
    if (split.part[row] === trainPart || split.part[row] === droppedPart) continue;
    for (const view of new Set(views)) {
      const key = prints.viewKey(row, view);
      if (key !== '' && texts.first(key) < 0) texts.add(key, row);
    }
  }
  return texts;
}
