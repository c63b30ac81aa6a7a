import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { PatentlabError } from '../../src/base/errors.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { listCorpora, openCorpus, removeCorpus } from '../../src/corpus/store.ts';
import { NameIndex } from '../../src/corpus/store-index.ts';
import { scratch } from '../support/scratch.ts';
import { contents, importRows, jsonLines, row } from './store-support.ts';

const code = (wanted: string) => (error: unknown) => (error as PatentlabError).code === wanted;

test('what is imported is read back by row, by id, by alias and by any form of the number', async (t) => {
  const home = scratch(t);
  const summary = await importRows(home, [
    row('US-2004137729-A1', { cites: ['US4121250A'] }),
    row('US4121250A', { description: 'é'.repeat(3_000_000) }),
    row('EP0005432A1'),
    row('000-111-222'),
  ]);
  assert.equal(summary.read, 4);
  assert.equal(summary.stored, 4);
  const corpus = await openCorpus(home, 'mine');
  assert.equal(corpus.size, 4);
  assert.equal(corpus.revision, '1');
  assert.equal((await corpus.get(1)).description, 'é'.repeat(3_000_000));
  assert.equal(await corpus.title(3), 'Title of 000-111-222');
  const rows = [
    'US-2004137729-A1',
    'US20040137729A1',
    'US2004/0137729',
    'US 4,121,250',
    '4121250',
    'EP 0 005 432 A1',
    'EP5432',
    '000-111-222',
    'US4121251',
  ].map((id) => corpus.row(id));
  assert.deepEqual(rows, [0, 0, 0, 1, 1, 2, 2, 3, undefined]);
  const ids: string[] = [];
  for await (const patent of corpus.records({ from: 1, to: 3 })) ids.push(patent.id);
  assert.deepEqual(ids, [corpus.id(1), corpus.id(2)]);
  await corpus.verify();
  await corpus.close();
});

test('titles are read without the texts, whatever stands in them', async (t) => {
  const home = scratch(t);
  const titles = [
    'plain',
    'with "quotes" and \\ {braces}',
    'ünïcödé 超音波',
    'x'.repeat(5000),
    undefined,
    '"title":"trap"',
  ];
  await importRows(
    home,
    titles.map((title, i) => ({
      id: `US${4000000 + i}A`,
      title,
      abstract: '"title":"not this"',
      description: 'd'.repeat(9000),
      aliases: ['a "title" b'],
    })),
  );
  const corpus = await openCorpus(home, 'mine');
  for (const [i, title] of titles.entries()) assert.equal(await corpus.title(i), title ?? '', String(i));
  await corpus.close();
});

test('merging: fill, replace, reject, within one import and over two', async (t) => {
  const home = scratch(t);
  const first = await importRows(home, [
    { id: 'US4000001A', title: 'One', labels: ['a'], cites: [{ id: 'US1111111A' }] },
    { id: 'US4000002A', title: 'Two' },
    {
      id: 'US-4000001-A',
      title: 'Other',
      abstract: 'Later abstract',
      labels: ['b', 'a'],
      cites: ['US1111111A', 'US2222222A'],
    },
  ]);
  assert.deepEqual([first.read, first.stored, first.duplicates, first.rejected], [3, 2, 1, 0]);
  let [one] = await contents(home);
  assert.equal(one!.title, 'One');
  assert.equal(one!.abstract, 'Later abstract');
  assert.deepEqual(one!.labels, ['a', 'b']);
  assert.deepEqual(
    one!.cites.map(({ id }) => id),
    ['US1111111A', 'US2222222A'],
  );

  const second = await importRows(home, [row('US4000003A'), { id: 'US4000002A', title: 'New two', abstract: 'New' }], {
    onConflict: 'replace',
    source: 'b.jsonl',
  });
  assert.deepEqual([second.stored, second.added, second.duplicates, second.revision], [3, 1, 1, '2']);
  let all = await contents(home);
  assert.deepEqual(
    all.map(({ id, title }) => [id, title]),
    [
      ['US4000001A', 'One'],
      ['US4000002A', 'New two'],
      ['US4000003A', 'Title of US4000003A'],
    ],
  );

  const third = await importRows(home, [{ id: 'US4000002A', title: 'Never' }, row('US4000004A')], {
    onConflict: 'reject',
    source: 'c.jsonl',
  });
  assert.deepEqual([third.stored, third.duplicates, third.rejected], [4, 0, 1]);
  const reject = JSON.parse(readFileSync(third.rejects!, 'utf8'));
  assert.equal(reject.line, 1);
  assert.match(reject.file, /c\.jsonl$/);
  all = await contents(home);
  assert.equal(all[1]!.title, 'New two');
  [one] = all;
  assert.equal(one!.title, 'One');
  const corpus = await openCorpus(home, 'mine');
  assert.equal(corpus.sources.length, 3);
  await corpus.close();
});

test('same content, same hash; other content, another', async (t) => {
  const rows = [row('US4000001A', { cites: ['US4000002A'] }), row('US4000002A')];
  const [a, b, c, d] = await Promise.all([
    importRows(scratch(t), rows),
    importRows(
      scratch(t),
      rows.map((item) => Object.fromEntries(Object.entries(item).reverse())),
    ),
    importRows(scratch(t), [...rows, rows[0]!]),
    importRows(scratch(t), [rows[0]!, row('US4000002A', { abstract: 'Another.' })]),
  ]);
  assert.equal(a.hash, b.hash);
  assert.equal(a.hash, c.hash); // a repeated row adds nothing
  assert.notEqual(a.hash, d.hash);
});

test('a bad row goes to rejects.jsonl with its line and leaves its neighbours as they are', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), fc.boolean(), async (good, merged) => {
      const home = scratch(t);
      if (merged) await importRows(home, [row('US3999999A')], { source: 'base.jsonl' });
      const rows = good.map((fine, i) =>
        fine ? row(`US${4000000 + i}A`) : ['{"id": "US1', '{"title":"no id"}', '[]'][i % 3]!,
      );
      const kept = rows.filter((item) => typeof item !== 'string') as { id: string }[];
      if (kept.length === 0) {
        // Where no row has an id, the columns are at fault; where no row is readable, the rows are.
        await assert.rejects(
          importRows(home, rows),
          (error: PatentlabError) => error.exitCode === 2 && /^import\./.test(error.code),
        );
        return;
      }
      const summary = await importRows(home, rows);
      assert.equal(summary.rejected, rows.length - kept.length);
      const stored = (await contents(home)).slice(merged ? 1 : 0);
      assert.deepEqual(
        stored.map(({ id, title, abstract }) => ({ id, title, abstract })),
        kept,
      );
      const lines =
        summary.rejects === undefined
          ? []
          : readFileSync(summary.rejects, 'utf8')
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line).line as number);
      assert.deepEqual(
        lines,
        rows.flatMap((item, i) => (typeof item === 'string' ? [i + 1] : [])),
      );
    }),
    { numRuns: 25 },
  );
});

test('a file that breaks off stores nothing, and what was stored stays', async (t) => {
  const home = scratch(t);
  await importRows(home, [row('US4000001A')]);
  const before = await contents(home);
  const whole = gzipSync(jsonLines(Array.from({ length: 5000 }, (_, i) => row(`US${4100000 + i}A`))));
  const broken = join(home, 'broken.jsonl.gz');
  writeFileSync(broken, whole.subarray(0, whole.length - 200));
  await assert.rejects(importCorpus({ home, name: 'mine', paths: [broken] }), code('import.gzip'));
  await assert.rejects(importCorpus({ home, name: 'new', paths: [broken] }), code('import.gzip'));
  assert.deepEqual(await contents(home), before);
  assert.deepEqual(readdirSync(join(home, 'corpora')), ['mine']);
  assert.equal(readdirSync(join(home, 'corpora', 'mine')).length, 2); // manifest and one generation
});

test('a reader keeps the revision it opened while another is imported', async (t) => {
  const home = scratch(t);
  await importRows(home, [row('US4000001A')]);
  const old = await openCorpus(home, 'mine');
  await importRows(home, [row('US4000002A')], { source: 'b.jsonl' });
  assert.equal((await old.get(0)).id, 'US4000001A');
  assert.equal(old.size, 1);
  await old.close();
  assert.equal((await contents(home)).length, 2);
});

test('what is damaged is told, never read', async (t) => {
  const home = scratch(t);
  await importRows(home, [row('US4000001A'), row('US4000002A')]);
  const folder = join(home, 'corpora', 'mine');
  const generation = join(folder, readdirSync(folder).find((name) => name.startsWith('r1'))!);
  const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8');
  await assert.rejects(openCorpus(home, 'other'), code('corpus.unknown'));
  await assert.rejects(openCorpus(home, '../mine'), code('corpus.name'));
  for (const [text, wanted] of [
    ['{', 'corpus.damaged'],
    ['{"format":1}', 'corpus.damaged'],
    [manifest.replace('"format": 1', '"format": 9'), 'corpus.format'],
  ] as const) {
    writeFileSync(join(folder, 'manifest.json'), text);
    await assert.rejects(openCorpus(home, 'mine'), code(wanted));
    assert.equal((await listCorpora(home)).length, 1);
  }
  writeFileSync(join(folder, 'manifest.json'), manifest);
  const records = join(generation, 'records.jsonl');
  const bytes = readFileSync(records);
  bytes[30]! ^= 1;
  writeFileSync(records, bytes);
  const corpus = await openCorpus(home, 'mine');
  await assert.rejects(corpus.verify(), code('corpus.damaged'));
  await corpus.close();
  appendFileSync(records, 'x');
  await assert.rejects(openCorpus(home, 'mine'), code('corpus.damaged'));
  truncateSync(records, 10);
  await assert.rejects(openCorpus(home, 'mine'), code('corpus.damaged'));
  await removeCorpus(home, 'mine');
  assert.deepEqual(await listCorpora(home), []);
  await assert.rejects(removeCorpus(home, 'mine'), code('corpus.unknown'));
});

test('the index of names finds every row of every name', () => {
  // Few names, so that some are added again just when the index grows.
  const names = fc.oneof(fc.constantFrom('a', 'b'), fc.string({ maxLength: 4 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.nat(60)), { maxLength: 200, size: 'max' }), (entries) => {
      const index = new NameIndex(4);
      const expected = new Map<string, Set<number>>();
      for (const [name, at] of entries) {
        const first = index.add(name, at);
        const rows = expected.get(name) ?? new Set<number>();
        assert.equal(first, rows.size === 0 ? -1 : [...rows][0]);
        expected.set(name, rows.add(at));
      }
      for (const [name, rows] of expected) assert.deepEqual(index.all(name), [...rows]);
      assert.equal(index.first('never there'), -1);
    }),
  );
});

test('the index of names: rows in order, then out of order, then names of more than one row', () => {
  const index = new NameIndex(1);
  for (let row = 0; row < 300; row++) assert.equal(index.add(`n${row}`, row), -1);
  for (let row = 0; row < 300; row++) assert.equal(index.first(`n${row}`), row);
  for (let row = 0; row < 300; row++) assert.equal(index.add(`m${row}`, row), -1);
  for (let row = 0; row < 300; row += 2) assert.equal(index.add(`n${row}`, row + 1), row);
  for (let row = 0; row < 300; row++) {
    assert.deepEqual(index.all(`n${row}`), row % 2 === 0 ? [row, row + 1] : [row]);
    assert.deepEqual(index.all(`m${row}`), [row]);
  }
});
