/** Every importer through the shared conformance suite. */
import { csv, tsv } from '../../src/corpus/importers/csv.ts';
import { json } from '../../src/corpus/importers/json.ts';
import { jsonl } from '../../src/corpus/importers/jsonl.ts';
import { parquet } from '../../src/corpus/importers/parquet.ts';
import { xlsx } from '../../src/corpus/importers/xlsx.ts';
import { importerConformance } from './importer-conformance.ts';
import {
  type Cells,
  delimitedRecord,
  delimitedText,
  jsonLines,
  parquetFile,
  workbookFile,
  zipFile,
} from './importer-fixtures.ts';

/** Breaks one of several pieces of text. */
function broken(pieces: string[], index: number, damage: (piece: string) => string): string[] {
  return pieces.map((piece, i) => (i === index ? damage(piece) : piece));
}

importerConformance({
  name: 'JSON lines',
  importer: jsonl,
  extension: '.jsonl',
  write: (rows) => Buffer.from(jsonLines(rows)),
  text: true,
  emptyIsValid: true,
  damage: (rows, index) =>
    Buffer.from(
      broken(
        rows.map((row) => `${JSON.stringify(row)}\n`),
        index,
        (line) => line.replace('":"', '":'),
      ).join(''),
    ),
});

for (const [name, write] of Object.entries({
  'JSON array': (rows: readonly Cells[]) => JSON.stringify(rows),
  'JSON array on many lines': (rows: readonly Cells[]) => JSON.stringify(rows, null, 2),
  'JSON object with a list': (rows: readonly Cells[]) =>
    JSON.stringify({ total: rows.length, took: { ms: [1, 2] }, results: rows, next: null }, null, 1),
  'JSON objects one after another': (rows: readonly Cells[]) =>
    rows.map((row) => JSON.stringify(row, null, 1)).join('\n'),
})) {
  importerConformance({
    name,
    importer: json,
    extension: '.json',
    write: (rows) => Buffer.from(write(rows)),
    text: true,
    emptyIsValid: true,
    ...(name.startsWith('JSON array')
      ? {
          damage: (rows: readonly Cells[], index: number) => {
            const pieces = rows.map((row) =>
              name.includes('lines') ? JSON.stringify(row, null, 2) : JSON.stringify(row),
            );
            return Buffer.from(
              `[${broken(pieces, index, (piece) => piece.replace(/"title": ?"/, '"title":')).join(',\n')}]`,
            );
          },
        }
      : {}),
  });
}

for (const [name, delimiter, lineEnd] of [
  ['CSV with commas', ',', '\n'],
  ['CSV with semicolons', ';', '\r\n'],
  ['CSV with bars', '|', '\n'],
  ['TSV', '\t', '\n'],
] as const) {
  importerConformance({
    name,
    importer: delimiter === '\t' ? tsv : csv,
    extension: delimiter === '\t' ? '.tsv' : '.csv',
    write: (rows) => Buffer.from(delimitedText(rows, delimiter, lineEnd)),
    text: true,
    emptyIsValid: true,
    damage: (rows, index) => {
      const records = rows.map((row) => delimitedRecord(Object.values(row), delimiter));
      const header = delimitedRecord(Object.keys(rows[0]!), delimiter);
      const lost = (record: string) => record.replace(delimiter, `${delimiter}"`);
      return Buffer.from([header, ...broken(records, index, lost)].join(lineEnd) + lineEnd);
    },
  });
}

importerConformance({
  name: 'Parquet',
  importer: parquet,
  extension: '.parquet',
  write: parquetFile,
  text: false,
  emptyIsValid: false,
});

importerConformance({
  name: 'XLSX',
  importer: xlsx,
  extension: '.xlsx',
  write: (rows) => workbookFile(rows),
  text: false,
  emptyIsValid: false,
  damage: (rows, index) => {
    const cells = rows.map((row, y) =>
      Object.values(row).map((cell, x) =>
        y === index && x === 1
          ? '<c t="s"><v>99</v></c>'
          : `<c t="inlineStr"><is><t>${cell.replace(/[<&]/g, ' ')}</t></is></c>`,
      ),
    );
    const header = Object.keys(rows[0]!).map((name) => `<c t="inlineStr"><is><t>${name}</t></is></c>`);
    const sheet = [header, ...cells].map((row) => `<row>${row.join('')}</row>`).join('');
    return zipFile({
      'xl/workbook.xml': '<workbook><sheets><sheet name="S" sheetId="1"/></sheets></workbook>',
      'xl/worksheets/sheet1.xml': `<worksheet><sheetData>${sheet}</sheetData></worksheet>`,
    });
  },
});
