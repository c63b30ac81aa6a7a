/** Writers of every format for the importers' tests: the same rows, as bytes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { silent } from '../../src/base/progress.ts';
import type { Importer, Row, RowOutcome } from '../../src/corpus/importers/importer.ts';

export type Cells = Record<string, string>;

export function jsonLines(rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

export function delimitedText(rows: readonly Cells[], delimiter: string, lineEnd = '\n'): string {
  const names = Object.keys(rows[0] ?? {});
  return [names, ...rows.map((row) => names.map((name) => row[name] ?? ''))]
    .map((cells) => delimitedRecord(cells, delimiter) + lineEnd)
    .join('');
}

export function delimitedRecord(cells: readonly string[], delimiter: string): string {
  return cells
    .map((cell) => (/["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(delimiter);
}

export async function parquetFile(rows: readonly Cells[], folder: string): Promise<Buffer> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const names = Object.keys(rows[0]!);
  const file = join(folder, 'made.parquet');
  await connection.run(`CREATE TABLE made (${names.map((name) => `"${name}" VARCHAR`).join(', ')})`);
  for (const row of rows)
    await connection.run(
      `INSERT INTO made VALUES (${names.map(() => '?').join(', ')})`,
      names.map((name) => row[name]!),
    );
  await connection.run(`COPY made TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  return readFile(file);
}

/** A workbook of one sheet with shared strings. */
export function workbookFile(rows: readonly Cells[], sheets: readonly string[] = ['Sheet1']): Buffer {
  const strings: string[] = [];
  const names = Object.keys(rows[0] ?? {});
  const table = [names, ...rows.map((row) => names.map((name) => row[name] ?? ''))];
  const sheetXml = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${table
    .map((cells, y) => `<row r="${y + 1}">${cells.map((cell, x) => sharedCell(cell, x, y, strings)).join('')}</row>`)
    .join('')}</sheetData></worksheet>`;
  const members: Record<string, string> = {
    'xl/workbook.xml': `<workbook xmlns:r="r"><sheets>${sheets
      .map((name, i) => `<sheet name="${name}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`)
      .join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships>${sheets
      .map((_, i) => `<Relationship Id="rId${i + 1}" Type="x/worksheet" Target="worksheets/sheet${i + 1}.xml"/>`)
      .join('')}</Relationships>`,
    'xl/sharedStrings.xml': `<sst>${strings.map((text) => `<si><t xml:space="preserve">${xml(text)}</t></si>`).join('')}</sst>`,
  };
  for (const i of sheets.keys()) members[`xl/worksheets/sheet${i + 1}.xml`] = sheetXml;
  return zipFile(members);
}

function sharedCell(cell: string, x: number, y: number, strings: string[]): string {
  if (cell === '') return '';
  strings.push(cell);
  return `<c r="${columnName(x)}${y + 1}" t="s"><v>${strings.length - 1}</v></c>`;
}

function columnName(x: number): string {
  return x < 26 ? String.fromCharCode(65 + x) : columnName(Math.floor(x / 26) - 1) + columnName(x % 26);
}

function xml(text: string): string {
  return text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]!);
}

/** A ZIP file; `declared` overrides the decompressed size that the directory claims. */
export function zipFile(members: Record<string, string | Buffer>, declared: Record<string, number> = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(declared[name] ?? bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004', 'latin1'), fields, Buffer.from(name), packed]);
    const central = Buffer.alloc(46);
    central.write('PK\u0001\u0002', 0, 'latin1');
    central.writeUInt16LE(20, 4);
    fields.copy(central, 6);
    central.writeUInt32LE(offset, 42);
    directory.push(central, Buffer.from(name));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 0, 'latin1');
  end.writeUInt16LE(Object.keys(members).length, 8);
  end.writeUInt16LE(Object.keys(members).length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

/** All outcomes of a file. */
export async function outcomes(
  importer: Importer,
  path: string,
  options: { record?: string; signal?: AbortSignal; said?: string[] } = {},
): Promise<RowOutcome[]> {
  const { said, ...context } = options;
  const progress = { ...silent, say: (message: string) => void said?.push(message) };
  const found: RowOutcome[] = [];
  for await (const outcome of importer.rows({ path, size: 0 }, { progress, ...context })) found.push(outcome);
  return found;
}

export function soundRows(found: readonly RowOutcome[]): Row[] {
  return found.filter((outcome) => outcome.ok).map((outcome) => outcome.row);
}
