/**
 * Reads the sheets of an XLSX workbook (ECMA-376, SpreadsheetML): the list of sheets, the shared strings, which cell styles
 * are dates, and then the cells of one sheet, row by row as they are parsed. Only shared strings are held in memory, within a
 * limit; the file format needs them at hand. XML is read by a streaming parser that knows no entities but XML's own; a
 * document type is refused.
 */
import { SaxesParser } from 'saxes';
import { inputError, PatentlabError } from '../../base/errors.ts';
import type { ZipReader } from './zip.ts';

/** Characters of all shared strings together. */
const LONGEST_STRINGS = 2 ** 28;
/** Characters of one cell or of one run of markup. */
const LONGEST_CELL = 2 ** 24;
/** Columns of a sheet, as Excel has it. */
const MOST_COLUMNS = 16_384;

export type Cell = string | number | boolean | null;

export interface SheetRow {
  /** 1-based, as the sheet numbers it. */
  number: number;
  cells: Cell[];
  /** Why the row cannot be trusted. */
  damage?: string;
}

interface Handlers {
  open?: (name: string, attributes: Record<string, string>) => void;
  text?: (text: string) => void;
  close?: (name: string) => void;
}

export class Workbook {
  private readonly zip: ZipReader;
  private sheets: { name: string; member: string }[] = [];
  private strings: string[] = [];
  /** By cell style: its number format shows a date. */
  private dates: boolean[] = [];
  private since1904 = false;
  /** Where the workbook's members lie. */
  private folder = 'xl/';

  private constructor(zip: ZipReader) {
    this.zip = zip;
  }

  static async open(zip: ZipReader): Promise<Workbook> {
    const workbook = new Workbook(zip);
    await workbook.readSheets();
    await workbook.readStrings();
    await workbook.readStyles();
    return workbook;
  }

  /** Rows of the sheet called `name`, by default of the first. */
  async *rows(name?: string): AsyncGenerator<SheetRow, void, undefined> {
    const sheet = name === undefined ? this.sheets[0] : this.sheets.find((each) => each.name === name);
    if (sheet === undefined) {
      throw inputError(name === undefined ? 'the workbook has no sheet' : '--record names no sheet of the workbook', {
        code: 'import.record',
        file: this.zip.path,
        ...(name === undefined ? {} : { field: name }),
        expected: `one of ${this.sheets.map((each) => each.name).join(', ') || 'no sheets'}`,
        found: name ?? 'none',
        hint: 'Name a sheet with --record, or leave it out for the first one.',
      });
    }
    const ready: SheetRow[] = [];
    const handlers = this.sheetHandlers(ready);
    for await (const _ of this.parse(sheet.member, handlers)) {
      yield* ready;
      ready.length = 0;
    }
    yield* ready;
  }

  private sheetHandlers(ready: SheetRow[]): Handlers {
    let row: SheetRow | undefined;
    let number = 0;
    let column = 0;
    let type = 'n';
    let style = 0;
    let value = '';
    let reading = false;
    let phonetic = false;
    return {
      open: (name, attributes) => {
        if (name === 'row') {
          number = Number(attributes.r ?? number + 1) || number + 1;
          row = { number, cells: [] };
          column = 0;
        } else if (name === 'c') {
          const place = columnOf(attributes.r);
          column = place ?? column + 1;
          type = attributes.t ?? 'n';
          style = Number(attributes.s ?? 0);
          value = '';
        } else if (name === 'rPh') phonetic = true;
        else if (name === 'v' || name === 't') reading = !phonetic;
      },
      text: (text) => {
        if (reading) value += text;
      },
      close: (name) => {
        if (name === 'v' || name === 't') reading = false;
        else if (name === 'rPh') phonetic = false;
        else if (name === 'c' && row !== undefined) {
          if (column > MOST_COLUMNS) row.damage = `more than ${MOST_COLUMNS} columns`;
          else {
            const cell = this.cellValue(type, value, style);
            if (cell === undefined) row.damage = `a cell in column ${column} cannot be read: ${value.slice(0, 40)}`;
            else if (cell !== null) {
              while (row.cells.length < column - 1) row.cells.push(null);
              row.cells[column - 1] = cell;
            }
          }
        } else if (name === 'row' && row !== undefined) {
          ready.push(row);
          row = undefined;
        }
      },
    };
  }

  /** The value of a cell; null where it is empty or an error value, undefined where it makes no sense. */
  private cellValue(type: string, text: string, style: number): Cell | undefined {
    if (type === 'inlineStr' || type === 'str') return unescapeCell(text);
    if (text === '' || type === 'e') return null;
    if (type === 's') return this.strings[Number(text)];
    if (type === 'b') return text === '1' || text === 'true';
    if (type === 'd') return text;
    const number = Number(text);
    if (!Number.isFinite(number)) return undefined;
    return this.dates[style] ? serialDate(number, this.since1904) : number;
  }

  private async readSheets(): Promise<void> {
    const targets = new Map<string, string>();
    let main = 'xl/workbook.xml';
    if (this.zip.has('_rels/.rels')) {
      await this.parseAll('_rels/.rels', {
        open: (name, { Type, Target }) => {
          if (name === 'Relationship' && Type?.endsWith('/officeDocument') && Target !== undefined)
            main = memberPath('', Target);
        },
      });
    }
    if (!this.zip.has(main)) {
      throw inputError('the ZIP file is no workbook', {
        code: 'import.xlsx',
        file: this.zip.path,
        expected: 'an XLSX workbook',
        found: `no ${main} in it`,
        hint: 'Unpack it first if it holds other files.',
      });
    }
    const folder = main.slice(0, main.lastIndexOf('/') + 1);
    const relations = `${folder}_rels/${main.slice(folder.length)}.rels`;
    if (this.zip.has(relations)) {
      await this.parseAll(relations, {
        open: (name, { Id, Target }) => {
          if (name === 'Relationship' && Id !== undefined && Target !== undefined)
            targets.set(Id, memberPath(folder, Target));
        },
      });
    }
    await this.parseAll(main, {
      open: (name, attributes) => {
        if (name === 'workbookPr') this.since1904 = /^(?:1|true)$/.test(attributes.date1904 ?? '');
        if (name !== 'sheet') return;
        const relation = Object.entries(attributes).find(([key]) => /(?:^|:)id$/.test(key))?.[1];
        const member = targets.get(relation ?? '') ?? `${folder}worksheets/sheet${this.sheets.length + 1}.xml`;
        if (this.zip.has(member))
          this.sheets.push({ name: attributes.name ?? `Sheet${this.sheets.length + 1}`, member });
      },
    });
    this.folder = folder;
  }

  private async readStrings(): Promise<void> {
    const member = `${this.folder}sharedStrings.xml`;
    if (!this.zip.has(member)) return;
    let text = '';
    let reading = false;
    // Phonetic runs repeat a text in another script.
    let phonetic = false;
    let total = 0;
    await this.parseAll(member, {
      open: (name) => {
        if (name === 'si') text = '';
        else if (name === 'rPh') phonetic = true;
        else if (name === 't') reading = !phonetic;
      },
      text: (piece) => {
        if (reading) text += piece;
      },
      close: (name) => {
        if (name === 't') reading = false;
        else if (name === 'rPh') phonetic = false;
        else if (name === 'si') {
          total += text.length;
          if (total > LONGEST_STRINGS) throw this.tooLong('the shared strings', LONGEST_STRINGS);
          this.strings.push(unescapeCell(text));
        }
      },
    });
  }

  private async readStyles(): Promise<void> {
    const member = `${this.folder}styles.xml`;
    if (!this.zip.has(member)) return;
    const custom = new Map<number, boolean>();
    let inside = false;
    await this.parseAll(member, {
      open: (name, attributes) => {
        if (name === 'numFmt') custom.set(Number(attributes.numFmtId), isDateFormat(attributes.formatCode ?? ''));
        else if (name === 'cellXfs') inside = true;
        else if (name === 'xf' && inside) {
          const format = Number(attributes.numFmtId ?? 0);
          this.dates.push(
            custom.get(format) ??
              ((format >= 14 && format <= 17) ||
                format === 22 ||
                (format >= 27 && format <= 36) ||
                (format >= 50 && format <= 58)),
          );
        }
      },
      close: (name) => {
        if (name === 'cellXfs') inside = false;
      },
    });
  }

  private async parseAll(member: string, handlers: Handlers): Promise<void> {
    for await (const _ of this.parse(member, handlers));
  }

  /** Feeds a member to the handlers, pausing after every chunk. Names come without their prefix. */
  private async *parse(member: string, handlers: Handlers): AsyncGenerator<void, void, undefined> {
    const parser = new SaxesParser({ position: false });
    const decoder = new TextDecoder('utf-8', { fatal: false });
    let sinceTag = 0;
    const failure = (reason: string) =>
      inputError('the workbook is damaged', {
        code: 'import.xlsx',
        file: this.zip.path,
        expected: `well-formed XML in ${member}`,
        found: reason,
        hint: 'Open it in a spreadsheet program and save it again, or save it as CSV.',
      });
    parser.on('error', (error) => {
      throw failure(error.message);
    });
    parser.on('doctype', () => {
      throw failure('a document type declaration');
    });
    parser.on('opentag', (tag) => {
      sinceTag = 0;
      handlers.open?.(localName(tag.name), tag.attributes as Record<string, string>);
    });
    parser.on('text', (text) => handlers.text?.(text));
    parser.on('cdata', (text) => handlers.text?.(text));
    parser.on('closetag', (tag) => {
      sinceTag = 0;
      handlers.close?.(localName(tag.name));
    });
    try {
      for await (const bytes of this.zip.read(member)) {
        const text = decoder.decode(bytes, { stream: true });
        sinceTag += text.length;
        parser.write(text);
        if (sinceTag > LONGEST_CELL) throw this.tooLong('a cell', LONGEST_CELL);
        yield;
      }
      parser.write(decoder.decode()).close();
    } catch (error) {
      throw error instanceof PatentlabError ? error : failure(String((error as Error).message));
    }
  }

  private tooLong(what: string, limit: number) {
    return inputError('the workbook is larger inside than can be held', {
      code: 'import.zip-bomb',
      file: this.zip.path,
      expected: `${what} of at most ${limit} characters`,
      found: 'more',
      hint: 'Save the sheet as CSV.',
    });
  }
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(colon + 1);
}

/** `worksheets/sheet1.xml` seen from a folder; `/xl/...` seen from the top. */
function memberPath(folder: string, target: string): string {
  const parts: string[] = [];
  for (const part of (target.startsWith('/') ? target : folder + target).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** `BC12` -> 55. */
function columnOf(reference: string | undefined): number | undefined {
  if (reference === undefined) return undefined;
  let column = 0;
  for (let i = 0; i < reference.length; i++) {
    const code = reference.charCodeAt(i);
    if (code < 0x41 || code > 0x5a) break;
    column = column * 26 + code - 0x40;
  }
  return column === 0 ? undefined : column;
}

/** `_x000D_` stands for a character that XML cannot hold. */
function unescapeCell(text: string): string {
  return text.includes('_x')
    ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;
}

function isDateFormat(code: string): boolean {
  const plain = code.replace(/"[^"]*"|\\.|\[[^\]]*\]/g, '');
  return /[yd]/i.test(plain) && !/[#?]|0\.0/.test(plain);
}

/** Days since 1899-12-30 (1904-01-01 on old Macintosh files) as an ISO date; day 60 never was (Lotus's leap year). */
function serialDate(serial: number, since1904: boolean): string | number {
  const day = Math.floor(since1904 ? serial + 1462 : serial < 60 ? serial + 1 : serial);
  const date = new Date(Date.UTC(1899, 11, 30) + day * 86_400_000);
  return Number.isNaN(date.getTime()) || day < 1 ? serial : date.toISOString().slice(0, 10);
}
