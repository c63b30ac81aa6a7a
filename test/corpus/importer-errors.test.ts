/** Wrong files and hostile files: each one clear error; odd but right ones are read. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PatentlabError } from '../../src/base/errors.ts';
import { csv, tsv } from '../../src/corpus/importers/csv.ts';
import { chooseImporter } from '../../src/corpus/importers/index.ts';
import { json } from '../../src/corpus/importers/json.ts';
import { jsonl } from '../../src/corpus/importers/jsonl.ts';
import { parquet } from '../../src/corpus/importers/parquet.ts';
import { xlsx } from '../../src/corpus/importers/xlsx.ts';
import { expandSources } from '../../src/corpus/sources.ts';
import { scratch } from '../support/scratch.ts';
import { outcomes, parquetFile, soundRows, workbookFile, zipFile } from './importer-fixtures.ts';

const isInput =
  (code: string, pattern = /./) =>
  (error: unknown) =>
    error instanceof PatentlabError && error.code === code && error.exitCode === 2 && pattern.test(error.describe());

test('sources: files, folders and globs, each file once, notes left out', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'deep', '.hidden'), { recursive: true });
  for (const name of ['b.csv', 'a.jsonl', 'README.md', 'deep/c.tsv', 'deep/.hidden/d.csv', '.e.csv'])
    writeFileSync(join(folder, name), 'x');
  const names = async (...paths: string[]) =>
    (await expandSources(paths)).map(({ path }) => path.slice(folder.length + 1).replaceAll('\\', '/'));
  assert.deepEqual(await names(folder), ['a.jsonl', 'b.csv', 'deep/c.tsv']);
  assert.deepEqual(await names(join(folder, '*.csv')), ['b.csv']);
  assert.deepEqual(await names(join(folder, '**', '*.tsv')), ['deep/c.tsv']);
  assert.deepEqual(await names(join(folder, 'b.csv'), folder), ['b.csv', 'a.jsonl', 'deep/c.tsv']);
  await assert.rejects(expandSources([join(folder, 'none.csv')]), isInput('import.no-source', /none\.csv/));
  await assert.rejects(expandSources([join(folder, '*.xml')]), isInput('import.no-source', /\*\.xml[\s\S]*no match/));
  mkdirSync(join(folder, 'notes'));
  writeFileSync(join(folder, 'notes', 'readme.md'), 'x');
  await assert.rejects(
    expandSources([join(folder, 'notes')]),
    isInput('import.no-source', /a folder without data files/),
  );
});

test('formats that are not known, binary data and foreign encodings', async (t) => {
  const folder = scratch(t);
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return { path, size: 0 };
  };
  await assert.rejects(
    chooseImporter(write('a.bin', Buffer.from([1, 2, 3, 0, 255, 0]))),
    isInput('import.format', /parquet/),
  );
  const broken = write('a.parquet', 'PA\x00R1 was here, once');
  assert.equal((await chooseImporter(broken)).format, 'parquet');
  await assert.rejects(outcomes(parquet, broken.path), isInput('import.parquet', /complete Parquet file/));
  await assert.rejects(chooseImporter(write('a.pdf', '%PDF-1.7 \n%abc')), isInput('import.format', /%PDF/));
  await assert.rejects(chooseImporter(write('b.csv', 'id,title\n'), 'word'), isInput('import.format', /jsonl/));
  const japanese = Buffer.from(
    'id,title\nJP1,\x92\xb4\x89\xb9\x94\x67\x83\x76\x83\x8d\x81\x5b\x83\x75\x8f\x90\x90\x90\x81\x81',
    'latin1',
  );
  await assert.rejects(outcomes(csv, write('c.csv', japanese).path), isInput('import.encoding', /c\.csv:2/));
  await assert.rejects(
    outcomes(jsonl, write('d.jsonl', Buffer.from('{"id":1}\n\0\0\0', 'latin1')).path),
    isInput('import.encoding', /d\.jsonl:2/),
  );
  await assert.rejects(outcomes(json, write('e.json', 'hello').path), isInput('import.format'));
  await assert.rejects(outcomes(json, write('f.json', '[{"id":1},{"id":2}').path), isInput('import.truncated'));
  await assert.rejects(outcomes(json, write('g.json', '{"data":[{"id":1}]').path), isInput('import.truncated'));
  await assert.rejects(
    outcomes(xlsx, write('h.xls', Buffer.from('\xd0\xcf\x11\xe0rest of it', 'latin1')).path),
    isInput('import.xls', /save it as XLSX/),
  );
  await assert.rejects(outcomes(csv, join(folder, 'gone.csv')), isInput('import.unreadable', /gone\.csv/));
  const damaged = gzipSync('id,title\n'.repeat(1000));
  damaged.fill(0x55, 20, 40);
  await assert.rejects(outcomes(csv, write('i.csv.gz', damaged).path), isInput('import.gzip'));
});

test('rows nested beyond all sense are rejected alone; an empty file has no rows', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'deep.jsonl');
  const deep = (levels: number) => `{"id":"D${levels}","x":${'['.repeat(levels)}1${']'.repeat(levels)}}`;
  for (const [importer, text] of [
    [jsonl, `${deep(150)}\n${deep(100_000)}\n{"id":"A","x":1}\n`],
    [json, `[\n${deep(150)},\n${deep(100_000)},\n{"id":"A","x":1}\n]\n`],
  ] as const) {
    writeFileSync(path, text);
    const read = await outcomes(importer, path);
    assert.deepEqual(
      read.map((outcome) => (outcome.ok ? outcome.row.id : /nested deeper/.test(outcome.reason))),
      ['D150', true, 'A'],
      importer.format,
    );
  }
  for (const name of ['empty.jsonl', 'empty.csv', 'empty', 'x.jsonl']) {
    writeFileSync(join(folder, name), name === 'x.jsonl' ? '{"id":"A","x":1}\n\u001b{broken\n' : '');
    const chosen = await chooseImporter({ path: join(folder, name), size: 0 }).catch((error: unknown) => error);
    if (name === 'x.jsonl') assert.equal(chosen, jsonl);
    else assert.ok(!(chosen instanceof RangeError), name);
  }
});

test('--record names the list in a JSON object and the sheet of a workbook', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'a.json');
  writeFileSync(
    path,
    JSON.stringify({
      meta: { n: [1] },
      out: { list: [{ id: 'a' }, { id: 'b' }], more: 1 },
      results: [{ id: 'not these' }],
    }),
  );
  assert.deepEqual(soundRows(await outcomes(json, path, { record: 'out.list' })), [{ id: 'a' }, { id: 'b' }]);
  assert.deepEqual(soundRows(await outcomes(json, path)), [{ id: 'not these' }]);
  await assert.rejects(outcomes(json, path, { record: 'out.lost' }), isInput('import.record', /list/));
  writeFileSync(path, JSON.stringify({ took: 3, hits: { total: 1, hits: [{ id: 'x' }] } }));
  assert.deepEqual(soundRows(await outcomes(json, path)), [{ id: 'x' }]);
  writeFileSync(path, JSON.stringify({ version: 1, alles: [{ id: 'x' }, { id: 'y' }] }));
  assert.deepEqual(soundRows(await outcomes(json, path)), [{ id: 'x' }, { id: 'y' }]);
  const book = join(folder, 'b.xlsx');
  writeFileSync(book, workbookFile([{ id: 'US1', title: 'T' }], ['First', 'Second']));
  assert.deepEqual(soundRows(await outcomes(xlsx, book, { record: 'Second' })), [{ id: 'US1', title: 'T' }]);
  await assert.rejects(outcomes(xlsx, book, { record: 'Third' }), isInput('import.record', /First, Second/));
});

test('headers: lines before it, names missing or twice; numbers of fields that do not fit', async (t) => {
  const path = join(scratch(t), 'a.csv');
  writeFileSync(
    path,
    'search URL:,https://example.org/?q=a;b\nid,title,priority date,\nUS1,"A, B",2016-01-25,\n\nUS2,C,2016-01-26,,\nUS3,D\nUS4,E,2016-01-27,,x\n',
  );
  const found = await outcomes(csv, path);
  assert.deepEqual(soundRows(found), [
    { id: 'US1', title: 'A, B', 'priority date': '2016-01-25', 'column 4': '' },
    { id: 'US2', title: 'C', 'priority date': '2016-01-26', 'column 4': '' },
  ]);
  assert.deepEqual(
    found.filter((outcome) => !outcome.ok).map(({ line }) => line),
    [6, 7],
  );
  writeFileSync(path, 'sep=|\nid|title|title\nUS1|a|b\n');
  assert.deepEqual(soundRows(await outcomes(csv, path)), [{ id: 'US1', title: 'a', 'title (2)': 'b' }]);
  writeFileSync(path, 'id\ttitle\rUS1\tx\rUS2\ty\r');
  assert.deepEqual(soundRows(await outcomes(csv, path)), [
    { id: 'US1', title: 'x' },
    { id: 'US2', title: 'y' },
  ]);
});

test('tab-separated files that use quotes as plain characters', async (t) => {
  const path = join(scratch(t), 'a.tsv');
  writeFileSync(path, 'patent_id\ttitle\n1\t"Smart" device\n2\tA 5" pipe\n3\t"Quick" "brown" fox\n4\t"open\n');
  assert.deepEqual(
    soundRows(await outcomes(tsv, path)).map((row) => row.title),
    ['"Smart" device', 'A 5" pipe', '"Quick" "brown" fox', '"open'],
  );
});

test('a damaged byte in UTF-8 text costs one character, not the encoding', async (t) => {
  const path = join(scratch(t), 'a.jsonl');
  writeFileSync(
    path,
    Buffer.concat([
      Buffer.from('{"id":"1","title":"Zażółć"}\n{"id":"2","title":"caf'),
      Buffer.from([0xe9]),
      Buffer.from(' ü"}\n{"id":"3","title":"超"}\n'),
    ]),
  );
  const said: string[] = [];
  assert.deepEqual(
    soundRows(await outcomes(jsonl, path, { said })).map((row) => row.title),
    ['Zażółć', 'café ü', '超'],
  );
  assert.match(said.join(), /a\.jsonl:2/);
});

test('hostile workbooks: bombs, document types, broken XML, no sheets', async (t) => {
  const path = join(scratch(t), 'a.xlsx');
  const book = '<workbook><sheets><sheet name="S" sheetId="1"/></sheets></workbook>';
  const sheet = (rows: string) => `<worksheet><sheetData>${rows}</sheetData></worksheet>`;
  const fails = async (
    members: Record<string, string | Buffer>,
    code: string,
    declared: Record<string, number> = {},
  ) => {
    writeFileSync(path, zipFile(members, declared));
    await assert.rejects(outcomes(xlsx, path), isInput(code));
  };
  await fails({ 'xl/workbook.xml': book, 'xl/worksheets/sheet1.xml': sheet(' '.repeat(2 ** 25)) }, 'import.zip-bomb');
  await fails({ 'xl/workbook.xml': book, 'xl/worksheets/sheet1.xml': sheet('<row/>'.repeat(1e5)) }, 'import.zip', {
    'xl/worksheets/sheet1.xml': 1000,
  });
  await fails(
    { 'xl/workbook.xml': `<!DOCTYPE x [<!ENTITY a "b">]>${book}`, 'xl/worksheets/sheet1.xml': sheet('') },
    'import.xlsx',
  );
  await fails({ 'xl/workbook.xml': book, 'xl/worksheets/sheet1.xml': '<worksheet><row></worksheet>' }, 'import.xlsx');
  await fails(
    {
      'xl/workbook.xml': book,
      'xl/worksheets/sheet1.xml': sheet('<row><c t="inlineStr"><is><t>&undefined;</t></is></c></row>'),
    },
    'import.xlsx',
  );
  await fails({ 'xl/workbook.xml': '<workbook/>' }, 'import.record');
  await fails({ 'word/document.xml': '<x/>' }, 'import.xlsx');
});

test('workbook cells: dates by style, numbers, truth values, errors, rich text, sparse columns', async (t) => {
  const path = join(scratch(t), 'a.xlsx');
  writeFileSync(
    path,
    zipFile({
      'xl/workbook.xml': '<workbook><sheets><sheet name="S" sheetId="1"/></sheets></workbook>',
      'xl/styles.xml':
        '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></styleSheet>',
      'xl/sharedStrings.xml':
        '<sst><si><t>id</t></si><si><r><t>ti</t></r><r><t>tle</t></r><rPh sb="0" eb="1"><t>x</t></rPh></si></sst>',
      'xl/worksheets/sheet1.xml':
        '<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="str"><v>filing date</v></c><c r="E1" t="str"><v>x</v></c></row>' +
        '<row r="3"><c r="A3"><v>7000000</v></c><c r="B3" t="e"><v>#N/A</v></c><c r="D3" s="1"><v>42394</v></c><c r="E3" t="b"><v>1</v></c></row>' +
        '<row r="4"><c r="A4" t="str"><v>US_x0041_</v></c><c r="D4" s="2"><v>42394.5</v></c></row></sheetData></worksheet>',
    }),
  );
  assert.deepEqual(await outcomes(xlsx, path), [
    { ok: true, line: 3, row: { id: 7000000, title: null, 'column 3': null, 'filing date': '2016-01-25', x: true } },
    { ok: true, line: 4, row: { id: 'USA', title: null, 'column 3': null, 'filing date': '2016-01-25', x: null } },
  ]);
});

test('Parquet under a name with glob signs; a cut one throws', async (t) => {
  const folder = scratch(t);
  const bytes = await parquetFile([{ id: 'US1', title: 'T' }], folder);
  const path = join(folder, "it's [1]?*.parquet".replace(process.platform === 'win32' ? /[?*]/g : /^$/, ''));
  writeFileSync(path, bytes);
  assert.deepEqual(soundRows(await outcomes(parquet, path)), [{ id: 'US1', title: 'T' }]);
  writeFileSync(path, bytes.subarray(0, bytes.length - 20));
  await assert.rejects(outcomes(parquet, path), isInput('import.parquet'));
});
