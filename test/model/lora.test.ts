/** Adapters: against peft (test/oracle/lora.py), merged against apart, on disk and back. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { encodeSafetensors, openSafetensors, parseSafetensors, readFloat32 } from '../../src/base/safetensors.ts';
import { input, multiply, openEngine, sum } from '../../src/engine/index.ts';
import { architectureOf } from '../../src/model/architectures.ts';
import { matchTensors, openCheckpoint } from '../../src/model/checkpoint.ts';
import { readEncoderConfig } from '../../src/model/config.ts';
import {
  createAdapter,
  type LoraAdapter,
  loadAdapter,
  loadModel,
  loraContext,
  loraParameters,
  loraSpecs,
  mergedWeights,
  saveAdapter,
  saveCheckpoint,
  withValues,
} from '../../src/model/index.ts';
import { openModelParts } from '../../src/model/load.ts';
import { scratch } from '../support/scratch.ts';
import { expectedOf, type FixtureName, fixtureFolder, largestDifference } from './fixtures.ts';

const { files } = nodePlatform;
const adapterFolder = (name: string) => join(import.meta.dirname, '..', 'fixtures', 'lora', name);

async function specsOf(folder: string) {
  const path = join(folder, 'config.json');
  const config = readEncoderConfig(readFileSync(path, 'utf8'), path);
  const architecture = architectureOf(config);
  const specs = architecture.parameters(config);
  const { tensors } = matchTensors(await openCheckpoint(files, folder), specs, architecture.prefixes);
  return { specs, weight: (name: string) => readFloat32(files, tensors.get(name)!) };
}

/** A with its first values, B random. */
function trained(adapter: LoraAdapter): LoraAdapter {
  const random = stream(7, 'test');
  return withValues(
    adapter,
    new Map(
      loraSpecs(adapter).map(({ name, shape }) => [
        name,
        Float32Array.from({ length: shape[0]! * shape[1]! }, () => 0.3 * random.normal()),
      ]),
    ),
  );
}

for (const name of ['bert', 'roberta', 'mpnet', 'modernbert'] as const satisfies FixtureName[]) {
  test(`${name}: an adapter that peft saved gives peft's states, apart and merged; scaled down it fades out`, async (t) => {
    const { sequences } = await expectedOf(name);
    const { tensors } = await openSafetensors(files, join(adapterFolder(name), 'states.safetensors'));
    const expected = await readFloat32(files, tensors.get('states')!);
    const source = fixtureFolder(name);
    const { specs, weight } = await specsOf(source);
    const adapter = await loadAdapter(files, adapterFolder(name), specs);
    const states = async (folder: string, options: object = {}) => {
      const model = await loadModel(nodePlatform, folder, { threads: 1, ...options });
      const { data } = await model.tokenStates(sequences);
      await model.close();
      return { data, hash: model.hash };
    };
    const plain = await states(source);
    const apart = await states(source, { adapter: { folder: adapterFolder(name) } });
    assert.ok(largestDifference(plain.data, expected) > 0.1);
    const worst = largestDifference(apart.data, expected);
    const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    assert.ok(worst < 1e-5 * size, `${worst} of ${size}`);

    for (const factor of [1, 0.4]) {
      const target = join(scratch(t), 'merged');
      const model = await loadModel(nodePlatform, source, { threads: 1 });
      await saveCheckpoint(files, target, model, await mergedWeights(adapter, weight, { factor }), {
        card: { recipe: 'Merged.' },
      });
      await model.close();
      const scaled = await states(source, { adapter: { folder: adapterFolder(name), factor } });
      const difference = largestDifference((await states(target)).data, scaled.data);
      assert.ok(difference < 1e-5 * size, `${difference} of ${size}`);
      if (factor !== 1) assert.ok(largestDifference(scaled.data, apart.data) > 1e-2);
    }
    const none = await states(source, { adapter: { folder: adapterFolder(name), factor: 0 } });
    assert.deepEqual(none.data, plain.data);
    assert.equal(new Set([plain.hash, apart.hash, none.hash]).size, 3);
  });
}

test('an adapter saved and read again is the same, whatever its layers', async (t) => {
  const { specs } = await specsOf(fixtureFolder('bert'));
  for (const [at, options] of [
    {},
    { rank: 3, alpha: 7, dropout: 0.1, rslora: true, targetModules: ['query', 'intermediate.dense'] },
    { rank: 1, targetModules: /.*layer\.1\..*/ },
  ].entries()) {
    const folder = join(scratch(t), `adapter-${at}`);
    const adapter = trained(createAdapter(specs, options));
    await saveAdapter(files, folder, adapter, { baseModel: 'base' });
    assert.deepEqual(await loadAdapter(files, folder, specs), adapter);
  }
  const mixed = await loadAdapter(files, adapterFolder('mpnet'), (await specsOf(fixtureFolder('mpnet'))).specs);
  assert.deepEqual(
    new Set([...mixed.layers.values()].map(({ rank, alpha }) => `${rank} ${alpha}`)),
    new Set(['2 2', '4 2', '4 3']),
  );
  const folder = join(scratch(t), 'mixed');
  await saveAdapter(files, folder, mixed);
  assert.deepEqual(await loadAdapter(files, folder, (await specsOf(fixtureFolder('mpnet'))).specs), mixed);
});

test('a fresh adapter changes nothing, follows its seed, and spreads as Kaiming says', async () => {
  const { specs, weight } = await specsOf(fixtureFolder('bert'));
  const adapter = createAdapter(specs, { rank: 8, seed: 5 });
  assert.equal(adapter.layers.size, 18); // 3 layers of 6
  for (const [name, merged] of await mergedWeights(adapter, weight)) assert.deepEqual(merged, await weight(name));
  assert.deepEqual(adapter.values, createAdapter(specs, { rank: 8, seed: 5 }).values);
  assert.notDeepEqual(adapter.values, createAdapter(specs, { rank: 8, seed: 6 }).values);
  const a = adapter.values.get('encoder.layer.0.output.dense.lora_A.weight')!; // [8, 56]
  const largest = Math.max(...a.map(Math.abs));
  assert.ok(largest < 1 / Math.sqrt(56) && largest > 0.95 / Math.sqrt(56));
});

test('settings and files that do not fit are refused by name', async (t) => {
  const { specs } = await specsOf(fixtureFolder('bert'));
  assert.throws(() => createAdapter(specs, { rank: 0 }), { code: 'model.lora' });
  assert.throws(() => createAdapter(specs, { dropout: 1 }), { code: 'model.lora' });
  assert.throws(() => createAdapter(specs, { targetModules: ['query', 'q_proj'] }), { code: 'model.lora' });
  await assert.rejects(loadAdapter(files, fixtureFolder('bert'), specs), { code: 'model.adapter-absent' });
  await assert.rejects(loadAdapter(files, adapterFolder('mpnet'), specs), { code: 'model.adapter-tensor' });

  const folder = join(scratch(t), 'adapter');
  cpSync(adapterFolder('bert'), folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as object;
  const refused = async (change: object) => {
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, ...change }));
    await assert.rejects(loadAdapter(files, folder, specs), { code: 'model.adapter' });
  };
  for (const change of [
    { use_dora: true },
    { bias: 'all' },
    { modules_to_save: ['pooler'] },
    { peft_type: 'IA3' },
    { lora_bias: true },
  ])
    await refused(change);
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config));
  const bytes = readFileSync(join(folder, 'adapter_model.safetensors'));
  const tensors = [...parseSafetensors(bytes, 'x').tensors.values()].map(
    ({ name, dtype, shape, offset, bytes: length }) => ({
      name,
      dtype,
      shape,
      data: bytes.subarray(offset, offset + length),
    }),
  );
  for (const changed of [
    tensors.slice(1),
    [
      ...tensors,
      { name: 'base_model.model.x.lora_embedding_A', dtype: 'F32' as const, shape: [0], data: new Uint8Array() },
    ],
  ]) {
    writeFileSync(join(folder, 'adapter_model.safetensors'), encodeSafetensors(changed));
    await assert.rejects(loadAdapter(files, folder, specs), { code: 'model.adapter-tensor' });
  }
});

test('beside 8-bit layers the adapter stays in float32', async () => {
  const { sequences } = await expectedOf('bert');
  const vectors = async (options: object) => {
    const model = await loadModel(nodePlatform, fixtureFolder('bert'), { threads: 1, ...options });
    const result = await model.encode(sequences);
    await model.close();
    return result;
  };
  const adapter = { folder: adapterFolder('bert') };
  const float = await vectors({ adapter });
  const int8 = await vectors({ adapter, dtype: 'int8' });
  const width = float.length / sequences.length;
  const cosine = (a: Float32Array, b: Float32Array, row: number) => {
    let product = 0;
    for (let i = row * width; i < (row + 1) * width; i++) product += a[i]! * b[i]!;
    return product;
  };
  const plain = await vectors({ dtype: 'int8' });
  for (let row = 0; row < sequences.length; row++) {
    assert.ok(cosine(float, int8, row) > 0.98, `${cosine(float, int8, row)}`);
    assert.ok(cosine(int8, plain, row) < cosine(float, int8, row));
  }
});

test('the engine trains an adapter: the loss falls, and what was learnt is there after saving and merging', async (t) => {
  const source = fixtureFolder('mpnet');
  const { sequences } = await expectedOf('mpnet');
  const { specs, weight } = await specsOf(source);
  const adapter = createAdapter(specs, { rank: 2, alpha: 4, targetModules: ['q', 'v'] });
  const parts = await openModelParts(nodePlatform, source);
  const engine = await openEngine(nodePlatform, { threads: 1 });
  t.after(() => engine.close());
  const trained = await engine.openTraining(
    loraSpecs(adapter).map(({ name, shape }) => ({
      name,
      shape,
      decay: true,
      value: loraParameters(adapter).get(name)!,
    })),
  );
  const vectors = parts.graphs(loraContext(adapter)).vectors();
  const step = await trained.compile(
    { loss: sum(sum(multiply(vectors, input('direction', 'float32', ['batch', parts.dimensions])), 1), 0) },
    { loss: 'loss', parameters: await parts.values('fp32') },
  );
  const random = stream(3, 'direction');
  const size = sequences.length * parts.dimensions;
  const direction = Float32Array.from({ length: size }, () => random.normal());
  const losses: number[] = [];
  for (let at = 0; at < 10; at++) {
    const { loss } = await step.accumulate({ ...parts.feeds(sequences), direction });
    losses.push(loss!.floats[0]!);
    await trained.update({ learningRate: 1e-2 });
  }
  assert.ok(losses[9]! < losses[0]! - 0.5, losses.join(' '));
  const values = new Map<string, Float32Array>();
  for (const { name } of loraSpecs(adapter)) values.set(name, await trained.read('weights', name));

  const folder = join(scratch(t), 'adapter');
  await saveAdapter(files, folder, withValues(adapter, values));
  const model = await loadModel(nodePlatform, source, { threads: 1, adapter: { folder } });
  const apart = await model.encode(sequences);
  const merged = join(scratch(t), 'merged');
  await saveCheckpoint(files, merged, model, await mergedWeights(withValues(adapter, values), weight), {
    card: { recipe: 'Test.' },
  });
  const whole = await loadModel(nodePlatform, merged, { threads: 1 });
  assert.ok(largestDifference(await whole.encode(sequences), apart) < 1e-5);
  const after = apart.reduce((total, value, at) => total + value * direction[at]!, 0);
  assert.ok(after < losses[9]!, `${after} ${losses[9]}`);
  await Promise.all([model.close(), whole.close()]);
});
