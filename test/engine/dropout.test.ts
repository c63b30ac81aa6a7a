/** Dropout: the same elements on every backend, the stated share of them, the same in the backward pass. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import {
  attention,
  dropout,
  dropoutKeys,
  type Engine,
  gradients,
  input,
  multiply,
  openEngine,
  sequenceFeeds,
  sequenceInputs,
  sum,
} from '../../src/engine/index.ts';
import { isWithoutDevice, useDriver, withoutDriver } from '../support/webgpu.ts';

const engine = await openEngine(nodePlatform, { threads: 2 });
const oracle = await openEngine(nodePlatform, { backend: 'reference' });
after(() => engine.close());

const [rows, width] = [64, 96];
const x = input('x', 'float32', ['tokens', width]);
const keys = input('keys', 'int32', ['tokens']);
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

test('counts in rows and in columns, and pairs of columns, vary as independent draws do', async () => {
  const rate = 0.2;
  const program = await oracle.compile({ y: dropout(x, rate, { keys, site: 2 }) });
  const steps = 60;
  const [byRow, byColumn] = [[], Array.from({ length: width }, () => 0)] as [number[], number[]];
  const pairs = new Float64Array(width * width);
  for (let step = 0; step < steps; step++) {
    const { floats } = (await program.run(feeds([1], [rows], step))).y!;
    for (let row = 0; row < rows; row++) {
      const dropped = Array.from(
        floats.subarray(row * width, (row + 1) * width),
        (value) => Number(value === 0) - rate,
      );
      byRow.push(dropped.reduce((a, b) => a + b, 0));
      dropped.forEach((a, i) => {
        byColumn[i]! += a;
        for (let j = 0; j < i; j++) pairs[i * width + j]! += a * dropped[j]!;
      });
    }
  }
  const draws = steps * rows;
  const one = rate * (1 - rate);
  const spread = byRow.reduce((a, b) => a + b * b, 0) / draws / (width * one);
  assert.ok(Math.abs(spread - 1) < 0.1, `rows: ${spread}`); // 4 standard deviations: 4 √(2 / 3840)
  const columns = byColumn.reduce((a, b) => a + b * b, 0) / width / (draws * one);
  assert.ok(Math.abs(columns - 1) < 0.6, `columns: ${columns}`); // 4 √(2 / 96)
  const worst = pairs.reduce((most, sum) => Math.max(most, Math.abs(sum)), 0) / (one * Math.sqrt(draws));
  assert.ok(worst < 5.5, `pairs of columns: ${worst} standard deviations`); // 4560 pairs
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

// Attention --------------------------------------------------------------------------------------------------------

/** Equal scores and values that tell the columns apart: the output shows the mask, [tokens, heads, longest]. */
const lengths = [40, 64, 9];
const [heads, longest] = [2, 64];
async function masks(on: Engine, kept: number[], { rate = 0.25, block = 512 } = {}) {
  const rowsOf = (name: string, size: number) => input(name, 'float32', ['tokens', heads * size]);
  const y = attention(rowsOf('q', 8), rowsOf('q', 8), rowsOf('v', longest), sequenceInputs(), {
    heads,
    block,
    dropout: { rate, site: 9, keys },
  });
  const own = kept.map((i) => lengths[i]!);
  const tokens = own.reduce((a, b) => a + b);
  const v = new Float32Array(tokens * heads * longest);
  let row = 0;
  for (const length of own)
    for (let j = 0; j < length; j++, row++)
      for (let head = 0; head < heads; head++) v[(row * heads + head) * longest + j] = length;
  const program = await on.compile({ y });
  const found = await program.run({
    q: new Float32Array(tokens * heads * 8),
    v,
    ...sequenceFeeds(own),
    keys: dropoutKeys({ seed: 1, step: 2, samples: kept, lengths: own }),
  });
  await program.close();
  return found.y!.floats;
}

test('attention: equal masks on both backends, in a batch and alone, whole and by blocks', async () => {
  const whole = await masks(engine, [0, 1, 2]);
  const close = (a: Float32Array, b: Float32Array) => {
    assert.equal(a.length, b.length);
    a.forEach((value, i) => {
      assert.ok(Math.abs(value - b[i]!) < 1e-5, `${i}: ${value} and ${b[i]}`);
    });
  };
  close(await masks(oracle, [0, 1, 2]), whole);
  close(await masks(engine, [0, 1, 2], { block: 7 }), whole);
  const at = [0, 40, 104, 113].map((row) => row * heads * longest);
  for (const i of [0, 1, 2]) close(await masks(engine, [i]), whole.subarray(at[i], at[i + 1]));
  const turned = await masks(engine, [2, 0]);
  close(turned.subarray(at[3]! - at[2]!), whole.subarray(0, at[1]));
});

test('attention and rows on WebGPU: the masks of the CPU', { skip: withoutDriver }, async (t) => {
  useDriver();
  const device = await openEngine(nodePlatform, { device: 'webgpu', threads: 1 });
  t.after(() => device.close());
  const expected = await masks(engine, [0, 1, 2]);
  try {
    const found = await masks(device, [0, 1, 2]);
    assert.deepEqual(
      found.map((value) => Number(value === 0)),
      expected.map((value) => Number(value === 0)),
    );
    const values: Float32Array[] = [];
    for (const on of [engine, device]) {
      const program = await on.compile({ y: dropout(x, 0.1, { keys, site: 5 }) });
      values.push((await program.run(feeds([4, 9], [40, 24]))).y!.floats);
      await program.close();
    }
    assert.deepEqual(values[0], values[1]);
  } catch (error) {
    if (!isWithoutDevice(error)) throw error;
    t.skip('WebGPU finds no device: libvulkan must be where the loader looks');
  }
});

test('attention: the stated share is dropped, the rest scaled up; rows, heads and columns are not alike', async () => {
  const all = await masks(engine, [1], { rate: 0.25 }); // [64, heads, 64]
  const bits = Array.from(all, (value) => Number(value === 0));
  assert.ok(all.every((value) => value === 0 || Math.abs(value - 1 / 0.75) < 1e-5));
  const share = bits.reduce((a, b) => a + b) / bits.length;
  assert.ok(Math.abs(share - 0.25) < 0.02, `${share}`); // 4 standard deviations
  const expected = 0.25 ** 2 + 0.75 ** 2;
  for (const shift of [1, 2, longest, 2 * longest]) {
    let same = 0;
    for (let i = shift; i < bits.length; i++) same += Number(bits[i] === bits[i - shift]);
    assert.ok(Math.abs(same / (bits.length - shift) - expected) < 0.025, `${shift}`);
  }
});

test('the mean over many steps of a linear readout is that without dropout', async () => {
  const own = [5, 9];
  const q = input('q', 'float32', ['tokens', 16]);
  const readout = (rate: number) => {
    const attended = attention(q, q, q, sequenceInputs(), { heads, dropout: { rate, site: 4, keys } });
    return dropout(attended, rate, { keys, site: 6 });
  };
  const random = stream(5, 'readout');
  const values = Float32Array.from({ length: 14 * 16 }, () => random.normal());
  const program = await engine.compile({ plain: readout(0), noisy: readout(0.3) });
  const steps = 1000;
  const [total, squares] = [new Float64Array(values.length), new Float64Array(values.length)];
  let plain: Float32Array = new Float32Array();
  for (let step = 0; step < steps; step++) {
    const found = await program.run({
      q: values,
      ...sequenceFeeds(own),
      keys: dropoutKeys({ seed: 11, step, samples: [0, 1], lengths: own }),
    });
    plain = found.plain!.floats;
    found.noisy!.floats.forEach((value, i) => {
      total[i]! += value;
      squares[i]! += value * value;
    });
  }
  await program.close();
  let sum = 0;
  plain.forEach((expected, i) => {
    const mean = total[i]! / steps;
    const z = (mean - expected) / Math.sqrt((squares[i]! / steps - mean * mean) / steps);
    assert.ok(Math.abs(z) < 5, `${i}: ${mean} instead of ${expected}, ${z} standard errors`);
    sum += z * z;
  });
  assert.ok(Math.abs(sum / plain.length - 1) < 0.6, `mean square of the errors: ${sum / plain.length} of the expected`);
});

test('attention at rate 0 is the same graph', () => {
  const q = input('q', 'float32', ['tokens', 16]);
  const layout = sequenceInputs();
  const [off, zero] = [{}, { dropout: { rate: 0, site: 1, keys } }].map((more) =>
    attention(q, q, q, layout, { heads, ...more }),
  );
  assert.deepEqual(zero!.inputs, off!.inputs);
  assert.deepEqual(zero!.attributes, off!.attributes);
});
