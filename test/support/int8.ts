/** How near the vectors of an 8-bit model are to those of the same model in float32. */
import { nodePlatform } from '../../src/base/node/platform.ts';
import type { TextModel } from '../../src/model/index.ts';
import { loadTokenizer } from '../../src/tokenizer/load.ts';

/** Cosines of all texts, ascending, and the seconds of each batch: [float32, 8 bits]. Vectors have length 1. */
export async function cosines(
  exact: TextModel,
  int8: TextModel,
  texts: readonly string[],
): Promise<{ sorted: Float64Array; seconds: [number, number][] }> {
  const tokenizer = await loadTokenizer(nodePlatform, exact.folder);
  const sequences = texts
    .map((text) => Int32Array.from(tokenizer.encode(text, { maxLength: exact.maxLength }).ids))
    .sort((a, b) => a.length - b.length);
  const sorted = new Float64Array(texts.length);
  const seconds: [number, number][] = [];
  const width = exact.dimensions;
  const timed = async (model: TextModel, batch: Int32Array[]) => {
    const start = performance.now();
    return { vectors: await model.encode(batch), seconds: (performance.now() - start) / 1000 };
  };
  for (let from = 0; from < sequences.length; from += 12) {
    const batch = sequences.slice(from, from + 12);
    const [a, b] = [await timed(exact, batch), await timed(int8, batch)];
    seconds.push([a.seconds, b.seconds]);
    for (let at = 0; at < batch.length * width; at++)
      sorted[from + Math.floor(at / width)]! += a.vectors[at]! * b.vectors[at]!;
  }
  return { sorted: sorted.sort(), seconds };
}
