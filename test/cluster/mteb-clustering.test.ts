/** MTEB's clustering from its own draws and assignments (test/oracle/mteb_export.py), and end to end. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { familyResamples, mtebDraw, scoreClustering } from '../../src/cluster/mteb-clustering.ts';
import { openMatrixProduct } from '../../src/retrieve/matrix-product.ts';

interface Export {
  vectors: number[][];
  labels: number[];
  bootstraps: {
    rows: number[];
    places: number[][];
    assigned: { 'Level 0': number[][] };
    scores: { v_measures: { 'Level 0': number[] }; v_measure: number; v_measure_std: number };
  };
}
const {
  vectors: all,
  labels,
  bootstraps,
} = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'mteb', 'clustering.json'), 'utf8')) as Export;
const product = await openMatrixProduct(nodePlatform, { threads: 1 });
after(() => product.close());

const dimensions = all[0]!.length;
const vectors = Float32Array.from(bootstraps.rows.flatMap((row) => all[row]!));
const truth = Int32Array.from(bootstraps.rows, (row) => labels[row]!);
const resamples = bootstraps.places.map((places) => Int32Array.from(places));

test('the V-measures of exported assignments are those of MTEB', async () => {
  const assignments = bootstraps.assigned['Level 0'];
  const found = await scoreClustering(vectors, truth, resamples, { dimensions, product, assignments });
  const expected = bootstraps.scores;
  for (const [i, value] of expected.v_measures['Level 0'].entries())
    assert.ok(Math.abs(found.vMeasures[i]! - value) < 1e-14, `resample ${i}`);
  assert.ok(Math.abs(found.mean - expected.v_measure) < 1e-14);
  assert.ok(Math.abs(found.deviation - expected.v_measure_std) < 1e-14);
});

test('end to end the assignments are those of MTEB', async () => {
  const found = await scoreClustering(vectors, truth, resamples, { dimensions, product });
  found.assignments.forEach((assigned, i) => {
    assert.deepEqual([...assigned], bootstraps.assigned['Level 0'][i], `resample ${i}`);
  });
});

test('draws are those of MTEB, from the seed and the number of documents alone', () => {
  const found = mtebDraw(all.length, { embed: { share: 0.3 }, size: 150 });
  assert.deepEqual([...found.rows], bootstraps.rows);
  assert.deepEqual(found.resamples, resamples);
  const { rows } = mtebDraw(all.length, { embed: { documents: 120 }, size: 150 });
  assert.deepEqual(rows, found.rows);
  const whole = mtebDraw(100, { resamples: 1, size: 5 });
  assert.deepEqual([...whole.rows.subarray(0, 3)], [0, 1, 2]);
  // random.Random(42).choices(range(100), k=5) of Python.
  assert.deepEqual([...whole.resamples[0]!], [63, 2, 27, 22, 73]);
});

test('families are drawn whole', () => {
  const families = Int32Array.from({ length: 90 }, (_, row) => row % 30);
  for (const rows of familyResamples(families, { seed: 1, resamples: 20, size: 60 })) {
    assert.equal(rows.length, 60);
    const times = new Int32Array(90);
    for (const row of rows) times[row]!++;
    for (let row = 0; row < 30; row++) assert.deepEqual([times[row + 30], times[row + 60]], [times[row], times[row]]);
  }
});

test('documents without a label, and lists that do not fit, are refused', async () => {
  const one = [Int32Array.of(0, 1, 2, 3)];
  const missing = truth.slice();
  missing[2] = -1;
  await assert.rejects(scoreClustering(vectors, missing, one, { dimensions, product }), /without a label/);
  await assert.rejects(scoreClustering(vectors, truth.slice(1), one, { dimensions, product }), /do not belong/);
  await assert.rejects(scoreClustering(vectors, truth, one, { dimensions, product, assignments: [] }), /do not belong/);
  assert.throws(() => mtebDraw(0), /no documents/);
  assert.throws(() => familyResamples([]), /no documents/);
});
