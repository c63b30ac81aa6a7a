/**
 * One record of delimited text (RFC 4180) at a time, from a growing buffer.
 *
 * A field that begins with a quote ends at the next quote that is not doubled; what follows must be a delimiter or the
 * end of the record, else the quoting is broken. A quote inside a field that does not begin with one is a plain
 * character. Records end at `\n` or `\r\n` outside quotes. The scanner never decides what to do about a broken record:
 * that is the importer's part (`csv.ts`).
 */

export interface Dialect {
  delimiter: string;
  /** False for tab-separated files that use `"` as a plain character. */
  quoted: boolean;
}

export type Scan =
  | {
      state: 'record';
      fields: string[];
      /** Position after the record and its line end. */
      end: number;
      /** Line ends consumed. */
      lines: number;
      /** A quote stands inside a field that does not begin with one. */
      looseQuote: boolean;
    }
  | { state: 'broken'; reason: string }
  /** The buffer ends inside the record. */
  | { state: 'more' };

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Scans the record that starts at `start`. `final`: nothing follows the buffer. */
export function scanRecord(text: string, start: number, final: boolean, { delimiter, quoted }: Dialect): Scan {
  let newline = text.indexOf('\n', start);
  if (newline < 0) {
    if (!final) return { state: 'more' };
    newline = text.length;
  }
  // Most records hold no quote at all: one split.
  const quote = text.indexOf('"', start);
  if (!quoted || quote < 0 || quote > newline) {
    const fields = line(text, start, newline).split(delimiter);
    return { state: 'record', fields, end: Math.min(newline + 1, text.length), lines: 1, looseQuote: false };
  }
  const separator = delimiter.charCodeAt(0);
  const fields: string[] = [];
  let looseQuote = false;
  let lines = 1;
  let i = start;
  for (;;) {
    if (text.charCodeAt(i) === QUOTE) {
      const opened = i + 1;
      let doubled = false;
      let close = opened;
      for (;;) {
        close = text.indexOf('"', close);
        if (close < 0)
          return final ? { state: 'broken', reason: 'a quote is opened and never closed' } : { state: 'more' };
        if (close + 1 >= text.length && !final) return { state: 'more' };
        if (text.charCodeAt(close + 1) !== QUOTE) break;
        doubled = true;
        close += 2;
      }
      const value = text.slice(opened, close);
      fields.push(doubled ? value.replaceAll('""', '"') : value);
      lines += newlines(text, opened, close);
      i = close + 1;
      if (i >= text.length) return { state: 'record', fields, end: text.length, lines, looseQuote };
      const next = text.charCodeAt(i);
      if (next === separator) {
        i++;
        continue;
      }
      if (next === NEWLINE) return { state: 'record', fields, end: i + 1, lines, looseQuote };
      if (next === RETURN) {
        if (i + 1 >= text.length && !final) return { state: 'more' };
        if (i + 1 >= text.length || text.charCodeAt(i + 1) === NEWLINE)
          return { state: 'record', fields, end: Math.min(i + 2, text.length), lines, looseQuote };
      }
      return { state: 'broken', reason: 'text follows the closing quote of a field' };
    }
    if (newline < i) {
      newline = text.indexOf('\n', i);
      if (newline < 0) {
        if (!final) return { state: 'more' };
        newline = text.length;
      }
    }
    const stop = text.indexOf(delimiter, i);
    const last = stop < 0 || stop > newline;
    const value = last ? line(text, i, newline) : text.slice(i, stop);
    if (value.includes('"')) looseQuote = true;
    fields.push(value);
    if (last) return { state: 'record', fields, end: Math.min(newline + 1, text.length), lines, looseQuote };
    i = stop + 1;
  }
}

/** Text up to a line end, without the `\r` of `\r\n`. */
function line(text: string, from: number, newline: number): string {
  return text.slice(from, newline > from && text.charCodeAt(newline - 1) === RETURN ? newline - 1 : newline);
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let i = text.indexOf('\n', from); i >= 0 && i < to; i = text.indexOf('\n', i + 1)) count++;
  return count;
}
