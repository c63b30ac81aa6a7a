/** Given MTEB's own rankings, predictions and assignments, every score is MTEB's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mtebDraw } from '../../../src/cluster/mteb-clustering.ts';
import { clusteringMetrics } from '../../../src/metrics/clustering.ts';
import type { Judgements, Run } from '../../../src/metrics/types.ts';
import { type ClassScores, classScores } from '../../../src/study/mteb/class-scores.ts';
import { averaged } from '../../../src/study/mteb/classification.ts';
import { bootstrapScores, setScores } from '../../../src/study/mteb/clustering.ts';
import { modelName, resultFolder, taskResult } from '../../../src/study/mteb/result-file.ts';
import { retrievalScores } from '../../../src/study/mteb/retrieval-scores.ts';
import type { MtebTask } from '../../../src/study/mteb/tasks.ts';
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
    const { testLabels, predicted, scores, result } = fixture('classification')[name];
    const found: ClassScores[] = predicted.map((of: number[]) =>
      classScores(Int32Array.from(testLabels), Int32Array.from(of), labels),
    );
    const { main_score, ...expected } = scores;
    assert.deepEqual(Object.keys(averaged(found)).sort(), Object.keys(expected).sort());
    assertClose(averaged(found), expected, name);
    assert.equal(result.scores.test[0].accuracy, main_score === null ? null : Number(main_score.toFixed(6)));
  }
});

test('clustering: all scores from the exported assignments, on the rows that MTEB draws', () => {
  const { labels, bounds, bootstraps, sets } = fixture('clustering');
  const draw = mtebDraw(400, { size: 150, embed: { share: 0.3 } });
  assert.deepEqual([...draw.rows], bootstraps.rows);
  assert.deepEqual(
    draw.resamples.map((of) => [...of]),
    bootstraps.places,
  );
  const measured = draw.resamples.map((of, i) =>
    clusteringMetrics(
      of.map((place) => labels[draw.rows[place]!]),
      bootstraps.assigned['Level 0'][i],
    ),
  );
  const { main_score, ...expected } = bootstraps.scores;
  const found = bootstrapScores(measured);
  assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
  assertClose(found, expected, 'bootstraps');
  const { main_score: mean, ...ofSets } = sets.scores;
  const each = sets.assigned.map(
    (of: number[], i: number) => clusteringMetrics(labels.slice(bounds[i], bounds[i + 1]), of).vMeasure,
  );
  assertClose(setScores([...each, 1]), ofSets, 'sets');
  assert.ok(main_score > 0.3 && mean > 0.3, 'neither is trivial');
});

test('result files: MTEB’s own, field by field', () => {
  const known = {
    InventedRetrieval: { of: fixture('retrieval'), split: 'train', mainScore: 'ndcg_at_100' },
    InventedClassification: { of: fixture('classification').two, split: 'test', mainScore: 'accuracy' },
    InventedClustering: { of: fixture('clustering').bootstraps, split: 'test', mainScore: 'v_measure' },
    InventedSets: { of: fixture('clustering').sets, split: 'test', mainScore: 'v_measure' },
  };
  for (const [name, { of, split, mainScore }] of Object.entries(known)) {
    const { main_score, ...scores } = of.scores;
    const { patentlab, ...result } = taskResult({
      task: { name, split, mainScore } as MtebTask,
      revision: '1',
      mteb: of.result.mteb_version,
      scores,
      seconds: 0,
      date: new Date(0),
      origin: {},
    });
    assert.deepEqual(result, of.result);
    assert.deepEqual(Object.keys(result), Object.keys(of.result), 'in its order');
    assert.ok(patentlab !== undefined && main_score !== undefined);
    assert.equal(`${resultFolder('', 'invented/table', '1')}/${name}.json`.replaceAll('\\', '/'), of.path);
  }
  assert.deepEqual(['owner/name', './folder/tiny', '/models/my tiny', 'tiny'].map(modelName), [
    'owner/name',
    'local/tiny',
    'local/my_tiny',
    'local/tiny',
  ]);
});
