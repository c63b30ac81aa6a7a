/** LSA against scikit-learn (test/oracle/lsa.py), its linear algebra as properties, and real patents. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import { LsaBuilder, LsaModel } from '../../src/encode/lsa.ts';
import { symmetricEigen } from '../../src/encode/lsa-eigen.ts';
import { RowKernel } from '../../src/encode/lsa-kernel.ts';
import { orthonormaliser, SymmetricProduct } from '../../src/encode/lsa-matrix.ts';
import { WordAnalyser } from '../../src/tokenizer/words.ts';
import { missing, realData } from '../support/data.ts';

/** The documents of test/oracle/lsa.py. */
function documents(seed: number, count: number): number[][] {
  const topics = 25;
  let state = seed;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, () => {
    const [topic, second] = [Math.floor(draw() * topics), Math.floor(draw() * topics)];
    return Array.from({ length: 20 + Math.floor(draw() * 100) }, () => {
      const kind = draw();
      if (kind < 0.4) return Math.floor(draw() ** 3 * 500);
      return 500 + 40 * (kind < 0.8 ? topic : second) + Math.floor(draw() ** 2 * 40);
    });
  });
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

test('equals scikit-learn: singular values to 1e-5 relative, cosines to 1e-4', async () => {
  const path = join(import.meta.dirname, '..', 'fixtures', 'lsa', 'sklearn.json');
  interface Fixture {
    documents: number;
    queries: number;
    dimensions: number;
    tokens: [number, number];
    cases: { sublinear: boolean; terms: number; singularValues: number[]; cosines: number[][] }[];
  }
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const corpus = documents(1, fixture.documents);
  const flat = corpus.flat();
  assert.deepEqual([flat.length, flat.reduce((a, b) => a + b, 0)], fixture.tokens, 'the same tokens');
  const queries = documents(2, fixture.queries);
  for (const { sublinear, singularValues, cosines } of fixture.cases) {
    const model = await LsaModel.fit(corpus, { dimensions: fixture.dimensions, sublinear, iterations: 10, seed: 7 });
    assert.equal(model.dimensions, fixture.dimensions);
    for (const [i, value] of singularValues.entries())
      assert.ok(
        Math.abs(model.singularValues[i]! / value - 1) < 1e-5,
        `singular value ${i}: ${model.singularValues[i]} is not ${value}`,
      );
    const vectors = corpus.slice(0, 50).map((tokens) => model.encode(tokens));
    const differences = queries.flatMap((tokens, q) => {
      const vector = model.encode(tokens);
      return vectors.map((other, d) => Math.abs(dot(vector, other) - cosines[q]![d]!));
    });
    assert.ok(Math.max(...differences) < 1e-4, `${Math.max(...differences)}`);
  }
});

test('vectors have length 1; unknown and no tokens give zero; fewer documents than dimensions give fewer dimensions', async () => {
  const corpus = documents(3, 12);
  const model = await LsaModel.fit(corpus, { seed: 1 });
  assert.ok(model.dimensions <= 12 && model.dimensions >= 10);
  for (const tokens of corpus) {
    const vector = model.encode(tokens);
    assert.ok(Math.abs(dot(vector, vector) - 1) < 1e-5);
  }
  assert.deepEqual(model.encode([]), new Float32Array(model.dimensions));
  assert.deepEqual(model.encode([99_999]), new Float32Array(model.dimensions));
  // At full rank nothing is lost: cosines are those of the TF-IDF vectors.
  const twins = await LsaModel.fit(
    [
      [1, 2],
      [1, 2],
      [3, 4],
      [3, 4, 3],
    ],
    { seed: 1 },
  );
  assert.ok(Math.abs(dot(twins.encode([1, 2]), twins.encode([2, 1])) - 1) < 1e-6);
  assert.ok(Math.abs(dot(twins.encode([1, 2]), twins.encode([3, 4]))) < 1e-6);
});

test('the same seed gives the same bytes; a sample is drawn where postings exceed their limit', async () => {
  const corpus = documents(4, 300);
  const [a, b] = [
    await LsaModel.fit(corpus, { seed: 5, dimensions: 64 }),
    await LsaModel.fit(corpus, { seed: 5, dimensions: 64 }),
  ];
  assert.deepEqual(a.encodeAll(corpus.slice(0, 20)), b.encodeAll(corpus.slice(0, 20)));
  const sampled = await LsaModel.fit(corpus, { seed: 5, dimensions: 16, maxPostings: 4000 });
  assert.ok(sampled.dimensions === 16 && sampled.singularValues[0]! < a.singularValues[0]!);
  const few = await LsaModel.fit(corpus, { seed: 5, dimensions: 16, maxTerms: 50 });
  assert.equal(few.bytes < sampled.bytes, true);
});

test('a corpus without shared words, and wrong parameters, are refused', async () => {
  await assert.rejects(LsaModel.fit([[1], [2], []], { seed: 1 }), /nothing to learn/);
  await assert.rejects(LsaModel.fit([], { seed: 1 }), /nothing to learn/);
  assert.throws(() => new LsaBuilder({ dimensions: 0, seed: 1 }), /out of range/);
});

test('the kernel adds weighted rows, whatever the count and width', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 1, max: 6 }), fc.nat(), (count, blocks, seed) => {
      const [width, rows, random] = [blocks * 4, 7, stream(seed)];
      const kernel = new RowKernel(1 << 16);
      const dense = kernel.floats(rows * width);
      const out = kernel.floats(width);
      const indices = kernel.integers(count);
      const values = kernel.floats(count);
      for (const view of [dense.view, out.view, values.view]) view.set(view.map(() => random.normal()));
      for (let i = 0; i < count; i++) indices.view[i] = random.integer(rows);
      const expected = Float64Array.from(out.view, (start, c) =>
        values.view.reduce((sum, value, i) => sum + value * dense.view[indices.view[i]! * width + c]!, start),
      );
      kernel.addRows(out.at, dense.at, indices.at, values.at, count, width);
      for (let c = 0; c < width; c++) assert.ok(Math.abs(out.view[c]! - expected[c]!) < 1e-5);
    }),
    { numRuns: 50 },
  );
  assert.throws(() => new RowKernel(5 * 2 ** 30), /too large/);
  assert.throws(() => new RowKernel(16).floats(1 << 20), RangeError);
});

test('eigenvectors rebuild the matrix; the orthonormaliser makes columns orthonormal and dependent ones zero', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(), (width, seed) => {
      const random = stream(seed, 'matrix');
      const rows = 70;
      const tall = Float32Array.from({ length: rows * width }, () => random.normal());
      if (width > 2) for (let row = 0; row < rows; row++) tall[row * width + 2] = tall[row * width]! * 2;
      const products = new SymmetricProduct(new RowKernel(SymmetricProduct.bytes(width)), width);
      const gram = products.of(tall, tall);
      const { values, vectors } = symmetricEigen(gram, width);
      for (let i = 0; i < width; i++)
        for (let j = 0; j < width; j++) {
          let rebuilt = 0;
          for (let k = 0; k < width; k++) rebuilt += vectors[i * width + k]! * values[k]! * vectors[j * width + k]!;
          assert.ok(Math.abs(rebuilt - gram[i * width + j]!) < 1e-9 * Math.abs(values[0]!));
        }
      const r = orthonormaliser(gram, width);
      const q = new Float32Array(tall.length);
      for (let row = 0; row < rows; row++)
        for (let j = 0; j < width; j++)
          for (let i = 0; i < width; i++) q[row * width + j]! += tall[row * width + i]! * r[i * width + j]!;
      const identity = products.of(q, q);
      for (let i = 0; i < width; i++)
        for (let j = 0; j < width; j++) {
          const expected = i === j && !(width > 2 && i === 2) ? 1 : 0;
          assert.ok(Math.abs(identity[i * width + j]! - expected) < 1e-4, `${i},${j}: ${identity[i * width + j]}`);
        }
    }),
    { numRuns: 50 },
  );
});

test('real patents: a citing patent is closer to what it cites than to others', {
  skip: missing('ultrasound_us.jsonl.gz'),
}, async () => {
  const records = gunzipSync(readFileSync(realData('ultrasound_us.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; title?: string; abstract?: string; cites: string[] });
  const analyser = new WordAnalyser({ stem: 'english' });
  const tokens = records.map(({ title, abstract }) => analyser.analyse(`${title ?? ''}\n${abstract ?? ''}`));
  const model = await LsaModel.fit(tokens, { dimensions: 128, seed: 1 });
  const vectors = tokens.map((document) => model.encode(document));
  const rows = new Map(records.map(({ id }, row) => [id, row]));
  let [cited, other, pairs] = [0, 0, 0];
  for (const [row, { cites }] of records.entries())
    for (const id of cites) {
      const target = rows.get(id);
      if (target === undefined) continue;
      cited += dot(vectors[row]!, vectors[target]!);
      other += dot(vectors[row]!, vectors[(row * 31 + pairs) % records.length]!);
      pairs++;
    }
  assert.ok(pairs > 10_000 && cited / pairs > other / pairs + 0.05, `${cited / pairs} against ${other / pairs}`);
});
