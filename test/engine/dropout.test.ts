/** Dropout: the same elements on every backend, the stated share of them, the same in the backward pass. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { dropout, dropoutKeys, gradients, input, multiply, openEngine, sum } from '../../src/engine/index.ts';

const engine = await openEngine(nodePlatform, { threads: 2 });
const oracle = await openEngine(nodePlatform, { backend: 'reference' });
after(() => engine.close());

const [rows, width] = [64, 96];
const x = input('x', 'float32', ['rows', width]);
const keys = input('keys', 'int32', ['rows']);
const feeds = (samples: number[], lengths: number[], step = 3) => ({
  x: { data: new Float32Array(rows * width).fill(1), shape: [rows, width] },
  keys: dropoutKeys({ seed: 7, step, samples, lengths }),
});

test('both backends drop the same elements, at the stated rate', async () => {
  const y = dropout(x, 0.1, { keys, site: 5 });
  const values: Float32Array[] = [];
  for (const backend of [engine, oracle]) {
    const program = await backend.compile({ y });
    values.push((await program.run(feeds([4, 9], [40, 24]))).y!.floats);
    await program.close();
  }
  assert.deepEqual(values[0], values[1]);
  const dropped = values[0]!.filter((value) => value === 0).length / values[0]!.length;
  assert.ok(Math.abs(dropped - 0.1) < 0.015, `${dropped}`); // about 4 standard deviations
  assert.ok(values[0]!.every((value) => value === 0 || Math.abs(value - 1 / 0.9) < 1e-6));
});

test('neighbours, rows, columns, sites and steps are not alike', async () => {
  const outputs = Object.fromEntries([0, 1, 2].map((site) => [`y${site}`, dropout(x, 0.5, { keys, site })]));
  const program = await oracle.compile(outputs);
  const first = await program.run(feeds([1], [rows]));
  const later = await program.run(feeds([1], [rows], 4));
  const bits = [first.y0!, first.y1!, first.y2!, later.y0!].map(({ floats }) => Float64Array.from(floats, Number));
  const agree = (a: Float64Array, b: Float64Array, shift = 0) => {
    let same = 0;
    for (let i = shift; i < a.length; i++) same += Number(a[i] === b[i - shift]);
    return same / (a.length - shift);
  };
  for (const [a, b, shift] of [
    [0, 1, 0],
    [1, 2, 0],
    [0, 3, 0],
    [0, 0, 1],
    [0, 0, 2],
    [0, 0, width],
    [0, 0, width + 1],
  ] as const)
    assert.ok(Math.abs(agree(bits[a]!, bits[b]!, shift) - 0.5) < 0.03, `${a} ${b} ${shift}`);
});

test('what a sample drops does not depend on the batch it stands in', () => {
  const together = dropoutKeys({ seed: 7, step: 3, samples: [4, 9], lengths: [5, 6] });
  const alone = dropoutKeys({ seed: 7, step: 3, samples: [9], lengths: [6] });
  assert.deepEqual(together.subarray(5), alone);
});

test('the gradient passes where the elements passed', async () => {
  const y = dropout(x, 0.3, { keys, site: 1 });
  const [g] = gradients(sum(sum(multiply(y, y), 0), 0), [x]);
  const program = await engine.compile({ y, g: g! });
  const { y: value, g: slope } = await program.run(feeds([1], [rows]));
  for (let i = 0; i < rows * width; i++) assert.ok(Math.abs(slope!.floats[i]! - (2 * value!.floats[i]!) / 0.7) < 1e-5);
  await program.close();
});

test('rate 0 adds no node', () => {
  assert.equal(dropout(x, 0, { keys, site: 0 }), x);
});
