/** Batches of real patents as token ids, for steps that are measured without their tokenising. */
import { nodePlatform } from '../../src/base/node/platform.ts';
import { loadTokenizer } from '../../src/tokenizer/index.ts';
import { titleAbstract, ultrasound } from '../../test/support/texts.ts';

export interface BatchCase {
  name: string;
  /** Each of 2 · pairs sequences: anchors, then positives. */
  batches: Int32Array[][];
  tokens: number;
}

/** Titles and abstracts of ultrasound patents: cut to one length, and as they are up to 256 tokens (three batches). */
export async function patentBatches(folder: string, pairs: number, length: number): Promise<BatchCase[]> {
  const tokenizer = await loadTokenizer(nodePlatform, folder);
  const texts: Int32Array[] = [];
  for await (const row of ultrasound())
    texts.push(Int32Array.from(tokenizer.encode(titleAbstract(row), { maxLength: 256 }).ids));
  /** Every n-th text, so that all years are there. */
  const spread = (from: readonly Int32Array[]) =>
    Array.from({ length: 2 * pairs }, (_, i) => from[Math.floor((i * from.length) / (2 * pairs))]!);
  const long = texts.filter((ids) => ids.length >= length).map((ids) => ids.subarray(0, length));
  const cases = {
    [`${2 * pairs} sequences of ${length} tokens`]: [spread(long)],
    [`titles and abstracts of ${2 * pairs} patents, up to 256 tokens`]: [0, 1, 2].map((offset) =>
      spread(texts.filter((_, i) => i % 3 === offset)),
    ),
  };
  return Object.entries(cases).map(([name, batches]) => ({
    name,
    batches,
    tokens: batches[0]!.reduce((sum, ids) => sum + ids.length, 0),
  }));
}

/** The form of a job for torch_step.py and training-step.ts. */
export const batchJob = (batches: readonly (readonly Int32Array[])[]) => ({
  batches: batches.map((batch) => batch.map((ids) => [...ids])),
});
