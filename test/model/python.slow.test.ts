/** What is written, loaded by transformers, sentence-transformers and peft (PATENTLAB_PYTHON). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { readFloat32 } from '../../src/base/safetensors.ts';
import { architectureOf } from '../../src/model/architectures.ts';
import { openCheckpoint } from '../../src/model/checkpoint.ts';
import {
  createAdapter,
  createTinyModel,
  loadModel,
  loraSpecs,
  saveAdapter,
  saveCheckpoint,
  type TextModel,
  withValues,
} from '../../src/model/index.ts';
import { loadTokenizer } from '../../src/tokenizer/index.ts';
import { missingPython, python } from '../support/python.ts';
import { scratch } from '../support/scratch.ts';
import { largestDifference } from './fixtures.ts';

const { files } = nodePlatform;
const texts = (
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'wordpiece', 'texts.json'), 'utf8')) as string[]
).filter((text) => text.trim() !== '');

interface Loaded {
  missing: string[];
  dtype: string;
  maxLength: number;
  prompts: Record<string, string>;
  similarity: string;
  vectors: number[][];
  ids: number[][];
  means: number[][];
}

function loadInPython(folder: string, work: string, adapter?: string): Loaded {
  const [input, output] = [join(work, 'texts.json'), join(work, 'loaded.json')];
  writeFileSync(input, JSON.stringify(texts));
  const script = join(import.meta.dirname, '..', 'oracle', 'load_checkpoint.py');
  const run = spawnSync(python, [script, folder, input, output, ...(adapter === undefined ? [] : [adapter])], {
    encoding: 'utf8',
  });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(readFileSync(output, 'utf8')) as Loaded;
}

async function vectorsOf(model: TextModel): Promise<{ ids: number[][]; vectors: Float32Array; means: Float32Array }> {
  const tokenizer = await loadTokenizer(nodePlatform, model.folder);
  const sequences = texts.map((text) => tokenizer.encode(text, { maxLength: model.maxLength }).ids);
  const { data, starts, hidden } = await model.tokenStates(sequences);
  const means = new Float32Array(texts.length * hidden);
  for (let at = 0; at < texts.length; at++)
    for (let row = starts[at]!; row < starts[at + 1]!; row++)
      for (let i = 0; i < hidden; i++)
        means[at * hidden + i]! += data[row * hidden + i]! / (starts[at + 1]! - starts[at]!);
  return { ids: sequences.map((ids) => [...ids]), vectors: await model.encode(sequences), means };
}

const skip = missingPython('transformers', 'sentence_transformers');

test('a small model made from texts, and what is saved from it, in Python', { skip }, async (t) => {
  const work = scratch(t);
  const made = join(work, 'tiny');
  await createTinyModel(files, made, texts, { vocabulary: { size: 900 }, seed: 2, hidden: 64, maxLength: 400 });
  const model = await loadModel(nodePlatform, made, { threads: 1 });
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of (await openCheckpoint(files, made)).tensors)
    if (!name.startsWith('pooler'))
      weights.set(
        name,
        (await readFloat32(files, tensor)).map((value) => value * 2 + 1e-3),
      );
  const tuned = join(work, 'tuned');
  await saveCheckpoint(files, tuned, model, weights, { card: { recipe: 'Test.', license: 'apache-2.0' } });
  await model.close();
  for (const folder of [made, tuned]) {
    const ours = await loadModel(nodePlatform, folder, { threads: 1 });
    const own = await vectorsOf(ours);
    await ours.close();
    const loaded = loadInPython(folder, work);
    assert.deepEqual(loaded.missing, []);
    assert.deepEqual([loaded.dtype, loaded.maxLength, loaded.similarity], ['torch.float32', 400, 'cosine']);
    assert.deepEqual(loaded.ids, own.ids);
    const worst = [
      largestDifference(own.vectors, loaded.vectors.flat()),
      largestDifference(own.means, loaded.means.flat()),
    ];
    t.diagnostic(`largest differences: vectors ${worst[0]}, states ${worst[1]}`);
    assert.ok(worst.every((difference) => difference < 1e-5));
  }
});

const noPeft = missingPython('transformers', 'sentence_transformers', 'peft');

test('an adapter saved here, in peft', { skip: noPeft }, async (t) => {
  const work = scratch(t);
  const base = join(work, 'tiny');
  await createTinyModel(files, base, texts, { vocabulary: { size: 900 }, seed: 2, hidden: 64, maxLength: 400 });
  const model = await loadModel(nodePlatform, base, { threads: 1 });
  const fresh = createAdapter(architectureOf(model.config).parameters(model.config), {
    rank: 4,
    alpha: 6,
    rslora: true,
    targetModules: ['query', 'intermediate.dense', 'output.dense'],
  });
  await model.close();
  const random = stream(1, 'test');
  const adapter = withValues(
    fresh,
    new Map(
      loraSpecs(fresh).map(({ name, shape }) => [
        name,
        Float32Array.from({ length: shape[0]! * shape[1]! }, () => 0.2 * random.normal()),
      ]),
    ),
  );
  const folder = join(work, 'adapter');
  await saveAdapter(files, folder, adapter, { baseModel: base });
  const adapted = await loadModel(nodePlatform, base, { threads: 1, adapter: { folder } });
  const plain = await loadModel(nodePlatform, base, { threads: 1 });
  const [own, without] = [await vectorsOf(adapted), await vectorsOf(plain)];
  await Promise.all([adapted.close(), plain.close()]);
  const loaded = loadInPython(base, work, folder);
  assert.ok(largestDifference(own.means, without.means) > 0.1);
  const worst = largestDifference(own.means, loaded.means.flat());
  t.diagnostic(`largest difference: states ${worst}`);
  assert.ok(worst < 1e-5);
});
