/** Checkpoints out: what is written loads again with the new weights, and nothing else changed. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openSafetensors, readFloat32, readTensorBytes } from '../../src/base/safetensors.ts';
import { architectureOf } from '../../src/model/architectures.ts';
import { matchTensors, openCheckpoint } from '../../src/model/checkpoint.ts';
import { loadModel, saveCheckpoint, type TextModel } from '../../src/model/index.ts';
import { scratch } from '../support/scratch.ts';
import { expectedOf, fixtureFolder, largestDifference, names } from './fixtures.ts';

const { files } = nodePlatform;
const card = { recipe: 'Citation pairs.' };

/** Every weight of the model's encoder, each value changed by `change`. */
async function weightsOf(model: TextModel, change: (value: number) => number): Promise<Map<string, Float32Array>> {
  const architecture = architectureOf(model.config);
  const checkpoint = await openCheckpoint(files, model.folder);
  const { tensors } = matchTensors(checkpoint, architecture.parameters(model.config), architecture.prefixes);
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) weights.set(name, (await readFloat32(files, tensor)).map(change));
  return weights;
}

for (const name of names) {
  test(`${name}: the same weights give the same file and the same vectors, other weights others`, async (t) => {
    const { sequences, vectors } = await expectedOf(name);
    const source = await loadModel(nodePlatform, fixtureFolder(name), { threads: 1 });
    const before = await source.encode(sequences);
    assert.ok(largestDifference(before, vectors) < 1e-5);

    const same = join(scratch(t), 'same');
    await saveCheckpoint(files, same, source, await weightsOf(source, (value) => value), { card });
    const stored = (folder: string) => readFileSync(join(folder, 'model.safetensors'));
    assert.ok(stored(same).equals(stored(fixtureFolder(name))));
    const again = await loadModel(nodePlatform, same, { threads: 1 });
    assert.deepEqual(await again.encode(sequences), before);
    const { source: _, ...pooling } = source.pooling;
    assert.deepEqual({ ...again.pooling, source: 0 }, { ...pooling, source: 0 });
    assert.deepEqual(
      [again.maxLength, again.normalized, again.prompt('query'), again.similarity, again.dimensions],
      [source.maxLength, source.normalized, source.prompt('query'), source.similarity, source.dimensions],
    );

    const other = join(scratch(t), 'other');
    await saveCheckpoint(files, other, source, await weightsOf(source, (value) => value * 1.25), { card });
    const changed = await loadModel(nodePlatform, other, { threads: 1 });
    assert.ok(largestDifference(await changed.encode(sequences), before) > 1e-2);
    assert.notEqual(changed.hash, again.hash);
    await Promise.all([source, again, changed].map((model) => model.close()));
  });
}

test('16-bit weights become 32-bit ones, those not given and tensors beside the model stay', async (t) => {
  const folder = join(scratch(t), 'half');
  cpSync(fixtureFolder('bert'), folder, { recursive: true });
  cpSync(join(folder, 'half.safetensors'), join(folder, 'model.safetensors'));
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, dtype: 'float16', auto_map: { AutoModel: 'code.Model' } }),
  );
  const model = await loadModel(nodePlatform, folder, { threads: 1, maxLength: 9 });
  const name = 'encoder.layer.0.output.dense.bias';
  const weights = new Map([
    [name, new Float32Array(32).fill(0.5)],
    ['2_Dense.linear.bias', new Float32Array(20).fill(2)],
  ]);
  const target = join(scratch(t), 'made', 'deep');
  await saveCheckpoint(files, target, model, weights, { card });
  const before = await openSafetensors(files, join(folder, 'model.safetensors'));
  const after = await openSafetensors(files, join(target, 'model.safetensors'));
  assert.deepEqual(new Set(after.tensors.keys()), new Set(before.tensors.keys()));
  for (const [key, tensor] of after.tensors) {
    assert.deepEqual(tensor.shape, before.tensors.get(key)!.shape);
    if (tensor.dtype !== 'F32')
      assert.deepEqual(await readTensorBytes(files, tensor), await readTensorBytes(files, before.tensors.get(key)!));
    else if (key === name) assert.deepEqual(await readFloat32(files, tensor), weights.get(name));
    else assert.deepEqual(await readFloat32(files, tensor), await readFloat32(files, before.tensors.get(key)!), key);
  }
  const dense = await openSafetensors(files, join(target, '2_Dense', 'model.safetensors'));
  assert.deepEqual(await readFloat32(files, dense.tensors.get('linear.bias')!), weights.get('2_Dense.linear.bias'));
  const written = JSON.parse(readFileSync(join(target, 'config.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual([written.dtype, written.auto_map], ['float32', undefined]);
  const again = await loadModel(nodePlatform, target, { threads: 1 });
  assert.deepEqual([again.maxLength, again.prompts.query], [9, 'find: ']);
  await Promise.all([model.close(), again.close()]);
});

test('a plain transformers folder gets the sentence-transformers files; pooling, prompts and length as the model was used', async (t) => {
  const plain = join(scratch(t), 'plain');
  mkdirSync(plain);
  for (const name of ['config.json', 'model.safetensors'])
    cpSync(join(fixtureFolder('roberta'), name), join(plain, name));
  const registry = `version: "1"
models:
  - id: plain
    architecture: bert
    certainty: file
    runs: true
    pooling: cls
    maxLength: 33
    similarity: dot
    prompts: { query: 'q: ', document: 'd: ' }
`;
  const model = await loadModel(nodePlatform, plain, { threads: 1, registry });
  assert.equal(model.pooling.source, 'registry');
  const target = join(scratch(t), 'tuned');
  await saveCheckpoint(files, target, model, new Map(), {
    card: { recipe: 'Two\nlines.', license: 'apache-2.0', baseModel: 'a/b', languages: ['en'], facts: { steps: 7 } },
  });
  const again = await loadModel(nodePlatform, target, { threads: 1, registry: 'version: "1"\nmodels: []' });
  assert.deepEqual(
    [
      again.pooling.modes,
      again.pooling.source,
      again.maxLength,
      again.similarity,
      again.prompt('query'),
      again.prompt('document'),
    ],
    [['cls'], 'checkpoint', 33, 'dot', 'q: ', 'd: '],
  );
  const readme = readFileSync(join(target, 'README.md'), 'utf8');
  for (const part of ['license: "apache-2.0"', 'base_model: "a/b"', '- "en"', 'Two\nlines.', '| steps | 7 |'])
    assert.ok(readme.includes(part), part);
  await Promise.all([model.close(), again.close()]);
});

test('a failure half-way leaves nothing, an existing folder is kept or replaced as a whole', async (t) => {
  const model = await loadModel(nodePlatform, fixtureFolder('bert'), { threads: 1 });
  const parent = scratch(t);
  const target = join(parent, 'tuned');
  const save = (weights: Map<string, Float32Array>, options = {}) =>
    saveCheckpoint(files, target, model, weights, { card, ...options });
  const nan = new Float32Array(32).fill(Number.NaN);
  await assert.rejects(save(new Map([['encoder.layer.2.output.dense.bias', nan]])), {
    code: 'model.weights-not-finite',
  });
  await assert.rejects(save(new Map([['encoder.layer.9.output.dense.bias', nan]])), { code: 'model.weights-unknown' });
  assert.deepEqual(readdirSync(parent), []);

  // The process may end before any write: what has the folder's name is whole or is not there.
  for (let allowed = 0; allowed < 12; allowed++) {
    let left = allowed;
    const dying = {
      ...files,
      writeAtomic: async (path: string, data: Parameters<typeof files.writeAtomic>[1]) => {
        if (left-- === 0) throw new Error('ends here');
        return files.writeAtomic(path, data);
      },
      remove: async () => undefined,
    };
    const ended = await saveCheckpoint(dying, target, model, new Map(), { card }).then(
      () => false,
      (error: Error) => error.message === 'ends here',
    );
    assert.equal(existsSync(target), !ended);
    if (!ended) break;
    assert.ok(allowed < 11);
  }
  await assert.rejects(save(new Map()), { code: 'model.folder-exists' });
  writeFileSync(join(target, 'stray.txt'), 'of the old folder');
  await save(new Map(), { replace: true });
  assert.equal(existsSync(join(target, 'stray.txt')), false);
  assert.ok(existsSync(join(target, 'model.safetensors')));
  await assert.rejects(saveCheckpoint(files, '.', model, new Map(), { card }), { code: 'model.folder' });
  await model.close();
});
