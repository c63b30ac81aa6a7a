/** What MTEB draws for classification and stratified samples, number for number; its rounding and adding. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NumpyGenerator } from '../../../src/study/mteb/numpy-generator.ts';
import { numpyStd, numpySum } from '../../../src/study/mteb/numpy-sum.ts';
import { pythonRound } from '../../../src/study/mteb/python-round.ts';
import { stratifiedSample, undersamples } from '../../../src/study/mteb/sampling.ts';
import { fixture } from './fixtures.ts';

const draws = fixture('draws');
const range = (length: number, from = 0) => Int32Array.from({ length }, (_, i) => from + i);

test('permutations and choices of numpy', () => {
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

test('rounding and adding as Python and numpy do', () => {
  for (const [value, rounded] of draws.rounded) assert.equal(pythonRound(value, 5), rounded, String(value));
  assert.equal(pythonRound(-3 / 64, 5), -0.04688);
  assert.ok(Number.isNaN(pythonRound(Number.NaN, 5)));
  const values = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 10 ** (i % 7));
  assert.ok(Math.abs(numpySum(values) - values.reduce((sum, value) => sum + value)) < 1e-8);
  assert.equal(numpyStd(Float64Array.of(2, 4, 4, 4, 5, 5, 7, 9)), 2);
});
