/** Vectors drawn from a source, uniformly and without repetition, in the order of their rows. */
import type { VectorBlocks } from '../retrieve/exact.ts';
import type { Draws } from './seeding.ts';

/** At most `rows` of the vectors [rows, dimensions]: all of them, without a draw, where there are no more. */
export async function sampleRows(source: VectorBlocks, rows: number, random: Draws): Promise<Float32Array> {
  const { count, dimensions } = source;
  const wanted = Math.min(rows, count);
  const sample = new Float32Array(wanted * dimensions);
  let taken = 0;
  for await (const { from, vectors } of source.blocks()) {
    if (wanted === count) {
      sample.set(vectors, from * dimensions);
      continue;
    }
    // Selection sampling (Knuth, algorithm S): a row is taken with the share of what is still wanted.
    for (let at = 0, row = from; at < vectors.length; at += dimensions, row++) {
      if (random.uniform() * (count - row) >= wanted - taken) continue;
      sample.set(vectors.subarray(at, at + dimensions), taken * dimensions);
      taken++;
    }
  }
  return sample;
}
