/** Thresholds: the best cut by exhaustive search, never tuned on what they decide, and no gain from noise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import { decide, decideOne } from '../../src/classify/predictions.ts';
import { crossFitThresholds, fixedThreshold, outOfFold, tuneThresholds } from '../../src/classify/thresholds.ts';
import { type LabelSets, labelSets } from '../../src/metrics/label-sets.ts';
import { multilabelMetrics, perLabel } from '../../src/metrics/multilabel.ts';
import { listed } from './invented.ts';

/** Labels that stand at a share of the documents, with scores that know of them (signal) or do not (0). */
function invent(seed: number, rows: number, labels: number, share: number, signal: number, shift = -2) {
  const random = stream(seed, 'scores');
  const scores = new Float32Array(rows * labels);
  const sets = Array.from({ length: rows }, (_, row) => {
    const own: number[] = [];
    for (let label = 0; label < labels; label++) {
      const has = random.uniform() < share;
      if (has) own.push(label);
      scores[row * labels + label] = 1 / (1 + Math.exp(-shift - (has ? signal : 0) - random.normal()));
    }
    return own;
  });
  return { scores, truth: labelSets(sets), sets };
}

const f1Of = (truth: LabelSets, scores: Float32Array, thresholds: ArrayLike<number>) =>
  perLabel(truth, decide(scores, thresholds), thresholds.length).map(({ f1 }) => f1);

test('no cut of a label is better than the one chosen', () => {
  const property = fc.property(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.boolean()), { minLength: 2, maxLength: 30 }),
    (cases) => {
      const truth = labelSets(cases.map(([, has]) => (has ? [0] : [])));
      const scores = Float32Array.from(cases, ([score]) => score / 8);
      const { values } = tuneThresholds(scores, truth, { labels: 1, minPositives: 1 });
      const [chosen] = f1Of(truth, scores, values);
      for (let cut = 0; cut <= 1.01; cut += 1 / 32)
        assert.ok(f1Of(truth, scores, [cut])[0]! <= chosen! + 1e-12, `${cut}`);
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test('rare labels get the global threshold, which has the best micro F1 of its grid', () => {
  const { scores, truth } = invent(1, 400, 6, 0.2, 2);
  const few = labelSets(listed(truth).map((own, row) => (row < 40 ? own : own.filter((label) => label !== 5))));
  const { values, global, rare } = tuneThresholds(scores, few, { labels: 6, minPositives: 20 });
  assert.deepEqual([...rare], [5]);
  assert.equal(values[5], global);
  const micro = (threshold: number) =>
    multilabelMetrics(few, decide(scores, new Float64Array(6).fill(threshold)), 6).f1Micro;
  for (let step = 1; step < 100; step++) assert.ok(micro(step / 100) <= micro(global) + 1e-9, `${step}`);
  const none = tuneThresholds(scores, labelSets(listed(truth).map(() => [])), { labels: 6 });
  assert.ok(none.values.every((value) => value === fixedThreshold));
});

test('thresholds gain where scores are off their scale, and the documents decided had no say', () => {
  const { scores, truth, sets } = invent(2, 600, 4, 0.3, 3, -4);
  const clusters = Int32Array.from({ length: 600 }, (_, row) => row >> 1);
  const options = { labels: 4, clusters, seed: 1 };
  const { fold, thresholds, predicted } = crossFitThresholds(scores, truth, options);
  const fixed = multilabelMetrics(truth, decide(scores, new Float64Array(4).fill(fixedThreshold)), 4).f1Macro;
  assert.ok(multilabelMetrics(truth, predicted, 4).f1Macro > fixed + 0.02);
  for (let row = 0; row < 600; row += 2) assert.equal(fold[row], fold[row + 1], 'families are whole');
  // Turning the labels of one fold upside down changes its own thresholds in nothing, and the others'.
  const turned = labelSets(
    sets.map((own, row) => (fold[row] === 0 ? [0, 1, 2, 3].filter((l) => !own.includes(l)) : own)),
  );
  const after = crossFitThresholds(scores, turned, options);
  assert.deepEqual(after.thresholds[0], thresholds[0]);
  assert.notDeepEqual(after.thresholds[1], thresholds[1]);
  const own = (set: LabelSets) => listed(set).filter((_, row) => fold[row] === 0);
  assert.deepEqual(own(after.predicted), own(predicted));
});

test('noise gains nothing: cross-fitted F1 is that of taking every document; tuned on itself it would look better', () => {
  const share = 0.1;
  const { scores, truth } = invent(3, 300, 60, share, 0);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const all = mean(f1Of(truth, scores, new Float64Array(60)));
  const { predicted } = crossFitThresholds(scores, truth, { labels: 60, seed: 1 });
  const fitted = mean(perLabel(truth, predicted, 60).map(({ f1 }) => f1));
  const { values } = tuneThresholds(scores, truth, { labels: 60 });
  const onItself = mean(f1Of(truth, scores, values));
  assert.ok(fitted <= all + 0.003, `${fitted}, taking all ${all}`);
  assert.ok(onItself > all + 0.015, `${onItself}, taking all ${all}: this test would not notice`);
});

test('one threshold serves micro-F1 and thresholds by label macro-F1: labels that cannot be told are given to all, or to none', () => {
  const [rows, labels] = [600, 40];
  const told = invent(5, rows, labels, 0.08, 4);
  const untold = invent(6, rows, labels, 0.02, 0);
  // Half of the labels are known to the scores, half are not.
  const scores = Float32Array.from({ length: rows * labels * 2 }, (_, at) => {
    const [row, label] = [Math.floor(at / (2 * labels)), at % (2 * labels)];
    return label < labels ? told.scores[row * labels + label]! : untold.scores[row * labels + label - labels]!;
  });
  const truth = labelSets(told.sets.map((own, row) => [...own, ...untold.sets[row]!.map((label) => label + labels)]));
  const { predicted, shared, thresholds, fold } = crossFitThresholds(scores, truth, { labels: 2 * labels, seed: 1 });
  const [byLabel, byOne] = [predicted, shared].map((sets) => multilabelMetrics(truth, sets, 2 * labels));
  assert.ok(byOne!.f1Micro > byLabel!.f1Micro + 0.1, `${byOne!.f1Micro} against ${byLabel!.f1Micro}`);
  assert.ok(byLabel!.f1Macro > byOne!.f1Macro, `${byLabel!.f1Macro} against ${byOne!.f1Macro}`);
  // No step on the folds it was chosen on is better than the one chosen.
  const others = [...fold.keys()].filter((row) => fold[row] !== 0);
  const outside = {
    scores: Float32Array.from(others.flatMap((row) => [...scores.subarray(row * 2 * labels, (row + 1) * 2 * labels)])),
    truth: labelSets(others.map((row) => [...truth.codes.subarray(truth.offsets[row]!, truth.offsets[row + 1]!)])),
  };
  const micro = (threshold: number) =>
    multilabelMetrics(outside.truth, decide(outside.scores, new Float64Array(2 * labels).fill(threshold)), 2 * labels)
      .f1Micro;
  const best = Math.max(...Array.from({ length: 99 }, (_, step) => micro((step + 1) / 100)));
  assert.ok(Math.abs(micro(thresholds[0]!.global) - best) < 1e-12);
});

test('out-of-fold probabilities come from models of the other folds', async () => {
  const fold = Int32Array.of(0, 1, 2, 0, 1, 2, 2);
  const seen: number[][] = [];
  const found = await outOfFold(fold, 2, async (train, tests) => {
    assert.ok([...train].every((row) => ![...tests].some((other) => fold[other] === fold[row])));
    assert.equal(train.length + tests.length, fold.length);
    seen.push([...tests]);
    return Float32Array.from([...tests].flatMap((row) => [row, -row]));
  });
  assert.deepEqual(seen, [
    [0, 3],
    [1, 4],
    [2, 5, 6],
  ]);
  assert.deepEqual(
    [...found],
    [0, 1, 2, 3, 4, 5, 6].flatMap((row) => [row, row === 0 ? -0 : -row]),
  );
});

test('decisions: not below the threshold; at least one label where asked for; one of several', () => {
  const scores = Float32Array.of(0.5, 0.2, 0.1, 0.4, 0.9, 0.9);
  assert.deepEqual(listed(decide(scores, [0.5, 0.3])), [[0], [1], [0, 1]]);
  assert.deepEqual(listed(decide(scores, [0.6, 0.95])), [[], [], [0]]);
  assert.deepEqual(listed(decide(scores, [0.6, 0.95], { atLeastOne: true })), [[0], [0], [0]]);
  assert.deepEqual(listed(decideOne(scores, 2)), [[0], [1], [0]]);
});

test('wrong input is refused', () => {
  const code = (wanted: string) => ({ code: wanted });
  const truth = labelSets([[0], [1]]);
  const scores = Float32Array.of(1, 0, 0, 1);
  assert.throws(() => tuneThresholds(scores.subarray(1), truth, { labels: 2 }), code('classify.rows'));
  const one = { labels: 2, seed: 1, clusters: Int32Array.of(3, 3) };
  assert.throws(() => crossFitThresholds(scores, truth, one), code('classify.folds'));
});
