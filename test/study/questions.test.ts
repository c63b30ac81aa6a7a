/** The questions of an embedding study: a pair of systems answers one at most, and each is adjusted on its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePairs, holm } from '../../src/metrics/significance.ts';
import { compareSystems } from '../../src/study/embedding/corners.ts';
import { type Question, questionOf, questions } from '../../src/study/embedding/questions.ts';
import type { StudySystem, SystemRole } from '../../src/study/embedding/results.ts';
import { studySystems, valuesUnderNull } from './question-systems.ts';

const systems = studySystems({ models: ['small', 'large'], corpora: ['one', 'two'], recipes: ['R1', 'R3'] });
const pairs = systems.flatMap((a, at) => systems.slice(at + 1).map((b) => [a, b] as const));
const asked = (question: Question) => pairs.filter(([a, b]) => questionOf(a, b) === question);
const only = (systems: readonly StudySystem[], ...roles: SystemRole[]) => systems.filter(({ role }) => roles.includes(role)); // biome-ignore format: one line

test('every pair of systems answers one question at most, whichever comes first', () => {
  for (const [a, b] of pairs) assert.equal(questionOf(a, b), questionOf(b, a), `${a.name} and ${b.name}`);
  const counted = Object.keys(questions).map((question) => asked(question as Question).length);
  const none = pairs.filter(([a, b]) => questionOf(a, b) === undefined).length;
  assert.equal(
    counted.reduce((sum, count) => sum + count, none),
    pairs.length,
  );
});

test('each question has the pairs that it names, and no others', () => {
  const trained = only(systems, 'recipe', 'control');
  assert.equal(asked('tuning').length, trained.length, 'each against one start');
  for (const [a, b] of asked('tuning')) assert.equal(a.model, b.model);
  // Per model and corpus: R1 against R3, and each against its own control.
  assert.equal(asked('recipes').length, 2 * 2 * (1 + 2));
  for (const [a, b] of asked('recipes')) assert.equal(a.trainedOn, b.trainedOn);
  const derived = only(systems, 'interpolate', 'lora-scale').length;
  // A mixed training stands against its recipe on both corpora, the others against the one they come from.
  assert.equal(asked('remedies').length, 2 * derived + 3 * only(systems, 'mixed').length);
  assert.equal(asked('baselines').length, 2 * only(systems, 'start', 'recipe', 'mixed').length + 1);
  assert.equal(asked('starts').length, 1);
});

test('p values are adjusted within a question, and those of pairs without one are not there', () => {
  const values = valuesUnderNull(systems, { queries: 40, seeds: 2, seed: 7 });
  const { pairs: found, resamples } = compareSystems({ systems, values, metric: 'm', resamples: 200 });
  assert.equal(found.length, pairs.filter(([a, b]) => questionOf(a, b) !== undefined).length);
  const largest = Math.max(...Object.keys(questions).map((question) => asked(question as Question).length));
  assert.ok(largest / (1 + resamples) < 0.05, 'the smallest adjusted p can fall below 0.05');
  for (const own of Map.groupBy(found, ({ question }) => question).values())
    assert.deepEqual(
      own.map(({ pHolm }) => pHolm),
      holm(own.map(({ p }) => p)),
    );
  // The values of a pair do not depend on the question it stands in.
  const all = comparePairs({ systems: systems.map(({ name }) => name), values, metric: 'm', resamples, seed: 1 });
  for (const { question: _, pHolm, verdict: __, ...pair } of found) {
    const { pHolm: overAll, verdict: ___, ...same } = all.find(({ a, b }) => a === pair.a && b === pair.b)!;
    assert.ok(pHolm <= overAll);
    if (pair.tentative) assert.deepEqual(pair, same);
    else assert.deepEqual({ ...pair, p: 0 }, { ...same, p: 0 }, 'sign flips are as many as the pairs need');
  }
});
