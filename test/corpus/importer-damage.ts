/**
 * Damage to one row never changes another: any one edit of one row's text, in every text format. Input of any kind ends in
 * rows or one clear error. The fast and the slow tier run the same properties, some and many times.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { PatentlabError } from '../../src/base/errors.ts';
import { csv, tsv } from '../../src/corpus/importers/csv.ts';
import type { Importer, Row, RowOutcome } from '../../src/corpus/importers/importer.ts';
import { importers } from '../../src/corpus/importers/index.ts';
import { json } from '../../src/corpus/importers/json.ts';
import { jsonl } from '../../src/corpus/importers/jsonl.ts';
import { scratch } from '../support/scratch.ts';
import { tables } from './importer-conformance.ts';
import { type Cells, delimitedRecord, outcomes, soundRows } from './importer-fixtures.ts';

/** A table as text in pieces, so that one record can be damaged: before, records, after. */
interface Written {
  before: string;
  records: string[];
  between: string;
  after: string;
}

const formats: { name: string; importer: Importer; write(rows: Cells[]): Written; marks: string[] }[] = [
  {
    name: 'JSON lines',
    importer: jsonl,
    marks: ['"', '{', '}', ',', '\\', '\n', 'x'],
    write: (rows) => ({
      before: '',
      records: rows.map((row) => JSON.stringify(nested(row))),
      between: '\n',
      after: '\n',
    }),
  },
  {
    name: 'JSON array',
    importer: json,
    marks: ['"', '{', '}', '[', ']', ',', ':', '\\', '\n', 'x', '1'],
    write: (rows) => ({
      before: '[',
      records: rows.map((row) => JSON.stringify(nested(row))),
      between: ',',
      after: ']',
    }),
  },
  {
    name: 'JSON list in an object, on many lines',
    importer: json,
    marks: ['"', '{', '}', '[', ']', ',', ':', '\\', '\n', 'x', '1'],
    write: (rows) => ({
      before: '{"total": 7, "data": [\n',
      records: rows.map((row) => JSON.stringify(nested(row), null, 2)),
      between: ',\n',
      after: ']}',
    }),
  },
  ...[',', ';', '\t', '|'].map((delimiter) => ({
    name: `text delimited by ${JSON.stringify(delimiter)}`,
    importer: delimiter === '\t' ? tsv : csv,
    marks: ['"', '""', delimiter, '\n', `"${delimiter}`, `${delimiter}"`, '"\n', 'x'],
    write: (rows: Cells[]) => ({
      before: `${delimitedRecord(Object.keys(rows[0]!), delimiter)}\n`,
      records: rows.map((row) => delimitedRecord(Object.values(row), delimiter)),
      between: '\n',
      after: '\n',
    }),
  })),
];

/** The same row with lists and objects inside, some of which look like rows. */
function nested(row: Cells): Row {
  return {
    ...row,
    citation: (row.citation ?? '')
      .split(';')
      .map((number) => ({ publication_number: number, title: 'cited', type: 'SEA' })),
    assignee: { name: row.title, address: { country: 'US' } },
  };
}

/** All rows but the damaged one come out equal and in order; the damaged one is altered, refused, or both in pieces. */
function assertOthersEqual(found: readonly RowOutcome[], clean: readonly Row[], index: number): void {
  const rows = soundRows(found);
  const before = clean.slice(0, index);
  const after = clean.slice(index + 1);
  const head = rows.slice(0, before.length);
  const tail = after.length === 0 ? [] : rows.slice(-after.length);
  assert.deepEqual(head, before);
  assert.deepEqual(tail, after);
  const extra = rows.length - before.length - after.length;
  assert.ok(extra === 0 || extra === 1, `${extra} rows in the place of one`);
  if (extra === 0)
    assert.ok(
      found.some((outcome) => !outcome.ok),
      'a row vanished without a word',
    );
  else if (!isDeepStrictEqual(rows[index], clean[index])) assert.ok(true);
}

/** `runs`: cases of each property. */
export function damageTests(runs: number): void {
  for (const { name, importer, write, marks } of formats) {
    test(`${name}: one edit in one row leaves all others as they were`, async (t) => {
      const folder = scratch(t);
      const path = join(folder, 'table.txt');
      await fc.assert(
        fc.asyncProperty(
          tables,
          fc.nat(),
          fc.nat(),
          fc.constantFrom('insert', 'replace', 'delete'),
          fc.constantFrom(...marks),
          async (rows, which, where, edit, mark) => {
            const { before, records, between, after } = write(rows);
            const index = which % records.length;
            const record = records[index]!;
            const at = where % record.length;
            const rest = record.slice(edit === 'insert' ? at : at + 1);
            const damaged = record.slice(0, at) + (edit === 'delete' ? '' : mark) + rest;
            writeFileSync(path, before + records.join(between) + after);
            const clean = soundRows(await outcomes(importer, path));
            assert.equal(clean.length, rows.length);
            writeFileSync(path, before + records.with(index, damaged).join(between) + after);
            const found = await outcomes(importer, path);
            assertOthersEqual(found, clean, index);
          },
        ),
        { numRuns: runs },
      );
    });
  }

  test('any bytes end in rows or one clear error, in every format', async (t) => {
    const folder = scratch(t);
    const path = join(folder, 'noise');
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          '"',
          '""',
          ',',
          ':',
          ';',
          '\t',
          '\n',
          '\r\n',
          '\r',
          '\\',
          '\\u00',
          'id',
          '"id":1',
          'null',
          '1e999',
          'PK\u0003\u0004',
          'PAR1',
          '\0',
          '\ufeff',
          '<row>',
          '-',
          'NaN',
        ),
        fc.string({ maxLength: 8 }),
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          pieces.map((parts) => Buffer.from(parts.join(''))),
          fc.uint8Array({ maxLength: 300 }),
        ),
        async (bytes) => {
          writeFileSync(path, bytes);
          for (const importer of importers.filter(({ format }) => format !== 'xlsx' && format !== 'parquet')) {
            importer.detect({ name: 'noise', bytes });
            await outcomes(importer, path).catch((error: unknown) =>
              assert.ok(error instanceof PatentlabError, String(error)),
            );
          }
        },
      ),
      { numRuns: 2 * runs },
    );
  });

  test('any bytes after a right beginning end in one clear error for Parquet and XLSX', async (t) => {
    const folder = scratch(t);
    const path = join(folder, 'noise');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('PAR1', 'PK\u0003\u0004'),
        fc.uint8Array({ maxLength: 300 }),
        async (magic, bytes) => {
          writeFileSync(path, Buffer.concat([Buffer.from(magic, 'latin1'), bytes, Buffer.from(magic, 'latin1')]));
          for (const importer of importers.filter(({ format }) => format === 'xlsx' || format === 'parquet'))
            await assert.rejects(outcomes(importer, path), PatentlabError);
        },
      ),
      { numRuns: Math.ceil(runs / 15) },
    );
  });
}
