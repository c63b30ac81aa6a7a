/** What MTEB draws: Python's and numpy's generators, and the samples made with them, number for number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numpyShuffle, PythonRandom } from '../../../src/study/mteb/mersenne-twister.ts';
import { NumpyGenerator } from '../../../src/study/mteb/numpy-generator.ts';
import { numpyStd, numpySum } from '../../../src/study/mteb/numpy-sum.ts';
import { pythonRound } from '../../../src/study/mteb/python-round.ts';
import { clusteringSample, stratifiedSample, undersamples } from '../../../src/study/mteb/sampling.ts';
import { fixture } from './fixtures.ts';

const draws = fixture('draws');
const range = (length: number, from = 0) => Int32Array.from({ length }, (_, i) => from + i);

test('draws of Python and numpy', () => {
  const python = new PythonRandom(7);
  assert.deepEqual(
    Array.from({ length: 5 }, () => python.random()),
    draws.python.random,
  );
  assert.deepEqual([...python.choices(81, 20)], draws.python.choices);
  assert.deepEqual([...python.sample(30, 10)], draws.python.pool);
  assert.deepEqual([...python.sample(2048, 30)], draws.python.set);
  const shuffled = range(300);
  numpyShuffle(shuffled, 7);
  assert.deepEqual([...shuffled], draws.shuffled);
  const generator = new NumpyGenerator(7);
  assert.deepEqual([...generator.permutation(range(40))], draws.generator.permutation);
  assert.deepEqual([...generator.choice(range(20, 100), 7)], draws.generator.choice);
  assert.deepEqual([...generator.permutation(range(9))], draws.generator.again);
});

test('a stratified sample', () => {
  const { labels, rows } = draws.stratified;
  assert.deepEqual([...stratifiedSample(Int32Array.from(labels), 120, 42)], rows);
  assert.deepEqual(
    [...stratifiedSample(Int32Array.of(1, 0, 1), 3, 42)],
    [0, 1, 2],
    'all rows where there are not more',
  );
  assert.throws(() => stratifiedSample(Int32Array.of(0, 0, 0, 1), 2, 42), { code: 'mteb.strata' });
});

test('rows of the experiments of classification', () => {
  for (const { trainLabels, rows } of Object.values(fixture('classification')).filter(hasRows)) {
    const drawn = undersamples(Int32Array.from(trainLabels), { samplesPerLabel: 8, experiments: 10, seed: 42 });
    assert.deepEqual(
      drawn.map((of) => [...of]),
      rows,
    );
  }
});

const hasRows = (of: unknown): of is { trainLabels: number[]; rows: number[][] } => Object.hasOwn(of as object, 'rows');

test('rows and bootstraps of clustering', () => {
  const { rows, places } = fixture('clustering').bootstraps;
  const drawn = clusteringSample(400, { fraction: 0.3, experiments: 10, size: 150, seed: 42 });
  assert.deepEqual([...drawn.rows], rows);
  assert.deepEqual(
    drawn.bootstraps.map((of) => [...of]),
    places,
  );
});

test('rounding and adding as Python and numpy do', () => {
  for (const [value, rounded] of draws.rounded) assert.equal(pythonRound(value, 5), rounded, String(value));
  assert.equal(pythonRound(-3 / 64, 5), -0.04688);
  assert.ok(Number.isNaN(pythonRound(Number.NaN, 5)));
  const values = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 10 ** (i % 7));
  assert.ok(Math.abs(numpySum(values) - values.reduce((sum, value) => sum + value)) < 1e-8);
  assert.equal(numpyStd(Float64Array.of(2, 4, 4, 4, 5, 5, 7, 9)), 2);
});
