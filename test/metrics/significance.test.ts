/** Intervals, tests and verdicts: scipy, exact cases, invariances. The simulations are in significance.slow.test.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from '../../src/metrics/distributions.ts';
import { bcaInterval, expandedQuantile, jackknifeAcceleration } from '../../src/metrics/interval.ts';
import {
  bootstrapMeans,
  exactFlipShare,
  flippedSums,
  groupQueries,
  groupSums,
  mergeGroups,
} from '../../src/metrics/resample.ts';
import {
  comparePairs,
  estimateMean,
  estimateMeans,
  holm,
  minimalDetectableEffect,
  smallestDetectable,
  verdictOf,
} from '../../src/metrics/significance.ts';

interface Fixture {
  samples: {
    kind: string;
    x: number[];
    y: number[];
    mean: [number, number];
    difference: [number, number];
    p: number;
  }[];
  normalQuantile: [number, number][];
  normalCdf: [number, number][];
  studentQuantile: [number, number, number][];
  studentCdf: [number, number, number][];
}

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'metrics', 'statistics.json'), 'utf8'),
) as Fixture;

const near = (actual: number, expected: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what} ${actual} is not ${expected}`);

test('distribution functions equal scipy', () => {
  for (const [p, z] of fixture.normalQuantile)
    near(normalQuantile(p), z, 1e-12 * Math.max(1, Math.abs(z)), `ppf(${p})`);
  for (const [z, p] of fixture.normalCdf) near(normalCdf(z), p, Math.min(1e-14, 1e-8 * p + 1e-300), `cdf(${z})`);
  for (const [p, df, t] of fixture.studentQuantile)
    near(studentQuantile(p, df), t, 1e-9 * Math.max(1, t), `t(${p}, ${df})`);
  for (const [t, df, p] of fixture.studentCdf) near(studentCdf(t, df), p, 1e-12, `cdf t(${t}, ${df})`);
  assert.equal(normalQuantile(1), Number.POSITIVE_INFINITY);
  assert.ok(Number.isNaN(normalQuantile(2)));
});

test('BCa intervals equal those of scipy but for the noise of resampling', () => {
  for (const { kind, x, y, mean, difference } of fixture.samples) {
    const columns = [Float64Array.from(x), Float64Array.from(x, (value, i) => value - y[i]!)];
    const sizes = new Float64Array(x.length).fill(1);
    const replicates = bootstrapMeans(columns, sizes, 40_000, stream(1, kind));
    columns.forEach((column, c) => {
      const point = column.reduce((sum, value) => sum + value, 0) / column.length;
      const ours = bcaInterval(
        replicates[c]!.sort(),
        point,
        jackknifeAcceleration(column, sizes),
        normalQuantile(0.975),
      );
      const [lower, upper] = c === 0 ? mean : difference;
      near(ours.lower, lower, 0.03 * (upper - lower), `${kind} lower`);
      near(ours.upper, upper, 0.03 * (upper - lower), `${kind} upper`);
    });
  }
});

test('p by sign flips equals that of scipy', () => {
  for (const { x, y, p } of fixture.samples) {
    const [pair] = comparePairs({
      systems: ['x', 'y'],
      values: [Float64Array.from(x), Float64Array.from(y)],
      metric: 'm',
      resamples: 40_000,
    });
    if (x.length <= 12) near(pair!.p, p, 1e-12);
    else near(pair!.p, p, 4 * Math.sqrt((p * (1 - p)) / 40_000) + 1e-4);
  }
});

test('few clusters are flipped exactly', () => {
  assert.equal(exactFlipShare([1, 1, 1]), 2 / 8);
  assert.equal(exactFlipShare([1]), 1);
  assert.equal(exactFlipShare([3, -1]), 1);
  assert.equal(exactFlipShare([1, 2, 3, 4]), 2 / 16);
  const brute = (values: number[]) => {
    const total = Math.abs(values.reduce((a, b) => a + b, 0));
    let reached = 0;
    for (let mask = 0; mask < 2 ** values.length; mask++) {
      const sum = values.reduce((all, value, i) => all + ((mask >> i) & 1 ? value : -value), 0);
      if (Math.abs(sum) >= total - 1e-9) reached++;
    }
    return reached / 2 ** values.length;
  };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 9 }), (values) => {
      assert.equal(exactFlipShare(values), brute(values));
    }),
  );
});

test('sums under random signs take the values that signs can make, with mean 0 and the right variance', () => {
  const column = Float64Array.from({ length: 21 }, (_, i) => 2 ** (i % 11));
  const [sums, twice] = flippedSums([column, column.map((value) => 2 * value)], 40_000, stream(3, 'signs'));
  let [mean, squares] = [0, 0];
  sums!.forEach((sum, b) => {
    mean += sum / sums!.length;
    squares += sum ** 2 / sums!.length;
    assert.equal(twice![b], 2 * sum);
    assert.equal((sum + column.reduce((a, c) => a + c, 0)) % 2, 0);
  });
  const variance = column.reduce((sum, value) => sum + value ** 2, 0);
  near(squares, variance, 0.05 * variance);
  near(mean, 0, 4 * Math.sqrt(variance / sums!.length));
});

test('bootstrap replicates of clusters are ratios of drawn sums to drawn queries', () => {
  const clusters = Int32Array.of(7, 7, 7, 3, 3, 9);
  const grouping = groupQueries(6, clusters);
  assert.deepEqual([grouping.groups, [...grouping.sizes]], [3, [3, 2, 1]]);
  const ones = groupSums(new Float64Array(6).fill(1), grouping);
  const values = groupSums(Float64Array.of(1, 1, 1, 0, 0, 0), grouping);
  const [constant, share] = bootstrapMeans([ones, values], grouping.sizes, 500, stream(1, 'x'));
  assert.ok(constant!.every((mean) => mean === 1));
  const possible = new Set<string>();
  for (let a = 0; a <= 3; a++)
    for (let b = 0; a + b <= 3; b++) possible.add(((3 * a) / (3 * a + 2 * b + (3 - a - b))).toFixed(9));
  assert.ok(share!.every((mean) => possible.has(mean.toFixed(9))));
});

test('very many clusters are merged into groups of equal number', () => {
  const merged = mergeGroups(groupQueries(10_000, undefined), stream(1, 'merge'), 1000);
  assert.equal(merged.groups, 1000);
  assert.ok(merged.sizes.every((size) => size === 10));
});

const column = fc.array(
  fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
  { minLength: 2, maxLength: 60 },
);

test('the interval holds the mean, mirrors with the values, and repeats with the seed', () => {
  fc.assert(
    fc.property(column, (numbers) => {
      const values = Float64Array.from(numbers);
      const options = { resamples: 500, seed: 5 };
      const estimate = estimateMean(values, undefined, options);
      assert.deepEqual(estimateMean(values, undefined, options), estimate);
      assert.ok(estimate.lower <= estimate.value + 1e-9 && estimate.value <= estimate.upper + 1e-9);
      const mirrored = estimateMean(
        values.map((value) => -value),
        undefined,
        options,
      );
      near(mirrored.lower, -estimate.upper, 1e-9);
      near(mirrored.upper, -estimate.lower, 1e-9);
      assert.deepEqual(estimateMeans([values, values], undefined, options), [estimate, estimate]);
    }),
    { numRuns: 40 },
  );
});

test('comparing a with b is comparing b with a, turned round', () => {
  fc.assert(
    fc.property(column, fc.infiniteStream(fc.integer({ min: 0, max: 10 })), (numbers, more) => {
      const a = Float64Array.from(numbers);
      const b = Float64Array.from(numbers, () => more.next().value / 10);
      const pair = (x: Float64Array, y: Float64Array) =>
        comparePairs({ systems: ['x', 'y'], values: [x, y], metric: 'm', resamples: 500 })[0]!;
      const [forth, back] = [pair(a, b), pair(b, a)];
      near(forth.difference, -back.difference, 1e-12);
      near(forth.lower, -back.upper, 1e-9);
      near(forth.p, back.p, 1e-12);
      const turned = { better: 'worse', worse: 'better', equivalent: 'equivalent', undecided: 'undecided' } as const;
      assert.equal(forth.verdict, turned[back.verdict]);
    }),
    { numRuns: 40 },
  );
});

test('a system against itself is equivalent with p 1', () => {
  const values = Float64Array.from({ length: 50 }, (_, i) => (i % 7) / 7);
  const [pair] = comparePairs({ systems: ['a', 'b'], values: [values, values.slice()], metric: 'm' });
  const { difference, lower, upper, p, verdict, detectable } = pair!;
  assert.deepEqual([difference, lower, upper, p, verdict, detectable], [0, 0, 0, 1, 'equivalent', 0]);
});

test('a clear difference is better, a clear one the other way worse, a small one equivalent, few queries undecided', () => {
  const random = stream(4, 'verdicts');
  const base = Float64Array.from({ length: 400 }, () => random.uniform());
  const shifted = (by: number, noise = 0.05) => base.map((value) => value + by + noise * random.normal());
  const values = [base, shifted(0.05), shifted(-0.05), shifted(0.001, 0.01)];
  const pairs = comparePairs({ systems: ['base', 'up', 'down', 'same'], values, metric: 'm', resamples: 2000 });
  const verdict = (a: string, b: string) => pairs.find((pair) => pair.a === a && pair.b === b)!.verdict;
  assert.equal(verdict('base', 'up'), 'worse');
  assert.equal(verdict('base', 'down'), 'better');
  assert.equal(verdict('base', 'same'), 'equivalent');
  const few = values.map((column) => column.slice(0, 5));
  assert.equal(comparePairs({ systems: ['a', 'b'], values: few.slice(0, 2), metric: 'm' })[0]!.verdict, 'undecided');
});

test('verdicts follow their definition', () => {
  const row = {
    difference: 0.02,
    lower: 0.005,
    upper: 0.035,
    narrow: { lower: 0.008, upper: 0.032 },
    pHolm: 0.01,
    margin: 0.01,
  };
  assert.equal(verdictOf(row), 'better');
  assert.equal(verdictOf({ ...row, pHolm: 0.06 }), 'undecided');
  assert.equal(verdictOf({ ...row, lower: -0.001 }), 'undecided');
  assert.equal(verdictOf({ ...row, margin: 0.03 }), 'undecided');
  assert.equal(verdictOf({ ...row, margin: 0.04 }), 'equivalent');
  assert.equal(
    verdictOf({ ...row, difference: -0.02, lower: -0.035, upper: -0.005, narrow: { lower: -0.03, upper: -0.01 } }),
    'worse',
  );
});

test('Holm adjusts step by step', () => {
  assert.deepEqual(
    holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(12))),
    [0.03, 0.06, 0.06, 0.02],
  );
  assert.deepEqual(holm([]), []);
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (p) => {
      const adjusted = holm(p);
      for (let i = 0; i < p.length; i++) {
        assert.ok(adjusted[i]! >= p[i]! && adjusted[i]! <= 1);
        for (let j = 0; j < p.length; j++) if (p[i]! < p[j]!) assert.ok(adjusted[i]! <= adjusted[j]!);
      }
    }),
  );
});

test('many pairs get random signs enough to be significant at all', () => {
  const random = stream(9, 'many');
  const base = Float64Array.from({ length: 60 }, () => random.uniform());
  const values = Array.from({ length: 20 }, (_, s) => base.map((value) => value + s + 0.1 * random.normal()));
  const pairs = comparePairs({ systems: values.map((_, s) => `s${s}`), values, metric: 'm', resamples: 1000 });
  assert.equal(pairs.length, 190);
  assert.ok(pairs.every(({ verdict }) => verdict === 'worse'));
});

test('detectable differences shrink with the root of the queries', () => {
  near(minimalDetectableEffect({ sd: 1, queries: 100_000 }), 2.8016 / Math.sqrt(100_000), 1e-5);
  near(smallestDetectable(1), 2.80158521, 1e-6);
  assert.ok(minimalDetectableEffect({ sd: 1, queries: 10 }) > 2.9 / Math.sqrt(10));
});

test('seeds widen intervals; fewer than five make a comparison tentative', () => {
  const random = stream(2, 'seeds');
  const base = Float64Array.from({ length: 300 }, () => random.uniform());
  const trained = (seeds: number) =>
    Array.from({ length: seeds }, (_, s) => base.map((value) => value + 0.02 * (s % 2 ? 1 : -1)));
  const one = estimateMean(base, undefined, { resamples: 2000 });
  const many = estimateMean(trained(6), undefined, { resamples: 2000 });
  near(many.value, one.value, 1e-12);
  assert.ok(many.upper - many.lower > one.upper - one.lower);
  const pair = (seeds: number) =>
    comparePairs({ systems: ['a', 'b'], values: [trained(seeds), base], metric: 'm', resamples: 2000 })[0]!;
  assert.equal(pair(4).tentative, true);
  assert.equal(pair(1).tentative, true);
  assert.equal('tentative' in pair(6), false);
  assert.equal(pair(6).verdict, 'undecided');
});

test('one cluster has no interval; wrong lengths, no queries and NaN are refused', () => {
  const { value, lower, upper } = estimateMean(Float64Array.of(0.2, 0.4), Int32Array.of(1, 1));
  near(value, 0.3, 1e-12);
  assert.ok(Number.isNaN(lower) && Number.isNaN(upper));
  const [pair] = comparePairs({ systems: ['a', 'b'], values: [Float64Array.of(1), Float64Array.of(0)], metric: 'm' });
  assert.equal(pair!.verdict, 'undecided');
  assert.throws(() => estimateMean(new Float64Array(0)), { code: 'statistics.empty' });
  assert.throws(() => estimateMean(Float64Array.of(1, Number.NaN)), /query 1 is NaN/);
  assert.throws(() => estimateMeans([Float64Array.of(1), Float64Array.of(1, 2)]), /same queries/);
  assert.throws(() => estimateMean(Float64Array.of(1, 2), Int32Array.of(1)), /one entry a query/);
  assert.ok(expandedQuantile(0.95, 5) > expandedQuantile(0.95, 500));
});
