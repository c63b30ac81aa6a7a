/** Engines side by side: how threads are shared, and that a vector never depends on it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { openEngine, type ParameterValue } from '../../src/engine/index.ts';
import { architectureOf } from '../../src/model/architectures.ts';
import { batchFeeds, batchInputs } from '../../src/model/batch.ts';
import { matchTensors, openCheckpoint } from '../../src/model/checkpoint.ts';
import { readEncoderConfig } from '../../src/model/config.ts';
import { floatContext, int8Context, symbolicParameters } from '../../src/model/forward.ts';
import { loadModel, type ModelDtype } from '../../src/model/index.ts';
import { shareThreads } from '../../src/model/lanes.ts';
import { quantisedValues } from '../../src/model/quantise.ts';
import { missingModel, realModel } from '../support/models.ts';
import { fixtureFolder } from './fixtures.ts';

const { files } = nodePlatform;

test('small models get an engine a thread, large ones fewer engines with more threads', () => {
  assert.deepEqual(shareThreads(8, 40 * 2 ** 20), { count: 8, threadsEach: 1 });
  assert.deepEqual(shareThreads(8, 340 * 2 ** 20), { count: 3, threadsEach: 2 });
  assert.deepEqual(shareThreads(8, 1300 * 2 ** 20), { count: 1, threadsEach: 8 });
  assert.deepEqual(shareThreads(1, 0), { count: 1, threadsEach: 1 });
});

/** The last states of `batches` from one engine with so many threads, as `loadModel` would have it of a large model. */
async function statesOf(folder: string, dtype: ModelDtype, threads: number, batches: readonly Int32Array[][]) {
  const path = join(folder, 'config.json');
  const config = readEncoderConfig(await files.readText(path), path);
  const architecture = architectureOf(config);
  const specs = architecture.parameters(config);
  const { tensors } = matchTensors(await openCheckpoint(files, folder), specs, architecture.prefixes);
  const parameters = new Map<string, ParameterValue>();
  for (const spec of specs) {
    const { file, offset, bytes } = tensors.get(spec.name)!;
    if (dtype === 'fp32' || spec.kind !== 'linear' || spec.int8?.exact)
      parameters.set(spec.name, { dtype: 'float32', shape: spec.shape, source: { file, offset, bytes } });
    else for (const [name, value] of await quantisedValues(files, spec, tensors)) parameters.set(name, value);
  }
  const context = dtype === 'int8' ? int8Context(specs) : floatContext;
  const states = architecture.forward(config, symbolicParameters(specs), batchInputs(), context).at(-1)!;
  const engine = await openEngine(nodePlatform, { threads });
  try {
    const program = await engine.compile({ states }, { parameters });
    const results: Float32Array[] = [];
    for (const batch of batches) results.push((await program.run(batchFeeds(config, batch))).states!.floats);
    return results;
  } finally {
    await engine.close();
  }
}

/** Batches of one to many sequences, of one token to `longest`. */
function invent(longest: number): Int32Array[][] {
  const random = stream(3, 'batches');
  const sizes = [
    [1],
    [longest],
    [2, 3],
    [longest, 5, 7],
    Array.from({ length: 12 }, () => 2 + random.integer(longest - 2)),
  ];
  return sizes.map((lengths) => lengths.map((length) => Int32Array.from({ length }, () => 3 + random.integer(40))));
}

describe('vectors are the same bits on one thread, on more in one engine, and on engines side by side', () => {
  const models = [
    ...(['bert', 'mpnet', 'modernbert'] as const).map((name) => ({
      name,
      folder: () => fixtureFolder(name),
      longest: 30,
      skip: undefined,
    })),
    {
      name: 'all-MiniLM-L6-v2',
      folder: () => realModel('all-MiniLM-L6-v2'),
      longest: 60,
      skip: missingModel('all-MiniLM-L6-v2'),
    },
  ];
  for (const { name, folder, longest, skip } of models)
    for (const dtype of ['fp32', 'int8'] as const)
      test(`${name}, ${dtype}`, { skip }, async () => {
        const batches = invent(longest);
        const alone = await statesOf(folder(), dtype, 1, batches);
        assert.deepEqual(await statesOf(folder(), dtype, 2, batches), alone);
        const model = await loadModel(nodePlatform, folder(), { dtype, threads: 2 });
        assert.equal(model.lanes, 2);
        const beside = await Promise.all(batches.map((batch) => model.tokenStates(batch)));
        await model.close();
        assert.deepEqual(
          beside.map(({ data }) => data),
          alone,
        );
      });
});

test('what computes names its version, and in 8 bits the levels of this processor', async () => {
  const arithmetic = async (options: Parameters<typeof loadModel>[2]) => {
    const model = await loadModel(nodePlatform, fixtureFolder('bert'), { threads: 1, ...options });
    await model.close();
    return model.arithmetic;
  };
  const fp32 = await arithmetic({});
  assert.match(fp32, /^onnxruntime \d+\.\d+\.\d+$/);
  const int8 = await arithmetic({ dtype: 'int8' });
  assert.ok([`${fp32}, 127 levels`, `${fp32}, 63 levels`].includes(int8), int8);
  assert.equal(await arithmetic({ backend: 'reference' }), 'reference');
});

test('a number of threads that is none is refused', async () => {
  for (const threads of [0, 1.5, Number.NaN])
    await assert.rejects(loadModel(nodePlatform, fixtureFolder('bert'), { threads }), { code: 'engine.threads' });
});
