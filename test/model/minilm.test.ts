/** The real all-MiniLM-L6-v2 (PATENTLAB_TEST_MODELS/all-MiniLM-L6-v2) against sentence-transformers. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openSafetensors, readFloat32, readTensorBytes } from '../../src/base/safetensors.ts';
import { loadModel } from '../../src/model/index.ts';
import { fixtureFolder, largestDifference } from './fixtures.ts';

const folder = join(process.env.PATENTLAB_TEST_MODELS ?? 'models', 'all-MiniLM-L6-v2');
const skip = existsSync(join(folder, 'model.safetensors'))
  ? false
  : `no model in ${folder} (set PATENTLAB_TEST_MODELS)`;

async function expected() {
  const { files } = nodePlatform;
  const { tensors } = await openSafetensors(files, `${fixtureFolder('minilm')}.safetensors`);
  const integers = async (name: string) => new Int32Array((await readTensorBytes(files, tensors.get(name)!)).buffer);
  const ids = await integers('ids');
  let start = 0;
  const sequences = Array.from(await integers('lengths'), (length) => {
    start += length;
    return ids.slice(start - length, start);
  });
  const states = [];
  for (let at = 0; tensors.has(`states.${at}`); at++)
    states.push(await readFloat32(files, tensors.get(`states.${at}`)!));
  return { sequences, states, vectors: await readFloat32(files, tensors.get('vectors')!) };
}

test('token states and embeddings in float32', { skip }, async () => {
  const { sequences, states, vectors } = await expected();
  const model = await loadModel(nodePlatform, folder, { threads: 1 });
  assert.equal(model.parameters + 384 * 384 + 384, 22_713_216); // the pooler counts in the published number
  assert.deepEqual([model.dimensions, model.maxLength, model.normalized], [384, 256, true]);
  const found = await model.tokenStates(sequences.slice(0, states.length));
  states.forEach((state, at) => {
    const own = found.data.subarray(found.starts[at]! * 384, found.starts[at + 1]! * 384);
    const worst = largestDifference(own, state);
    assert.ok(worst < 1e-5, `sequence ${at}: largest difference ${worst}`);
  });
  const worst = largestDifference(await model.encode(sequences), vectors);
  assert.ok(worst < 1e-6, `vectors: largest difference ${worst}`);
  await model.close();
});

test('embeddings in 8 bits', { skip }, async () => {
  const { sequences, vectors } = await expected();
  const model = await loadModel(nodePlatform, folder, { dtype: 'int8', threads: 1 });
  const found = await model.encode(sequences);
  await model.close();
  sequences.forEach((_, at) => {
    let cosine = 0;
    for (let i = at * 384; i < (at + 1) * 384; i++) cosine += found[i]! * vectors[i]!;
    assert.ok(cosine > 0.995, `sequence ${at}: cosine ${cosine}`);
  });
});
