/**
 * Simulations of what intervals and tests promise: coverage near 95 %, false positives near 5 % under the null, also with
 * correlated queries of one family, few queries, and values as skewed as success@1. Printed figures go to docs/results.md.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RandomStream, stream } from '../../src/base/random.ts';
import { comparePairs, estimateMean } from '../../src/metrics/significance.ts';

/** Per-query values of one system, with their true mean. */
interface Population {
  name: string;
  mean: number;
  draw(random: RandomStream): number;
}

const populations: Population[] = [
  { name: 'success (0 or 1, one in five)', mean: 0.2, draw: (random) => (random.uniform() < 0.2 ? 1 : 0) },
  { name: 'reciprocal rank', mean: 0.45 * 0.5 + 0.55 * 0.1, draw: (random) => reciprocal(random) },
  {
    name: 'nDCG (u^2, three in ten 0)',
    mean: 0.7 / 3,
    draw: (random) => (random.uniform() < 0.3 ? 0 : random.uniform() ** 2),
  },
];

function reciprocal(random: RandomStream): number {
  return random.uniform() < 0.45 ? random.uniform() : random.uniform() * 0.2;
}

function share(hits: number, of: number): string {
  return `${((100 * hits) / of).toFixed(1)} %`;
}

for (const queries of [30, 100, 1000]) {
  for (const { name, mean, draw } of populations) {
    test(`coverage of the mean: ${queries} queries, ${name}`, (t) => {
      const random = stream(1, 'coverage', name, queries);
      const repeats = queries < 1000 ? 2000 : 800;
      let [covered, below, above] = [0, 0, 0];
      for (let repeat = 0; repeat < repeats; repeat++) {
        const values = Float64Array.from({ length: queries }, () => draw(random));
        const { lower, upper } = estimateMean(values, undefined, { resamples: 1000, seed: repeat });
        if (mean < lower) below++;
        else if (mean > upper) above++;
        else covered++;
      }
      t.diagnostic(
        `${share(covered, repeats)} covered, ${share(below, repeats)} too high, ${share(above, repeats)} too low`,
      );
      assert.ok(covered / repeats > 0.93 && covered / repeats < 0.975, share(covered, repeats));
    });
  }
}

test('coverage of a difference with families of queries that share their difficulty', (t) => {
  const random = stream(2, 'families');
  const repeats = 1000;
  let [covered, naive] = [0, 0];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const clusters: number[] = [];
    const values: number[] = [];
    for (let family = 0; family < 80; family++) {
      const shared = 0.1 * random.normal();
      for (let member = 0; member <= random.integer(5); member++) {
        clusters.push(family);
        values.push(0.02 + shared + 0.05 * random.normal());
      }
    }
    const a = Float64Array.from(values);
    const nothing = new Float64Array(a.length);
    const compare = (of?: Int32Array) =>
      comparePairs({
        systems: ['a', 'b'],
        values: [a, nothing],
        clusters: of,
        metric: 'm',
        resamples: 1000,
        seed: repeat,
      })[0]!;
    const [by, alone] = [compare(Int32Array.from(clusters)), compare()];
    if (by.lower <= 0.02 && 0.02 <= by.upper) covered++;
    if (alone.lower <= 0.02 && 0.02 <= alone.upper) naive++;
  }
  t.diagnostic(`${share(covered, repeats)} covered; ${share(naive, repeats)} where families are ignored`);
  assert.ok(covered / repeats > 0.925 && covered / repeats < 0.975);
  assert.ok(naive < covered);
});

for (const queries of [10, 30, 300]) {
  test(`false positives under the null: 4 equal systems, ${queries} queries in families`, (t) => {
    const random = stream(3, 'null', queries);
    const repeats = 2000;
    let [single, family, verdicts] = [0, 0, 0];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const clusters = Int32Array.from({ length: queries }, (_, q) => q >> 1);
      const difficulty = Float64Array.from({ length: queries }, () => random.uniform() ** 2);
      const values = ['a', 'b', 'c', 'd'].map(() => {
        let shared = 0;
        return difficulty.map((value, q) => {
          if (q % 2 === 0) shared = 0.1 * random.normal();
          return Math.min(1, Math.max(0, value + shared + 0.1 * random.normal()));
        });
      });
      const pairs = comparePairs({
        systems: ['a', 'b', 'c', 'd'],
        values,
        clusters,
        metric: 'm',
        margin: 0,
        resamples: 1000,
        seed: repeat,
      });
      if (pairs[0]!.p < 0.05) single++;
      if (pairs.some(({ pHolm }) => pHolm < 0.05)) family++;
      if (pairs.some(({ verdict }) => verdict === 'better' || verdict === 'worse')) verdicts++;
    }
    t.diagnostic(
      `one pair ${share(single, repeats)}, any of six by Holm ${share(family, repeats)}, any verdict ${share(verdicts, repeats)}`,
    );
    assert.ok(single / repeats < 0.065 && (queries < 30 || single / repeats > 0.036));
    assert.ok(family / repeats < 0.065);
    assert.ok(verdicts / repeats < 0.065);
  });
}

test('power: the detectable difference is found in four cases of five', (t) => {
  const random = stream(4, 'power');
  const repeats = 1500;
  const [queries, deviation] = [200, 0.2];
  let [found, stated] = [0, 0];
  const effect = 2.815 * (deviation / Math.sqrt(queries));
  for (let repeat = 0; repeat < repeats; repeat++) {
    const a = Float64Array.from({ length: queries }, () => effect + deviation * random.normal());
    const [pair] = comparePairs({
      systems: ['a', 'b'],
      values: [a, new Float64Array(queries)],
      metric: 'm',
      resamples: 1000,
      seed: repeat,
    });
    if (pair!.p < 0.05) found++;
    stated += pair!.detectable / repeats;
  }
  t.diagnostic(`found in ${share(found, repeats)}; stated ${stated.toFixed(4)}, true ${effect.toFixed(4)}`);
  assert.ok(found / repeats > 0.76 && found / repeats < 0.84);
  assert.ok(Math.abs(stated / effect - 1) < 0.02);
});

test('false equivalence: a difference of just the margin is called equivalent in about one case of twenty', (t) => {
  const random = stream(5, 'equivalence');
  const repeats = 2000;
  let called = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const a = Float64Array.from({ length: 400 }, () => 0.01 + 0.05 * random.normal());
    const [pair] = comparePairs({
      systems: ['a', 'b'],
      values: [a, new Float64Array(400)],
      metric: 'm',
      resamples: 1000,
      seed: repeat,
    });
    if (pair!.verdict === 'equivalent') called++;
  }
  t.diagnostic(`called equivalent in ${share(called, repeats)}`);
  assert.ok(called / repeats < 0.065);
});

for (const seeds of [3, 5, 10]) {
  test(`trained systems with ${seeds} seeds: coverage and false positives under the null`, (t) => {
    const random = stream(6, 'trained', seeds);
    const repeats = 1000;
    let [covered, positive] = [0, 0];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const queries = Float64Array.from({ length: 150 }, () => random.uniform());
      const system = () =>
        Array.from({ length: seeds }, () => {
          const luck = 0.03 * random.normal();
          return queries.map((value) => value + luck + 0.05 * random.normal());
        });
      const [pair] = comparePairs({
        systems: ['a', 'b'],
        values: [system(), system()],
        metric: 'm',
        resamples: 1000,
        seed: repeat,
      });
      if (pair!.lower <= 0 && 0 <= pair!.upper) covered++;
      if (pair!.p < 0.05) positive++;
    }
    t.diagnostic(`${share(covered, repeats)} covered, ${share(positive, repeats)} false positives`);
    assert.ok(covered / repeats > 0.925 && positive / repeats < 0.075);
  });
}
