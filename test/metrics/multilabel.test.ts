/** Measures of label sets, rankings and probabilities against scikit-learn (test/oracle/multilabel_metrics.py), and their laws. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { calibration, calibrationPerLabel, topLabelCalibration } from '../../src/metrics/calibration.ts';
import { rankingMetrics } from '../../src/metrics/label-ranking.ts';
import { type LabelSets, labelSets, selectLabelSets } from '../../src/metrics/label-sets.ts';
import { documentF1, multilabelMeasures, multilabelMetrics, perLabel } from '../../src/metrics/multilabel.ts';

interface Case {
  name: string;
  labels: number;
  truth: number[][];
  predicted: number[][];
  scores: number[];
  metrics: Record<string, number>;
  /** precision, recall, F1, support: one value a label each. */
  perLabel: [number[], number[], number[], number[]];
  lrap: number;
  averagePrecision: number[];
  map: number;
  mapMicro: number;
  at: Record<string, [precision: number, recall: number]>;
  calibration: { ece: number; brier: number; counts: number[]; confidence: number[]; accuracy: number[] };
  calibrationPerLabel: [ece: number, brier: number][];
  calibrationTop: number;
}

const path = join(import.meta.dirname, '..', 'fixtures', 'metrics', 'multilabel.json');
const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[];

const near = (actual: number, expected: number, what: string) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${what}: ${actual}, scikit-learn ${expected}`);

assert.ok(cases.length >= 30);
for (const expected of cases) {
  test(`scikit-learn: ${expected.name}`, () => {
    const { labels } = expected;
    const [truth, predicted] = [labelSets(expected.truth), labelSets(expected.predicted)];
    const scores = Float32Array.from(expected.scores);
    const metrics = multilabelMetrics(truth, predicted, labels);
    assert.deepEqual(Object.keys(metrics).sort(), Object.keys(expected.metrics).sort());
    for (const measure of multilabelMeasures) near(metrics[measure], expected.metrics[measure]!, measure);
    const rows = perLabel(truth, predicted, labels);
    assert.deepEqual(
      rows.map(({ support }) => support),
      expected.perLabel[3],
    );
    for (const { label, precision, recall, f1 } of rows) {
      near(precision, expected.perLabel[0][label]!, `precision of ${label}`);
      near(recall, expected.perLabel[1][label]!, `recall of ${label}`);
      near(f1, expected.perLabel[2][label]!, `F1 of ${label}`);
    }
    const ranking = rankingMetrics(truth, scores, labels);
    near(ranking.lrap, expected.lrap, 'LRAP');
    near(ranking.map, expected.map, 'mAP');
    near(ranking.mapMicro, expected.mapMicro, 'micro mAP');
    ranking.averagePrecision.forEach((value, l) => {
      near(value, expected.averagePrecision[l]!, `AP of ${l}`);
    });
    for (const [k, [precision, recall]] of Object.entries(expected.at)) {
      near(ranking.precisionAt(Number(k)), precision, `P@${k}`);
      near(ranking.recallAt(Number(k)), recall, `R@${k}`);
    }
    const { ece, brier, bins } = calibration(truth, scores, labels);
    near(ece, expected.calibration.ece, 'ECE');
    near(brier, expected.calibration.brier, 'Brier');
    assert.deepEqual(
      bins.map(({ count }) => count),
      expected.calibration.counts,
    );
    bins
      .filter(({ count }) => count > 0)
      .forEach((bin, b) => {
        near(bin.confidence, expected.calibration.confidence[b]!, 'confidence');
        near(bin.accuracy, expected.calibration.accuracy[b]!, 'accuracy');
      });
    calibrationPerLabel(truth, scores, labels).forEach((own, l) => {
      near(own.ece, expected.calibrationPerLabel[l]![0], `ECE of ${l}`);
      near(own.brier, expected.calibrationPerLabel[l]![1], `Brier of ${l}`);
    });
    near(topLabelCalibration(truth, scores, labels).ece, expected.calibrationTop, 'ECE of the top label');
  });
}

test('the vector of the paper: micro 2/3, macro 5/12', () => {
  const truth = labelSets([[0, 2], [1], [0, 1]]);
  const predicted = labelSets([[0], [1, 2], [0]]);
  const { f1Micro, f1Macro } = multilabelMetrics(truth, predicted, 4);
  near(f1Micro, 2 / 3, 'micro');
  near(f1Macro, 5 / 12, 'macro');
});

const labelCount = 6;
const rows = (documents: number) =>
  fc.array(fc.uniqueArray(fc.nat(labelCount - 1), { maxLength: labelCount }), {
    minLength: documents,
    maxLength: documents,
  });
const pairs = fc.integer({ min: 1, max: 12 }).chain((documents) => fc.tuple(rows(documents), rows(documents)));

test('property: naming labels otherwise, or ordering documents otherwise, changes nothing', () => {
  fc.assert(
    fc.property(pairs, fc.nat(), ([truth, predicted], turn) => {
      const renamed = (sets: number[][]) => sets.map((row) => row.map((label) => (label * 5 + turn) % labelCount));
      const before = multilabelMetrics(labelSets(truth), labelSets(predicted), labelCount);
      const after = multilabelMetrics(labelSets(renamed(truth)), labelSets(renamed(predicted)), labelCount);
      const order = truth.map((_, d) => (d + turn) % truth.length);
      const moved = multilabelMetrics(
        selectLabelSets(labelSets(truth), order),
        selectLabelSets(labelSets(predicted), order),
        labelCount,
      );
      for (const measure of multilabelMeasures) {
        near(after[measure], before[measure], measure);
        near(moved[measure], before[measure], measure);
      }
    }),
  );
});

test('property: micro precision and recall change places with truth and prediction, micro F1 is their harmonic mean', () => {
  fc.assert(
    fc.property(pairs, ([truth, predicted]) => {
      const [t, p] = [labelSets(truth), labelSets(predicted)];
      const [one, other] = [multilabelMetrics(t, p, labelCount), multilabelMetrics(p, t, labelCount)];
      near(one.precisionMicro, other.recallMicro, 'micro');
      near(one.precisionMacro, other.recallMacro, 'macro');
      const sum = one.precisionMicro + one.recallMicro;
      near(one.f1Micro, sum === 0 ? 0 : (2 * one.precisionMicro * one.recallMicro) / sum, 'harmonic mean');
      const values = documentF1(t, p, labelCount);
      near(values.reduce((total, value) => total + value, 0) / values.length, one.f1Samples, 'F1 by document');
    }),
  );
});

const scored = fc.integer({ min: 1, max: 8 }).chain((documents) =>
  fc.tuple(
    rows(documents),
    fc.array(
      fc.integer({ min: 0, max: 8 }).map((eighths) => eighths / 8),
      { minLength: documents * labelCount, maxLength: documents * labelCount },
    ),
  ),
);

test('property: rankings depend on the order of scores only; R@k grows to 1 with k', () => {
  fc.assert(
    fc.property(scored, ([truth, scores]) => {
      const sets = labelSets(truth);
      const one = rankingMetrics(sets, Float32Array.from(scores), labelCount);
      const other = rankingMetrics(
        sets,
        Float32Array.from(scores, (score) => 3 * score ** 3 - 1),
        labelCount,
      );
      for (const measure of ['lrap', 'map', 'mapMicro'] as const) near(other[measure], one[measure], measure);
      const filled = truth.filter((row) => row.length > 0).length / truth.length;
      let before = 0;
      for (let k = 1; k <= labelCount; k++) {
        assert.ok(one.recallAt(k) >= before);
        before = one.recallAt(k);
      }
      near(before, filled, 'R@all');
    }),
  );
});

test('property: ECE with one bin is the difference of the means, and no finer bins make it smaller by merging', () => {
  fc.assert(
    fc.property(scored, ([truth, scores]) => {
      const probabilities = Float32Array.from(scores);
      const sets = labelSets(truth);
      const { ece } = calibration(sets, probabilities, labelCount, 1);
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      near(ece, Math.abs(mean - sets.codes.length / scores.length), 'one bin');
      assert.ok(calibration(sets, probabilities, labelCount, 4).ece >= ece - 1e-12);
      const { bins } = calibration(sets, probabilities, labelCount, 8);
      assert.equal(
        bins.reduce((sum, { count }) => sum + count, 0),
        scores.length,
      );
    }),
  );
});

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

test('wrong input is named: no document, no label, unordered or strange codes, other lengths, NaN', () => {
  const one = labelSets([[0, 1]]);
  const raw = (codes: number[]): LabelSets => ({
    offsets: Uint32Array.of(0, codes.length),
    codes: Int32Array.from(codes),
  });
  assert.throws(() => multilabelMetrics(labelSets([]), labelSets([]), 2), code('labels.empty'));
  assert.throws(() => multilabelMetrics(labelSets([[]]), labelSets([[]]), 0), code('labels.none'));
  assert.throws(() => multilabelMetrics(one, raw([1, 0]), 2), code('labels.codes'));
  assert.throws(() => multilabelMetrics(one, raw([1, 1]), 2), code('labels.codes'));
  assert.throws(() => multilabelMetrics(one, raw([2]), 2), code('labels.codes'));
  assert.throws(() => multilabelMetrics(one, raw([-1]), 2), code('labels.codes'));
  assert.throws(() => multilabelMetrics(one, labelSets([[0], [1]]), 2), code('labels.rows'));
  assert.throws(
    () => multilabelMetrics(one, { offsets: Uint32Array.of(0, 1), codes: Int32Array.of(0, 1) }, 2),
    code('labels.offsets'),
  );
  assert.throws(() => rankingMetrics(one, Float32Array.of(1), 2), code('labels.scores'));
  assert.throws(() => rankingMetrics(one, Float32Array.of(1, Number.NaN), 2), code('labels.notFinite'));
  assert.throws(() => rankingMetrics(one, Float32Array.of(1, 0), 2).precisionAt(0), code('ranking.k'));
  assert.throws(() => calibration(one, Float32Array.of(1, 1.5), 2), code('calibration.probability'));
  assert.throws(() => calibration(one, Float32Array.of(1, 0.5), 2, 0), code('calibration.bins'));
  assert.throws(() => selectLabelSets(one, [1]), RangeError);
});
