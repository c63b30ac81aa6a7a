/** Training on WebGPU (in software): state and update on the device give the losses of the CPU. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { type Device, input, multiply, openEngine, sum, type Training } from '../../src/engine/index.ts';
import { openTrainable } from '../../src/model/trainable.ts';
import { fixtureFolder } from '../model/fixtures.ts';
import { isWithoutDevice, useDriver, withoutDriver } from '../support/webgpu.ts';

const model = await openTrainable(nodePlatform, fixtureFolder('bert'), { pooling: 'mean' });
const { dimensions } = model.parts;
const batches = [
  [Int32Array.of(2, 9, 8, 7, 3), Int32Array.of(2, 30, 3)],
  [Int32Array.of(2, 9, 9, 9, 11, 12, 3), Int32Array.of(2, 4, 3), Int32Array.of(2, 30, 31, 3)],
];
const feeds = (step: number) => {
  const sequences = batches[step % 2]!;
  const target = Float32Array.from({ length: sequences.length * dimensions }, (_, i) => Math.sin(i + (step % 2)));
  return { ...model.feeds(sequences), target: { data: target, shape: [sequences.length, dimensions] } };
};

/** What some steps give; every fourth accumulates two batches, the second at half its weight. */
async function train(training: Training, steps: number, recompute = false) {
  const { vectors, boundaries } = model.encoder();
  const loss = sum(sum(multiply(vectors, input('target', 'float32', ['batch', dimensions])), 1), 0);
  const program = await training.compile(
    { loss },
    { loss: 'loss', parameters: model.frozen, ...(recompute ? { boundaries } : {}) },
  );
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 0; step < steps; step++) {
    losses.push((await program.accumulate(feeds(step))).loss!.floats[0]!);
    if (step % 4 === 1) await program.accumulate(feeds(step + 1), { weight: 0.5 });
    norms.push((await training.update({ learningRate: 2e-3, maxNorm: 1 })).gradientNorm);
  }
  await program.close();
  return { losses, norms };
}

async function on(device: Device, t: TestContext): Promise<Training | undefined> {
  const engine = await openEngine(nodePlatform, { device, threads: 1 });
  t.after(() => engine.close());
  try {
    return await engine.openTraining(model.trained);
  } catch (error) {
    if (!isWithoutDevice(error)) throw error;
    t.skip('WebGPU finds no device: libvulkan must be where the loader looks');
    return undefined;
  }
}

test('20 steps: losses and norms of the CPU; state can be read and put back', { skip: withoutDriver }, async (t) => {
  useDriver();
  const device = await on('webgpu', t);
  if (device === undefined) return;
  const cpu = (await on('cpu', t))!;
  const expected = await train(cpu, 20);
  assert.ok(expected.losses[18]! < expected.losses[0]! - 1);
  const agree = (found: typeof expected) => {
    for (const what of ['losses', 'norms'] as const)
      for (const [step, value] of found[what].entries()) {
        const difference = Math.abs(value - expected[what][step]!) / Math.max(1, Math.abs(expected[what][step]!));
        assert.ok(difference < 1e-4, `${what} of step ${step}: ${value} instead of ${expected[what][step]}`);
      }
  };

  const starts = new Map<string, Float32Array>();
  for (const { name } of model.trained) starts.set(name, await device.read('weights', name));
  agree(await train(device, 4, true));
  assert.equal(await device.step(), 4);
  await device.setStep(0);
  for (const [name, values] of starts) {
    await device.write('weights', name, values);
    for (const part of ['first', 'second'] as const) await device.write(part, name, new Float32Array(values.length));
    assert.deepEqual(await device.read('weights', name), values);
  }
  agree(await train(device, 20));

  for (const { name } of model.trained) {
    if (name.endsWith('key.bias')) continue; // its gradient is nothing but rounding: it cancels in the softmax
    for (const part of ['weights', 'first', 'second'] as const) {
      const [ours, theirs] = [await device.read(part, name), await cpu.read(part, name)];
      const peak = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
      const worst = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
      assert.ok(worst < 1e-3 * peak, `${part} of ${name}: off by ${worst} of ${peak}`);
    }
  }
});
