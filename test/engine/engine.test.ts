/** Programs: feeds and parameters are checked, weights come from files and memory, runs repeat to the byte. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import {
  add,
  attention,
  type Feeds,
  gather,
  gelu,
  input,
  l2Normalise,
  layerNorm,
  linear,
  linearInt8,
  matmul,
  multiply,
  openEngine,
  type ParameterValue,
  parameter,
  quantiseWeight,
  segmentMean,
  sequenceFeeds,
  sequenceInputs,
  slice,
} from '../../src/engine/index.ts';
import { scratch } from '../support/scratch.ts';
import { Draw } from './ops.ts';
import { firstDifference, tolerances } from './tolerance.ts';

const engine = await openEngine(nodePlatform, { threads: 2 });
const oracle = await openEngine(nodePlatform, { backend: 'reference' });
after(() => engine.close());

const x = input('x', 'float32', ['rows', 4]);
const float = (shape: number[], source: Float32Array): ParameterValue => ({ dtype: 'float32', shape, source });

/** A small encoder layer over ragged sequences, in float32 or with 8-bit linears. */
function layer(d: Draw, int8: boolean) {
  const [hidden, heads] = [24, 3];
  const parameters: Record<string, ParameterValue> = {};
  const dense = (of: ReturnType<typeof input>, name: string, out: number, width: number) => {
    const [weights, bias] = [d.floats(out * width, 0.3), parameter(`${name}.bias`, [out])];
    parameters[`${name}.bias`] = float([out], d.floats(out));
    if (!int8) {
      parameters[name] = float([out, width], weights);
      return linear(of, parameter(name, [out, width]), bias);
    }
    const { values, scales } = quantiseWeight(weights, out, width);
    parameters[name] = { dtype: 'int8', shape: [out, width], source: values };
    parameters[`${name}.scales`] = float([out], scales);
    return linearInt8(of, parameter(name, [out, width], 'int8'), parameter(`${name}.scales`, [out]), bias);
  };
  const layout = sequenceInputs();
  const states = gather(parameter('words', [50, hidden]), input('ids', 'int32', ['tokens']));
  parameters.words = float([50, hidden], d.floats(50 * hidden));
  const [q, k, v] = ['q', 'k', 'v'].map((name) => dense(states, name, hidden, hidden));
  const attended = attention(q!, k!, v!, layout, { heads });
  const middle = layerNorm(add(states, dense(attended, 'o', hidden, hidden)));
  const out = add(middle, dense(gelu(dense(middle, 'up', 4 * hidden, hidden)), 'down', hidden, 4 * hidden));
  return { outputs: { vectors: l2Normalise(segmentMean(out, layout)) }, parameters, hidden };
}

function batch(d: Draw, lengths: number[]): Feeds {
  return {
    ids: d.integers(
      lengths.reduce((a, b) => a + b),
      50,
    ),
    ...sequenceFeeds(lengths),
  };
}

test('an encoder layer equals the oracle, query, key and value packed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const d = new Draw(seed, 'conformance');
      const { outputs, parameters } = layer(d, false);
      const feeds = batch(d, d.lengths(d.size(1, 5), 20));
      const [program, truth] = [
        await engine.compile(outputs, { parameters }),
        await oracle.compile(outputs, { parameters }),
      ];
      const [found, expected] = [await program.run(feeds), await truth.run(feeds)];
      assert.equal(firstDifference(found.vectors!.floats, expected.vectors!.floats, tolerances.sum), undefined);
      await program.close();
    }),
    { numRuns: 8 },
  );
});

for (const int8 of [false, true])
  test(`a vector does not depend on its neighbours in the batch (${int8 ? 'int8' : 'float32'})`, async () => {
    const d = new Draw(11, 'conformance');
    const { outputs, parameters, hidden } = layer(d, int8);
    const program = await engine.compile(outputs, { parameters });
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const own = new Draw(seed, 'conformance');
        const lengths = own.lengths(own.size(2, 6), 30);
        const feeds = batch(own, lengths);
        const together = (await program.run(feeds)).vectors!.floats;
        let start = 0;
        for (const [i, length] of lengths.entries()) {
          const ids = (feeds.ids as Int32Array).slice(start, start + length);
          const alone = (await program.run({ ids, ...sequenceFeeds([length]) })).vectors!.floats;
          const beside = together.subarray(i * hidden, (i + 1) * hidden);
          // A last-bit difference before rounding may move one 8-bit value by a level: far below any outlier's influence.
          const tolerance = int8 ? { absolute: 2e-3, relative: 0 } : tolerances.sum;
          assert.equal(firstDifference(alone, beside, tolerance), undefined);
          start += length;
        }
      }),
      { numRuns: 10 },
    );
    await program.close();
  });

test('an outlier in one row leaves the 8-bit result of the others untouched, to the byte', async () => {
  const d = new Draw(5, 'conformance');
  const { values, scales } = quantiseWeight(d.floats(16 * 32), 16, 32);
  const y = linearInt8(input('x', 'float32', ['rows', 32]), parameter('w', [16, 32], 'int8'), parameter('s', [16]));
  const parameters: Record<string, ParameterValue> = {
    w: { dtype: 'int8', shape: [16, 32], source: values },
    s: float([16], scales),
  };
  const program = await engine.compile({ y }, { parameters });
  const rows = d.floats(5 * 32);
  const calm = (await program.run({ x: rows })).y!.floats;
  const loud = rows.slice();
  loud[2 * 32 + 7] = 1000;
  const disturbed = (await program.run({ x: loud })).y!.floats;
  for (const row of [0, 1, 3, 4])
    assert.deepEqual(disturbed.subarray(row * 16, (row + 1) * 16), calm.subarray(row * 16, (row + 1) * 16));
  const zeros = (await program.run({ x: new Float32Array(32) })).y!.floats;
  assert.ok(zeros.every((value) => value === 0));
  await program.close();
});

test('the same run gives the same bytes, twenty times', async () => {
  const d = new Draw(3, 'conformance');
  for (const int8 of [false, true]) {
    const { outputs, parameters } = layer(d, int8);
    const program = await engine.compile(outputs, { parameters });
    const feeds = batch(d, d.lengths(8, 60));
    const first = (await program.run(feeds)).vectors!.floats;
    for (let i = 0; i < 20; i++) assert.deepEqual((await program.run(feeds)).vectors!.floats, first);
    await program.close();
  }
});

test('weights are read from ranges of files, 16-bit floats widened exactly', async (t) => {
  const file = join(scratch(t), 'weights.bin');
  const floats = Float32Array.of(1, -2.5, 0.15625, 3, 4, 5, 6, 7);
  const bf16 = Uint16Array.from([0x3f80, 0xc020, 0x3e20, 0x4040]); // 1, -2.5, 0.15625, 3
  const fp16 = Uint16Array.from([0x3c00, 0xc100, 0x3100, 0x0001]); // 1, -2.5, 0.15625, 2^-24
  // An odd offset, as a safetensors header may leave it.
  writeFileSync(file, Buffer.concat([Buffer.alloc(5), ...[floats, bf16, fp16].map((a) => Buffer.from(a.buffer))]));
  const at = (offset: number, bytes: number) => ({ file, offset: 5 + offset, bytes });
  const mapped = parameter('mapped', [2, 4]);
  const outputs = {
    mapped: matmul(x, mapped, { transposeB: true }),
    mixed: add(
      add(linear(x, mapped), gather(parameter('half', [2, 2]), input('i', 'int32', ['rows']))),
      parameter('brain', [2]),
    ),
  };
  const parameters: Record<string, ParameterValue> = {
    mapped: { dtype: 'float32', shape: [2, 4], source: at(0, 32) },
    brain: { dtype: 'bfloat16', shape: [2], source: at(32, 4) },
    half: { dtype: 'float16', shape: [2, 2], source: at(40, 8) },
  };
  const feeds = { x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), i: Int32Array.of(1, 0) };
  const onlyMapped = await engine.compile({ mapped: outputs.mapped }, { parameters });
  const all = await engine.compile({ mixed: outputs.mixed }, { parameters });
  const truth = await oracle.compile(outputs, { parameters });
  const expected = await truth.run(feeds);
  assert.deepEqual((await onlyMapped.run({ x: feeds.x })).mapped!.floats, expected.mapped!.floats);
  assert.deepEqual((await all.run(feeds)).mixed!.floats, expected.mixed!.floats);
  assert.ok(Math.abs(expected.mixed!.floats[1]! - (1 * 4 + 2 * 5 + 3 * 6 + 4 * 7 + 2 ** -24 - 2.5)) < 1e-6);
});

test('what does not fit is refused with its name', async () => {
  const program = await engine.compile({ y: multiply(x, 2) });
  const code = (expected: string) => (error: { code?: string }) => error.code === expected;
  await assert.rejects(program.run({}), code('engine.feed'));
  await assert.rejects(program.run({ x: new Float32Array(7) }), code('engine.feed'));
  await assert.rejects(program.run({ x: new Int32Array(8) }), code('engine.feed'));
  await assert.rejects(program.run({ x: new Float32Array(8), z: new Float32Array(1) }), code('engine.feed'));
  await assert.rejects(engine.compile({ y: linear(x, parameter('w', [2, 4])) }), code('engine.parameter'));
  const parameters = { w: float([4, 2], new Float32Array(8)) };
  await assert.rejects(
    engine.compile({ y: linear(x, parameter('w', [2, 4])) }, { parameters }),
    code('engine.parameter'),
  );
  assert.throws(() => add(x, input('y', 'float32', ['others', 4])), /do not go together/);
  assert.throws(() => linear(x, parameter('w', [2, 5])), /inner dimension 5/);
  assert.throws(() => slice(x, 1, 2, 5), /leaves the axis/);
  const unknown = { heads: 2, drop: 0.1 } as { heads: number };
  assert.throws(() => attention(x, x, x, sequenceInputs(), unknown), /no option 'drop'/);
  await assert.rejects(openEngine(nodePlatform, { threads: 0 }), code('engine.threads'));
});

test('an absent device is refused in words, a closed program and a closed engine too', async () => {
  await openEngine(nodePlatform, { device: 'cuda' }).then(
    (found) => found.close(), // a machine whose installation has CUDA
    (error) => assert.equal(error.code, 'engine.device'),
  );
  const closing = await openEngine(nodePlatform, { threads: 1 });
  const program = await closing.compile({ y: multiply(x, 2) });
  const running = program.run({ x: new Float32Array(8) });
  await running;
  await program.close();
  await assert.rejects(program.run({ x: new Float32Array(8) }), /closed/);
  const other = await closing.compile({ y: multiply(x, 2) });
  await closing.close();
  await assert.rejects(other.run({ x: new Float32Array(8) }), /closed/);
});

test('a computation that no memory is large enough for fails in words, and the engine goes on', async () => {
  const program = await engine.compile({
    y: add(input('x', 'float32', ['n', 1]), input('z', 'float32', [1, 'n'])),
  });
  const tall = (n: number) => ({
    x: { data: new Float32Array(n), shape: [n, 1] },
    z: { data: new Float32Array(n).fill(1), shape: [1, n] },
  });
  // 4e5 x 4e5 numbers: 640 GB.
  await assert.rejects(program.run(tall(400_000)), (error: PatentlabError) => {
    assert.equal(error.code, 'memory');
    assert.equal(error.exitCode, 1);
    assert.match(error.describe(), /not enough memory.*640\.0 GB.*--chunk/s);
    return true;
  });
  const { y } = await program.run(tall(2));
  assert.deepEqual([...y!.floats], [1, 1, 1, 1]);
  await program.close();
});

test('transferred feeds are emptied, others are left alone', async () => {
  const program = await engine.compile({ y: multiply(x, 2) });
  const [kept, given] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 2, 3, 4)];
  await program.run({ x: kept });
  assert.equal(kept.length, 4);
  const { y } = await program.run({ x: given }, { transfer: true });
  assert.equal(given.length, 0);
  assert.deepEqual([...y!.floats], [2, 4, 6, 8]);
  await program.close();
});

test('8-bit rows of GELU values stand at least as near to float32 as the definition', async () => {
  const [rows, inner, width] = [40, 96, 32];
  for (const scale of [0.01, 0.3, 1, 4]) {
    const d = new Draw(scale * 100, 'conformance');
    const weights = d.floats(width * inner);
    const { values, scales } = quantiseWeight(weights, width, inner);
    const active = gelu(input('x', 'float32', ['rows', inner]));
    const exactWeights = weights.map((_, i) => values[i]! * scales[Math.floor(i / inner)]!);
    const parameters: Record<string, ParameterValue> = {
      w: { dtype: 'int8', shape: [width, inner], source: values },
      s: float([width], scales),
      f: float([width, inner], exactWeights),
    };
    const y = linearInt8(active, parameter('w', [width, inner], 'int8'), parameter('s', [width]));
    const exact = linear(active, parameter('f', [width, inner]));
    const feeds = { x: d.floats(rows * inner, scale) };
    const [program, definition] = [
      await engine.compile({ y, exact }, { parameters }),
      await oracle.compile({ y }, { parameters }),
    ];
    const [found, defined] = [await program.run(feeds), await definition.run(feeds)];
    const error = (of: Float32Array) =>
      Math.sqrt(of.reduce((total, value, i) => total + (value - found.exact!.floats[i]!) ** 2, 0));
    if (scale >= 1) assert.ok(error(found.y!.floats) < 0.7 * error(defined.y!.floats), `scale ${scale}`);
    // Tiny inputs keep the fixed level below zero: still within two thousandths of a unit a value.
    else assert.ok(error(found.y!.floats) / Math.sqrt(rows * width) < 0.03, `scale ${scale}`);
    await program.close();
  }
});
