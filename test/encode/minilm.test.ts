/** Real MiniLM end to end, text to vector, against sentence-transformers' vectors (made by test/oracle/minilm.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { decodeNpy } from '../../src/base/npy.ts';
import { openEncoder } from '../../src/encode/index.ts';
import { loadModel, type ModelDtype } from '../../src/model/index.ts';
import { missing } from '../support/data.ts';
import { missingModel, realModel } from '../support/models.ts';
import { titleAbstract, ultrasound, wholeText } from '../support/texts.ts';

const fixture = join(import.meta.dirname, '..', 'fixtures', 'minilm');
const skip = missingModel('all-MiniLM-L6-v2');
const texts = JSON.parse(readFileSync(join(fixture, 'texts.json'), 'utf8')) as string[];

async function vectorsOf(
  input: readonly string[],
  dtype: ModelDtype = 'fp32',
  batchTokens = 4096,
): Promise<Float32Array> {
  const model = await loadModel(nodePlatform, realModel('all-MiniLM-L6-v2'), { dtype });
  const encoder = await openEncoder(nodePlatform, model, { batchTokens });
  try {
    return await (await encoder.encode({ texts: input })).read();
  } finally {
    await encoder.close();
    await model.close();
  }
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

test('MiniLM: vectors equal those of sentence-transformers, whatever the batch', { skip }, async () => {
  const { data, shape } = decodeNpy(readFileSync(join(fixture, 'vectors.npy')), 'vectors.npy');
  assert.deepEqual(shape, [texts.length, 384]);
  for (const batchTokens of [4096, 1]) {
    const difference = largestDifference(await vectorsOf(texts, 'fp32', batchTokens), data);
    assert.ok(difference < 1e-5, `largest difference ${difference}`);
  }
});

test('MiniLM in int8: cosine to fp32 over real patents', {
  skip: skip || missing('ultrasound_us.jsonl.gz'),
}, async () => {
  const patents: string[] = [];
  for await (const row of ultrasound(120))
    if (patents.length < 24) patents.push(patents.length % 4 === 0 ? wholeText(row) : titleAbstract(row));
  const [exact, quantised] = [await vectorsOf(patents), await vectorsOf(patents, 'int8')];
  const cosines = patents.map((_, row) => {
    let sum = 0;
    for (let i = row * 384; i < (row + 1) * 384; i++) sum += exact[i]! * quantised[i]!;
    return sum;
  });
  cosines.sort((a, b) => a - b);
  assert.ok(cosines[0]! > 0.997, `lowest ${cosines[0]}`);
  assert.ok(cosines[cosines.length >> 1]! > 0.999, `median ${cosines[cosines.length >> 1]}`);
});
