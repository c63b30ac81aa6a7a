/** Given MTEB's own rankings, predictions and assignments, every score is MTEB's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Judgements, Run } from '../../../src/metrics/types.ts';
import { classScores } from '../../../src/study/mteb/class-scores.ts';
import { retrievalScores } from '../../../src/study/mteb/retrieval-scores.ts';
import { type Fixture, fixture } from './fixtures.ts';

const cuts = [1, 3, 5, 10, 20, 100, 1000];

/** Equal up to the order of additions. */
function assertClose(found: Fixture, expected: Fixture, at: string): void {
  if (expected === null) assert.ok(found === null || Number.isNaN(found), `${at}: ${found}, not a number`);
  else if (typeof expected === 'number') assert.ok(Math.abs(found - expected) <= 1e-12, `${at}: ${found}, ${expected}`);
  else for (const key of Object.keys(expected)) assertClose(found[key], expected[key], `${at}.${key}`);
}

test('retrieval: all scores from the exported run', () => {
  const { run, relevant, scores } = fixture('retrieval');
  const rankings: Run = new Map(
    Object.entries<Fixture>(run).map(([query, [documents, of]]) => [query, { documents, scores: of }]),
  );
  const judged: Judgements = new Map(
    Object.entries<string[]>(relevant)
      .filter(([, documents]) => documents.length > 0)
      .map(([query, documents]) => [query, new Map(documents.map((document) => [document, 1]))]),
  );
  const { main_score, ...expected } = scores;
  const found = retrievalScores(judged, rankings, cuts);
  assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
  assertClose(found, expected, 'scores');
  assert.equal(found.ndcg_at_100, main_score);
});

test('classification: all scores of every experiment from the exported predictions', () => {
  for (const [name, labels] of [
    ['four', 4],
    ['two', 2],
  ] as const) {
    const { testLabels, predicted, scores } = fixture('classification')[name];
    for (const [i, expected] of scores.scores_per_experiment.entries()) {
      const found = classScores(Int32Array.from(testLabels), Int32Array.from(predicted[i]), labels);
      assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
      assertClose(found, expected, `${name}, experiment ${i}`);
    }
  }
});
