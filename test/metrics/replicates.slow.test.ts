/**
 * Simulations of what intervals and tests of macro- and micro-F1 promise: coverage near 95 %, false positives of the paired
 * test at most 5 %, with documents that come in families and share what is easy about them. Where every label has many positives the
 * interval also holds the value of a very large sample; where labels are rare it holds the expected value at this size only,
 * and plain BCa, shown beside it, holds neither.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RandomStream, stream } from '../../src/base/random.ts';
import { bcaInterval, expandedQuantile, leaveOneOutAcceleration } from '../../src/metrics/interval.ts';
import { type LabelSets, labelSets } from '../../src/metrics/label-sets.ts';
import { multilabelMetrics } from '../../src/metrics/multilabel.ts';
import { bootstrapMultilabel, swapTest } from '../../src/metrics/multilabel-bootstrap.ts';
import { compareReplicated, estimateReplicated, type ReplicatedValue } from '../../src/metrics/replicates.ts';

interface Landscape {
  labels: number;
  /** Share of documents that have label l. */
  frequency(l: number): number;
  /** Most documents of a family. */
  family: number;
}

/** Families of documents with predictions of exchangeable systems: equal skill, own errors, a difficulty shared by the family. */
function draw({ labels, frequency, family }: Landscape, families: number, systems: number, random: RandomStream) {
  const truth: number[][] = [];
  const guesses: number[][][] = Array.from({ length: systems }, () => []);
  const clusters: number[] = [];
  for (let own = 0; own < families; own++) {
    const has = Array.from({ length: labels }, (_, l) => random.uniform() < frequency(l));
    const ease = 0.6 + 0.8 * random.uniform();
    const luck = guesses.map(() => 0.7 + 0.6 * random.uniform());
    for (let member = 0; member <= random.integer(family); member++) {
      clusters.push(own);
      truth.push(has.flatMap((yes, l) => (yes ? [l] : [])));
      guesses.forEach((sets, s) => {
        sets.push(
          has.flatMap((yes, l) => {
            const skill = Math.min(1, (0.5 + 0.3 * Math.sin(l)) * ease * luck[s]!);
            return random.uniform() < (yes ? skill : 0.3 * frequency(l)) ? [l] : [];
          }),
        );
      });
    }
  }
  return { truth: labelSets(truth), predictions: guesses.map((sets) => labelSets(sets)), clusters };
}

const share = (hits: number, of: number) => `${((100 * hits) / of).toFixed(1)} %`;
const measures = ['f1Macro', 'f1Micro'] as const;

function plainBca({ value, replicates, jackknife, clusters }: ReplicatedValue) {
  const acceleration = leaveOneOutAcceleration(jackknife!);
  return bcaInterval(replicates.slice().sort(), value, acceleration, expandedQuantile(0.95, clusters!));
}

const landscapes = [
  { name: 'every label frequent', rare: false, families: 300, labels: 12, power: 0.4, family: 1 },
  { name: 'every label frequent, families', rare: false, families: 300, labels: 12, power: 0.4, family: 3 },
  { name: 'a long tail of labels, families', rare: true, families: 250, labels: 60, power: 1.2, family: 3 },
];
for (const { name, rare, families, labels, power, family } of landscapes) {
  test(`coverage of macro- and micro-F1: ${name}`, { timeout: 300_000 }, (t) => {
    const random = stream(1, 'coverage of labels', name);
    const landscape = { labels, family, frequency: (l: number) => 0.4 / (l + 1) ** power };
    const repeats = 4000;
    const seen = measures.map(() => [] as { value: number; ours: Interval; plain: Interval }[]);
    for (let repeat = 0; repeat < repeats; repeat++) {
      const { truth, predictions, clusters } = draw(landscape, families, 1, random);
      const own = bootstrapMultilabel(truth, predictions[0]!, labels, clusters, { resamples: 1000, seed: repeat });
      measures.forEach((measure, m) => {
        const replicated = own[measure];
        seen[m]!.push({
          value: replicated.value,
          ours: estimateReplicated(replicated),
          plain: plainBca(replicated),
        });
      });
    }
    const large = draw(landscape, 100_000, 1, random);
    const limit = multilabelMetrics(large.truth, large.predictions[0]!, labels);
    measures.forEach((measure, m) => {
      const own = seen[m]!;
      const expected = own.reduce((sum, { value }) => sum + value, 0) / repeats;
      const covered = (target: number, kind: 'ours' | 'plain') =>
        own.filter((row) => row[kind].lower <= target && target <= row[kind].upper).length / repeats;
      t.diagnostic(
        `${measure}: expected ${expected.toFixed(4)} covered ${share(covered(expected, 'ours'), 1)} (plain BCa ${share(covered(expected, 'plain'), 1)}); ` +
          `large sample ${limit[measure].toFixed(4)} covered ${share(covered(limit[measure], 'ours'), 1)} (${share(covered(limit[measure], 'plain'), 1)})`,
      );
      const within = (value: number) => assert.ok(value > 0.93 && value < 0.975, `${measure} ${share(value, 1)}`);
      within(covered(expected, 'ours'));
      if (!rare || measure === 'f1Micro') within(covered(limit[measure], 'ours'));
      else assert.ok(covered(expected, 'plain') < 0.9, 'what the jackknife is for');
    });
  });
}

interface Interval {
  lower: number;
  upper: number;
}

for (const families of [10, 60]) {
  test(`false positives of exchangeable systems: ${families} families`, { timeout: 300_000 }, (t) => {
    const random = stream(2, 'exchangeable', families);
    const landscape = { labels: 10, family: 3, frequency: (l: number) => 0.4 / (l + 1) ** 0.7 };
    const repeats = 1500;
    const [swaps, shares, verdicts] = [0, 0, 0].map(() => measures.map(() => 0)) as [number[], number[], number[]];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const { truth, predictions, clusters } = draw(landscape, families, 2, random);
      const options = { seed: repeat, resamples: 1000 };
      const test = swapTest({ truth, predictions, labels: 10, clusters, ...options });
      const values = predictions.map((predicted: LabelSets) =>
        bootstrapMultilabel(truth, predicted, 10, clusters, options),
      );
      measures.forEach((metric, m) => {
        const input = { systems: ['a', 'b'], values: values.map((own) => own[metric]), metric, margin: 0 };
        const [exact] = compareReplicated({ ...input, test: test(metric) });
        const [bare] = compareReplicated(input);
        if (exact!.p < 0.05) swaps[m]!++;
        if (bare!.p < 0.05) shares[m]!++;
        if (exact!.verdict === 'better' || exact!.verdict === 'worse') verdicts[m]!++;
      });
    }
    measures.forEach((metric, m) => {
      t.diagnostic(
        `${metric}: swap test ${share(swaps[m]!, repeats)}, share of replicates ${share(shares[m]!, repeats)}, verdicts ${share(verdicts[m]!, repeats)}`,
      );
      // Three standard errors of a share of 5 %.
      const noise = 3 * Math.sqrt((0.05 * 0.95) / repeats);
      assert.ok(swaps[m]! / repeats < 0.05 + noise);
      assert.ok(families < 30 || swaps[m]! / repeats > 0.05 - noise - 0.005, 'a test that never rejects shows nothing');
      assert.ok(verdicts[m]! / repeats < 0.05 + noise);
      assert.ok(shares[m]! / repeats < 0.08);
    });
  });
}

for (const seeds of [3, 5]) {
  test(`trained systems with ${seeds} seeds: coverage of a difference of macro-F1`, { timeout: 300_000 }, (t) => {
    const random = stream(3, 'trained labels', seeds);
    const landscape = { labels: 10, family: 2, frequency: (l: number) => 0.4 / (l + 1) ** 0.7 };
    const repeats = 500;
    let [covered, positive] = [0, 0];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const { truth, predictions, clusters } = draw(landscape, 100, 2, random);
      // A seed drops a share of a system's predictions that is its own luck.
      const trained = predictions.map((predicted) =>
        Array.from({ length: seeds }, () => {
          const kept = 1 - 0.2 * random.uniform();
          const rows = Array.from({ length: clusters.length }, (_, d) =>
            [...predicted.codes.subarray(predicted.offsets[d]!, predicted.offsets[d + 1]!)].filter(
              () => random.uniform() < kept,
            ),
          );
          return bootstrapMultilabel(truth, labelSets(rows), 10, clusters, { resamples: 600, seed: repeat }).f1Macro;
        }),
      );
      const [pair] = compareReplicated({ systems: ['a', 'b'], values: trained, metric: 'f1Macro', seed: repeat });
      if (pair!.lower <= 0 && 0 <= pair!.upper) covered++;
      if (pair!.p < 0.05) positive++;
    }
    t.diagnostic(`${share(covered, repeats)} covered, ${share(positive, repeats)} false positives`);
    assert.ok(covered / repeats > 0.925 && positive / repeats < 0.075);
  });
}
