/** 8-bit models: near to float32 on real patents, deterministic, of an identity of their own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { loadModel } from '../../src/model/index.ts';
import { missing } from '../support/data.ts';
import { cosines } from '../support/int8.ts';
import { missingModel, realModel } from '../support/models.ts';
import { titleAbstract, ultrasound } from '../support/texts.ts';
import { fixtureFolder } from './fixtures.ts';

const skip = missingModel('all-MiniLM-L6-v2') || missing('ultrasound_us.jsonl.gz');

test('on real patents the 1st percentile of the cosines to float32 is at least 0.999', { skip }, async () => {
  const texts: string[] = [];
  let row = 0;
  for await (const patent of ultrasound()) if (row++ % 10 === 0) texts.push(titleAbstract(patent));
  const folder = realModel('all-MiniLM-L6-v2');
  const exact = await loadModel(nodePlatform, folder, { threads: 1 });
  const int8 = await loadModel(nodePlatform, folder, { dtype: 'int8', threads: 1 });
  try {
    const { sorted } = await cosines(exact, int8, texts);
    assert.ok(
      sorted[Math.floor(texts.length / 100)]! >= 0.999,
      `1st percentile ${sorted[Math.floor(texts.length / 100)]}, least ${sorted[0]}`,
    );
    assert.ok(sorted[texts.length >> 1]! >= 0.9993, `median ${sorted[texts.length >> 1]}`);
  } finally {
    await exact.close();
    await int8.close();
  }
});

test('an 8-bit model has a hash of its own, and the same vectors each time it is loaded', async () => {
  const folder = fixtureFolder('bert');
  const sequences = [Int32Array.of(2, 9, 8, 7, 3), Int32Array.of(2, 30, 3)];
  const hashes: string[] = [];
  const vectors: Float32Array[] = [];
  for (const dtype of ['fp32', 'int8', 'int8'] as const) {
    const model = await loadModel(nodePlatform, folder, { dtype, threads: 1 });
    hashes.push(model.hash);
    vectors.push(await model.encode(sequences));
    await model.close();
  }
  assert.notEqual(hashes[0], hashes[1]);
  assert.equal(hashes[1], hashes[2]);
  assert.deepEqual(vectors[1], vectors[2]);
});

test('a model says what computes, and refuses what is not there', async () => {
  const folder = fixtureFolder('bert');
  const model = await loadModel(nodePlatform, folder, { device: 'auto', threads: 1 });
  assert.ok(['cpu', 'cuda'].includes(model.device));
  if (model.device === 'cpu')
    await assert.rejects(loadModel(nodePlatform, folder, { device: 'cuda' }), { code: 'engine.device' });
  await model.close();
});
