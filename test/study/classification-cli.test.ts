/** `evaluate --task classification` as its user runs it: JSON of all tasks, options refused where they mean nothing. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { inventCorpus } from '../support/invent.ts';
import { scratch } from '../support/scratch.ts';

test('one JSON document with the cells of all tasks, a report, and the same numbers on the terminal', async (t) => {
  const home = scratch(t);
  await inventCorpus(home, 'devices', { patents: 100 });
  const run = ['evaluate', 'devices', '--home', home, '--task', 'retrieval,classification', '--model', 'bm25'];
  const found = await cli([...run, '--labels', 'cpc', '--level', 'class', '--probe', 'knn', '--view', 'T', '--json']);
  assert.equal(found.code, 0, found.stderr);
  const { cells, report } = JSON.parse(found.stdout);
  assert.deepEqual(
    cells.map(({ task, model, probe }: Record<string, string>) => [task, model, probe]),
    [
      ['retrieval', 'bm25', undefined],
      ['classification', 'bm25', 'knn'],
    ],
  );
  const [, { corpus, view, documents, trained, labels, metrics, manifest }] = cells;
  assert.deepEqual([corpus, view, manifest.task], ['devices', 'T', 'classification']);
  assert.ok(documents + trained <= 100 && labels >= 2);
  const { value, lower, upper } = metrics['micro-f1-shared'];
  assert.ok(lower <= value && value <= upper);
  assert.match(readFileSync(report, 'utf8'), /Classification: what can be said/);
  const shown = await cli([...run, '--labels', 'cpc', '--level', 'class', '--probe', 'knn', '--view', 'T', '--quiet']);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /0 cells computed, 2 found finished/);
  assert.ok(
    shown.stdout.includes(`bm25 knn has the highest micro-F1, one tuned threshold, ${value.toFixed(3)}`),
    shown.stdout,
  );
  assert.ok(
    shown.stdout.split('\n').every((line) => line.length <= 100 || line.startsWith('report:')),
    'within 100 columns',
  );
});

test('options without effect on the tasks asked for are refused', async (t) => {
  const home = scratch(t);
  const refused: [string[], string][] = [
    [['--task', 'classification', '--qrels', 'x', '--queries', 'y'], '--qrels'],
    [['--task', 'classification', '--only-earlier'], '--only-earlier'],
    [['--labels', 'cpc'], '--labels'],
    [['--task', 'classification', '--labels', 'labels', '--level', 'class'], '--level'],
    [['--task', 'clustering', '--probe', 'knn'], '--probe'],
  ];
  const outcomes = await Promise.all(refused.map(([args]) => cli(['evaluate', 'none', '--home', home, ...args])));
  outcomes.forEach(({ code, stderr }, i) => {
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`${refused[i]![1]} has no effect here`), stderr);
  });
  const unknown = await cli(['evaluate', 'none', '--home', home, '--task', 'search']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /retrieval or classification or clustering/);
});

test('labels that the corpus lacks, and a level of labels that have none, are refused with what there is', async (t) => {
  const home = scratch(t);
  const source = join(home, 'tags.jsonl');
  const rows = Array.from({ length: 24 }, (_, i) => ({
    id: `US${1_000_000 + i}A`,
    title: `plough ${i}`,
    tag: i % 2 ? 'a' : 'b',
  }));
  writeFileSync(source, rows.map((row) => JSON.stringify(row)).join('\n'));
  const imported = await cli(['import', source, '--as', 'tags', '--map', 'labels=tag', '--home', home]);
  assert.equal(imported.code, 0, imported.stderr);
  const run = (...args: string[]) =>
    cli(['evaluate', 'tags', '--home', home, '--task', 'classification', '--view', 'T', '--model', 'lsa', ...args]);
  const [lacking, level] = await Promise.all([run('--labels', 'cpc'), run('--level', 'section')]);
  assert.equal(lacking.code, 2);
  assert.match(lacking.stderr, /have no CPC codes.*found: +labels.*--labels labels/s);
  assert.equal(level.code, 2);
  assert.match(level.stderr, /--level has no effect here.*labels of your own on "tags"/s);
});
