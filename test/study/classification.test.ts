/** Classification on invented patents: what is split, measured, compared, kept, repeated and shown. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { openCorpus } from '../../src/corpus/store.ts';
import { labelSets } from '../../src/metrics/label-sets.ts';
import { multilabelMetrics, perLabel } from '../../src/metrics/multilabel.ts';
import { writeReport } from '../../src/report/write.ts';
import { ClassificationStore } from '../../src/study/classification/cell.ts';
import { openGround } from '../../src/study/classification/ground.ts';
import { setMeasures } from '../../src/study/classification/measure.ts';
import { type ClassificationResults, classifierName } from '../../src/study/classification/results.ts';
import { evaluate, planEvaluation } from '../../src/study/evaluate.ts';
import { type EvaluateOptions, settingsOf } from '../../src/study/evaluate-options.ts';
import { repeatCell } from '../../src/study/repeat.ts';
import { openForTasks } from '../../src/study/tasks.ts';
import { inventCorpus } from '../support/invent.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-classification-'));
after(() => rmSync(home, { recursive: true, force: true }));

const options = (extra: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  platform: nodePlatform,
  home,
  corpora: ['devices'],
  tasks: ['classification'],
  models: ['bm25', 'lsa'],
  views: ['TA'],
  probes: ['knn', 'logistic', 'mlp'],
  lsaDimensions: 24,
  threads: 2,
  resamples: 200,
  ...extra,
});

/** Patents of one text and family each, with the labels given. */
async function corpusOf(name: string, patents: readonly object[]): Promise<void> {
  const path = join(home, `${name}.jsonl`);
  writeFileSync(path, patents.map((patent) => `${JSON.stringify(patent)}\n`).join(''));
  await importCorpus({ home, name, paths: [path], invented: true });
}

const words = ['gear', 'valve', 'laser', 'pump', 'lens', 'rotor', 'seed', 'cable', 'brush', 'hinge', 'clamp', 'nozzle'];
/** Texts by which two kinds of things are told apart. */
const textOf = (kind: number, i: number) =>
  `${kind === 0 ? 'heating oven' : 'cutting blade'} with ${words[i % 12]} and ${words[(i * 5 + 1) % 12]} number ${i}`;

before(() => inventCorpus(home, 'devices', { patents: 120 }));

test('all classifiers over the same documents; every number follows from what is stored', async () => {
  const { results, computed, folder } = await evaluate(options());
  const { cells, comparisons, labelCards } = results.classification!;
  assert.equal(computed, 5);
  assert.deepEqual(cells.map(classifierName), ['bm25 knn', 'bm25 logistic', 'lsa knn', 'lsa logistic', 'lsa mlp']);
  assert.deepEqual(results.cells, [], 'nothing was searched');
  assert.equal(results.dataCards[0]!.queries, undefined);
  assert.equal(results.relevanceStatement, results.classification!.statement);
  assert.equal(results.title, 'Classification on devices');
  const [card] = labelCards;
  assert.equal(card!.documents.train + card!.documents.test, 120);
  const store = new ClassificationStore(home, 'evaluate-devices');
  for (const cell of cells) {
    const stored = (await store.load(cell.manifest.cell))!;
    assert.ok(existsSync(join(folder, cell.files.predictions!)));
    assert.equal(cell.documents, card!.documents.test);
    for (const [suffix, sets] of [
      ['', stored.decided.fixed],
      ['-shared', stored.decided.shared!],
      ['-tuned', stored.decided.tuned!],
    ] as const) {
      const again = multilabelMetrics(stored.truth, sets, cell.labels);
      for (const [name, measure] of setMeasures) assert.equal(cell.metrics[`${name}${suffix}`]!.value, again[measure]);
    }
    const rows = perLabel(stored.truth, stored.decided.fixed, cell.labels);
    assert.deepEqual(
      cell.perLabel.map(({ f1, support }) => [f1, support]),
      rows.map(({ f1, support }) => [f1, support]),
    );
    for (const [name, { value, lower, upper }] of Object.entries(cell.metrics))
      assert.ok(0 <= lower && lower <= value && value <= upper && upper <= 1, `${classifierName(cell)} ${name}`);
    const decisions = cell.reliability.reduce((sum, { count }) => sum + count, 0);
    assert.equal(decisions, cell.documents * cell.labels);
  }
  assert.deepEqual(
    comparisons.map(({ metric }) => metric),
    ['micro-f1', 'macro-f1', 'micro-f1-shared', 'macro-f1-shared', 'micro-f1-tuned', 'macro-f1-tuned'],
  );
  for (const { pairs, metric } of comparisons) {
    assert.equal(pairs.length, 10);
    for (const { a, b, difference, tentative } of pairs) {
      const value = (name: string) => cells.find((cell) => classifierName(cell) === name)!.metrics[metric]!.value;
      assert.ok(Math.abs(difference - (value(a) - value(b))) < 1e-12);
      assert.equal(tentative ?? false, a === 'lsa mlp' || b === 'lsa mlp', 'a head has one seed');
    }
  }
  const value = (name: string, metric: string) =>
    cells.find((cell) => classifierName(cell) === name)!.metrics[metric]!.value;
  assert.ok(value('bm25 knn', 'micro-f1') > 0.6, 'the labels can be read off the texts');
  assert.ok(value('lsa logistic', 'lrap') > 0.7);
});

test('families stay whole, with patents of the same text; every label is in both parts', async () => {
  const settings = settingsOf(options());
  const task = await openForTasks(home, 'devices');
  try {
    const { train, test: scored, names } = await openGround(task, settings);
    const learnt = new Set(train.groups);
    assert.ok(!Array.from(scored.groups).some((group) => learnt.has(group)));
    assert.ok(!Array.from(scored.rows).some((row) => train.rows.includes(row)));
    for (let label = 0; label < names.length; label++) {
      const share = scored.support[label]! / (scored.support[label]! + train.support[label]!);
      assert.ok(share > 0.1 && share < 0.3, `${names[label]}: ${share}`);
    }
    const other = await openGround(task, settingsOf(options({ seed: 2 })));
    assert.notDeepEqual(other.test.rows, scored.rows);
    const byDate = await openGround(task, settingsOf(options({ split: { by: 'time', testFrom: '2012' } })));
    assert.match(byDate.card.split, /published from 2012 on test/);
  } finally {
    await task.corpus.close();
  }
});

test('a second call computes nothing; one that was stopped goes on; both give the same results', async () => {
  const whole = await evaluate(options());
  assert.equal(whole.computed, 0);
  const abort = new AbortController();
  let seen = 0;
  const stopping = evaluate(
    options({ study: 'stopped', signal: abort.signal, onCell: () => ++seen === 2 && abort.abort() }),
  );
  await assert.rejects(stopping, { name: 'AbortError' });
  const resumed = await evaluate(options({ study: 'stopped' }));
  assert.equal(resumed.computed, 3);
  const numbers = ({ cells, comparisons }: ClassificationResults) => [
    cells.map(({ metrics, perLabel, levels, reliability }) => ({ metrics, perLabel, levels, reliability })),
    comparisons,
  ];
  assert.deepEqual(numbers(resumed.results.classification!), numbers(whole.results.classification!));
});

test('repeat gives the same bits, for every probe', async () => {
  const { results } = await evaluate(options());
  for (const { manifest } of results.classification!.cells) {
    const outcome = await repeatCell(manifest.cell, { platform: nodePlatform, home });
    assert.equal(outcome.task, 'classification');
    assert.ok(outcome.identical, `${manifest.model} ${manifest.probe}: ${JSON.stringify(outcome.metrics)}`);
    assert.equal(outcome.queries, 3 * results.classification!.cells[0]!.documents, 'by each rule of thresholds');
  }
});

test('codes of a level are scored at the levels above', async () => {
  const { results } = await evaluate(
    options({ labels: { field: 'cpc', level: 'subclass' }, probes: ['knn'], models: ['bm25'] }),
  );
  const [cell] = results.classification!.cells;
  const { names, truth, decided } = (await new ClassificationStore(home, 'evaluate-devices').load(
    cell!.manifest.cell,
  ))!;
  assert.deepEqual([...new Set(cell!.levels.map(({ level }) => level))], ['section', 'class']);
  const sections = [...new Set(names.map((name) => name[0]!))];
  const cut = ({ offsets, codes }: typeof truth) =>
    labelSets(
      Array.from({ length: offsets.length - 1 }, (_, row) =>
        Array.from(codes.subarray(offsets[row]!, offsets[row + 1]!), (code) => sections.indexOf(names[code]![0]!)),
      ),
    );
  const [level] = cell!.levels;
  assert.equal(level!.labels, sections.length);
  assert.equal(level!.microF1.value, multilabelMetrics(cut(truth), cut(decided.fixed), sections.length).f1Micro);
  assert.ok(names.every((name) => /^[A-HY]\d\d[A-Z]$/.test(name)));
});

test('one label a document: the likeliest is decided.fixed, and no threshold tuned', async () => {
  await corpusOf(
    'single',
    Array.from({ length: 60 }, (_, i) => ({
      id: `US${7000000 + i}B1`,
      title: textOf(i % 2, i),
      labels: [`kind ${i % 2}`],
    })),
  );
  const { results } = await evaluate(options({ corpora: ['single'], views: ['T'], study: 'single' }));
  const { cells, labelCards, comparisons } = results.classification!;
  assert.equal(labelCards[0]!.kind, 'multi-class');
  assert.deepEqual([...new Set(comparisons.map(({ metric }) => metric))], ['micro-f1', 'macro-f1']);
  for (const { metrics, documents, reliability, probe } of cells) {
    assert.ok(
      Math.abs(metrics['micro-f1']!.value - metrics['subset-accuracy']!.value) < 1e-12,
      'both are the accuracy',
    );
    assert.equal(metrics['micro-f1-tuned'], undefined);
    assert.equal(
      reliability.reduce((sum, { count }) => sum + count, 0),
      documents,
    );
    if (probe !== 'mlp') assert.ok(metrics['micro-f1']!.value > 0.8, probe);
  }
});

test('labels that are too rare, or that nobody is asked for, are left out and counted', async () => {
  const patents = Array.from({ length: 50 }, (_, i) => ({
    id: `US${7100000 + i}B1`,
    title: textOf(i % 2, i),
    labels: [`kind ${i % 2}`, ...(i < 3 ? ['rare'] : []), ...(i === 20 ? ['once'] : [])],
  }));
  await corpusOf('rare', [
    ...patents,
    { id: 'US7200000B1', title: 'without a label' },
    { id: 'US7200001B1', title: 'other', labels: ['once too'] },
  ]);
  const { results } = await evaluate(options({ corpora: ['rare'], views: ['T'], models: ['bm25'], probes: ['knn'] }));
  const [card] = results.classification!.labelCards;
  assert.deepEqual(card!.labels, { found: 5, kept: 2, rare: 3, untested: 0 });
  assert.equal(card!.documents.unlabelled, 1);
  assert.equal(card!.documents.emptied, 1);
  assert.equal(card!.documents.train + card!.documents.test, 50);
});

test('what cannot be classified is refused with what to do', async () => {
  const few = [0, 1, 2, 3].map((i) => ({
    id: `US${7300000 + i}B1`,
    title: textOf(i % 2, i),
    labels: [`kind ${i % 2}`],
  }));
  await corpusOf(
    'unlabelled',
    few.map(({ labels: _, ...rest }) => rest),
  );
  await corpusOf('few', few);
  await corpusOf(
    'same',
    Array.from({ length: 30 }, (_, i) => ({ id: `US${7400000 + i}B1`, title: textOf(0, i), labels: ['all'] })),
  );
  const run = (corpus: string, extra: Partial<EvaluateOptions> = {}) =>
    evaluate(options({ corpora: [corpus], views: ['T'], ...extra }));
  await assert.rejects(run('unlabelled'), /have no labels/);
  await assert.rejects(run('few', { labels: { field: 'cpc' } }), /have no CPC codes/);
  await assert.rejects(run('same'), { code: 'classification.classes' });
  await assert.rejects(run('few', { labels: { least: 1 } }), { code: /^classification\./ });
  await assert.rejects(run('devices', { labels: { least: 1000 } }), { code: 'classification.classes' });
  await assert.rejects(run('devices', { models: ['bm25'], probes: ['mlp'] }), { code: 'classification.probes' });
});

test('the report: every number leads to its manifest, tables hold what the cells hold', async () => {
  const { results, folder } = await evaluate(options({ views: ['T', 'TA'], labels: { field: 'cpc', level: 'class' } }));
  const written = await writeReport(folder, results);
  const page = readFileSync(written.html, 'utf8');
  const targets = new Set([...page.matchAll(/ id="(cell-[^"]+)"/g)].map((match) => match[1]));
  const links = [...page.matchAll(/href="#(cell-[^"]+)"/g)].map((match) => match[1]);
  assert.ok(links.length > 100);
  for (const link of links) assert.ok(targets.has(link), link);
  assert.ok(page.includes('Invented data'));
  assert.ok(page.length < 5e6);
  for (const id of [
    'classification',
    'classifiers',
    'classifier-pairs',
    'labels',
    'levels',
    'reliability',
    'trainings',
    'label-data',
  ])
    assert.ok(page.includes(`<section id="${id}"`), id);
  for (const id of ['leaderboard', 'recall', 'cost'])
    assert.ok(!page.includes(`<section id="${id}"`), `no ${id} without retrieval`);
  assert.doesNotMatch(page, /.{0,120}\bNaN\b.{0,40}/, 'no number is missing silently');
  const pairs = /<section id="classifier-pairs"[\s\S]*?<\/section>/.exec(page)![0];
  assert.equal(pairs.match(/<table/g)!.length, 2 * 6, 'a matrix a view and compared metric');
  assert.ok(!pairs.includes('data-metric'), 'a filter of retrieval metrics would hide it');
  const [head, ...rows] = readFileSync(join(folder, 'classification.csv'), 'utf8').trim().split('\r\n');
  const at = head!.split(',').indexOf('micro-f1');
  const { cells } = results.classification!;
  assert.equal(rows.length, cells.length);
  rows.forEach((row, i) => {
    assert.equal(Number(row.split(',')[at]), cells[i]!.metrics['micro-f1']!.value);
  });
  const labels = readFileSync(join(folder, 'classification-labels.csv'), 'utf8').trim().split('\r\n');
  assert.equal(
    labels.length - 1,
    cells.reduce((sum, { perLabel: own }) => sum + own.length, 0),
  );
  assert.ok(!existsSync(join(folder, 'leaderboard.csv')), 'no table of what was not done');
});

test('beside retrieval: both tasks in one evaluation and in its plan', async () => {
  const both = options({
    tasks: ['classification', 'retrieval'],
    models: ['bm25'],
    probes: ['knn'],
    study: 'both',
    depth: 50,
  });
  const plan = await planEvaluation(both);
  assert.deepEqual(
    plan.cells.map(({ task, system, done }) => [task, system, done]),
    [
      ['retrieval', 'bm25', false],
      ['classification', 'bm25 knn', false],
    ],
  );
  const { results } = await evaluate(both);
  assert.equal(results.cells.length, 1);
  assert.equal(results.classification!.cells.length, 1);
  assert.ok(results.dataCards[0]!.queries!.used > 0);
  assert.ok((await planEvaluation(both)).cells.every(({ done }) => done));
  assert.equal(results.title, 'Retrieval, classification on devices');
});

test('every option that can change a number gives a cell of its own', async () => {
  const cellsOf = async (extra: Partial<EvaluateOptions>) =>
    (await planEvaluation(options({ study: 'keys', models: ['lsa'], probes: ['logistic'], ...extra }))).cells.map(
      ({ cell }) => cell,
    );
  const seen = new Set<string>();
  for (const extra of [
    {},
    { seed: 3 },
    { views: ['T'] },
    { labels: { field: 'cpc' as const } },
    { labels: { field: 'cpc' as const, level: 'class' as const } },
    { labels: { least: 8 } },
    { split: { by: 'family' as const, seed: 1 } },
    { probes: ['knn' as const] },
    { lsaDimensions: 12 },
    { analyser: { stem: 'english' as const } },
    { resamples: 300 },
    { models: ['bm25'] },
  ])
    for (const cell of await cellsOf(extra)) {
      assert.ok(!seen.has(cell), JSON.stringify(extra));
      seen.add(cell);
    }
  assert.deepEqual(await cellsOf({ margin: 0.02 }), await cellsOf({}), 'a margin changes no cell');
});

test('documents are named as in the corpus', async () => {
  const { results } = await evaluate(options());
  const [cell] = results.classification!.cells;
  const { documentIds } = (await new ClassificationStore(home, 'evaluate-devices').load(cell!.manifest.cell))!;
  const corpus = await openCorpus(home, 'devices');
  const ids = new Set(Array.from({ length: corpus.size }, (_, row) => corpus.id(row)));
  await corpus.close();
  assert.ok(documentIds.every((id) => ids.has(id)));
  assert.equal(new Set(documentIds).size, documentIds.length);
});
