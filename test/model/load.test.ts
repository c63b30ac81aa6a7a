/** A loaded model: vectors as sentence-transformers' modules make them, and the properties that batches must have. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { loadModel, type ModelDtype, type TextModel } from '../../src/model/index.ts';
import { scratch } from '../support/scratch.ts';
import { expectedOf, type FixtureName, fixtureFolder, largestDifference, names } from './fixtures.ts';

const models = new Map<string, Promise<TextModel>>();
after(async () => {
  for (const model of models.values()) await (await model).close();
});
function model(name: FixtureName, dtype: ModelDtype = 'fp32'): Promise<TextModel> {
  const key = `${name} ${dtype}`;
  if (!models.has(key)) models.set(key, loadModel(nodePlatform, fixtureFolder(name), { dtype, threads: 1 }));
  return models.get(key)!;
}

const row = (matrix: Float32Array, at: number, width: number) => matrix.subarray(at * width, (at + 1) * width);
const cosine = (a: Float32Array, b: Float32Array) => {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    ab += value * b[i]!;
    aa += value * value;
    bb += b[i]! * b[i]!;
  });
  return ab / Math.sqrt(aa * bb);
};

for (const name of names) {
  describe(name, () => {
    test('vectors are those of pooling, dense and normalise in Python', async () => {
      const { sequences, vectors } = await expectedOf(name);
      const loaded = await model(name);
      assert.equal(vectors.length, sequences.length * loaded.dimensions);
      const worst = largestDifference(await loaded.encode(sequences), vectors);
      assert.ok(worst < 1e-5, `largest difference ${worst}`);
    });

    test('token states are the last layer’s', async () => {
      const { sequences, segments, hidden } = await expectedOf(name);
      if (segments !== undefined) return; // its states were made with segments, which single texts do not have
      const states = await (await model(name)).tokenStates(sequences);
      assert.equal(states.starts.at(-1), states.data.length / states.hidden);
      assert.ok(largestDifference(states.data, hidden.at(-1)!) < 1e-5);
    });

    test('8-bit vectors stay near', async () => {
      const { sequences, vectors } = await expectedOf(name);
      const int8 = await model(name, 'int8');
      const found = await int8.encode(sequences);
      sequences.forEach((_, at) => {
        const similarity = cosine(row(found, at, int8.dimensions), row(vectors, at, int8.dimensions));
        assert.ok(similarity > 0.99, `cosine ${similarity}`);
      });
    });
  });
}

describe('a vector depends on its own text alone', () => {
  const sequence = (vocabulary: number, most: number) =>
    fc
      .array(fc.integer({ min: 5, max: vocabulary - 1 }), { minLength: 1, maxLength: most })
      .map((ids) => Int32Array.from(ids));
  for (const [name, dtype] of [
    ['bert', 'fp32'],
    ['mpnet', 'fp32'],
    ['modernbert', 'fp32'],
    ['roberta', 'int8'],
    ['modernbert', 'int8'],
  ] as const) {
    test(`${name} ${dtype}: the same alone, in a batch, and in a batch of another order`, async () => {
      const loaded = await model(name, dtype);
      const width = loaded.dimensions;
      const batches = fc.array(sequence(loaded.config.vocabulary, loaded.maxLength), { minLength: 2, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(batches, async (sequences) => {
          const together = await loaded.encode(sequences);
          const turned = await loaded.encode(sequences.toReversed());
          for (const [at, ids] of sequences.entries()) {
            const own = row(together, at, width);
            // Rounding aside, 8-bit values can step where float32 sums differ in their last bit.
            const tolerance = dtype === 'int8' ? 2e-2 : 1e-5;
            assert.ok(largestDifference(await loaded.encode([ids]), own) < tolerance);
            assert.ok(largestDifference(row(turned, sequences.length - 1 - at, width), own) < tolerance);
          }
        }),
        { numRuns: 12, seed: 1 },
      );
    });
  }
});

test('prompt tokens are left out of the mean only where the checkpoint says so', async (t) => {
  const folder = join(scratch(t), 'model');
  cpSync(fixtureFolder('xlm-roberta'), folder, { recursive: true });
  const write = (fields: object) => writeFileSync(join(folder, '1_Pooling', 'config.json'), JSON.stringify(fields));
  const sequences = [Int32Array.of(9, 8, 7, 6, 5), Int32Array.of(30, 31, 32)];
  const all = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'];

  for (const includePrompt of [true, false]) {
    write({ embedding_dimension: 32, pooling_mode: all, include_prompt: includePrompt });
    const loaded = await loadModel(nodePlatform, folder, { threads: 1 });
    const { data, starts } = await loaded.tokenStates(sequences);
    const found = await loaded.encode(sequences, { promptTokens: 2 });
    await loaded.close();
    assert.equal(loaded.dimensions, 32 * all.length);
    const expected: number[] = [];
    sequences.forEach((_, at) => {
      const skip = includePrompt ? 0 : 2;
      const kept: { state: Float32Array; place: number }[] = [];
      for (let token = starts[at]! + skip; token < starts[at + 1]!; token++)
        kept.push({ state: row(data, token, 32), place: token - starts[at]! + 1 });
      const columns = (f: (column: number) => number) => Array.from({ length: 32 }, (_, column) => f(column));
      const sum = (column: number) => kept.reduce((total, { state }) => total + state[column]!, 0);
      const places = kept.reduce((total, { place }) => total + place, 0);
      expected.push(
        ...kept[0]!.state,
        ...columns((column) => Math.max(...kept.map(({ state }) => state[column]!))),
        ...columns((column) => sum(column) / kept.length),
        ...columns((column) => sum(column) / Math.sqrt(kept.length)),
        ...columns((column) => kept.reduce((total, { state, place }) => total + state[column]! * place, 0) / places),
        ...kept.at(-1)!.state,
      );
    });
    assert.ok(largestDifference(found, expected) < 1e-5);
  }
});

test('16-bit weights give what their rounding to 32 bits gives', async (t) => {
  const { sequences, vectors } = await expectedOf('bert');
  for (const [file, tolerance] of [
    ['half.safetensors', 5e-3],
    ['bfloat16.safetensors', 5e-2],
  ] as const) {
    const folder = join(scratch(t), 'bert');
    cpSync(fixtureFolder('bert'), folder, { recursive: true });
    cpSync(join(folder, file), join(folder, 'model.safetensors'));
    const found: Float32Array[] = [];
    for (const backend of ['ort', 'reference'] as const) {
      const loaded = await loadModel(nodePlatform, folder, { backend, threads: 1 });
      found.push(await loaded.encode(sequences));
      await loaded.close();
    }
    assert.ok(largestDifference(found[0]!, found[1]!) < 1e-5);
    assert.ok(largestDifference(found[0]!, vectors) < tolerance);
  }
});

test('both ways of writing ModernBERT’s configuration mean the same', async (t) => {
  const folder = join(scratch(t), 'modernbert');
  cpSync(fixtureFolder('modernbert'), folder, { recursive: true });
  const path = join(folder, 'config.json');
  const { rope_parameters: _, layer_types: __, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
  const older = { ...rest, global_rope_theta: 160000.0, local_rope_theta: 10000.0, global_attn_every_n_layers: 3 };
  writeFileSync(path, JSON.stringify(older));
  const loaded = await loadModel(nodePlatform, folder, { threads: 1 });
  assert.deepEqual(loaded.config, (await model('modernbert')).config);
  assert.notEqual(loaded.hash, (await model('modernbert')).hash);
  await loaded.close();
});

test('what the model says of itself', async () => {
  const bert = await model('bert');
  assert.equal(bert.dimensions, 20);
  assert.equal(bert.hiddenSize, 32);
  assert.equal(bert.maxLength, 40);
  assert.equal(bert.normalized, true);
  assert.deepEqual(bert.pooling, { modes: ['mean'], includePrompt: true, source: 'checkpoint' });
  assert.equal(bert.prompt('query'), 'find: ');
  assert.equal(bert.prompt('document'), '');
  assert.equal(bert.prompts.source, 'checkpoint');
  assert.deepEqual([...bert.ignoredTensors].sort(), [
    'embeddings.position_ids',
    'pooler.dense.bias',
    'pooler.dense.weight',
  ]);
  assert.match(bert.hash, /^[0-9a-f]{64}$/);
  const roberta = await model('roberta');
  assert.equal(roberta.config.maxPositions, 40); // 42 rows, of which the first two are the padding's
  assert.ok(roberta.ignoredTensors.every((name) => name.startsWith('lm_head.')));
  assert.equal(roberta.ignoredTensors.length, 5);
});

test('the hash follows every file that can change a vector, and nothing else', async (t) => {
  const folder = join(scratch(t), 'copy');
  cpSync(fixtureFolder('roberta'), folder, { recursive: true });
  const hash = async () => {
    const loaded = await loadModel(nodePlatform, folder, { backend: 'reference' });
    await loaded.close();
    return loaded.hash;
  };
  const first = await hash();
  assert.equal(first, (await model('roberta')).hash);
  writeFileSync(join(folder, 'README.md'), 'words');
  assert.equal(await hash(), first);
  writeFileSync(join(folder, 'tokenizer.json'), '{}');
  const second = await hash();
  assert.notEqual(second, first);
  const weights = readFileSync(join(folder, 'model.safetensors'));
  weights[weights.length - 1]! ^= 1;
  writeFileSync(join(folder, 'model.safetensors'), weights);
  assert.notEqual(await hash(), second);
});

test('a model may be closed twice, and says so when it is used after', async () => {
  const loaded = await loadModel(nodePlatform, fixtureFolder('roberta'), { threads: 1 });
  await loaded.encode([Int32Array.of(5)]);
  await loaded.close();
  await loaded.close();
  await assert.rejects(loaded.encode([Int32Array.of(5)]));
});
