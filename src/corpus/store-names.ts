/**
 * The names of a stored corpus in memory: ids as UTF-8 bytes with offsets (about 20 bytes a patent), and an index from every
 * name (id, alias, normalised number, application key) to its rows.
 *
 * A citation resolves to the patent that bears its number, kind code included; where none does, to the publications of the
 * same application (`numbers.ts`): the citation without a kind code, or with another. More than one of these is ambiguous;
 * all of them count as cited, since a searcher who finds any has found the document.
 */
import { open } from 'node:fs/promises';
import { type PublicationNumber, parseNumber, seriesOf } from './numbers.ts';
import { damaged } from './store-format.ts';
import { NameIndex } from './store-index.ts';

export interface Resolution {
  rows: readonly number[];
  ambiguous: boolean;
}

const nowhere: Resolution = { rows: [], ambiguous: false };

/** Rows by name, in the order added (`NameIndex`, or texts themselves). */
interface RowsByName {
  first(name: string): number;
  all(name: string): number[];
  add(name: string, row: number): void;
}

export class CorpusNames {
  readonly size: number;
  private bytes = new Uint8Array(0);
  /** Start of each id in `bytes`, then the end of the last. */
  private readonly starts: Float64Array;
  private readonly index: RowsByName;
  /** Numbering series of each row's id (`seriesOf`) as a character code; 0 for none. */
  private readonly series: Uint8Array;
  /** Kind code of each row's id (`kindCode`). */
  private readonly kinds: Uint16Array;
  private readonly decoder = new TextDecoder();

  private constructor(size: number, index: RowsByName, byteLength: number) {
    this.size = size;
    this.index = index;
    this.bytes = new Uint8Array(byteLength);
    this.starts = new Float64Array(byteLength > 0 ? size + 1 : 0);
    this.series = new Uint8Array(size);
    this.kinds = new Uint16Array(size);
  }

  /** Reads names.txt (`byteLength` bytes, `size` lines). */
  static async load(path: string, size: number, byteLength: number): Promise<CorpusNames> {
    const names = new CorpusNames(size, new NameIndex(size), byteLength);
    const target = Buffer.from(names.bytes.buffer);
    let row = 0;
    let filled = 0;
    for await (const lines of textLines(path)) {
      for (const line of lines) {
        if (row === size) throw damaged(path, `more than ${size} lines`);
        names.starts[row] = filled;
        filled += target.write(names.add(row, line), filled);
        row++;
      }
    }
    if (row !== size) throw damaged(path, `${row} lines`, undefined, `${size} lines`);
    names.starts[size] = filled;
    names.bytes = names.bytes.slice(0, filled);
    return names;
  }

  /** `size` patents, whose names `add` brings: for `resolve` alone, ids are not kept. Names are compared as texts. */
  static empty(size: number): CorpusNames {
    return new CorpusNames(size, new TextIndex(), 0);
  }

  /** Adds the names of a row, a line as in names.txt, and returns its id. */
  add(row: number, line: string): string {
    const { index } = this;
    const [id, ...aliases] = line.split('\t') as [string, ...string[]];
    const number = parseNumber(id);
    if (number === undefined) index.add(id, row);
    else {
      index.add(`\t${number.key}`, row);
      this.kinds[row] = kindCode(number);
      this.series[row] = seriesOf(number).charCodeAt(0) || 0;
    }
    for (const alias of aliases) {
      const other = parseNumber(alias);
      if (other === undefined) index.add(alias, row);
      else if (other.key !== number?.key || other.kind !== number.kind) {
        index.add(other.key + (other.kind ?? ''), row);
        index.add(`\t${other.key}`, row);
      }
    }
    return id;
  }

  id(row: number): string {
    if (!(row >= 0 && row < this.size)) throw new RangeError(`row ${row} is not one of ${this.size}`);
    return this.decoder.decode(this.bytes.subarray(this.starts[row]!, this.starts[row + 1]!));
  }

  /** The row of an id, an alias, or a publication number in any form; undefined where there is none or more than one. */
  row(name: string): number | undefined {
    const number = parseNumber(name);
    const exact = number === undefined ? this.index.all(name) : this.exactRows(number);
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
    let rows = this.index.all(`\t${number.key}`);
    if (rows.length === 0) return nowhere;
    const exact = this.exactRows(number, rows);
    if (exact.length > 0) return { rows: [exact[0]!], ambiguous: false };
    const series = seriesOf(number).charCodeAt(0) || 0;
    if (series !== 0) rows = rows.filter((row) => this.series[row] === 0 || this.series[row] === series);
    return rows.length === 0 ? nowhere : { rows, ambiguous: rows.length > 1 };
  }

  /** Rows that bear this very number, kind code included, as id or, failing that, as alias. */
  private exactRows(number: PublicationNumber, rows = this.index.all(`\t${number.key}`)): number[] {
    const kind = kindCode(number);
    const own = rows.filter((row) => this.kinds[row] === kind);
    return own.length > 0 ? own : this.index.all(number.key + (number.kind ?? ''));
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

/** As `NameIndex`, by the texts themselves: larger, and never in doubt. */
class TextIndex implements RowsByName {
  /** A name has one row as a rule. */
  private readonly rows = new Map<string, number | number[]>();

  first(name: string): number {
    return this.all(name)[0] ?? -1;
  }

  all(name: string): number[] {
    const rows = this.rows.get(name) ?? [];
    return typeof rows === 'number' ? [rows] : rows;
  }

  add(name: string, row: number): void {
    const rows = this.rows.get(name);
    if (rows === undefined) this.rows.set(name, row);
    else if (typeof rows === 'number') {
      if (rows !== row) this.rows.set(name, [rows, row]);
    } else if (!rows.includes(row)) rows.push(row);
  }
}

/** A kind as a number; 0 for none, so that a number without kind equals another without. */
function kindCode({ kind }: PublicationNumber): number {
  return kind === undefined ? 0 : kind.charCodeAt(0) * 16 + (kind.length > 1 ? Number(kind[1]) + 1 : 0);
}

/**
 * The lines of a UTF-8 file the store wrote, in batches of a block of `blockBytes`: small enough that V8 drops a batch before
 * it moves it among what lives long.
 */
export async function* textLines(path: string, blockBytes = 1 << 15): AsyncGenerator<string[], void, undefined> {
  const file = await open(path, 'r');
  try {
    const decoder = new TextDecoder();
    const block = Buffer.allocUnsafeSlow(blockBytes);
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
