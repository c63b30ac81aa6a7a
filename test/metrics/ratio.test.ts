/** Ratios of means: equal to the interval of a mean where they are one, covered as often as they say, absent where nothing is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../src/base/random.ts';
import { estimateRatios } from '../../src/metrics/ratio.ts';
import { estimateMean } from '../../src/metrics/significance.ts';

const ratio = (a: number, b: number) => a / b;

test('over a column of ones it is the mean with the interval of the mean', () => {
  const random = stream(3, 'values');
  const values = Float64Array.from({ length: 80 }, () => random.uniform() ** 3);
  const clusters = Int32Array.from({ length: 80 }, (_, i) => i % 30);
  const [estimate] = estimateRatios(
    [values, new Float64Array(80).fill(1)],
    [{ columns: [0, 1], of: ratio }],
    clusters,
    { seed: 5, resamples: 1000 },
  );
  const mean = estimateMean(values, clusters, { seed: 5, resamples: 1000 });
  for (const end of ['value', 'lower', 'upper'] as const) assert.ok(Math.abs(estimate![end] - mean[end]) < 1e-12);
});

test('a constant ratio has no spread, and is seen whatever its columns do', () => {
  const random = stream(4, 'values');
  const whole = Float64Array.from({ length: 50 }, () => random.uniform());
  const half = whole.map((value) => value / 2);
  const [estimate] = estimateRatios([half, whole], [{ columns: [0, 1], of: ratio }], undefined, { resamples: 500 });
  for (const end of ['value', 'lower', 'upper'] as const) assert.ok(Math.abs(estimate![end] - 0.5) < 1e-12);
});

test('the interval covers the true ratio of means about as often as it says, over paired and over disjoint queries', () => {
  const runs = 300;
  let [paired, apart] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const random = stream(run, 'coverage');
    const queries = 60;
    const base = Float64Array.from({ length: queries }, () => random.uniform() ** 2);
    // mean of u^2 is 1/3; the second column is 0.6 of it, plus a noise of mean 0
    const cut = base.map((value) => 0.6 * value + 0.1 * random.normal());
    const first = Float64Array.from({ length: queries }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const second = first.map((one) => 1 - one);
    const columns = [base, cut, base.map((v, i) => v * first[i]!), first, cut.map((v, i) => v * second[i]!), second];
    const [a, b] = estimateRatios(
      columns,
      [
        { columns: [1, 0], of: ratio },
        { columns: [4, 5, 2, 3], of: (x, n, y, m) => x! / n! / (y! / m!) },
      ],
      undefined,
      { seed: run, resamples: 400 },
    );
    if (a!.lower <= 0.6 && 0.6 <= a!.upper) paired++;
    if (b!.lower <= 0.6 && 0.6 <= b!.upper) apart++;
  }
  for (const covered of [paired, apart])
    assert.ok(covered / runs > 0.9 && covered / runs < 0.99, String(covered / runs));
});

test('no interval where it rests on one cluster or where resamples lack a denominator', () => {
  const options = { resamples: 200 };
  const one = (columns: number[][], clusters?: number[]) =>
    estimateRatios(
      columns.map((column) => Float64Array.from(column)),
      [{ columns: [0, 1], of: ratio }],
      clusters,
      options,
    )[0]!;
  assert.equal(one([[1, 2], [2, 2]], [7, 7]).value, 0.75); // biome-ignore format: two columns
  assert.ok(Number.isNaN(one([[1, 2], [2, 2]], [7, 7]).lower)); // biome-ignore format: two columns
  const scarce = one([[1, 1, 1, 1], [0, 0, 0, 1]]); // biome-ignore format: two columns
  assert.equal(scarce.value, 4);
  assert.ok(Number.isNaN(scarce.lower) && Number.isNaN(scarce.upper));
  assert.ok(Number.isNaN(one([[0, 0], [0, 0]]).value)); // biome-ignore format: two columns
  assert.throws(() => one([[Number.NaN], [1]]), /finite/); // biome-ignore format: two columns
});
