/**
 * On which level of a JSON file an object stands, told from what follows it. Objects in a row with commas between (siblings)
 * are records or the items of a list inside a record. Their list's end tells: after the list of records comes the end of the
 * file, or of the objects around the list; after a list inside a record comes another member or the end of that record, and
 * then another record. So neither keys nor layout matter where the text from the object to the end of its list is sound.
 *
 * Looking ahead ends after `LOOKAHEAD` characters, or at other damage: then the siblings seen are given, to judge by them.
 */
import { scanJson, stringEnd } from './json-scanner.ts';

export const LOOKAHEAD = 1 << 19;

/** Where records stand: in a list, in a list inside an object, or one after another. */
export type Place = 'list' | 'wrapped list' | 'sequence';

export type Level =
  | { level: 'record' }
  /** In a list inside a record, which ends at `end`. */
  | { level: 'inner'; end: number }
  | { level: 'unknown'; siblings: Span[] }
  /** More text is needed. */
  | { level: 'more' };

export interface Span {
  start: number;
  end: number;
}

/** The level of the object that starts at `start`; siblings are empty where it is not even whole. */
export function levelOf(text: string, start: number, final: boolean, place: Place): Level {
  const siblings: Span[] = [];
  const unknown: Level = { level: 'unknown', siblings };
  for (let at = start; ; ) {
    const scan = scanJson(text, at, final);
    if (scan.state === 'more') return text.length - start > LOOKAHEAD ? unknown : { level: 'more' };
    if (scan.state === 'broken') return unknown;
    siblings.push({ start: at, end: scan.end });
    const after = sign(text, scan.end);
    if (after === text.length) {
      if (!final) return text.length - start > LOOKAHEAD ? unknown : { level: 'more' };
      return place === 'sequence' ? { level: 'record' } : unknown;
    }
    if (scan.end - start > LOOKAHEAD) return unknown;
    if (text[after] === ']') return afterList(text, after + 1, final, place, unknown, start);
    at = text[after] === ',' ? sign(text, after + 1) : after;
    if (at === text.length && !final) return { level: 'more' };
    if (text[at] !== '{') return unknown;
  }
}

/** What a list of objects is, by what follows its closing bracket. */
function afterList(text: string, from: number, final: boolean, place: Place, unknown: Level, start: number): Level {
  const inner: Level = { level: 'inner', end: from };
  const cut: Level = final || text.length - start > LOOKAHEAD ? unknown : { level: 'more' };
  let closed = 0;
  for (let at = from; ; ) {
    at = sign(text, at);
    if (at === text.length) return final ? { level: 'record' } : cut;
    if (place !== 'wrapped list') {
      if (text[at] === '}' || text[at] === ']') return inner;
      if (text[at] !== ',') return unknown;
      const next = sign(text, at + 1);
      return next === text.length ? cut : text[next] === '"' ? inner : unknown;
    }
    if (text[at] === '}') {
      closed++;
      at++;
    } else if (text[at] === ']') return inner;
    else if (text[at] === ',') {
      const key = sign(text, at + 1);
      if (key === text.length) return cut;
      if (text[key] !== '"') return text[key] === '{' && closed > 0 ? inner : unknown;
      const close = stringEnd(text, key);
      if (close < 0) return cut;
      const colon = sign(text, close);
      if (colon === text.length) return cut;
      if (text[colon] !== ':') return unknown;
      const value = scanJson(text, colon + 1, final);
      if (value.state === 'more') return cut;
      if (value.state === 'broken') return unknown;
      at = value.end;
    } else return unknown;
  }
}

/** Position of the first sign from `at` on that is no blank; the length of the text where there is none. */
export function sign(text: string, at: number): number {
  let i = at;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && (code < 0x09 || code > 0x0d) && code !== 0xfeff) break;
  }
  return i;
}

export interface InnerList {
  /** Whole objects that are its items. */
  items: Span[];
  /** Something other than an object stands before the first of them. */
  mixed: boolean;
}

/**
 * Lists inside the value at `start` that are open at `end`, outermost first; `closed`: also the one closed last. Up to `end`
 * the grammar holds.
 */
export function openLists(text: string, start: number, end: number, closed: boolean): InnerList[] {
  const stack: { list: InnerList | undefined; start: number }[] = [];
  let last: InnerList | undefined;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const top = stack[stack.length - 1]?.list;
    if (code === 0x7b || code === 0x5b) {
      stack.push({ list: code === 0x5b ? { items: [], mixed: false } : undefined, start: i });
    } else if (code === 0x7d || code === 0x5d) {
      const ended = stack.pop();
      const around = stack[stack.length - 1]?.list;
      if (ended?.list !== undefined) last = ended.list;
      if (around === undefined || ended === undefined) continue;
      if (ended.list === undefined) around.items.push({ start: ended.start, end: i + 1 });
      else if (around.items.length === 0) around.mixed = true;
    } else if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09 && code !== 0x2c) {
      if (top !== undefined && top.items.length === 0) top.mixed = true;
      if (code === 0x22) {
        const close = stringEnd(text, i);
        if (close < 0) break;
        i = close - 1;
      }
    }
  }
  const open = stack.flatMap(({ list }) => (list === undefined ? [] : [list]));
  return closed && last !== undefined ? [...open, last] : open;
}
