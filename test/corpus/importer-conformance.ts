/**
 * What every importer owes, whatever its format: the same rows give the same patents; gzipped is plain; detection by
 * content; a huge field; an empty file; a cut gzip; an abort; damage that stays in its row. A new format joins by one call.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { PatentlabError } from '../../src/base/errors.ts';
import { planColumns } from '../../src/corpus/columns.ts';
import type { Importer } from '../../src/corpus/importers/importer.ts';
import { chooseImporter } from '../../src/corpus/importers/index.ts';
import { patentFromRow } from '../../src/corpus/patent-from-row.ts';
import type { Patent } from '../../src/corpus/record.ts';
import { scratch } from '../support/scratch.ts';
import { type Cells, outcomes, soundRows } from './importer-fixtures.ts';

export interface Conformance {
  /** Title of the tests. */
  name: string;
  importer: Importer;
  /** File ending to write under. */
  extension: string;
  write(rows: readonly Cells[], folder: string): Promise<Buffer> | Buffer;
  /** The format is text: encodings are tried. */
  text: boolean;
  /** The format is told by its content, under any name. */
  recognisable?: boolean;
  /** A file of no bytes is a file without rows. */
  emptyIsValid: boolean;
  /** Breaks row `index` of a written file in a way the importer must see. */
  damage?(rows: readonly Cells[], index: number, folder: string): Promise<Buffer> | Buffer;
}

/** Texts with all that formats trip over. */
export const trickyText = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('a sensor', 'of sound', 'wherein', 'the', 'method', 'n. 12', 'café', '体'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '"',
          '""',
          '",',
          ',',
          ';',
          '\t',
          '|',
          '\n',
          "'",
          '\\',
          '\\"',
          '{',
          '}',
          '[',
          ']',
          '},{',
          ':',
          '<b>',
          '&amp;',
          '_x0041',
          '😀',
          '\n\n',
          '",\n"',
        ),
      },
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => `The ${parts.join(' ')}.`);

export function cellsOf(index: number, title: string, abstract: string): Cells {
  return {
    publication_number: `US${7_000_000 + index * 7}B2`,
    title: title.replace(/\s+/g, ' '),
    abstract,
    cpc: index % 3 === 0 ? '' : 'A61B8/08; G01S7/52',
    citation: index % 2 === 0 ? 'US4058776A;EP1234567B1' : '',
    publication_date: `2016-01-${String((index % 28) + 1).padStart(2, '0')}`,
  };
}

export const tables = fc
  .array(fc.tuple(trickyText, trickyText), { minLength: 2, maxLength: 9 })
  .map((rows) => rows.map(([title, abstract], index) => cellsOf(index, title, abstract)));

export function patentsOf(rows: readonly Record<string, unknown>[]): Patent[] {
  const plan = planColumns(rows, { file: 'test' });
  return rows.map((row) => {
    const outcome = patentFromRow(row, plan);
    assert.ok(outcome.ok);
    return outcome.patent;
  });
}

const sample = [
  cellsOf(0, 'A plain title', 'An abstract of one line.'),
  cellsOf(1, 'Quotes "inside", commas; bars | and\ttabs', 'Two lines,\nwith "quotes" in them.'),
  cellsOf(2, 'Zażółć gęślą jaźń – 超音波', 'A {brace}, a [bracket], a \\ backslash.'),
  cellsOf(3, 'Last', 'The end.'),
];

export function importerConformance({
  name,
  importer,
  extension,
  write,
  text,
  recognisable = true,
  emptyIsValid,
  damage,
}: Conformance): void {
  test(`${name}: the same rows give the same patents, whatever stands in them`, async (t) => {
    const folder = scratch(t);
    await fc.assert(
      fc.asyncProperty(tables, async (rows) => {
        const path = join(folder, `table${extension}`);
        writeFileSync(path, await write(rows, folder));
        const found = await outcomes(importer, path);
        assert.deepEqual(
          found.filter((outcome) => !outcome.ok),
          [],
        );
        assert.deepEqual(patentsOf(soundRows(found)), patentsOf(rows));
      }),
      { numRuns: 25 },
    );
  });

  test(`${name}: gzipped is plain, and the format is told from name and content`, async (t) => {
    const folder = scratch(t);
    const bytes = await write(sample, folder);
    const plain = join(folder, `table${extension}`);
    const zipped = join(folder, `table${extension}.gz`);
    writeFileSync(plain, bytes);
    writeFileSync(zipped, gzipSync(bytes));
    assert.deepEqual(await outcomes(importer, zipped), await outcomes(importer, plain));
    assert.equal(await chooseImporter({ path: plain, size: 0 }), importer);
    assert.equal(await chooseImporter({ path: zipped, size: 0 }), importer);
    if (recognisable) {
      const nameless = join(folder, 'nameless');
      writeFileSync(nameless, gzipSync(bytes));
      assert.equal(await chooseImporter({ path: nameless, size: 0 }), importer);
    }
  });

  test(`${name}: lines count up and stand for places in the file`, async (t) => {
    const folder = scratch(t);
    const path = join(folder, `table${extension}`);
    writeFileSync(path, await write(sample, folder));
    const lines = (await outcomes(importer, path)).map((outcome) => outcome.line);
    assert.deepEqual(
      [...lines].sort((a, b) => a - b),
      lines,
    );
    assert.ok(lines.every((line) => line >= 1));
  });

  if (text) {
    test(`${name}: UTF-8 and UTF-16 with and without byte order mark, and Windows-1252`, async (t) => {
      const folder = scratch(t);
      const path = join(folder, `table${extension}`);
      const content = String(await write(sample, folder));
      const little = Buffer.from(content, 'utf16le');
      const forms = {
        'UTF-8 with mark': Buffer.from(`\ufeff${content}`),
        'UTF-16LE with mark': Buffer.concat([Buffer.from([0xff, 0xfe]), little]),
        'UTF-16BE with mark': Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(little).swap16()]),
        'UTF-16LE without': little,
        'UTF-16BE without': Buffer.from(little).swap16(),
      };
      for (const [form, bytes] of Object.entries(forms)) {
        writeFileSync(path, bytes);
        assert.deepEqual(patentsOf(soundRows(await outcomes(importer, path))), patentsOf(sample), form);
        assert.equal(await chooseImporter({ path, size: 0 }), importer, form);
      }
      const western = [cellsOf(0, 'Café für Ultraschall', 'Größe – “quoted” €')];
      const bytes = Buffer.from(String(await write(western, folder)), 'latin1');
      // The signs that Latin-1 lacks, where Windows-1252 has them.
      for (let i = 0; i < bytes.length; i++) {
        const sign = new Map([
          [0x13, 0x96],
          [0x1c, 0x93],
          [0x1d, 0x94],
          [0xac, 0x80],
        ]).get(bytes[i]!);
        if (sign !== undefined) bytes[i] = sign;
      }
      writeFileSync(path, bytes);
      const said: string[] = [];
      assert.deepEqual(patentsOf(soundRows(await outcomes(importer, path, { said }))), patentsOf(western));
      assert.equal(said.length, 1);
      assert.match(said[0]!, /Windows-1252/);
    });
  }

  test(`${name}: an empty file`, async (t) => {
    const path = join(scratch(t), `table${extension}`);
    writeFileSync(path, '');
    if (emptyIsValid) assert.deepEqual(await outcomes(importer, path), []);
    else
      await assert.rejects(
        outcomes(importer, path),
        (error) => error instanceof PatentlabError && error.exitCode === 2,
      );
  });

  test(`${name}: a field of three million characters`, async (t) => {
    const folder = scratch(t);
    const path = join(folder, `table${extension}`);
    const rows = [sample[0]!, cellsOf(1, 'Huge', 'Long "text",\n'.repeat(240_000).trim()), sample[2]!];
    writeFileSync(path, await write(rows, folder));
    assert.deepEqual(patentsOf(soundRows(await outcomes(importer, path))), patentsOf(rows));
  });

  test(`${name}: a gzip file that breaks off throws and names the file`, async (t) => {
    const folder = scratch(t);
    const path = join(folder, `table${extension}.gz`);
    const bytes = gzipSync(await write(sample, folder));
    writeFileSync(path, bytes.subarray(0, bytes.length - 12));
    await assert.rejects(
      outcomes(importer, path),
      (error) => error instanceof PatentlabError && error.code === 'import.gzip' && error.details.file === path,
    );
  });

  test(`${name}: an abort ends reading, before it and during it`, async (t) => {
    const folder = scratch(t);
    const path = join(folder, `table${extension}`);
    const rows = Array.from({ length: 3000 }, (_, index) => cellsOf(index, 'T', 'Abstract '.repeat(40)));
    writeFileSync(path, await write(extension === '.parquet' ? rows.slice(0, 50) : rows, folder));
    await assert.rejects(outcomes(importer, path, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    const controller = new AbortController();
    await assert.rejects(
      async () => {
        const progress = { begin: () => ({ advance() {}, total() {}, finish() {} }), say() {} };
        let seen = 0;
        for await (const _ of importer.rows({ path, size: 0 }, { progress, signal: controller.signal })) {
          if (++seen === 10) controller.abort();
          if (seen > 3000) return;
        }
        controller.signal.throwIfAborted();
      },
      { name: 'AbortError' },
    );
  });

  if (damage !== undefined) {
    test(`${name}: a bad row is reported with its line and its neighbours stay`, async (t) => {
      const folder = scratch(t);
      const path = join(folder, `table${extension}`);
      for (const index of sample.keys()) {
        writeFileSync(path, await damage(sample, index, folder));
        const found = await outcomes(importer, path);
        const bad = found.filter((outcome) => !outcome.ok);
        assert.ok(bad.length >= 1, `row ${index} was not noticed`);
        assert.ok(bad.every((outcome) => outcome.reason.length > 0 && outcome.line >= 1));
        const others = sample.filter((_, i) => i !== index);
        const ids = soundRows(found).map((row) => row.publication_number);
        assert.deepEqual(
          ids,
          others.map((row) => row.publication_number),
        );
      }
    });
  }
}
