/**
 * Gradients of whole encoders: against PyTorch's (float64, test/oracle/gradients.py), against central differences, and bit-equal
 * from run to run with repeated ids.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openSafetensors, readFloat32 } from '../../src/base/safetensors.ts';
import {
  dropoutKeys,
  type Engine,
  type Feed,
  gather,
  gradients,
  input,
  l2Normalise,
  layerNorm,
  linear,
  matmul,
  mean,
  multiply,
  openEngine,
  rowGradients,
  segmentMean,
  subtract,
  sum,
  type Tensor,
} from '../../src/engine/index.ts';
import { architectureOf } from '../../src/model/architectures.ts';
import { batchFeeds, batchInputs } from '../../src/model/batch.ts';
import { matchTensors, openCheckpoint } from '../../src/model/checkpoint.ts';
import { readEncoderConfig } from '../../src/model/config.ts';
import { dropoutInput, floatContext, trainingContext } from '../../src/model/forward.ts';
import { expectedOf, fixtureFolder } from '../model/fixtures.ts';
import { type Checked, compare, engineGradients, referenceGradients, slopes } from './gradient-check.ts';

const { files } = nodePlatform;
const engines: Engine[] = [];
for (const threads of [1, 2, 4]) engines.push(await openEngine(nodePlatform, { threads }));
after(async () => {
  for (const engine of engines) await engine.close();
});

/** The loss of gradients.py, of the checkpoint's parameters as inputs; with a rate, in training. */
async function encoder(name: 'bert' | 'mpnet' | 'modernbert', rate = 0): Promise<Checked> {
  const folder = fixtureFolder(name);
  const config = readEncoderConfig(await files.readText(join(folder, 'config.json')), 'config.json');
  const architecture = architectureOf(config);
  const specs = architecture.parameters(config);
  const { tensors } = matchTensors(await openCheckpoint(files, folder), specs, architecture.prefixes);
  const leaves = new Map(specs.map((spec) => [spec.name, input(spec.name, 'float32', spec.shape)]));
  const { sequences, segments } = await expectedOf(name);
  const batch = batchInputs({ segments: segments !== undefined });
  const states = architecture.forward(
    config,
    { get: (key) => leaves.get(key)!, has: (key) => leaves.has(key) },
    batch,
    rate === 0 ? floatContext : trainingContext(rate),
  );
  const u = l2Normalise(segmentMean(states.at(-1)!, batch.layout));
  const n = sequences.length;
  const difference = subtract(matmul(u, u, { transposeB: true }), input('target', 'float32', ['batch', 'batch']));
  const loss = mean(mean(multiply(difference, difference), 0), 0);
  const target = Float32Array.from({ length: n * n }, (_, at) => ((3 * Math.floor(at / n) + 5 * (at % n)) % 7) / 7);
  const feeds: Record<string, Feed> = {
    ...batchFeeds(config, sequences, segments === undefined ? {} : { segments }),
    target: { data: target, shape: [n, n] },
  };
  const lengths = sequences.map(({ length }) => length);
  if (rate > 0) feeds[dropoutInput] = dropoutKeys({ seed: 1, step: 2, samples: [...sequences.keys()], lengths });
  for (const [key, stored] of tensors)
    feeds[key] = { data: await readFloat32(files, stored), shape: leaves.get(key)!.shape as number[] };
  return { loss, feeds, wrt: [...leaves.values()] };
}

const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((a, b) => a + b * b, 0));

for (const name of ['bert', 'mpnet', 'modernbert'] as const)
  test(`${name}: all gradients as PyTorch's and as central differences`, async () => {
    const checked = await encoder(name);
    const { tensors } = await openSafetensors(
      files,
      join(import.meta.dirname, '..', 'fixtures', 'gradients', `${name}.safetensors`),
    );
    const keys = checked.wrt.map(({ attributes }) => (attributes as { name: string }).name);
    const torch = await Promise.all(
      keys.map(async (key, i) => {
        const stored = tensors.get(key);
        // What PyTorch's last hidden state does not depend on has no gradient there.
        return stored
          ? readFloat32(files, stored)
          : new Float32Array((checked.feeds[keys[i]!] as { data: Float32Array }).data.length);
      }),
    );
    const whole = norm(torch.map(norm));
    const agree = (what: string, found: readonly ArrayLike<number>[], relative: number) => {
      keys.forEach((key, i) => {
        const difference = norm(torch[i]!.map((value, j) => value - found[i]![j]!));
        // A gradient that is zero but for rounding (a key's bias cancels in the softmax) is measured against the whole.
        const limit = relative * Math.max(norm(torch[i]!), 1e-3 * whole);
        assert.ok(difference <= limit, `${what}, ${key}: off by ${difference}, of ${norm(torch[i]!)}`);
      });
    };
    const reference = referenceGradients(checked);
    agree('reference', reference, 1e-6);
    const few = { ...checked, wrt: checked.wrt.filter((_, i) => i % 7 === 0) };
    compare(
      'reference',
      few,
      slopes(few, 1),
      reference.filter((_, i) => i % 7 === 0),
    );
    for (const engine of engines) {
      const [found] = await engineGradients(engine, checked);
      agree(`${engine.threads} threads`, found!, 1e-5);
    }
  });

for (const name of ['bert', 'mpnet', 'modernbert'] as const)
  test(`${name} with dropout: gradients as central differences, at 1, 2 and 4 threads`, async () => {
    const all = await encoder(name, 0.2);
    const checked = { ...all, wrt: all.wrt.filter((_, i) => i % 11 === 0) };
    const expected = slopes(checked, 1);
    compare('reference', checked, expected, referenceGradients(checked));
    for (const engine of engines) {
      const [found] = await engineGradients(engine, checked);
      compare(`${engine.threads} threads`, checked, expected, found!);
    }
  });

test('repeated ids: bit-equal over 20 runs at 1, 2 and 4 threads', async () => {
  const [tokens, rows, width] = [2048, 500, 48];
  const ids = Int32Array.from({ length: tokens }, (_, i) => Math.floor(rows * ((i * 0.6180339887) % 1) ** 3));
  const table = input('table', 'float32', [rows, width]);
  const x = layerNorm(
    linear(gather(table, input('ids', 'int32', ['tokens'])), input('weight', 'float32', [width, width])),
  );
  const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7));
  const checked: Checked = {
    loss: sum(sum(multiply(x, input('w', 'float32', ['tokens', width])), 0), 0),
    feeds: {
      ids,
      table: values(rows * width),
      weight: values(width * width),
      w: { data: values(tokens * width), shape: [tokens, width] },
    },
    wrt: [table, input('weight', 'float32', [width, width])],
  };
  const exact = referenceGradients(checked);
  for (const engine of engines) {
    const runs = await engineGradients(engine, checked, 20);
    for (const run of runs) for (const [i, gradient] of run.entries()) assert.deepEqual(gradient, runs[0]![i]);
    exact.forEach((expected, i) => {
      const found = runs[0]![i]!;
      assert.ok(norm(expected.map((value, j) => value - found[j]!)) <= 1e-5 * norm(expected));
    });
  }
});

test('gradients of tables as rows add up to the dense ones', async () => {
  const checked = await encoder('bert');
  const table = checked.wrt[0]!;
  const [{ rows, dense }] = rowGradients(checked.loss, [table]) as [ReturnType<typeof rowGradients>[0]];
  assert.equal(dense, undefined);
  assert.equal(rows.length, 1);
  const outputs: Record<string, Tensor> = {
    rows: rows[0]!.rows,
    indices: rows[0]!.indices,
    dense: gradients(checked.loss, [table])[0]!,
  };
  const program = await engines[0]!.compile(outputs);
  const found = await program.run(checked.feeds);
  const width = table.shape[1] as number;
  const sums = new Float64Array(found.dense!.floats.length);
  found.indices!.integers.forEach((id, i) => {
    for (let k = 0; k < width; k++) sums[id * width + k]! += found.rows!.floats[i * width + k]!;
  });
  assert.ok(norm(sums.map((value, i) => value - found.dense!.floats[i]!)) <= 1e-6 * norm(sums));
  await program.close();
});
