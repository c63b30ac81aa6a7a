/** Influence of documents on mAP, ECE and the Brier score: derivatives by their weights, and the interval they give. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../src/base/random.ts';
import { calibration, topLabelCalibration } from '../../src/metrics/calibration.ts';
import { rankingMetrics } from '../../src/metrics/label-ranking.ts';
import { type LabelSets, labelSets } from '../../src/metrics/label-sets.ts';
import { estimateMean } from '../../src/metrics/significance.ts';
import { calibrationMoves, linearised, precisionMoves } from '../../src/study/classification/influence.ts';

const labels = 4;
const documents = 30;

/** Documents with labels that their scores tell something of; scores in steps, so that many are equal. */
function invent(seed: number): { truth: LabelSets; scores: Float32Array } {
  const random = stream(seed, 'influence');
  const rows = Array.from({ length: documents }, () =>
    Array.from({ length: labels }, (_, label) => label).filter(() => random.uniform() < 0.4),
  );
  const scores = Float32Array.from({ length: documents * labels }, (_, i) => {
    const has = rows[Math.floor(i / labels)]!.includes(i % labels);
    return Math.round(8 * Math.min(1, Math.max(0, random.uniform() * 0.8 + (has ? 0.2 : 0)))) / 8;
  });
  return { truth: labelSets(rows), scores };
}

const has = ({ offsets, codes }: LabelSets, d: number, label: number) =>
  codes.subarray(offsets[d]!, offsets[d + 1]!).includes(label);

/** mAP of documents with weights, from its definition. */
function weightedPrecision(truth: LabelSets, scores: Float32Array, weights: Float64Array): number {
  let [sum, ranked] = [0, 0];
  for (let label = 0; label < labels; label++) {
    let [all, own] = [0, 0];
    for (let j = 0; j < documents; j++) {
      if (!has(truth, j, label)) continue;
      let [above, right] = [0, 0];
      for (let i = 0; i < documents; i++) {
        if (scores[i * labels + label]! < scores[j * labels + label]!) continue;
        above += weights[i]!;
        if (has(truth, i, label)) right += weights[i]!;
      }
      own += (weights[j]! * right) / above;
      all += weights[j]!;
    }
    if (all === 0) continue;
    sum += own / all;
    ranked++;
  }
  return sum / ranked;
}

function derivative(of: (weights: Float64Array) => number, d: number): number {
  const at = (weight: number) => of(new Float64Array(documents).fill(1).with(d, weight));
  return (at(1 + 1e-5) - at(1 - 1e-5)) / 2e-5;
}

test('mAP: the moves are its derivatives by the weights of documents', () => {
  for (const seed of [1, 2, 3]) {
    const { truth, scores } = invent(seed);
    const of = (weights: Float64Array) => weightedPrecision(truth, scores, weights);
    assert.ok(Math.abs(of(new Float64Array(documents).fill(1)) - rankingMetrics(truth, scores, labels).map) < 1e-12);
    const moves = precisionMoves(truth, scores, labels);
    for (let d = 0; d < documents; d++) assert.ok(Math.abs(moves[d]! - derivative(of, d)) < 1e-8, `document ${d}`);
    assert.ok(Math.abs(moves.reduce((sum, move) => sum + move, 0)) < 1e-12, 'equal weights move nothing');
  }
});

test('ECE and Brier score: likewise', () => {
  const { truth, scores } = invent(4);
  for (const topLabel of [false, true]) {
    const found = (topLabel ? topLabelCalibration : calibration)(truth, scores, labels, 15);
    const moves = calibrationMoves(truth, scores, labels, found, topLabel);
    const decisionsOf = (d: number) => {
      const row = Array.from(scores.subarray(d * labels, (d + 1) * labels));
      const all = row.map((probability, label) => ({ probability, outcome: has(truth, d, label) ? 1 : 0 }));
      return topLabel ? [all[row.indexOf(Math.max(...row))]!] : all;
    };
    const value = (measure: 'ece' | 'brier') => (weights: Float64Array) => {
      const apart = new Map<number, number>();
      let [all, squares] = [0, 0];
      for (let d = 0; d < documents; d++)
        for (const { probability, outcome } of decisionsOf(d)) {
          const bin = Math.max(0, Math.ceil(probability * 15) - 1);
          apart.set(bin, (apart.get(bin) ?? 0) + weights[d]! * (outcome - probability));
          all += weights[d]!;
          squares += weights[d]! * (outcome - probability) ** 2;
        }
      return measure === 'brier'
        ? squares / all
        : [...apart.values()].reduce((sum, one) => sum + Math.abs(one), 0) / all;
    };
    for (const measure of ['ece', 'brier'] as const) {
      assert.ok(Math.abs(value(measure)(new Float64Array(documents).fill(1)) - found[measure]) < 1e-12, measure);
      for (let d = 0; d < documents; d++)
        assert.ok(Math.abs(moves[measure][d]! - derivative(value(measure), d)) < 1e-8, `${measure}, document ${d}`);
    }
  }
});

test('of a mean the interval is that of clustered means, but for the bootstrap', () => {
  const random = stream(5, 'influence');
  const values = Float64Array.from({ length: 400 }, () => random.uniform());
  const clusters = Int32Array.from(values, (_, i) => i >> 1);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const ours = linearised(
    mean,
    values.map((value) => (value - mean) / values.length),
    clusters,
  );
  const bootstrap = estimateMean(values, clusters, { resamples: 5000 });
  for (const side of ['lower', 'upper'] as const) {
    const [a, b] = [ours[side] - mean, bootstrap[side] - mean];
    assert.ok(Math.abs(a / b - 1) < 0.06, `${side}: ${a} and ${b}`);
  }
  const one = linearised(0.5, new Float64Array(3), [7, 7, 7]);
  assert.ok(Number.isNaN(one.lower) && Number.isNaN(one.upper), 'one family: no interval');
});
