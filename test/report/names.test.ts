import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHtml } from '../../src/report/html.ts';
import { shortModels, withShortNames } from '../../src/report/names.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import type { ClassificationResults } from '../../src/study/classification/results.ts';
import type { ClusteringResults } from '../../src/study/clustering/results.ts';
import { fakeResults } from './fake-results.ts';

const short = (...names: string[]) => [...shortModels(names).values()];

test('a folder reads by its last part, an id as it stands', () => {
  assert.deepEqual(short('/data/models/my-encoder', 'bm25+/data/models/my-encoder', 'bm25', 'intfloat/e5-base'), [
    'my-encoder', 'bm25+my-encoder', 'bm25', 'intfloat/e5-base',
  ]); // biome-ignore format: short
  assert.deepEqual(short('C:\\models\\my-encoder', './tuned/', '../x/checkpoint-500'), [
    'my-encoder',
    'tuned',
    'x/checkpoint-500',
  ]);
  assert.deepEqual(short('/site-packages/minilm/model'), ['minilm/model']);
});

test('models that would share a name keep more of their path', () => {
  assert.deepEqual(short('/a/encoder', '/b/encoder'), ['a/encoder', 'b/encoder']);
  assert.deepEqual(short('/a/x', 'a/x'), ['x', 'a/x']);
});

test('all parts of the page speak of the short name', () => {
  const path = '/home/somebody/models/encoder';
  const results = fakeResults({
    corpora: { set: 90 },
    views: ['T', 'TA'],
    systems: [{ model: path }, { model: `bm25+${path}`, fuse: 'linear' }, { model: 'bm25' }],
  });
  const renamed = withShortNames(results);
  const { cells: _cells, command: _command, ...rest } = renamed;
  assert.doesNotMatch(JSON.stringify(rest), /somebody/);
  assert.deepEqual(
    renamed.cells.map((cell) => cell.manifest),
    results.cells.map((cell) => cell.manifest),
  );
  assert.doesNotMatch(renderTerminal(results), /somebody/);
  const page = renderHtml(results);
  assert.ok(page.indexOf('somebody') > page.indexOf('<section id="manifests"'), 'only manifests hold the path');
});

test('classifiers and clusterings speak of it too', () => {
  const path = '/home/somebody/models/encoder';
  const place = { corpus: 'set', view: 'TA' };
  const probe = 'logistic' as const;
  const cells = [{ ...place, model: path, probe, manifest: { model: path } }];
  const pairs = [{ a: `${path} logistic`, b: 'bm25 logistic' }];
  const comparisons = [{ ...place, metric: 'micro-f1', systems: [`${path} logistic`, 'bm25 logistic'], pairs }];
  const { classification, clustering } = withShortNames({
    ...fakeResults({ corpora: {} }),
    classification: { statement: '', cells, comparisons, labelCards: [] } as unknown as ClassificationResults,
    clustering: {
      cells,
      comparisons: [{ ...place, metric: 'ami', systems: [path], pairs: [{ a: path, b: 'lsa' }] }],
      viewComparisons: [{ corpus: 'set', model: path, pairs: [{ a: 'T', b: 'TA' }] }],
      maps: [{ ...place, model: path }],
      leftOut: ['bm25', '/home/somebody/models/passages'],
    } as unknown as ClusteringResults,
  });
  assert.equal(classification!.cells[0]!.model, 'encoder');
  assert.equal(classification!.cells[0]!.manifest.model, path, 'the manifest keeps the path');
  assert.deepEqual(classification!.comparisons[0]!.systems, ['encoder logistic', 'bm25 logistic']);
  assert.equal(classification!.comparisons[0]!.pairs[0]!.a, 'encoder logistic');
  const { cells: clustered, ...rest } = clustering!;
  assert.equal(clustered[0]!.model, 'encoder');
  assert.doesNotMatch(JSON.stringify(rest), /somebody/);
  assert.equal(rest.viewComparisons[0]!.pairs[0]!.b, 'TA');
});
