/**
 * JSON: an array of records, one record, several one after another, or an object that holds the array (`--record` names it,
 * with dots where it lies deeper; without it the usual names are known). The array is read one record at a time.
 *
 * Damage stays in its record. Where the grammar breaks, reading goes on at the next object that is whole, is followed by a
 * comma or the end of the array, and has the keys of a record: most of the keys that all records so far have, and no more
 * new keys than known ones. So an object inside the broken record is not taken for a record. What lies between is one rejected row.
 */
import { inputError, quoteFound } from '../../base/errors.ts';
import { isKnownColumn } from '../columns.ts';
import type { Importer, ImporterContext, Row, RowOutcome, SourceFile } from './importer.ts';
import { jsonReason, parseJson, scanJson, stringEnd } from './json-scanner.ts';
import { readText } from './read-text.ts';
import { decodeHead } from './text.ts';
import { TextBuffer } from './text-buffer.ts';

/** A longer record (in characters) is rejected, not held in memory. */
const LONGEST_RECORD = 1 << 26;
/** Characters in which the shape of records is looked for, where the first one is damaged. */
const WINDOW = 1 << 19;
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
  detect({ name, bytes }) {
    const start = /^\s*(?:\[\s*(?:[{\]]|$)|\{\s*(?:["}]|$))/.exec(decodeHead(bytes).replace(/^\ufeff/, ''));
    if (start === null) return name.endsWith('.json') ? 0.3 : 0;
    return name.endsWith('.json') ? 0.9 : 0.8;
  },
  async *rows(file, context) {
    const buffer = new TextBuffer(readText(file, context));
    try {
      yield* new JsonRecords(buffer, file, context).read();
    } finally {
      await buffer.close();
    }
  },
};

class JsonRecords {
  private readonly buffer: TextBuffer;
  private readonly file: SourceFile;
  private readonly record: string | undefined;
  /** Keys of all sound records, and those that every one of them has. */
  private readonly known = new Set<string>();
  private common: Set<string> | undefined;
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
        yield await this.resume(this.buffer.line, 'text between records');
      }
    }
  }

  /** The elements of the array at the position; `inside`: an object surrounds it. */
  private async *list(inside: boolean): AsyncGenerator<RowOutcome, void, undefined> {
    const { buffer } = this;
    buffer.advance(buffer.position + 1);
    for (;;) {
      const next = await buffer.skipBlanks();
      if (next === '') {
        if (this.left) return;
        throw this.truncated();
      }
      if (next === ',' || next === ']') {
        const line = buffer.line;
        buffer.advance(buffer.position + 1);
        if (next === ',') continue;
        // Inside a wrapper nothing but another member or its end follows a list.
        if (!inside || ',}]'.includes(await buffer.skipBlanks())) return;
        yield { ok: false, line, reason: 'a closing bracket out of place' };
      }
      const line = buffer.line;
      if (next === '[') {
        // Read as a value, a stray bracket would take in all records that follow.
        yield await this.resume(line, 'a list where a record belongs');
        continue;
      }
      const end = await this.scan();
      yield typeof end === 'number' ? await this.take(line, end) : await this.resume(line, end.reason, end.at);
    }
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
      if (this.common === undefined && buffer.final && end.atEnd) throw this.truncated();
      yield await this.resume(line, end.reason, end.at);
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
  private async scan(offset = 0): Promise<number | { reason: string; at: number; atEnd: boolean }> {
    const { buffer } = this;
    for (;;) {
      const scan = scanJson(buffer.text, buffer.position + offset, buffer.final);
      if (scan.state === 'value') return scan.end - buffer.position;
      if (scan.state === 'broken')
        return { reason: scan.reason, at: scan.at - buffer.position, atEnd: scan.at >= buffer.text.length };
      if (buffer.length - offset > LONGEST_RECORD)
        return { reason: `longer than ${LONGEST_RECORD} characters`, at: buffer.length, atEnd: false };
      await buffer.grow();
    }
  }

  /** The record that ends `end` characters after the position. */
  private async take(line: number, end: number): Promise<RowOutcome> {
    const { buffer } = this;
    const text = buffer.text.slice(buffer.position, buffer.position + end);
    buffer.advance(buffer.position + end);
    const row = asRow(text);
    if (typeof row === 'string') return { ok: false, line, reason: row, found: quoteFound(text) };
    if (await this.endsSoundly()) this.learn(row);
    else {
      // Either this record was closed too early, or the next one has lost its beginning: its keys tell.
      const missing = [...(this.common ?? [])].some((key) => !Object.hasOwn(row, key));
      if (missing) return this.resume(line, 'the record ends too early');
      this.pending = Object.keys(row);
    }
    return { ok: true, line, row };
  }

  /** After a record comes the end of its list, or a comma and the next record. */
  private async endsSoundly(): Promise<boolean> {
    const { buffer } = this;
    for (;;) {
      const match = /\s*(?:(,\s*)?([^\s,])|$)/y;
      match.lastIndex = buffer.position;
      const next = match.exec(buffer.text)?.[2];
      if (next !== undefined) return next === '{' || next === '[' || next === ']';
      if (!(await buffer.grow())) return true;
    }
  }

  private learn(row: Row): void {
    const keys = Object.keys(row);
    if (this.common === undefined) this.common = new Set(keys);
    else for (const key of this.common) if (!Object.hasOwn(row, key)) this.common.delete(key);
    if (this.known.size < 1000) for (const key of keys) this.known.add(key);
  }

  /** Passes over damage at the position, on to the next object that is a record. `at`: how far the grammar holds. */
  private async resume(line: number, reason: string, at = 0): Promise<RowOutcome> {
    const { buffer } = this;
    const found = buffer.text.slice(buffer.position, buffer.position + 200);
    const common = this.common ?? (await this.likelyKeys(at));
    let offset = 1;
    /** Last sign passed over that is not a blank. */
    let last = '';
    const pass = (end: number): void => {
      last = /\S(?=\s*$)/.exec(buffer.text.slice(Math.max(buffer.position, end - 1000), end))?.[0] ?? last;
      buffer.advance(end);
    };
    for (;;) {
      const opening = /\{\s*"/g;
      opening.lastIndex = buffer.position + offset;
      const match = opening.exec(buffer.text);
      if (match === null) {
        if (buffer.final) break;
        // A brace at the very end may open the next object.
        const brace = buffer.text.lastIndexOf('{');
        const keep = brace >= 0 && /^\{\s*$/.test(buffer.text.slice(brace)) ? brace : buffer.text.length;
        pass(Math.max(buffer.position, keep));
        offset = 0;
        await buffer.grow();
        continue;
      }
      offset = match.index - buffer.position;
      const end = await this.scan(offset);
      if (typeof end === 'number' && (await this.endsRecord(end)) && this.isRecord(offset, end, common)) {
        pass(buffer.position + offset);
        // The first item of a list and the value of a key lie inside a record.
        if (last !== '[' && last !== ':') return { ok: false, line, reason, found: quoteFound(found) };
        offset = 0;
      }
      pass(buffer.position + offset + 1);
      offset = 0;
    }
    // Nothing sound follows: the damaged record was the last, if the file still ends as JSON does.
    pass(buffer.text.length);
    if (last !== ']' && last !== '}') throw this.truncated();
    this.left = true;
    return { ok: false, line, reason, found: quoteFound(found) };
  }

  /**
   * Keys of records, as far as they can be told where the first record is damaged: those that it shows before the damage,
   * or, if that agrees, those of the longest whole object in what follows (objects inside records are shorter).
   */
  private async likelyKeys(at: number): Promise<ReadonlySet<string>> {
    const { buffer } = this;
    const shown = new Set([...this.pending, ...outerKeys(buffer.text.slice(buffer.position, buffer.position + at))]);
    while (buffer.length < WINDOW && (await buffer.grow()));
    let longest: Row = {};
    let length = 0;
    const opening = /([^\s[:]\s*)\{\s*"/g;
    opening.lastIndex = buffer.position + 1;
    for (let match = opening.exec(buffer.text); match !== null; match = opening.exec(buffer.text)) {
      const start = match.index + match[1]!.length;
      const scan = scanJson(buffer.text, start, buffer.final);
      opening.lastIndex = scan.state === 'value' ? scan.end - 1 : start + 1;
      if (scan.state !== 'value' || scan.end - start <= length) continue;
      const row = asRow(buffer.text.slice(start, scan.end));
      if (typeof row === 'string') continue;
      longest = row;
      length = scan.end - start;
    }
    const agreed = [...shown].filter((key) => Object.hasOwn(longest, key)).length;
    return length > 0 && agreed >= 0.6 * shown.size ? new Set(Object.keys(longest)) : shown;
  }

  /** What follows the object that ends at `end` is what follows a record. */
  private async endsRecord(end: number): Promise<boolean> {
    const { buffer } = this;
    for (;;) {
      const match = /\s*(\S)/y;
      match.lastIndex = buffer.position + end;
      const next = match.exec(buffer.text)?.[1];
      if (next !== undefined) return next === ',' || next === ']' || next === '{';
      if (!(await buffer.grow())) return true;
    }
  }

  private isRecord(offset: number, end: number, common: ReadonlySet<string>): boolean {
    const row = asRow(this.buffer.text.slice(this.buffer.position + offset, this.buffer.position + end));
    if (typeof row === 'string') return false;
    const keys = Object.keys(row);
    const shared = [...common].filter((key) => Object.hasOwn(row, key)).length;
    if (shared < 0.6 * common.size) return false;
    return this.known.size === 0 || keys.filter((key) => this.known.has(key)).length * 2 >= keys.length;
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

/** Keys at the top of an object whose text may break off. */
function outerKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i]!;
    if (sign === '{' || sign === '[') depth++;
    else if (sign === '}' || sign === ']') depth--;
    else if (sign === '"') {
      const end = stringEnd(text, i);
      if (end < 0) break;
      if (depth === 1 && /^\s*:/.test(text.slice(end, end + 20))) keys.push(text.slice(i + 1, end - 1));
      i = end - 1;
    }
  }
  return keys;
}

/** The record of a text, or why it is none. */
function asRow(text: string): Row | string {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    return `not valid JSON: ${jsonReason(error)}`;
  }
  return value === null || typeof value !== 'object' || Array.isArray(value) ? 'not a JSON object' : (value as Row);
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
