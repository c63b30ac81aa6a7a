/** The small encoder made from texts and a seed. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openSafetensors, readFloat32 } from '../../src/base/safetensors.ts';
import { createTinyModel, loadModel } from '../../src/model/index.ts';
import { loadTokenizer } from '../../src/tokenizer/index.ts';
import { scratch } from '../support/scratch.ts';

const { files } = nodePlatform;
const texts = [
  'An ultrasonic probe with a lens.',
  'A lens surrounds the probe.',
  'The probe transmits; the lens focuses.',
];
const vocabulary = { size: 80, minFrequency: 1 };

test('the same texts and seed give the same bytes; another seed other weights alone', async (t) => {
  const folders = ['a', 'b', 'c'].map((name) => join(scratch(t), name)) as [string, string, string];
  const made = await createTinyModel(files, folders[0], texts, { seed: 3, vocabulary });
  await createTinyModel(files, folders[1], texts, { seed: 3, vocabulary });
  await createTinyModel(files, folders[2], texts, { seed: 4, vocabulary });
  assert.deepEqual([made.vocabulary.tokens.length, made.vocabulary.texts], [80, 3]);
  const names = (readdirSync(folders[0], { recursive: true }) as string[]).filter((name) => /\.\w+$/.test(name)).sort();
  assert.ok(names.length >= 10);
  for (const name of names) {
    const [a, b, c] = folders.map((folder) => readFileSync(join(folder, name))) as [Buffer, Buffer, Buffer];
    assert.ok(a.equals(b), name);
    assert.equal(a.equals(c), !['README.md', 'model.safetensors'].includes(name), name);
  }
});

test('it encodes, and its weights are those that BERT begins with', async (t) => {
  const folder = join(scratch(t), 'tiny');
  const { parameters } = await createTinyModel(files, folder, texts, { vocabulary, maxLength: 40 });
  const model = await loadModel(nodePlatform, folder, { threads: 1 });
  assert.deepEqual(
    [model.dimensions, model.maxLength, model.normalized, model.pooling.modes, model.padId, model.similarity],
    [128, 40, true, ['mean'], 0, 'cosine'],
  );
  assert.equal(parameters, model.parameters + 128 * 128 + 128); // the pooler counts
  const tokenizer = await loadTokenizer(nodePlatform, folder);
  const sequences = texts.map((text) => tokenizer.encode(text, { maxLength: 40 }).ids);
  const vectors = await model.encode(sequences);
  for (let at = 0; at < 3; at++) {
    const length = Math.hypot(...vectors.subarray(at * 128, at * 128 + 128));
    assert.ok(Math.abs(length - 1) < 1e-5);
  }
  await model.close();

  const { tensors } = await openSafetensors(files, join(folder, 'model.safetensors'));
  const read = (name: string) => readFloat32(files, tensors.get(name)!);
  const wide = await read('encoder.layer.1.intermediate.dense.weight');
  const mean = wide.reduce((a, b) => a + b, 0) / wide.length;
  const spread = Math.sqrt(wide.reduce((a, b) => a + (b - mean) ** 2, 0) / wide.length);
  assert.ok(Math.abs(mean) < 4e-4 && Math.abs(spread - 0.02) < 4e-4, `${mean} ${spread}`);
  assert.ok((await read('encoder.layer.0.output.dense.bias')).every((value) => value === 0));
  assert.ok((await read('embeddings.LayerNorm.weight')).every((value) => value === 1));
  assert.ok((await read('embeddings.word_embeddings.weight')).subarray(0, 128).every((value) => value === 0));
});

test('settings that give no model are refused by name and leave nothing', async (t) => {
  const parent = scratch(t);
  const make = (options: object) => createTinyModel(files, join(parent, 'x'), texts, options);
  await assert.rejects(make({ layers: 0 }), { code: 'model.tiny' });
  await assert.rejects(make({ hidden: 30, heads: 4 }), { code: 'model.config' });
  await assert.rejects(createTinyModel(files, join(parent, 'x'), ['']), { code: 'tokenizer.vocabulary-empty' });
  assert.deepEqual(readdirSync(parent), []);
});
