/**
 * The names of a stored corpus in memory: ids as UTF-8 bytes with offsets (about 20 bytes a patent), and an index from every
 * name (id, alias, normalised number, application key) to its rows.
 *
 * A citation resolves to the patent that bears its number, kind code included; where none does, to the publications of the
 * same application (`numbers.ts`): the citation without a kind code, or with another. More than one of these is ambiguous;
 * all of them count as cited, since a searcher who finds any has found the document.
 */
import { open } from 'node:fs/promises';
import { parseNumber, seriesOf } from './numbers.ts';
import { damaged } from './store-format.ts';
import { NameIndex } from './store-index.ts';
import { namesOf } from './store-record.ts';

export interface Resolution {
  rows: readonly number[];
  ambiguous: boolean;
}

const nowhere: Resolution = { rows: [], ambiguous: false };

export class CorpusNames {
  readonly size: number;
  private readonly bytes: Uint8Array;
  /** Start of each id in `bytes`, then the end of the last. */
  private readonly starts: Float64Array;
  private readonly index: NameIndex;
  /** Numbering series of each row's id (`seriesOf`) as a character code; 0 for none. */
  private readonly series: Uint8Array;
  private readonly decoder = new TextDecoder();

  private constructor(size: number, bytes: Uint8Array, starts: Float64Array, index: NameIndex, series: Uint8Array) {
    this.size = size;
    this.bytes = bytes;
    this.starts = starts;
    this.index = index;
    this.series = series;
  }

  /** Reads names.txt (`byteLength` bytes, `size` lines); with 0 bytes the ids themselves are not kept, only found. */
  static async load(path: string, size: number, byteLength: number): Promise<CorpusNames> {
    const bytes = new Uint8Array(byteLength);
    const target = Buffer.from(bytes.buffer);
    const starts = new Float64Array(size + 1);
    const series = new Uint8Array(size);
    const index = new NameIndex(size * 2);
    let row = 0;
    let filled = 0;
    for await (const lines of textLines(path)) {
      for (const line of lines) {
        if (row === size) throw damaged(path, `more than ${size} lines`);
        const [id, ...aliases] = line.split('\t') as [string, ...string[]];
        starts[row] = filled;
        if (byteLength > 0) filled += target.write(id, filled);
        const { exact, keys } = namesOf(id, aliases);
        for (const name of exact) index.add(name, row);
        for (const key of keys) index.add(`\t${key}`, row);
        const parsed = parseNumber(id);
        if (parsed !== undefined) series[row] = seriesOf(parsed).charCodeAt(0) || 0;
        row++;
      }
    }
    if (row !== size) throw damaged(path, `${row} lines`, undefined, `${size} lines`);
    starts[size] = filled;
    return new CorpusNames(size, bytes.slice(0, filled), starts, index, series);
  }

  id(row: number): string {
    if (!(row >= 0 && row < this.size)) throw new RangeError(`row ${row} is not one of ${this.size}`);
    return this.decoder.decode(this.bytes.subarray(this.starts[row]!, this.starts[row + 1]!));
  }

  /** The row of an id, an alias, or a publication number in any form; undefined where there is none or more than one. */
  row(name: string): number | undefined {
    const exact = this.index.all(name);
    if (exact.length > 0) return exact.find((row) => this.id(row) === name) ?? exact[0];
    const { rows } = this.resolve(name);
    return rows.length === 1 ? rows[0] : undefined;
  }

  /** The rows a citation means. */
  resolve(citation: string): Resolution {
    const number = parseNumber(citation);
    if (number === undefined) {
      const row = this.index.first(citation);
      return row < 0 ? nowhere : { rows: [row], ambiguous: false };
    }
    const exact = this.index.first(number.key + (number.kind ?? ''));
    if (exact >= 0) return { rows: [exact], ambiguous: false };
    let rows = this.index.all(`\t${number.key}`);
    if (rows.length === 0) return nowhere;
    const series = seriesOf(number).charCodeAt(0) || 0;
    if (series !== 0) rows = rows.filter((row) => this.series[row] === 0 || this.series[row] === series);
    return rows.length === 0 ? nowhere : { rows, ambiguous: rows.length > 1 };
  }

  /** Rows of the same application as `row`, itself included. */
  sameApplication(row: number): readonly number[] {
    const number = parseNumber(this.id(row));
    if (number === undefined) return [row];
    const series = this.series[row]!;
    const rows = this.index.all(`\t${number.key}`);
    return series === 0 ? rows : rows.filter((other) => this.series[other] === 0 || this.series[other] === series);
  }
}

/** The lines of a UTF-8 file the store wrote, in batches. */
export async function* textLines(path: string): AsyncGenerator<string[], void, undefined> {
  const file = await open(path, 'r');
  try {
    const decoder = new TextDecoder();
    const block = Buffer.allocUnsafeSlow(1 << 20);
    let rest = '';
    for (;;) {
      const { bytesRead } = await file.read(block, 0, block.length);
      const text = rest + decoder.decode(block.subarray(0, bytesRead), { stream: bytesRead > 0 });
      if (bytesRead === 0) {
        if (text !== '') yield text.split('\n');
        return;
      }
      const end = text.lastIndexOf('\n');
      if (end >= 0) yield text.slice(0, end).split('\n');
      rest = text.slice(end + 1);
    }
  } finally {
    await file.close();
  }
}
