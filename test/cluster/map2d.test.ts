/** The map: scikit-learn's trustworthiness, determinism, groups that stay together, samples that keep the labels' shares. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { map2d, sampleByLabel } from '../../src/cluster/map2d.ts';
import { trustworthiness } from '../../src/cluster/trustworthiness.ts';
import { vectorArray } from '../../src/retrieve/exact.ts';
import { openMatrixProduct } from '../../src/retrieve/matrix-product.ts';
import { caseVectors, type VectorCase } from './vectors.ts';

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'cluster', 'kmeans.json'), 'utf8'),
) as { trustworthiness: (VectorCase & { made: number; neighbours: number; value: number })[] };
const product = await openMatrixProduct(nodePlatform, { threads: 1 });
after(() => product.close());

test('trustworthiness is that of scikit-learn', async () => {
  for (const { made, neighbours, value, ...given } of fixture.trustworthiness) {
    const { rows, dimensions } = given;
    const vectors = caseVectors({ ...given, rows: made }).slice(0, rows * dimensions);
    const points = Float32Array.from({ length: 2 * rows }, (_, i) => vectors[(i >> 1) * dimensions + (i & 1)]!);
    const found = await trustworthiness(vectors, points, { dimensions, neighbours, product });
    assert.ok(Math.abs(found - value) < 1e-9, `${found}, ${value}`);
  }
});

/** Four directions with little noise: a row's group is its number modulo 4. */
function bundles(rows: number, dimensions: number): Float32Array {
  const random = stream(11, 'bundles');
  return Float32Array.from({ length: rows * dimensions }, (_, i) => {
    const [row, d] = [Math.floor(i / dimensions), i % dimensions];
    return (1 + (row % 3)) * ((d % 4 === row % 4 ? 1 : 0) + 0.2 * random.normal());
  });
}

test('groups stay together on the map; the same seed gives the same map', async () => {
  const [rows, dimensions] = [160, 12];
  const vectors = bundles(rows, dimensions);
  const options = { dimensions, product, seed: 3 };
  const found = await map2d(vectors, options);
  assert.deepEqual([...found.rows], [...Array(rows).keys()]);
  assert.equal(found.points.length, 2 * rows);
  assert.equal(found.neighbours, 15);
  assert.ok(found.trustworthiness > 0.8, `trustworthiness ${found.trustworthiness}`);
  let together = 0;
  for (let i = 0; i < rows; i++) {
    const distance = (j: number) =>
      Math.hypot(found.points[2 * i]! - found.points[2 * j]!, found.points[2 * i + 1]! - found.points[2 * j + 1]!);
    const near = [...Array(rows).keys()].filter((j) => j !== i).sort((a, b) => distance(a) - distance(b));
    together += near.slice(0, 5).filter((j) => j % 4 === i % 4).length / 5 / rows;
  }
  assert.ok(together > 0.95, `${together} of the neighbours on the map are of the same group`);
  assert.deepEqual(await map2d(vectorArray(vectors, dimensions), { product, seed: 3 }), found);
  assert.notDeepEqual((await map2d(vectors, { ...options, seed: 4 })).points, found.points);
});

test('few documents, equal documents and zeros make a map; what cannot is refused', async () => {
  const four = await map2d(bundles(4, 5), { dimensions: 5, product });
  assert.equal(four.neighbours, 1);
  const equal = await map2d(new Float32Array(100).fill(1), { dimensions: 5, product });
  assert.ok(equal.points.every(Number.isFinite) && Number.isFinite(equal.trustworthiness));
  const zeros = await map2d(new Float32Array(100), { dimensions: 5, product });
  assert.ok(zeros.points.every(Number.isFinite));
  await assert.rejects(map2d(bundles(3, 5), { dimensions: 5, product }), /more documents/);
  await assert.rejects(
    map2d(bundles(9, 5).fill(Number.NaN, 7, 8), { dimensions: 5, product }),
    /row 1 .*not all numbers/,
  );
  await assert.rejects(map2d(bundles(9, 5), { dimensions: 4, product }), /multiple|dimensions/);
  const labels = new Int32Array(8);
  await assert.rejects(map2d(bundles(9, 5), { dimensions: 5, product, labels }), /one label a document/);
});

test('a sample keeps the shares of the labels and leaves none out while there is room', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 1, maxLength: 120 }),
      fc.integer({ min: 1, max: 130 }),
      (list, size) => {
        const labels = Int32Array.from(list);
        const rows = sampleByLabel(labels, size, stream(1, 'sample'));
        assert.equal(rows.length, Math.min(size, labels.length));
        assert.equal(new Set(rows).size, rows.length);
        rows.forEach((row, i) => {
          assert.ok(row < labels.length && (i === 0 || row > rows[i - 1]!));
        });
        const groups = new Set(labels);
        const taken = (label: number) => rows.filter((row) => labels[row] === label).length;
        for (const label of groups) {
          const share = (labels.filter((other) => other === label).length * rows.length) / labels.length;
          if (rows.length >= groups.size) assert.ok(taken(label) >= 1, `label ${label} is left out`);
          assert.ok(taken(label) <= Math.ceil(share) + 1 && taken(label) >= Math.floor(share) - groups.size);
        }
      },
    ),
  );
});
