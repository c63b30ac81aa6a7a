/**
 * Replicated measures: replicates, jackknife and swap test against the same computed plainly, document by document; intervals and p
 * against those of means, where both apply, and against numpy for trained systems. Simulations are in replicates.slow.test.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import { type LabelSets, labelSets, selectLabelSets } from '../../src/metrics/label-sets.ts';
import { LaneSums, LaneWeights, listsOf } from '../../src/metrics/lane-sums.ts';
import { multilabelMeasures, multilabelMetrics } from '../../src/metrics/multilabel.ts';
import { bootstrapMultilabel, bootstrapMultilabels, swapTest } from '../../src/metrics/multilabel-bootstrap.ts';
import { compareReplicated, estimateReplicated, type ReplicatedValue } from '../../src/metrics/replicates.ts';
import { bootstrapMeans, groupQueries, groupSums, resamplingStreams } from '../../src/metrics/resample.ts';
import { comparePairs, estimateMean } from '../../src/metrics/significance.ts';

const near = (actual: number, expected: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`);

const labels = 7;

/** Truth and predictions of some systems, the first being the best. */
function invent(documents: number, systems: number, seed: number) {
  const random = stream(seed, 'invented labels');
  const rows = Array.from({ length: documents }, () =>
    Array.from({ length: labels }, (_, l) => l).filter((l) => random.uniform() < 0.5 / (1 + l)),
  );
  const guess = (skill: number) =>
    rows.map((row) =>
      Array.from({ length: labels }, (_, l) => l).filter((l) =>
        random.uniform() < skill ? row.includes(l) : random.uniform() < 0.2,
      ),
    );
  return {
    truth: labelSets(rows),
    predictions: Array.from({ length: systems }, (_, s) => labelSets(guess(0.8 - 0.1 * s))),
  };
}

/** Documents that belong to the groups drawn, in order. */
function membersOf(of: ArrayLike<number>, groups: ArrayLike<number>): number[] {
  return Array.from(groups).flatMap((group) =>
    Array.from(of, (own, d) => (own === group ? d : -1)).filter((d) => d >= 0),
  );
}

test('replicates are the measures of the documents drawn, the jackknife those of the documents left', () => {
  const documents = 23;
  const { truth, predictions } = invent(documents, 1, 1);
  const clusters = Int32Array.from({ length: documents }, (_, d) => (d * 5) % 9);
  const { of, groups } = groupQueries(documents, clusters);
  const [resamples, seed] = [13, 7];
  const ours = bootstrapMultilabel(truth, predictions[0]!, labels, clusters, { seed, resamples });
  const plain = (rows: number[]) =>
    multilabelMetrics(selectLabelSets(truth, rows), selectLabelSets(predictions[0]!, rows), labels);
  const random = resamplingStreams(seed).bootstrap;
  for (let b = 0; b < resamples; b++) {
    const drawn = Int32Array.from({ length: groups }, () => random.uint32() * (groups / 0x100000000));
    const metrics = plain(membersOf(of, drawn));
    for (const measure of multilabelMeasures) near(ours[measure].replicates[b]!, metrics[measure], 1e-12, measure);
  }
  for (let g = 0; g < groups; g++) {
    const metrics = plain(Array.from({ length: documents }, (_, d) => d).filter((d) => of[d] !== g));
    for (const measure of multilabelMeasures) near(ours[measure].jackknife![g]!, metrics[measure], 1e-12, measure);
  }
  assert.equal(ours.f1Macro.value, multilabelMetrics(truth, predictions[0]!, labels).f1Macro);
  assert.deepEqual([ours.hamming.clusters, ours.hamming.documents], [9, documents]);
});

test('predictions resampled together give what each gives alone; fewer resamples are the first ones', () => {
  const { truth, predictions } = invent(40, 2, 3);
  const clusters = Int32Array.from({ length: 40 }, (_, d) => d % 17);
  const options = { seed: 5, resamples: 45 };
  const [a, b] = bootstrapMultilabels(
    [
      { truth, predicted: predictions[0]!, labels, resamples: 19 },
      { truth, predicted: predictions[1]!, labels },
    ],
    clusters,
    options,
  );
  const [alone, other] = predictions.map((own) => bootstrapMultilabel(truth, own, labels, clusters, options));
  assert.deepEqual(b, other);
  for (const measure of multilabelMeasures) {
    assert.deepEqual(a![measure].replicates, alone![measure].replicates.slice(0, 19));
    assert.deepEqual(a![measure].jackknife, alone![measure].jackknife);
  }
  const fewer = { truth: labelSets([[0]]), predicted: labelSets([[0]]), labels };
  assert.throws(() => bootstrapMultilabels([{ truth, predicted: predictions[0]!, labels }, fewer]), RangeError);
});

test('property: sums over lists are those of the weights, with two lanes a word and with one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(), fc.boolean(), (places, seed, wide) => {
      const random = stream(seed, 'lanes');
      const lists = Array.from({ length: 5 }, () =>
        Array.from({ length: random.integer(20) }, () => random.integer(places)),
      );
      const weights = new LaneWeights(places, wide ? 0x10000 : 0xffff);
      assert.equal(weights.lanes, wide ? 8 : 16);
      const sums = new LaneSums(
        listsOf(
          lists.flatMap((own, l) => own.map((place) => [l, place] as const)),
          5,
        ),
        weights,
      );
      for (let block = 0; block < 2; block++) {
        const drawn = Array.from({ length: weights.lanes }, () =>
          Int32Array.from({ length: 3000 }, () => random.integer(places)),
        );
        drawn.forEach((own, lane) => {
          weights.add(lane, own);
        });
        const numbers = Uint32Array.from({ length: 50 }, () => random.uint32());
        weights.addDrawn(1, numbers);
        drawn[1] = Int32Array.from([
          ...drawn[1]!,
          ...Array.from(numbers, (number) => Math.floor((number * places) / 2 ** 32)),
        ]);
        // A sum beyond the bound that was promised would not fit: places are few, lists short.
        if (!wide && lists.some((own) => own.length * 3050 > 0xffff)) return;
        sums.compute(weights.take());
        drawn.forEach((own, lane) => {
          const counts = new Float64Array(places);
          for (const place of own) counts[place]!++;
          lists.forEach((list, l) => {
            assert.equal(
              sums.at(l, lane),
              list.reduce((sum, place) => sum + counts[place]!, 0),
            );
          });
        });
      }
    }),
    { numRuns: 30 },
  );
});

/** p by trying all assignments, every measure computed from the sets themselves. */
function plainSwap(truth: LabelSets, a: LabelSets, b: LabelSets, of: Int32Array, groups: number) {
  const both: LabelSets = {
    offsets: Uint32Array.from([...a.offsets, ...b.offsets.slice(1).map((offset) => offset + a.codes.length)]),
    codes: Int32Array.from([...a.codes, ...b.codes]),
  };
  const differences = (mask: number) => {
    const from = (swapped: number) =>
      selectLabelSets(
        both,
        Array.from(of, (group, d) => d + (((mask >> group) & 1) === swapped ? 0 : of.length)),
      );
    const [x, y] = [multilabelMetrics(truth, from(0), labels), multilabelMetrics(truth, from(1), labels)];
    return multilabelMeasures.map((measure) => Math.abs(x[measure] - y[measure]));
  };
  const observed = differences(0);
  const reached = observed.map(() => 0);
  for (let mask = 0; mask < 2 ** groups; mask++) {
    differences(mask).forEach((value, m) => {
      if (value >= observed[m]! - 1e-10) reached[m]!++;
    });
  }
  return reached.map((count) => count / 2 ** groups);
}

test('swap test: few families give the share of all assignments, many a random share near it', () => {
  for (const { documents, groups, tolerance } of [
    { documents: 14, groups: 8, tolerance: 1e-12 },
    { documents: 9, groups: 9, tolerance: 1e-12 },
    { documents: 22, groups: 14, tolerance: 5 * Math.sqrt(0.25 / 10_000) },
  ]) {
    const { truth, predictions } = invent(documents, 2, documents);
    const clusters = Int32Array.from({ length: documents }, (_, d) => d % groups);
    const [a, b] = predictions as [LabelSets, LabelSets];
    const expected = plainSwap(truth, a, b, clusters, groups);
    const ours = swapTest({ truth, predictions, labels, clusters });
    multilabelMeasures.forEach((measure, m) => {
      near(ours(measure)(0, 1), expected[m]!, tolerance, `${measure}, ${groups} families`);
      assert.equal(ours(measure)(1, 0), ours(measure)(0, 1));
    });
  }
});

/** Subset accuracy is a mean: its values a document. */
function exactness(truth: LabelSets, predicted: LabelSets): Float64Array {
  return Float64Array.from(
    { length: truth.offsets.length - 1 },
    (_, d) => multilabelMetrics(selectLabelSets(truth, [d]), selectLabelSets(predicted, [d]), labels).subsetAccuracy,
  );
}

test('of a measure that is a mean, intervals and p are those of means', () => {
  const documents = 150;
  const { truth, predictions } = invent(documents, 2, 3);
  const clusters = Int32Array.from({ length: documents }, (_, d) => d % 90);
  const values = predictions.map((predicted) => exactness(truth, predicted));
  const ours = predictions.map(
    (predicted) => bootstrapMultilabel(truth, predicted, labels, clusters, { seed: 1 }).subsetAccuracy,
  );
  const [interval, expected] = [estimateReplicated(ours[0]!), estimateMean(values[0]!, clusters)];
  near(interval.value, expected.value, 1e-12, 'value');
  const width = expected.upper - expected.lower;
  near(interval.lower, expected.lower, 0.05 * width, 'lower');
  near(interval.upper, expected.upper, 0.05 * width, 'upper');
  const test = swapTest({ truth, predictions, labels, clusters })('subsetAccuracy');
  const systems = ['a', 'b'];
  const [pair] = compareReplicated({ systems, values: ours, metric: 'subsetAccuracy', test });
  const [mean] = comparePairs({ systems, values, clusters, metric: 'subsetAccuracy' });
  near(pair!.difference, mean!.difference, 1e-12, 'difference');
  near(pair!.lower, mean!.lower, 0.05 * (mean!.upper - mean!.lower), 'lower');
  near(pair!.upper, mean!.upper, 0.05 * (mean!.upper - mean!.lower), 'upper');
  near(pair!.p, mean!.p, 0.02, 'p');
  near(pair!.detectable, mean!.detectable, 0.02 * mean!.detectable, 'detectable');
  assert.equal(pair!.queries, documents);
});

interface Trained {
  clusters: number[];
  a: number[][];
  b: number[][];
  difference: number;
  lower: number;
  upper: number;
  p: number;
}

const hierarchical = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'metrics', 'hierarchical.json'), 'utf8'),
) as Trained[];

for (const [at, expected] of hierarchical.entries()) {
  const { clusters, a, b } = expected;
  test(`trained systems, ${a.length} seeds against ${b.length}: interval and p of numpy`, () => {
    const grouping = groupQueries(clusters.length, clusters);
    const replicated = (seeds: number[][]): ReplicatedValue[] => {
      const sums = seeds.map((values) => groupSums(values, grouping));
      const random = resamplingStreams(at).bootstrap;
      return bootstrapMeans(sums, grouping.sizes, 50_000, random).map((replicates, s) => ({
        value: seeds[s]!.reduce((sum, value) => sum + value, 0) / clusters.length,
        replicates,
        clusters: grouping.groups,
      }));
    };
    const [pair] = compareReplicated({
      systems: ['a', 'b'],
      values: [replicated(a), replicated(b)],
      metric: 'm',
      seed: at,
    });
    near(pair!.difference, expected.difference, 1e-12, 'difference');
    // Replicates are stretched by C/(C-1) here and not by numpy: one part in a hundred of the width for 40 families.
    const width = expected.upper - expected.lower;
    near(pair!.lower, expected.lower, 0.03 * width, 'lower');
    near(pair!.upper, expected.upper, 0.03 * width, 'upper');
    near(pair!.p, expected.p, 5 * Math.sqrt((expected.p * (1 - expected.p)) / 50_000) + 0.01, 'p');
    assert.equal(pair!.tentative, a.length < 5 || b.length < 5 ? true : undefined);
  });
}

test('equal systems are equivalent with p = 1; a far better one is better, and the reverse worse', () => {
  const { truth, predictions } = invent(300, 2, 4);
  const [good, poor] = predictions as [LabelSets, LabelSets];
  const blind = labelSets(Array.from({ length: 300 }, () => []));
  const all = [good, good, poor, blind];
  const test = swapTest({ truth, predictions: all, labels, resamples: 2000 });
  const replicated = all.map((predicted) =>
    bootstrapMultilabel(truth, predicted, labels, undefined, { resamples: 2000 }),
  );
  for (const metric of ['f1Macro', 'f1Micro', 'f1Samples'] as const) {
    const input = { systems: ['a', 'b', 'c', 'd'], values: replicated.map((own) => own[metric]), metric };
    for (const rows of [compareReplicated(input), compareReplicated({ ...input, test: test(metric) })]) {
      assert.deepEqual([rows[0]!.verdict, rows[0]!.p, rows[0]!.difference], ['equivalent', 1, 0]);
      assert.equal(rows[2]!.verdict, 'better');
      assert.ok(rows.every(({ p, pHolm }) => p > 0 && pHolm >= p && pHolm <= 1));
      assert.ok(rows.every(({ lower, upper, difference }) => lower <= difference && difference <= upper));
    }
    const [reverse] = compareReplicated({
      systems: ['d', 'a'],
      values: [replicated[3]![metric], replicated[0]![metric]],
      metric,
      test: () => test(metric)(3, 0),
    });
    assert.equal(reverse!.verdict, 'worse');
  }
});

test('property: the interval holds the value, grows with the level, and follows units', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 80 }),
      fc.nat(1000),
      fc.integer({ min: -3, max: 3 }),
      (documents, seed, shift) => {
        const { truth, predictions } = invent(documents, 1, seed);
        const own = bootstrapMultilabel(truth, predictions[0]!, labels, undefined, { resamples: 200, seed }).f1Macro;
        const [wide, narrow] = [estimateReplicated(own), estimateReplicated(own, { level: 0.8 })];
        assert.ok(wide.lower <= narrow.lower && narrow.lower <= own.value);
        assert.ok(own.value <= narrow.upper && narrow.upper <= wide.upper);
        const moved = (value: number) => 2 * value + shift;
        const other = estimateReplicated({
          ...own,
          value: moved(own.value),
          replicates: own.replicates.map(moved),
          jackknife: own.jackknife!.map(moved),
        });
        near(other.lower, moved(wide.lower), 1e-9, 'lower');
        near(other.upper, moved(wide.upper), 1e-9, 'upper');
      },
    ),
    { numRuns: 40 },
  );
});

test('one family has no interval and no p; values on other resamples, NaN and no seed are refused', () => {
  const { truth, predictions } = invent(10, 2, 5);
  const one = predictions.map(
    (predicted) => bootstrapMultilabel(truth, predicted, labels, new Int32Array(10), { resamples: 50 }).f1Macro,
  );
  const interval = estimateReplicated(one[0]!);
  assert.ok(Number.isNaN(interval.lower) && Number.isNaN(interval.upper) && interval.value > 0);
  const [pair] = compareReplicated({ systems: ['a', 'b'], values: one, metric: 'm' });
  assert.deepEqual([pair!.p, pair!.verdict, Number.isNaN(pair!.detectable)], [1, 'undecided', true]);
  const replicated = (value: number, replicates: number[]) => ({ value, replicates: Float64Array.from(replicates) });
  const code = (error: unknown) => (error as { code?: string }).code === 'replicates.shared';
  const systems = ['a', 'b'];
  const compare = (values: (ReplicatedValue | ReplicatedValue[])[]) =>
    compareReplicated({ systems, values, metric: 'm' });
  assert.throws(() => compare([replicated(1, [1, 2]), replicated(1, [1])]), code);
  assert.throws(() => compare([replicated(1, [1]), { ...replicated(1, [1]), clusters: 3 }]), code);
  assert.throws(() => compare([replicated(1, [1, 2]), replicated(Number.NaN, [1, 2])]), RangeError);
  assert.throws(() => compare([replicated(1, [1, 2]), []]), RangeError);
  assert.throws(() => compare([replicated(1, [1, 2])]), RangeError);
  assert.throws(() => swapTest({ truth, predictions, labels })('f1Macro')(0, 2), RangeError);
});

test('values without clusters or jackknife: normal quantiles about the value', () => {
  const random = stream(8, 'bare');
  const replicates = Float64Array.from({ length: 20_000 }, () => 5 + random.normal());
  const { lower, upper } = estimateReplicated({ value: 3, replicates });
  near(lower, 3 - 1.96, 0.06, 'lower');
  near(upper, 3 + 1.96, 0.06, 'upper');
});
