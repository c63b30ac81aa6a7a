/** The optimiser's memory: values of torch.optim.AdamW, of a plain float64 loop, and bit-equal shortcuts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import { ParameterMemory } from '../../src/engine/adamw.ts';
import { adamwFixture as fixture } from '../support/adamw-fixture.ts';

/** Relative to each value, and to a millionth of the tensor's largest where a value is the difference of larger ones. */
function close(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  const peak = Math.max(...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++)
    assert.ok(
      Math.abs(found[i]! - expected[i]!) <= tolerance * Math.max(Math.abs(expected[i]!), 0.1 * peak),
      `${what}[${i}]: ${found[i]} instead of ${expected[i]}`,
    );
}

const bytesOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
const everything = (memory: ParameterMemory) =>
  Buffer.concat(
    memory.tensors.flatMap(({ name }) => [memory.weights(name), memory.first(name), memory.second(name)].map(bytesOf)),
  );

const smallMemory = 7 * 65536;

for (const [what, tensors] of [
  ['dense', fixture.tensors],
  ['tables by rows', fixture.tensors.map((one) => ({ ...one, rows: ['table', 'wide'].includes(one.name) }))],
] as const)
  test(`20 steps give the weights and moments of torch.optim.AdamW: ${what}`, () => {
    const memory = new ParameterMemory(tensors);
    for (const { name } of tensors) memory.weights(name).set(fixture.start[name]!);
    fixture.gradients.forEach((gradients, i) => {
      memory.zeroGradients();
      for (const { name, shape, rows = false } of tensors) {
        const values = Float32Array.from(gradients[name]!);
        if (!rows) memory.gradient(name).set(values);
        else {
          // Rows of zeros are left out, as a batch without the word leaves them out.
          const width = shape[1]!;
          const ids = Array.from({ length: shape[0]! }, (_, row) => row).filter((row) =>
            values.subarray(row * width, (row + 1) * width).some((value) => value !== 0),
          );
          const picked = ids.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]);
          memory.addRows(name, Int32Array.from(ids), Float32Array.from(picked));
        }
      }
      if (i < 2) close([memory.gradientNorm()], [fixture.norms[i]!], 1e-12, 'norm');
      memory.adamw({ ...fixture.options, step: i + 1 });
      const after = fixture.after[String(i + 1)];
      for (const { name } of after === undefined ? [] : tensors) {
        close(memory.weights(name), after![name]!.weights, 1e-6, `weights of ${name}, step ${i + 1}`);
        close(memory.first(name), after![name]!.first, 1e-6, `first moment of ${name}`);
        close(memory.second(name), after![name]!.second, 1e-6, `second moment of ${name}`);
      }
    });
  });

test('any lengths and options: the plain float64 loop', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 }),
      fc.record({
        learningRate: fc.double({ min: 1e-5, max: 0.1, noNaN: true }),
        beta1: fc.constantFrom(0, 0.5, 0.9),
        beta2: fc.constantFrom(0.9, 0.999),
        epsilon: fc.constantFrom(1e-8, 1e-6),
        weightDecay: fc.constantFrom(0, 0.01, 0.5),
        gradientScale: fc.constantFrom(1, 0.25, 1.7),
      }),
      fc.integer({ min: 0, max: 1e6 }),
      (lengths, options, seed) => {
        const random = stream(seed, 'adamw test');
        const tensors = lengths.map((length, i) => ({ name: `t${i}`, shape: [length], decay: i % 2 === 0 }));
        const memory = new ParameterMemory(tensors);
        const plain = tensors.map(({ name, shape, decay }) => {
          const weights = memory.weights(name);
          for (let k = 0; k < weights.length; k++) weights[k] = random.normal();
          return { name, decay, p: [...weights], m: new Float64Array(shape[0]!), v: new Float64Array(shape[0]!) };
        });
        for (let step = 1; step <= 4; step++) {
          let squares = 0;
          for (const { name, decay, p, m, v } of plain) {
            const gradient = memory.gradient(name);
            for (let k = 0; k < p.length; k++) {
              gradient[k] = random.normal() * 10 ** (random.integer(7) - 4);
              squares += gradient[k]! ** 2;
              const g = options.gradientScale * gradient[k]!;
              m[k] = options.beta1 * m[k]! + (1 - options.beta1) * g;
              v[k] = options.beta2 * v[k]! + (1 - options.beta2) * g * g;
              const root = Math.sqrt(v[k]! / (1 - options.beta2 ** step)) + options.epsilon;
              const rate = options.learningRate / (1 - options.beta1 ** step);
              p[k] = p[k]! * (1 - (decay ? options.learningRate * options.weightDecay : 0)) - (rate * m[k]!) / root;
            }
          }
          close([memory.gradientNorm()], [Math.sqrt(squares)], 1e-12, 'norm');
          memory.adamw({ ...options, step });
        }
        for (const { name, p, m, v } of plain) {
          close(memory.weights(name), p, 4e-6, 'weights');
          close(memory.first(name), m, 2e-6, 'first moment');
          close(memory.second(name), v, 2e-6, 'second moment');
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a table by rows has the bytes of the dense table, also through a checkpoint, and rows stay apart', () => {
  const shape = [400, 12];
  const dense = new ParameterMemory([{ name: 'table', shape, decay: true }]);
  let sparse = new ParameterMemory([{ name: 'table', shape, decay: true, rows: true }]);
  const random = stream(5, 'rows');
  for (let k = 0; k < 4800; k++) dense.weights('table')[k] = random.normal();
  sparse.weights('table').set(dense.weights('table'));
  for (let step = 1; step <= 30; step++) {
    const ids = Int32Array.from({ length: 50 }, () => Math.floor(400 * random.uniform() ** 4));
    const rows = Float32Array.from({ length: 50 * 12 }, (_, k) => (k % 12 === 3 ? 0 : random.normal() * 1e-3));
    for (const memory of [dense, sparse]) {
      memory.zeroGradients();
      memory.addRows('table', ids, rows, 0.5);
    }
    close([sparse.gradientNorm()], [dense.gradientNorm()], 1e-13, 'norm');
    const options = { learningRate: 1e-2, step, gradientScale: 1 / Math.max(1, sparse.gradientNorm()) };
    for (const memory of [dense, sparse]) memory.adamw(options);
    assert.ok(everything(dense).equals(everything(sparse)), `step ${step}`);
    if (step === 15) {
      const copy = new ParameterMemory(sparse.tensors);
      copy.weights('table').set(sparse.weights('table'));
      copy.loadMoments('table', sparse.first('table'), sparse.second('table'));
      sparse = copy;
    }
  }
});

test('rows are added in order, repeated ids too, at any width and through several blocks', () => {
  for (const width of [1, 3, 4, 10, 129]) {
    const memory = new ParameterMemory([
      { name: 'before', shape: [16], decay: true },
      { name: 'table', shape: [23, width], decay: true, rows: width % 2 === 0 },
      { name: 'after', shape: [16], decay: true },
    ]);
    const random = stream(width, 'add rows');
    const count = 3000;
    const ids = Int32Array.from({ length: count }, () => random.integer(23));
    const rows = Float32Array.from({ length: count * width }, () => random.normal());
    const expected = new Float32Array(23 * width);
    const scale = Math.fround(0.3);
    ids.forEach((id, t) => {
      for (let k = 0; k < width; k++) expected[id * width + k]! += Math.fround(scale * rows[t * width + k]!);
    });
    memory.addRows('table', ids, rows, 0.3);
    assert.deepEqual(memory.gradient('table'), expected);
    for (const name of ['before', 'after']) assert.ok(memory.gradient(name).every((value) => value === 0));
    memory.zeroGradients();
    assert.ok(memory.gradient('table').every((value) => value === 0));
    assert.equal(memory.gradientNorm(), 0);
  }
});

test('accumulation and scaling are float32 by element; memories are filled in turn', () => {
  const tensors = Array.from({ length: 9 }, (_, i) => ({ name: `t${i}`, shape: [3001 + i], decay: true }));
  const memory = new ParameterMemory(tensors, { incoming: true, memoryBytes: smallMemory });
  const random = stream(3, 'accumulate');
  const buffers = new Set(tensors.map(({ name }) => memory.weights(name).buffer));
  assert.ok(buffers.size > 1, 'several memories');
  const scale = Math.fround(1 / 3);
  const expected = tensors.map(({ name, shape }) => {
    const [sum, part] = [memory.gradient(name), memory.incoming(name)];
    for (let k = 0; k < shape[0]!; k++) [sum[k], part[k]] = [random.normal(), random.normal()];
    return sum.map((value, k) => Math.fround(value + Math.fround(scale * part[k]!)) * 0.5);
  });
  memory.accumulate(1 / 3);
  memory.scaleGradients(0.5);
  tensors.forEach(({ name }, i) => {
    assert.deepEqual(memory.gradient(name), expected[i]);
  });
  assert.ok([...buffers].every((buffer) => buffer.byteLength > 0 && buffer.byteLength <= smallMemory));
});

test('one NaN or infinity anywhere is seen, and stays', () => {
  for (const bad of [Number.NaN, Infinity, -Infinity])
    for (const position of [0, 1, 2, 3, 36]) {
      const memory = new ParameterMemory([{ name: 'w', shape: [37], decay: true }]);
      memory.gradient('w').fill(3e38);
      assert.ok(memory.isFinite('gradient') && memory.isFinite('weights'));
      assert.ok(Math.abs(memory.gradientNorm() / (3e38 * Math.sqrt(37)) - 1) < 1e-6);
      memory.gradient('w')[position] = bad;
      assert.ok(!memory.isFinite('gradient') && !Number.isFinite(memory.gradientNorm()));
      memory.adamw({ learningRate: 1e-3, step: 1 });
      assert.ok(!memory.isFinite('weights'));
      assert.ok(!Number.isFinite(memory.weights('w')[position]!));
    }
});

test('moments that fade below the normal numbers become 0', () => {
  const memory = new ParameterMemory([{ name: 'w', shape: [8], decay: false }]);
  memory.gradient('w').fill(1e-6);
  memory.adamw({ learningRate: 1e-3, step: 1 });
  memory.zeroGradients();
  for (let step = 2; step <= 900; step++) memory.adamw({ learningRate: 1e-3, step });
  assert.ok(memory.first('w').every((value) => value === 0));
  assert.ok(memory.second('w').every((value) => value > 1e-16));
});

test('wrong use is refused by name', () => {
  const memory = new ParameterMemory([{ name: 'table', shape: [4, 2], decay: true, rows: true }]);
  assert.throws(() => memory.weights('tabel'), /tabel/);
  assert.throws(() => memory.incoming('table'), /incoming/);
  assert.throws(() => memory.addRows('table', Int32Array.of(4), new Float32Array(2)), /row 4/);
  assert.throws(() => memory.addRows('table', Int32Array.of(-1), new Float32Array(2)), /row -1/);
  assert.throws(() => memory.addRows('table', Int32Array.of(0), new Float32Array(3)), /number of values/);
  assert.throws(() => memory.adamw({ learningRate: 1e-3, step: 0 }), /step/);
  assert.throws(() => new ParameterMemory([{ name: 'none', shape: [0], decay: true }]), /one element/);
  assert.throws(
    () => new ParameterMemory([{ name: 'big', shape: [1e6], decay: true }], { memoryBytes: 1 << 20 }),
    /too large/,
  );
  const twice = { name: 'same', shape: [1], decay: true };
  assert.throws(() => new ParameterMemory([twice, twice]), /one name/);
});
