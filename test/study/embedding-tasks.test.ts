/** Studies of several tasks on invented patents: every task's cells, comparisons by question, landscapes that lack a task. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { writeStudyReport } from '../../src/report/write.ts';
import type { EmbeddingResults } from '../../src/study/embedding/results.ts';
import { gatherStudy, planStudy, runStudy } from '../../src/study/study.ts';
import { importRows } from '../corpus/store-support.ts';
import { inventCorpus } from '../support/invent.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-tasks-'));
after(() => rmSync(home, { recursive: true, force: true }));
before(async () => {
  await inventCorpus(home, 'devices', { patents: 110 });
  // Labels and two sections, no citation: nothing to search for.
  await importRows(
    home,
    Array.from({ length: 60 }, (_, i) => ({
      id: `US${7_000_000 + i}B2`,
      title: i % 2 === 0 ? `gearbox with wheel ${i}` : `antenna for signal ${i}`,
      abstract: i % 2 === 0 ? `A shaft turns gear number ${i} in oil.` : `A dish receives wave number ${i} in air.`,
      labels: [i % 2 === 0 ? 'gears' : 'radio'],
    })),
    { name: 'labelled' },
  );
});

const text = (more = '', tasks = '[retrieval, classification, clustering]') => `kind: embedding
name: tasks
corpora: [devices, labelled]
models: [{ name: small, model: tiny, tiny: { layers: 1, hidden: 16, heads: 2, vocabulary: 500 } }]
views: [TA]
tasks: ${tasks}
probes: [knn, logistic]
labels: { least: 3 }
recipes: [R2, R3]
seeds: [1, 2]
split: { by: family, test: 0.35 }
training: { steps: 2, batch: 4, maxLength: 16 }
resamples: 100
${more}`;
const options = (own: string) => ({
  platform: nodePlatform,
  home,
  file: 'tasks.yaml',
  text: own,
  threads: 1,
  device: 'cpu' as const,
});
let results: EmbeddingResults;

test('every task of every landscape that has the ground for it; planned before, found after', async () => {
  const planned = await planStudy(options(text()));
  const foretold = planned.work.filter(({ kind }) => kind === 'evaluate').length;
  const ran = await runStudy(options(text()));
  results = ran.results;
  assert.equal(ran.computed.cells, foretold);
  assert.equal(results.cells.done, results.cells.total);
  assert.equal(results.cells.total, foretold);
  assert.deepEqual(
    results.corners.map(({ corpus, task, probe, metric }) => [corpus, probe ?? task, metric]),
    [
      ['devices', 'retrieval', 'ndcg@10'],
      ['devices', 'knn', 'micro-f1-shared'],
      ['devices', 'logistic', 'micro-f1-shared'],
      ['devices', 'clustering', 'v-measure'],
      ['labelled', 'knn', 'micro-f1'],
      ['labelled', 'logistic', 'micro-f1'],
      ['labelled', 'clustering', 'v-measure'],
    ],
  );
  const labelled = results.corpora.find(({ name }) => name === 'labelled')!;
  assert.deepEqual(
    labelled.lacks.map(({ task }) => task),
    ['retrieval'],
  );
  const again = await runStudy(options(text()));
  assert.deepEqual(again.computed, { checkpoints: 0, cells: 0 });
  assert.ok((await planStudy(options(text()))).work.every(({ done }) => done));
});

test('systems are compared within their corner, by question; bm25 is not clustered', () => {
  for (const corner of results.corners) {
    const rows = results.rows.filter(
      (row) => row.corpus === corner.corpus && row.task === corner.task && row.probe === corner.probe,
    );
    const names = rows.map(({ system }) => system);
    assert.equal(names.includes('bm25'), corner.task !== 'clustering');
    assert.ok(names.includes('lsa') && names.length >= 6);
    for (const row of rows) {
      const { value, lower, upper } = row.metrics[corner.metric]!;
      assert.ok(value >= 0 && value <= 1 && lower <= value && value <= upper, `${row.system} ${corner.metric}`);
      if (row.seeds.length > 1) {
        const mean = row.seeds.reduce((sum, seed) => sum + seed.value, 0) / row.seeds.length;
        assert.ok(Math.abs(mean - value) < 1e-9, 'the mean over seeds');
        assert.ok(row.tentative);
      }
    }
  }
  const tuning = results.comparisons.filter(({ metric }) => metric === 'v-measure').flatMap(({ pairs }) => pairs);
  assert.ok(
    tuning.some(({ question }) => question === 'tuning') && tuning.some(({ question }) => question === 'baselines'),
  );
  assert.ok(
    results.transfer.some(({ task, from, to }) => task === 'clustering' && from === 'devices' && to === 'labelled'),
  );
  assert.ok(
    results.absent.every(({ recipe }) => recipe !== 'R2'),
    'both have labels',
  );
});

test('the page has every corner, and what a landscape lacks', async () => {
  const { results: gathered, folder } = await gatherStudy(options(text()));
  assert.deepEqual(gathered.rows, results.rows);
  const page = readFileSync((await writeStudyReport(folder, gathered)).html, 'utf8');
  assert.match(page, /TA, logistic/);
  assert.match(page, /TA, clustering/);
  assert.match(page, /V-measure/);
  assert.match(page, /Retrieval on labelled/);
});

test('a study of which no corpus has the ground is refused; so is an unknown task', async () => {
  const refused = (own: string) =>
    runStudy(options(own)).then(
      () => assert.fail('not refused'),
      (error: unknown) => error,
    );
  const bare = text('', '[classification]')
    .replace('corpora: [devices, labelled]', 'corpora: [bare]')
    .replace('[R2, R3]', '[R3]');
  await importRows(
    home,
    Array.from({ length: 40 }, (_, i) => ({
      id: `US${8_000_000 + i}B2`,
      title: `thing ${i}`,
      abstract: `The thing number ${i}.`,
    })),
    { name: 'bare' },
  );
  const missing = await refused(bare);
  assert.ok(missing instanceof PatentlabError && missing.code === 'classification.labels', String(missing));
  const none = await refused(bare.replace('[classification]', '[classification, clustering]'));
  assert.ok(none instanceof PatentlabError && none.code === 'study.tasks', String(none));
  const unknown = await refused(text('', '[poetry]'));
  assert.ok(
    unknown instanceof PatentlabError && unknown.details.field === 'tasks.0' && unknown.details.line === 6,
    String(unknown),
  );
});
