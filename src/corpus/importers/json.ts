/**
 * JSON: an array of records, one record, several one after another, or an object that holds the array (`--record` names it,
 * with dots where it lies deeper; without it the usual names are known). The array is read one record at a time.
 *
 * Damage stays in its record: a record that is broken in one place (text cut off, a lost, strange or additional sign, a
 * lost comma after it) becomes one rejected row, and all others are what they were, whatever keys they have. Where the grammar
 * breaks, reading goes on at the next object on the level of records. That level is told by what follows the object
 * (`json-siblings.ts`) or by the layout (`record-shape.ts`); by keys only where further damage follows within half a million
 * characters, or the list inside a record is longer than that.
 *
 * One damage hides: a record cut off inside a list of objects. The records that follow then read as items of that list, up to
 * the end of the file or the next damage. They are told from items by layout, or by two keys that records have and items have
 * not. Records without, up to the first that has them, are lost with the damaged one, and its rejected row says how many there
 * may be. The last record of a list inside an object, cut off so, cannot be told from a file that is cut off: that is refused,
 * and nothing of it is stored.
 */
import { inputError, quoteFound } from '../../base/errors.ts';
import { isKnownColumn } from '../columns.ts';
import type { Importer, ImporterContext, Row, RowOutcome, SourceFile } from './importer.ts';
import { asRow, likelyKeys, MARGIN, swallowed } from './json-recovery.ts';
import { scanJson, stringEnd } from './json-scanner.ts';
import { levelOf, type Place, sign } from './json-siblings.ts';
import { readText } from './read-text.ts';
import { RecordShape } from './record-shape.ts';
import { decodeHead } from './text.ts';
import { TextBuffer } from './text-buffer.ts';

/** A longer record (in characters) is rejected, not held in memory. */
const LONGEST_RECORD = 1 << 26;
/** Names under which services put their lists of records. */
const LISTS = new Set([
  'data',
  'results',
  'result',
  'patents',
  'records',
  'documents',
  'docs',
  'items',
  'hits',
  'rows',
  'publications',
  'patent',
]);
/** Names of objects around such a list. */
const WRAPPERS = new Set([...LISTS, 'response', 'search', 'searchResults']);
/** A list of single values, which holds no records; anything else is one, even if its first record is damaged. */
const SCALARS = /^\[\s*(?:"(?:[^"\\]|\\.)*"|-?\d[\d.]*|true|false|null)\s*[,\]]/;

export const json: Importer = {
  format: 'json',
  extensions: ['.json'],
  nests: true,
  detect({ name, bytes }) {
    const start = /^\s*(?:\[\s*(?:[{\]]|$)|\{\s*(?:["}]|$))/.exec(decodeHead(bytes).replace(/^\ufeff/, ''));
    if (start === null) return name.endsWith('.json') ? 0.3 : 0;
    return name.endsWith('.json') ? 0.9 : 0.8;
  },
  rows: (file, context) => readRecords(readText(file, context), file, context),
};

/** The records of a JSON text that comes in pieces of any size. */
export async function* readRecords(
  text: AsyncIterable<string>,
  file: SourceFile,
  context: ImporterContext,
): AsyncGenerator<RowOutcome, void, undefined> {
  const buffer = new TextBuffer(text);
  try {
    yield* new JsonRecords(buffer, file, context).read();
  } finally {
    await buffer.close();
  }
}

/** Where the grammar breaks, in characters from the position. */
interface Damage {
  reason: string;
  at: number;
  /** From where the reading is in doubt. */
  doubt: number;
  /** The text ends there. */
  atEnd: boolean;
}

class JsonRecords {
  private readonly buffer: TextBuffer;
  private readonly file: SourceFile;
  private readonly record: string | undefined;
  private readonly shape = new RecordShape();
  private place: Place = 'sequence';
  /** Keys of the last record, where what follows it is damage. */
  private pending: string[] = [];
  /** The file has been read to its end, which is that of JSON. */
  private left = false;

  constructor(buffer: TextBuffer, file: SourceFile, context: ImporterContext) {
    this.buffer = buffer;
    this.file = file;
    this.record = context.record;
  }

  async *read(): AsyncGenerator<RowOutcome, void, undefined> {
    if (this.record !== undefined) {
      yield* this.named(this.record.split('.'));
      return;
    }
    for (let begun = false; ; begun = true) {
      const first = await this.buffer.skipBlanks();
      if (first === '') return;
      if (first === '[') yield* this.list(false);
      else if (first === '{') yield* this.object(true);
      else {
        // After a list or record this is damage; at the start it is another format.
        if (!begun) throw this.wrongStart(first);
        yield await this.resume(this.buffer.line, broken('text between records'));
      }
    }
  }

  /** The elements of the array at the position; `inside`: an object surrounds it. */
  private async *list(inside: boolean): AsyncGenerator<RowOutcome, void, undefined> {
    const { buffer } = this;
    this.place = inside ? 'wrapped list' : 'list';
    buffer.advance(buffer.position + 1);
    let lead: string | undefined;
    for (let begun = false; ; begun = true) {
      const next = await buffer.skipBlanks();
      if (!begun && buffer.blanks.includes('\n')) this.shape.firstLead = buffer.blanks;
      if (next === '') {
        if (this.left) return;
        throw this.truncated();
      }
      if (next === ',') {
        buffer.advance(buffer.position + 1);
        await buffer.skipBlanks();
        lead = buffer.blanks;
        continue;
      }
      if (next === ']') {
        const line = buffer.line;
        buffer.advance(buffer.position + 1);
        // Inside an object nothing but another member or its end follows a list, otherwise nothing or another list.
        const after = await this.signAfter(0);
        if (inside ? ['', '}', ']', ',"'].includes(after) : !after.startsWith(',')) break;
        yield { ok: false, line, reason: 'a closing bracket out of place' };
      }
      const line = buffer.line;
      if (next === '[') {
        // Read as a value, a stray bracket would take in all records that follow.
        yield await this.resume(line, broken('a list where a record belongs'));
        lead = undefined;
        continue;
      }
      const end = await this.scan();
      yield typeof end === 'number' ? await this.take(line, end, lead) : await this.resume(line, end);
      lead = undefined;
    }
    this.place = 'sequence';
  }

  /**
   * An object outside of arrays: a wrapper of a list of records, else itself a record. `outer`: nothing surrounds it.
   * Its text stays in the buffer until that is known.
   */
  private async *object(outer: boolean): AsyncGenerator<RowOutcome, void, undefined> {
    const { buffer } = this;
    const line = buffer.line;
    const list = await this.findList();
    if (list !== undefined) {
      buffer.advance(buffer.position + list);
      if (buffer.text[buffer.position] === '[') yield* this.list(true);
      else yield* this.object(false);
      await this.leaveWrapper();
      return;
    }
    const end = await this.scan();
    if (typeof end !== 'number') {
      if (this.shape.common === undefined && buffer.final && end.atEnd) throw this.truncated();
      yield await this.resume(line, end);
      return;
    }
    const outcome = await this.take(line, end);
    const inner = outcome.ok && outer ? soleList(outcome.row) : undefined;
    if (inner === undefined) yield outcome;
    else for (const row of inner) yield { ok: true, line, row };
  }

  /** Offset of the value under a known name at the top of the object at the position; undefined where there is none. */
  private async findList(): Promise<number | undefined> {
    const { buffer } = this;
    let offset = 1;
    for (;;) {
      const member = await this.member(offset);
      if (member === undefined) return undefined;
      const { text, position } = buffer;
      const opening = text[position + member.value];
      if (
        opening === '[' &&
        LISTS.has(member.key) &&
        !SCALARS.test(text.slice(position + member.value, position + member.value + 200))
      )
        return member.value;
      if (opening === '{' && WRAPPERS.has(member.key)) return member.value;
      const end = await this.scan(member.value);
      if (typeof end !== 'number') return undefined;
      offset = end;
    }
  }

  /** Key and start of the value of the object member at `offset` from the position; undefined after the last or at damage. */
  private async member(offset: number): Promise<{ key: string; value: number } | undefined> {
    const { buffer } = this;
    for (;;) {
      const { text, position } = buffer;
      const head = /[\s,]*(?:"|(\}))/y;
      head.lastIndex = position + offset;
      const match = head.exec(text);
      if (match?.[1] !== undefined) return undefined;
      if (match !== null) {
        const open = head.lastIndex - 1;
        const close = stringEnd(text, open);
        const colon = /\s*:\s*(?=\S)/y;
        colon.lastIndex = Math.max(0, close);
        // A list is told by its first element, so some text after the bracket is needed.
        if (close > 0 && colon.test(text) && (colon.lastIndex + 200 < text.length || buffer.final)) {
          const key = text.slice(open + 1, close - 1);
          return { key, value: colon.lastIndex - position };
        }
      }
      if (buffer.final || buffer.length > LONGEST_RECORD) return undefined;
      await buffer.grow();
    }
  }

  /** `--record a.b`: into the object under `a`, to the array or object under `b`. */
  private async *named(path: string[]): AsyncGenerator<RowOutcome, void, undefined> {
    const { buffer } = this;
    if ((await buffer.skipBlanks()) === '') return;
    for (const name of path) {
      if ((await buffer.skipBlanks()) !== '{') throw this.noRecord([]);
      const keys: string[] = [];
      let offset = 1;
      for (;;) {
        const member = await this.member(offset);
        if (member === undefined) throw this.noRecord(keys);
        keys.push(member.key);
        if (member.key === name) {
          buffer.advance(buffer.position + member.value);
          break;
        }
        const end = await this.scan(member.value);
        if (typeof end !== 'number') throw this.noRecord(keys);
        // Members passed over need not stay in memory; the position then lies inside the object.
        buffer.advance(buffer.position + end);
        offset = 0;
      }
    }
    if (buffer.text[buffer.position] === '[') yield* this.list(true);
    else yield* this.object(false);
    await this.leaveWrapper();
  }

  /** Reads what follows the list inside its wrapper, to its end: a file that breaks off there is not whole. */
  private async leaveWrapper(): Promise<void> {
    const { buffer } = this;
    if (this.left) return;
    this.left = true;
    let last = '';
    for (;;) {
      const rest = buffer.text.slice(buffer.position).trimEnd();
      if (rest !== '') last = rest[rest.length - 1]!;
      buffer.advance(buffer.text.length);
      if (!(await buffer.grow())) break;
    }
    if (last !== '}' && last !== ']') throw this.truncated();
  }

  /** End of the value `offset` from the position, from the position; or why there is none. */
  private async scan(offset = 0, inObject = false): Promise<number | Damage> {
    const { buffer } = this;
    for (;;) {
      const { text, position, final } = buffer;
      const scan = scanJson(text, position + offset, final, inObject);
      if (scan.state === 'value') return scan.end - position;
      if (scan.state === 'broken') {
        const { reason, at, doubt } = scan;
        return { reason, at: at - position, doubt: doubt - position, atEnd: at >= text.length };
      }
      if (buffer.length - offset > LONGEST_RECORD) {
        const at = buffer.length;
        return { reason: `longer than ${LONGEST_RECORD} characters`, at, doubt: at, atEnd: false };
      }
      await buffer.grow();
    }
  }

  /** The record that ends `end` characters after the position; `lead`: the blanks before it. */
  private async take(line: number, end: number, lead?: string): Promise<RowOutcome> {
    const { buffer } = this;
    const text = buffer.text.slice(buffer.position, buffer.position + end);
    const row = asRow(text);
    const after = await this.signAfter(end);
    if (this.isSound(after)) {
      buffer.advance(buffer.position + end);
      if (typeof row === 'string') return { ok: false, line, reason: row, found: quoteFound(text) };
      this.shape.learn(row, text, lead);
      return { ok: true, line, row };
    }
    // What follows is damage: of this record, closed too early or cut off before others, or of the next one.
    if (typeof row !== 'string') this.pending = Object.keys(row);
    const cut = swallowed(buffer, this.shape, this.place, { end: end, closed: true });
    if (cut.offset !== undefined || typeof row === 'string') {
      const reason = typeof row === 'string' ? row : 'the record breaks off inside a list';
      return this.resume(line, { reason, at: end, doubt: end, atEnd: true });
    }
    const rest = after.startsWith(',"') ? await this.restOf(row, end) : undefined;
    buffer.advance(buffer.position + (rest ?? end));
    if (rest !== undefined) return { ok: false, line, reason: 'the record ends too early', found: quoteFound(text) };
    return { ok: true, line, row };
  }

  /** The next sign after `end`, with the comma before it; '' at the end of the text. */
  private async signAfter(end: number): Promise<string> {
    const { buffer } = this;
    for (;;) {
      const { text, position } = buffer;
      const first = sign(text, position + end);
      const next = text[first] === ',' ? sign(text, first + 1) : first;
      if (next < text.length) return next > first ? `,${text[next]!}` : text[next]!;
      if (!(await buffer.grow())) return first < text.length ? ',' : '';
    }
  }

  /** After a record comes the end of its list, or a comma and the next record; a lost comma harms nothing. */
  private isSound(after: string): boolean {
    if (after === '') return this.place === 'sequence';
    return /^,?[{[\]]$/.test(after);
  }

  /**
   * End of the members after `end` that belong to the record `row`, which a stray bracket has closed. They are those of the
   * next record, with its opening bracket lost, if a key comes again.
   */
  private async restOf(row: Row, end: number): Promise<number | undefined> {
    const { buffer } = this;
    const start = sign(buffer.text, sign(buffer.text, buffer.position + end) + 1) - buffer.position;
    const close = await this.scan(start, true);
    if (typeof close !== 'number') return undefined;
    const rest = asRow(`{${buffer.text.slice(buffer.position + start, buffer.position + close)}`);
    if (typeof rest === 'string' || Object.keys(rest).some((key) => Object.hasOwn(row, key))) return undefined;
    return close;
  }

  /** Passes over damage at the position, on to the next object that is a record. */
  private async resume(line: number, { reason, at, doubt, atEnd }: Damage): Promise<RowOutcome> {
    const { buffer } = this;
    const found = quoteFound(buffer.text.slice(buffer.position, buffer.position + 200));
    const cut = swallowed(buffer, this.shape, this.place, { end: at, closed: atEnd });
    if (cut.offset !== undefined) {
      buffer.advance(buffer.position + cut.offset);
      const lost = cut.unsure === 0 ? '' : `; of its last items ${cut.unsure} may be records`;
      return { ok: false, line, reason: `the record breaks off inside a list${lost}`, found };
    }
    const lost = cut.unsure === 0 || !atEnd ? '' : ` (${cut.unsure} objects in a list inside it may be records)`;
    const rejected: RowOutcome = { ok: false, line, reason: reason + lost, found };
    const common = this.shape.common ?? (await likelyKeys(buffer, this.pending, at));
    let offset = Math.max(1, doubt);
    /** Last sign passed over that is not a blank. */
    let last = '';
    const pass = (end: number): void => {
      last = /\S(?=\s*$)/.exec(buffer.text.slice(Math.max(buffer.position, end - 1000), end))?.[0] ?? last;
      buffer.advance(end);
    };
    /** Forgets what lies well before `offset`. */
    const forget = (): void => {
      const surplus = offset - MARGIN;
      if (surplus <= 0) return;
      pass(buffer.position + surplus);
      offset = MARGIN;
    };
    for (;;) {
      const opening = /\{\s*"/g;
      opening.lastIndex = buffer.position + offset;
      const match = opening.exec(buffer.text);
      if (match === null) {
        if (buffer.final) break;
        // A brace at the very end may open the next object.
        const brace = buffer.text.lastIndexOf('{');
        const open = brace >= buffer.position + offset && /^\{\s*$/.test(buffer.text.slice(brace));
        offset = open ? brace - buffer.position : Math.max(offset, buffer.length);
        forget();
        await buffer.grow();
        continue;
      }
      offset = match.index - buffer.position;
      forget();
      const next = await this.judge(offset, common);
      if (next === undefined) {
        buffer.advance(buffer.position + offset);
        return rejected;
      }
      offset = next;
    }
    // Nothing sound follows: the damaged record was the last, if the file still ends as JSON does.
    pass(buffer.text.length);
    if (last !== ']' && last !== '}') throw this.truncated();
    this.left = true;
    return rejected;
  }

  /** Undefined where the object at `offset` is a record; otherwise where to look on. */
  private async judge(offset: number, common: ReadonlySet<string>): Promise<number | undefined> {
    const { buffer, shape } = this;
    const before = buffer.text.slice(buffer.position + Math.max(0, offset - MARGIN), buffer.position + offset);
    const [, previous, lead] = /(\S)(\s*)$/.exec(before) ?? [];
    // The first item of a list and the value of a key lie inside a record, or after the records; so do all items of the list.
    if (previous === ':') return offset + 1;
    if (previous === '[') {
      const bracket = offset - 1 - lead!.length;
      // At the position itself it is the damage.
      const end = bracket > 0 ? await this.scan(bracket) : undefined;
      return typeof end === 'number' ? end : offset + 1;
    }
    for (;;) {
      const { text, position } = buffer;
      const level = levelOf(text, position + offset, buffer.final, this.place);
      if (level.level === 'more') {
        await buffer.grow();
        continue;
      }
      if (level.level === 'inner') return level.end - position;
      const rows =
        level.level === 'unknown'
          ? level.siblings
              .map(({ start, end }) => asRow(text.slice(start, end)))
              .filter((row) => typeof row !== 'string')
          : [];
      const isRecord =
        level.level === 'record' ||
        (rows.length > 0 && lead !== undefined && shape.isLead(lead)) ||
        rows.some((row) => shape.isLike(row, common));
      return isRecord ? undefined : offset + 1;
    }
  }

  private truncated() {
    return inputError('the JSON ends before its list of records does', {
      code: 'import.truncated',
      file: this.file.path,
      line: this.buffer.line,
      expected: 'a closing bracket at the end of the file',
      found: 'end of file',
      hint: 'Export or copy the file again; nothing of it was stored.',
    });
  }

  private wrongStart(first: string) {
    return inputError('the file is not JSON', {
      code: 'import.format',
      file: this.file.path,
      line: this.buffer.line,
      expected: 'a list or an object',
      found: quoteFound(this.buffer.text.slice(this.buffer.position, this.buffer.position + 40) || first),
      hint: 'Name the format with --format.',
    });
  }

  private noRecord(keys: readonly string[]) {
    return inputError('--record names nothing in the file', {
      code: 'import.record',
      file: this.file.path,
      field: this.record!,
      expected: 'the name of a list of records, with dots where it lies deeper',
      found: keys.length === 0 ? 'no object there' : `names ${keys.slice(0, 20).join(', ')}`,
      hint: 'Name the list that holds the records, or leave --record out where the file is a list.',
    });
  }
}

/** Damage at the position itself. */
function broken(reason: string): Damage {
  return { reason, at: 0, doubt: 0, atEnd: false };
}

/** The one list of objects in an object that is itself no record of a patent. */
function soleList(row: Row): Row[] | undefined {
  if (Object.keys(row).some(isKnownColumn)) return undefined;
  const lists = Object.values(row).filter(
    (value): value is Row[] =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((item) => item !== null && typeof item === 'object' && !Array.isArray(item)),
  );
  return lists.length === 1 ? lists[0] : undefined;
}
