/** k-means against scikit-learn on the fixture of test/oracle/kmeans.py, and properties; on the engine and by plain products. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { type Clustering, kMeans } from '../../src/cluster/k-means.ts';
import { NumpyRandom } from '../../src/cluster/mersenne-twister.ts';
import { miniBatchKMeans } from '../../src/cluster/mini-batch.ts';
import { seedRows } from '../../src/cluster/seeding.ts';
import { vectorArray, vectorFile } from '../../src/retrieve/exact.ts';
import { openMatrixProduct } from '../../src/retrieve/matrix-product.ts';
import { scratch } from '../support/scratch.ts';
import { caseVectors, plainProduct, type VectorCase } from './vectors.ts';

interface Case extends VectorCase {
  clusters: number;
}
interface Fixture {
  lloyd: (Case & {
    tolerance: number;
    maxIterations: number;
    labels: number[];
    centres: number[];
    inertia: number;
    iterations: number;
  })[];
  moved: (Case & { labels: number[]; inertia: number; iterations: number })[];
  seeding: (Case & { randomState: number; chosen: number[] })[];
  miniBatch: (Case & {
    options: {
      batch_size: number;
      n_init?: number;
      max_no_improvement?: number;
      reassignment_ratio?: number;
      init_size?: number;
      max_iter?: number;
      tol?: number;
    };
    randomState: number;
    labels: number[];
    centres: number[];
    inertia: number;
    steps: number;
  })[];
  inertias: Case & { full: number[]; miniBatch: number[] };
}
const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'cluster', 'kmeans.json'), 'utf8'),
) as Fixture;

const engine = await openMatrixProduct(nodePlatform, { threads: 1 });
after(() => engine.close());

function assertSame(found: Clustering, expected: { labels: number[]; centres?: number[]; inertia: number }): void {
  assert.deepEqual([...found.labels], expected.labels);
  assertNear(found.inertia, expected.inertia, 1e-9);
  expected.centres?.forEach((value, i) => {
    assert.ok(Math.abs(found.centres[i]! - value) <= 1e-9 * (1 + Math.abs(value)), `centre value ${i}`);
  });
}

function assertNear(found: number, expected: number, relative: number): void {
  assert.ok(Math.abs(found - expected) <= relative * Math.abs(expected), `${found} instead of ${expected}`);
}

function startOf(vectors: Float32Array, { clusters, dimensions }: Case): Float32Array {
  return vectors.slice(0, clusters * dimensions);
}

for (const [name, product] of [
  ['plain products', plainProduct],
  ['the engine', engine],
] as const)
  test(`from equal starts: labels, centres, inertia and iterations of scikit-learn, by ${name}`, async () => {
    for (const expected of fixture.lloyd) {
      const { clusters, dimensions, tolerance, maxIterations } = expected;
      const vectors = caseVectors(expected);
      const start = startOf(vectors, expected);
      const found = await kMeans(vectors, { clusters, dimensions, product, start, tolerance, maxIterations });
      assertSame(found, expected);
      assert.equal(found.iterations, expected.iterations);
      assert.equal(found.converged, found.iterations < maxIterations);
      assert.deepEqual([...found.sizes], sizesOf(found.labels, clusters));
    }
  });

function sizesOf(labels: ArrayLike<number>, clusters: number): number[] {
  return Array.from({ length: clusters }, (_, c) => Array.from(labels).filter((label) => label === c).length);
}

test('an empty cluster is moved as scikit-learn moves it', async () => {
  for (const expected of fixture.moved) {
    const vectors = caseVectors(expected);
    const { clusters, dimensions } = expected;
    const start = startOf(vectors, expected);
    for (let d = 0; d < dimensions; d++) start[dimensions + d]! += 1000;
    const found = await kMeans(vectors, { clusters, dimensions, product: engine, start });
    assertSame(found, expected);
    assert.equal(found.iterations, expected.iterations);
  }
});

test('k-means++ draws the rows of scikit-learn from the same stream', async () => {
  for (const { randomState, chosen, ...given } of fixture.seeding) {
    const vectors = caseVectors(given);
    const rows = await seedRows(vectors, {
      clusters: given.clusters,
      dimensions: given.dimensions,
      mean: meanOf(vectors, given.dimensions),
      random: new NumpyRandom(randomState),
      product: engine,
    });
    assert.deepEqual([...rows], chosen);
  }
});

function meanOf(vectors: Float32Array, dimensions: number): Float64Array {
  const mean = new Float64Array(dimensions);
  for (let i = 0; i < vectors.length; i++) mean[i % dimensions]! += (vectors[i]! * dimensions) / vectors.length;
  return mean;
}

test('mini-batch k-means takes the steps of scikit-learn from the same stream', async () => {
  for (const expected of fixture.miniBatch) {
    const { clusters, dimensions, options, randomState } = expected;
    const found = await miniBatchKMeans(caseVectors(expected), {
      clusters,
      dimensions,
      product: engine,
      random: new NumpyRandom(randomState),
      batchRows: options.batch_size,
      ...(options.n_init !== undefined && { restarts: options.n_init }),
      ...(options.max_no_improvement !== undefined && { maxNoImprovement: options.max_no_improvement }),
      ...(options.reassignment_ratio !== undefined && { reassignmentRatio: options.reassignment_ratio }),
      ...(options.init_size !== undefined && { seedingRows: options.init_size }),
      ...(options.max_iter !== undefined && { maxPasses: options.max_iter }),
      ...(options.tol !== undefined && { tolerance: options.tol }),
    });
    const where = JSON.stringify({ ...expected, labels: [], centres: [] });
    assert.equal(found.iterations, expected.steps, where);
    assertSame(found, expected);
  }
});

test('over seeds the inertia has the distribution of scikit-learn', async () => {
  const { full, miniBatch, ...given } = fixture.inertias;
  const vectors = caseVectors(given);
  const { clusters, dimensions } = given;
  const seeds = full.map((_, seed) => seed);
  const ours: { full: number[]; miniBatch: number[] } = { full: [], miniBatch: [] };
  for (const seed of seeds) {
    ours.full.push((await kMeans(vectors, { clusters, dimensions, product: engine, seed })).inertia);
    const options = { clusters, dimensions, product: engine, seed, batchRows: 100 };
    ours.miniBatch.push((await miniBatchKMeans(vectors, options)).inertia);
  }
  for (const [found, expected] of [
    [ours.full, full],
    [ours.miniBatch, miniBatch],
  ] as const) {
    const [a, b] = [summary(found), summary(expected)];
    assert.ok(Math.abs(a.mean - b.mean) < 3 * Math.hypot(a.error, b.error), `means ${a.mean} and ${b.mean}`);
    assert.ok(a.error / b.error < 1.6 && b.error / a.error < 1.6, `errors ${a.error} and ${b.error}`);
  }
});

/** Mean and its standard error. */
function summary(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

test('labels are the nearest centres in float64, whatever the blocks; inertia and sizes follow from them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.nat(2 ** 31),
        rows: fc.integer({ min: 1, max: 80 }),
        dimensions: fc.integer({ min: 1, max: 9 }),
        groups: fc.integer({ min: 1, max: 5 }),
        spread: fc.constantFrom(0, 0.1, 1),
        offset: fc.constantFrom(0, 1000),
      }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom(0, 1, 3, 300),
      async (given, wanted, blockRows, more) => {
        const vectors = caseVectors(given);
        const { dimensions, rows } = given;
        const clusters = Math.min(wanted, rows);
        const options = { clusters, dimensions, seed: given.seed, maxIterations: 1 + more };
        const found = await kMeans(vectors, { ...options, product: plainProduct, blockRows });
        let inertia = 0;
        for (let row = 0; row < rows; row++) {
          const distances = Array.from({ length: clusters }, (_, c) => {
            let sum = 0;
            for (let d = 0; d < dimensions; d++)
              sum += (vectors[row * dimensions + d]! - found.centres[c * dimensions + d]!) ** 2;
            return sum;
          });
          const least = Math.min(...distances);
          inertia += least;
          assert.ok(distances[found.labels[row]!]! <= least * (1 + 1e-12) + 1e-12, `label of row ${row}`);
        }
        assert.ok(Math.abs(found.inertia - inertia) <= 1e-9 * (1 + inertia), `${found.inertia} and ${inertia}`);
        assert.deepEqual([...found.sizes], sizesOf(found.labels, clusters));
        const start = startOf(vectors, { ...given, clusters });
        const [plain, other] = [
          await kMeans(vectors, { ...options, start, product: plainProduct, blockRows }),
          await kMeans(vectorArray(vectors, dimensions), { ...options, start, product: engine }),
        ];
        assert.deepEqual(plain, other);
      },
    ),
    { numRuns: 150 },
  );
});

test('from a file as from memory', async (t) => {
  const given = fixture.lloyd[0]!;
  const vectors = caseVectors(given);
  const { clusters, dimensions, rows } = given;
  const path = join(scratch(t), 'vectors.bin');
  writeFileSync(path, vectors);
  const streamed = await kMeans(vectorFile(nodePlatform, path, { dimensions, count: rows }), {
    clusters,
    product: engine,
    seed: 3,
    blockRows: 64,
  });
  assert.deepEqual(streamed, await kMeans(vectors, { clusters, dimensions, product: engine, seed: 3 }));
});

test('the best of several starts; a start from a sample; progress falls', async () => {
  const given = fixture.inertias;
  const vectors = caseVectors(given);
  const options = { clusters: given.clusters, dimensions: given.dimensions, product: engine, seed: 5 };
  const inertias: number[][] = [];
  const best = await kMeans(vectors, {
    ...options,
    restarts: 4,
    onIteration: ({ restart, iteration, inertia }) => {
      inertias[restart] ??= [];
      inertias[restart][iteration - 1] = inertia;
    },
  });
  assert.equal(inertias.length, 4);
  for (const falling of inertias)
    falling.forEach((value, i) => {
      assert.ok(i === 0 || value <= falling[i - 1]! * (1 + 1e-12), 'inertia rises');
    });
  assert.ok(best.inertia <= Math.min(...inertias.map((falling) => falling.at(-1)!)));
  const sampled = await kMeans(vectors, { ...options, seedingRows: 60 });
  assert.ok(sampled.inertia < 1.3 * best.inertia);
  assert.notDeepEqual(sampled.labels, (await kMeans(vectors, options)).labels);
});

test('fewer distinct vectors than clusters: some stay empty, nothing is not a number', async () => {
  const vectors = Float32Array.from({ length: 40 }, (_, i) => (Math.floor(i / 2) % 3) + (i % 2) * 10);
  for (const run of [kMeans, miniBatchKMeans]) {
    const found = await run(vectors, { clusters: 5, dimensions: 2, product: engine, seed: 1 });
    assert.equal(found.inertia, 0);
    assert.equal(found.sizes.filter((size) => size > 0).length, 3);
    assert.ok(found.centres.every(Number.isFinite));
    const one = await run(vectors, { clusters: 1, dimensions: 2, product: engine });
    assert.ok(one.labels.every((label) => label === 0));
    const mean = meanOf(vectors, 2);
    if (run === kMeans) for (const [d, value] of one.centres.entries()) assertNear(value, mean[d]!, 1e-12);
  }
});

test('what cannot be clustered is refused', async () => {
  const good = new Float32Array(12).map((_, i) => i % 5);
  for (const run of [kMeans, miniBatchKMeans]) {
    const refused = (vectors: Float32Array, clusters: number, dimensions: number, message: RegExp) =>
      assert.rejects(run(vectors, { clusters, dimensions, product: engine }), (error: PatentlabError) => {
        assert.match(error.describe(), message);
        assert.equal(error.exitCode, 2);
        return true;
      });
    await refused(good, 7, 2, /from 1 to the number of vectors, 6\n.*7/);
    await refused(good, 0, 2, /clusters/);
    await refused(good, 1.5, 2, /clusters/);
    await refused(new Float32Array(0), 1, 2, /no vectors/);
    await refused(good, 2, 5, /multiple of 5/);
    await refused(good, 2, 0, /dimensions/);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const broken = good.slice();
      broken[7] = value;
      await refused(broken, 2, 2, new RegExp(`row 3 .*\n.*finite numbers\n.*${value} in column 1`));
    }
    await assert.rejects(
      run(good, { clusters: 2, dimensions: 2, product: engine, start: new Float32Array(5) }),
      /starting centres/,
    );
  }
  const blocks = vectorArray(good, 3);
  await assert.rejects(kMeans(blocks, { clusters: 2, dimensions: 2, product: engine }), /same number of dimensions/);
});

test('an aborted run ends', async () => {
  const vectors = caseVectors(fixture.inertias);
  const { clusters, dimensions } = fixture.inertias;
  const controller = new AbortController();
  const { signal } = controller;
  const onIteration = () => controller.abort(new Error('enough'));
  await assert.rejects(kMeans(vectors, { clusters, dimensions, product: engine, signal, onIteration }), /enough/);
  await assert.rejects(miniBatchKMeans(vectors, { clusters, dimensions, product: engine, signal }), /enough/);
});
