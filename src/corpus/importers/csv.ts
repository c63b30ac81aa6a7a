/**
 * Delimited text: comma, semicolon, tab or bar, quoted fields with line breaks, a header row.
 *
 * Damage stays in its row. A record is bad when its quoting is broken or its number of fields is not the header's. A bad
 * record of one line is passed over. One of several lines may have swallowed its neighbours (a lost closing quote runs on
 * to the next quote of the file), so reading starts again at its second line, and goes on line by line until a line
 * starts a sound record: exact number of fields, no stray quote, a first field built like those of earlier rows. The
 * lines between are one rejected row. A lost quote is found at the latest at the next opening quote, at the end of the
 * file or at the longest record allowed.
 */
import { inputError, quoteFound } from '../../base/errors.ts';
import { HEAD_BYTES, readHead } from './bytes.ts';
import { type DetectedDialect, detectDialect } from './csv-dialect.ts';
import { type Scan, scanRecord } from './csv-scanner.ts';
import { columnNames } from './header.ts';
import type { Importer, ImporterContext, Row, RowOutcome, SourceFile } from './importer.ts';
import { readText } from './read-text.ts';
import { decodeHead } from './text.ts';
import { TextBuffer } from './text-buffer.ts';

/** A longer record (in characters) is rejected, not held in memory. */
const LONGEST_RECORD = 1 << 25;
/** How many kinds of first field are remembered; a file with more has no telling first field. */
const SHAPES = 64;

export const csv: Importer = delimited('csv', ['.csv', '.txt', '.ssv', '.psv']);
export const tsv: Importer = delimited('tsv', ['.tsv', '.tab'], '\t');

function delimited(format: string, extensions: string[], delimiter?: string): Importer {
  return {
    format,
    extensions,
    detect({ name, bytes }) {
      const text = decodeHead(bytes);
      if (/^\s*[[{]/.test(text) || text.includes('\0')) return 0;
      const named = extensions.some((extension) => name.endsWith(extension));
      if (text.trim() === '') return named ? 0.6 : 0;
      const dialect = detectDialect(text, bytes.length < HEAD_BYTES);
      if (delimiter !== undefined && dialect.delimiter !== delimiter) return 0;
      return Math.min(0.9, (named ? 0.5 : 0) + 0.5 * dialect.score + (delimiter === undefined ? 0 : 0.01));
    },
    rows: (file, context) => rows(file, context, delimiter),
  };
}

async function* rows(
  file: SourceFile,
  context: ImporterContext,
  delimiter: string | undefined,
): AsyncGenerator<RowOutcome, void, undefined> {
  const head = await readHead(file.path);
  const dialect = detectDialect(decodeHead(head), head.length < HEAD_BYTES, delimiter);
  const records = new RecordReader(readText(file, context), dialect);
  try {
    const names = await headerNames(records, dialect.preamble, file);
    if (names === undefined) return;
    for (;;) {
      const record = await records.next(names.length);
      if (record === undefined) return;
      if (!record.ok) yield record;
      else if (!isBlank(record.fields)) {
        const row: Row = {};
        for (let i = 0; i < names.length; i++) row[names[i]!] = record.fields[i]!;
        yield { ok: true, line: record.line, row };
      }
    }
  } finally {
    await records.close();
  }
}

async function headerNames(records: RecordReader, preamble: number, file: SourceFile): Promise<string[] | undefined> {
  for (let index = 0; ; index++) {
    const record = await records.next(undefined);
    if (record === undefined) return undefined;
    if (index < preamble || (record.ok && isBlank(record.fields))) continue;
    if (record.ok) return columnNames(record.fields);
    throw inputError('the header row cannot be read', {
      code: 'import.header',
      file: file.path,
      line: record.line,
      expected: 'a row of column names',
      found: record.reason,
      hint: 'Mend the first row of the file, or name the format with --format.',
    });
  }
}

type CsvRecord = { ok: true; line: number; fields: string[] } | (RowOutcome & { ok: false });

/** Records from a text stream, with resynchronisation. The window holds the current record and at most as much again. */
class RecordReader {
  private readonly buffer: TextBuffer;
  private readonly dialect: DetectedDialect;
  private shapes: Set<string> | undefined = new Set();

  constructor(chunks: AsyncIterable<string>, dialect: DetectedDialect) {
    this.buffer = new TextBuffer(dialect.carriageReturns ? unixLines(chunks) : chunks);
    this.dialect = dialect;
  }

  /** `width`: the header's number of fields, once it is known. */
  async next(width: number | undefined): Promise<CsvRecord | undefined> {
    const { buffer } = this;
    if (buffer.length === 0 && !(await buffer.grow())) return undefined;
    const line = buffer.line;
    const scan = await this.scan(0);
    if (scan.state !== 'record') return this.resume(line, width, scan.state === 'broken' ? scan.reason : '');
    const fields = width === undefined ? scan.fields : fitted(scan.fields, width);
    const sound = width === undefined || fields.length === width || isBlank(fields);
    const misfit = `${fields.length} fields where the header has ${width}`;
    if (scan.lines > 1) {
      if (!sound) return this.resume(line, width, misfit);
      // Quoted line breaks beside a stray quote: more likely two rows run together than one row.
      if (scan.looseQuote) return this.resume(line, width, 'a stray quote in a row of several lines');
    }
    buffer.position += scan.end;
    buffer.line += scan.lines;
    if (!sound) return rejected(line, misfit, fields.join(this.dialect.delimiter));
    if (width !== undefined && !isBlank(fields)) this.learn(fields[0]!);
    return { ok: true, line, fields };
  }

  /** Closes the file; to be called once nothing more is read. */
  close(): Promise<void> {
    return this.buffer.close();
  }

  /** Scans the record `offset` characters after the position; the end in the result counts from the position, too. */
  private async scan(offset: number): Promise<Scan> {
    const { buffer } = this;
    for (;;) {
      const scan = scanRecord(buffer.text, buffer.position + offset, buffer.final, this.dialect);
      if (scan.state === 'record') scan.end -= buffer.position;
      if (scan.state !== 'more') return scan;
      if (buffer.length - offset > LONGEST_RECORD)
        return { state: 'broken', reason: `the row is longer than ${LONGEST_RECORD} characters` };
      await buffer.grow();
    }
  }

  /** Passes over a broken record: on to the first later line that starts a sound one. */
  private async resume(line: number, width: number | undefined, reason: string): Promise<CsvRecord> {
    const { buffer } = this;
    const found = buffer.text.slice(buffer.position, buffer.position + 200);
    for (;;) {
      const ended = await this.skipLine();
      if (ended || width === undefined) break;
      const scan = await this.scan(0);
      if (scan.state === 'record' && this.isSound(scan, width)) break;
    }
    const span = buffer.line > line + 1 ? `; read on at line ${buffer.line}` : '';
    return rejected(line, reason + span, found);
  }

  /** Moves behind the next line end; true at the end of the file. */
  private async skipLine(): Promise<boolean> {
    const { buffer } = this;
    for (;;) {
      const newline = buffer.text.indexOf('\n', buffer.position);
      if (newline >= 0) {
        buffer.position = newline + 1;
        buffer.line++;
        if (buffer.length > 0) return false;
      } else buffer.position = buffer.text.length;
      if (!(await buffer.grow())) return true;
      if (newline >= 0) return false;
    }
  }

  private isSound(scan: Scan & { state: 'record' }, width: number): boolean {
    const fields = fitted(scan.fields, width);
    if (fields.length !== width || scan.looseQuote || isBlank(fields)) return false;
    return this.shapes === undefined || this.shapes.size === 0 || this.shapes.has(shapeOf(fields[0]!));
  }

  private learn(field: string): void {
    if (this.shapes === undefined) return;
    this.shapes.add(shapeOf(field));
    if (this.shapes.size > SHAPES) this.shapes = undefined;
  }
}

function rejected(line: number, reason: string, found: string): CsvRecord {
  return { ok: false, line, reason, found: quoteFound(found) };
}

/** Lines that end in a lone `\r` as lines that end in `\n`. */
async function* unixLines(chunks: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  for await (const chunk of chunks) yield chunk.replaceAll('\r', '\n');
}

/** Empty fields beyond the header's width are dropped. */
function fitted(fields: string[], width: number): string[] {
  let length = fields.length;
  while (length > width && fields[length - 1]!.trim() === '') length--;
  return length === fields.length ? fields : fields.slice(0, length);
}

function isBlank(fields: readonly string[]): boolean {
  return fields.every((field) => field === '' || field.trim() === '');
}

/** `US-2004137729-A1` -> `A-9-A9`: how a field is built. */
function shapeOf(field: string): string {
  return field
    .slice(0, 40)
    .replace(/\d+/g, '9')
    .replace(/\p{L}+/gu, 'A');
}
