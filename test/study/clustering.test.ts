/** Clustering on invented patents: what is reduced, clustered, measured, compared, kept, repeated; what is refused. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { mtebDraw, scoreClustering } from '../../src/cluster/mteb-clustering.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { openCorpus } from '../../src/corpus/store.ts';
import { clusteringMetrics } from '../../src/metrics/clustering.ts';
import { openMatrixProduct } from '../../src/retrieve/matrix-product.ts';
import { ClusteringStore } from '../../src/study/clustering/cell.ts';
import { openClusterGround } from '../../src/study/clustering/ground.ts';
import { clusterMeasures, tables } from '../../src/study/clustering/measure.ts';
import type { ClusteringResults } from '../../src/study/clustering/results.ts';
import { evaluate, planEvaluation } from '../../src/study/evaluate.ts';
import { type EvaluateOptions, settingsOf } from '../../src/study/evaluate-options.ts';
import { lsaVectors } from '../../src/study/lsa-vectors.ts';
import { repeatCell } from '../../src/study/repeat.ts';
import { openForTasks } from '../../src/study/tasks.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-clustering-'));
after(() => rmSync(home, { recursive: true, force: true }));

const options = (extra: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  platform: nodePlatform,
  home,
  corpora: ['things'],
  tasks: ['clustering'],
  models: ['bm25', 'lsa', 'tiny'],
  views: ['T', 'TA'],
  lsaDimensions: 8,
  threads: 2,
  resamples: 100,
  ...extra,
  ...(extra.models === undefined ? { models: ['bm25', 'lsa', join(home, 'tiny')] } : {}),
});

async function corpusOf(name: string, patents: readonly object[]): Promise<void> {
  const path = join(home, `${name}.jsonl`);
  writeFileSync(path, patents.map((patent) => `${JSON.stringify(patent)}\n`).join(''));
  await importCorpus({ home, name, paths: [path], invented: true });
}

const kinds = ['A01B', 'B64C', 'H04W'];
const nouns = [
  ['plough', 'furrow', 'soil', 'harrow'],
  ['wing', 'rotor', 'fuselage', 'propeller'],
  ['antenna', 'handover', 'carrier', 'modem'],
];
/** Three kinds of things: titles say little of them, abstracts much. Every third patent has a second code. */
const patents = Array.from({ length: 45 }, (_, i) => {
  const kind = i % 3;
  const words = [0, 1, 2].map((step) => nouns[kind]![(i + step) % 4]);
  return {
    id: `US${1000000 + i}A`,
    family: `family ${i >> 1}`,
    title: `Apparatus number ${i} with ${i % 5 === 0 ? words[0] : 'parts'}`,
    abstract: `${words.join(' ')} ${words[0]} of item ${i}`,
    ipc: [
      `${kinds[kind]}1/${10 + i}`,
      ...(i % 9 < 3 ? [`${kinds[(kind + 1) % 3]}3/02`] : []),
      ...(i === 4 ? ['G01N1/00'] : []),
    ],
    labels: [`kind ${kind}`],
    dates: { publication: `20${10 + (i % 10)}-01-01` },
  };
});

before(async () => {
  tinyCheckpoint(join(home, 'tiny'));
  await corpusOf('things', patents);
});

test('every number follows from what is stored; all systems share documents, families and samples', async () => {
  const { results, computed, folder } = await evaluate(options());
  const { cells, comparisons, viewComparisons, maps, cards, leftOut } = results.clustering!;
  assert.equal(computed, 4);
  assert.deepEqual(
    cells.map(({ model, view }) => [model, view]),
    [['lsa', 'T'], ['lsa', 'TA'], ['tiny', 'T'], ['tiny', 'TA']],
  ); // biome-ignore format: pairs
  assert.deepEqual(leftOut, ['bm25']);
  assert.equal(results.relevanceStatement, results.clustering!.statement);
  const [card] = cards;
  assert.deepEqual([card!.rule, card!.field, card!.clusters], ['single', 'labels', 3]);
  const store = new ClusteringStore(home, 'evaluate-things');
  for (const cell of cells) {
    const stored = (await store.load(cell.manifest.cell))!;
    assert.ok(existsSync(join(folder, cell.files.assignments!)) && existsSync(join(folder, cell.files.map!)));
    assert.equal(cell.documents, 45);
    const names = [...new Set(stored.truth)];
    const truth = Int32Array.from(stored.truth, (name) => names.indexOf(name));
    assert.deepEqual(cell.manifest.seeds, [1, 2, 3, 4, 5]);
    const each = stored.assigned.map((assigned) => clusteringMetrics(truth, assigned));
    each.forEach((metrics, i) => {
      assert.deepEqual(cell.runs[i]!.metrics, metrics);
    });
    for (const [name, measure] of clusterMeasures) {
      const { value, lower, upper } = cell.metrics[name]!;
      const mean = each.reduce((sum, metrics) => sum + metrics[measure], 0) / each.length;
      assert.ok(Math.abs(value - mean) < 1e-12, name);
      assert.ok(lower <= value && value <= upper && upper <= 1, `${cell.model} ${name}: ${lower} ${value} ${upper}`);
    }
    assert.equal(cell.bootstraps.vMeasures.length, 10);
    assert.equal(cell.bootstraps.size, 45);
    assert.ok(cell.map!.trustworthiness > 0.3 && cell.map!.trustworthiness <= 1);
    assert.equal(stored.map!.points.length, 90);
  }
  const value = (model: string, view: string, metric = 'v-measure') =>
    cells.find((cell) => cell.model === model && cell.view === view)!.metrics[metric]!.value;
  assert.ok(value('lsa', 'TA') > 0.7, 'abstracts tell the kinds');
  assert.ok(value('lsa', 'T') < 0.5, 'titles do not');
  for (const table of comparisons) {
    assert.deepEqual(table.systems, ['lsa', 'tiny']);
    for (const { a, b, difference, tentative } of table.pairs) {
      const expected = value(a, table.view, table.metric) - value(b, table.view, table.metric);
      assert.ok(Math.abs(difference - expected) < 1e-12);
      assert.equal(tentative, undefined, 'five seeds are enough');
    }
  }
  assert.deepEqual([comparisons.length, viewComparisons.length], [6, 6]);
  const views = viewComparisons.find(({ model, metric }) => model === 'lsa' && metric === 'v-measure')!;
  assert.deepEqual(
    views.pairs.map(({ a, b, verdict }) => [a, b, verdict]),
    [['T', 'TA', 'worse']],
  );
  assert.deepEqual(
    maps.map(({ view, model }) => [view, model === 'lsa' || model === 'tiny']),
    [['T', true], ['TA', true]],
  ); // biome-ignore format: pairs
  const [map] = maps;
  for (const column of [map!.titles, map!.labels, map!.clusters, map!.x, map!.y]) assert.equal(column.length, 45);
  assert.ok(map!.titles.includes('Apparatus number 7 with parts'));
});

test('samples are the benchmark’s: drawn from seed and count, clustered by its rule', async () => {
  const { results } = await evaluate(options());
  const cell = results.clustering!.cells.find(({ model, view }) => model === 'lsa' && view === 'TA')!;
  const corpus = await openCorpus(home, 'things');
  const product = await openMatrixProduct(nodePlatform, { threads: 1 });
  try {
    const spec = { view: 'TA', masked: false } as const;
    const { progress, signal } = settingsOf(options());
    const read = { progress, signal, label: 'test' };
    const { vectors, dimensions } = await lsaVectors(corpus, spec, { dimensions: 8, seed: 1, analyser: {} }, read);
    const truth = Int32Array.from({ length: 45 }, (_, i) => i % 3);
    const draw = mtebDraw(45, { seed: 1, resamples: 10, size: 45 });
    const scores = await scoreClustering(vectors, truth, draw.resamples, { dimensions, product, seed: 1 });
    assert.deepEqual(cell.bootstraps.vMeasures, Array.from(scores.vMeasures));
    assert.deepEqual([cell.bootstraps.mean, cell.bootstraps.deviation], [scores.mean, scores.deviation]);
  } finally {
    await product.close();
    await corpus.close();
  }
});

test('a second call computes nothing; one that was stopped goes on; a damaged cell is made anew', async () => {
  const whole = await evaluate(options());
  assert.equal(whole.computed, 0);
  const abort = new AbortController();
  let seen = 0;
  const stopping = options({ study: 'stopped', signal: abort.signal, onCell: () => ++seen === 2 && abort.abort() });
  await assert.rejects(evaluate(stopping), { name: 'AbortError' });
  const resumed = await evaluate(options({ study: 'stopped' }));
  assert.equal(resumed.computed, 2);
  assert.deepEqual(told(resumed.results.clustering!), told(whole.results.clustering!));
  const [cell] = resumed.results.clustering!.cells;
  truncateSync(join(home, 'runs', 'stopped', 'cells', cell!.manifest.cell, 'assignments.parquet'), 100);
  const mended = await evaluate(options({ study: 'stopped' }));
  assert.equal(mended.computed, 1);
  assert.deepEqual(told(mended.results.clustering!), told(whole.results.clustering!));
});

/** Without what a run may differ in: times, paths. */
function told({ cells, ...rest }: ClusteringResults) {
  return {
    ...rest,
    cells: cells.map(
      ({ cost: _cost, files: _files, manifest: { environment: _environment, ...manifest }, ...cell }) => ({
        ...cell,
        manifest,
      }),
    ),
  };
}

test('a cell is repeated to the last bit', async () => {
  const { results } = await evaluate(options());
  for (const { manifest } of results.clustering!.cells.filter(({ view }) => view === 'TA')) {
    const outcome = await repeatCell(manifest.cell, { platform: nodePlatform, home });
    assert.ok(outcome.identical, JSON.stringify(outcome));
    assert.deepEqual([outcome.task, outcome.queries, outcome.rankingsDiffer], ['clustering', 45, 0]);
    assert.ok('bootstrapped v-measure' in outcome.metrics && 'trustworthiness' in outcome.metrics);
  }
});

test('a plan names the cells and which are done', async () => {
  const done = await planEvaluation(options());
  assert.deepEqual(done.cells.map(({ task, done }) => [task, done]), Array(4).fill(['clustering', true])); // biome-ignore format: one line
  const other = await planEvaluation(options({ clustering: { clusterer: 'minibatch', clusters: 5 } }));
  assert.ok(other.cells.every(({ done, seconds, bytes }) => !done && seconds > 0 && bytes > 0));
});

test('clusterer, clusters and samples are what is asked for', async () => {
  const clustering = { clusterer: 'minibatch', clusters: 5, bootstraps: 3 } as const;
  const { results } = await evaluate(options({ models: ['lsa'], views: ['TA'], clustering }));
  const [cell] = results.clustering!.cells;
  assert.deepEqual([cell!.clusters, cell!.labels, cell!.manifest.clusterer], [5, 3, 'minibatch']);
  assert.equal(cell!.bootstraps.vMeasures.length, 3);
  assert.ok(cell!.perCluster.length <= 5 && cell!.perCluster.length > 3);
  assert.equal(cell!.perCluster.reduce((sum, { documents }) => sum + documents, 0), 45); // biome-ignore format: one line
});

test('several codes come to one by each rule; the card says what was left out', async () => {
  const task = await openForTasks(home, 'things');
  const ground = (extra: Partial<EvaluateOptions>) =>
    openClusterGround(task, settingsOf(options({ labels: { field: 'ipc' }, ...extra })));
  const rowsOf = (rows: Int32Array) => Array.from(rows, (row) => Number(task.corpus.id(row).slice(2, -1)) - 1000000);
  try {
    const first = await ground({});
    assert.deepEqual([first.card.rule, first.card.level, first.card.documents.kept], ['first', 'subclass', 45]);
    assert.deepEqual([...first.names], kinds, 'in order of their names');
    assert.deepEqual(rowsOf(first.rows).map((i) => i % 3), Array.from(first.truth)); // biome-ignore format: one line
    assert.ok(first.card.alphabetical! < 1 && first.card.alphabetical! > 0);
    const single = await ground({ clustering: { reduce: 'single' } });
    const several = patents.filter(({ ipc }) => ipc.length > 1).length;
    assert.deepEqual([single.card.documents.several, single.card.documents.kept], [several, 45 - several]);
    const rare = await ground({ clustering: { reduce: 'rare' } });
    assert.equal(rare.card.documents.small, 1, 'G01N is the rarest label of one patent, and too small');
    assert.deepEqual([rare.card.labels.used, rare.card.labels.dropped, rare.card.labels.kept], [4, 1, 3]);
    const all = await ground({ clustering: { reduce: 'rare' }, labels: { field: 'ipc', least: 1 } });
    assert.deepEqual([all.names.length, all.clusters], [4, 4]);
    const families = new Map<number, number>();
    rowsOf(first.rows).forEach((i, place) => {
      const family = first.families[place]!;
      assert.equal(families.get(i >> 1) ?? family, family, 'a family is one group');
      families.set(i >> 1, family);
    });
    const later = await ground({ split: { by: 'time', testFrom: '2018' }, labels: { field: 'ipc', least: 2 } });
    assert.ok(later.rows.length > 5 && later.rows.length < 20);
    assert.equal(later.card.documents.unsplit, 45 - later.card.documents.kept - later.card.documents.small);
    assert.match(later.card.split, /test part alone/);
  } finally {
    await task.corpus.close();
  }
});

test('tables of clusters and labels, counted by hand', () => {
  // a: 3 in cluster 7, 1 in 2; b: 2 in cluster 2; c: 1 in cluster 7.
  const truth = Int32Array.of(0, 0, 0, 0, 1, 1, 2);
  const assigned = Int32Array.of(7, 7, 7, 2, 2, 2, 7);
  const { perCluster, perLabel, mixed } = tables(truth, assigned, ['a', 'b', 'c']);
  assert.deepEqual(perCluster, [
    { cluster: 7, documents: 4, purity: 3 / 4, labels: [{ label: 'a', documents: 3 }, { label: 'c', documents: 1 }] },
    { cluster: 2, documents: 3, purity: 2 / 3, labels: [{ label: 'b', documents: 2 }, { label: 'a', documents: 1 }] },
  ]); // biome-ignore format: rows
  assert.deepEqual(perLabel.map(({ label, documents }) => [label, documents]), [['a', 4], ['b', 2], ['c', 1]]); // biome-ignore format: one line
  assert.ok(Math.abs(perLabel[0]!.spread - Math.exp(0.75 * Math.log(4 / 3) + 0.25 * Math.log(4))) < 1e-12);
  assert.deepEqual([perLabel[1]!.spread, perLabel[2]!.spread], [1, 1]);
  assert.deepEqual(mixed, [
    { a: 'a', b: 'c', together: 3 / 4, within: [1 / 2, 1] },
    { a: 'a', b: 'b', together: 1 / 4, within: [1 / 2, 1] },
  ]);
});

test('what cannot be clustered is told at once, in one message', async () => {
  const refuse = async (extra: Partial<EvaluateOptions>, code: string, message: RegExp) =>
    assert.rejects(
      evaluate(options({ views: ['T'], models: ['lsa'], ...extra })),
      (error: Error & { code: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      },
    );
  await corpusOf('bare', patents.map(({ ipc: _, labels: __, ...patent }) => patent)); // biome-ignore format: one line
  await corpusOf('alike', patents.map((patent) => ({ ...patent, labels: ['same'] }))); // biome-ignore format: one line
  await corpusOf('mixed', patents.map((patent) => ({ ...patent, labels: ['one', 'two'] }))); // biome-ignore format: one line
  await refuse({ models: ['bm25'] }, 'clustering.models', /has vectors/);
  await refuse({ clustering: { clusters: 46 } }, 'clustering.documents', /too few documents/);
  await refuse({ clustering: { clusters: 1 } }, 'clustering.options', /--clusters is wrong/);
  await refuse({ clustering: { bootstraps: 0 } }, 'clustering.options', /--bootstraps is wrong/);
  await refuse({ labels: { least: 40 } }, 'clustering.classes', /no label to tell apart/);
  await refuse({ corpora: ['bare'] }, 'clustering.labels', /have no labels/);
  await refuse({ corpora: ['bare'], labels: { field: 'cpc' } }, 'clustering.labels', /have no CPC codes/);
  await refuse({ corpora: ['alike'] }, 'clustering.classes', /only one label/);
  await refuse({ corpora: ['mixed'] }, 'clustering.classes', /no label to tell apart/);
});
