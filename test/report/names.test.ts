import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHtml } from '../../src/report/html.ts';
import { shortModels, withShortNames } from '../../src/report/names.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
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
