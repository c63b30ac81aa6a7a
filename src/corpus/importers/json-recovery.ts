/**
 * What damage has left of the records of a JSON list: a record that a list inside another one swallowed, the keys that records
 * have, and the row of a text. The reading itself, and where it goes on, is `json.ts`.
 */
import type { Row } from './importer.ts';
import { jsonReason, parseJson, scanJson, stringEnd } from './json-scanner.ts';
import { LOOKAHEAD, levelOf, openLists, type Place } from './json-siblings.ts';
import type { RecordShape } from './record-shape.ts';
import type { TextBuffer } from './text-buffer.ts';

/** Characters before an object that tell how it is laid out. */
export const MARGIN = 256;

/**
 * The first record among the items of a list that the value at the position left open before `end` (see the head of
 * `json.ts`), if any; and how many items before it, or in all, may be records. `closed`: the list is closed by a bracket of another.
 */
export function swallowed(
  { text, position, final }: TextBuffer,
  shape: RecordShape,
  place: Place,
  { end, closed }: { end: number; closed: boolean },
): { offset?: number; unsure: number } {
  const shown = new Set(outerKeys(text.slice(position, position + end)));
  let unsure = 0;
  for (const { items, mixed } of openLists(text, position, position + end, closed)) {
    const rows = items.map((item) => asRow(text.slice(item.start, item.end)));
    const first = rows[0];
    if (first === undefined || typeof first === 'string') continue;
    const keys = new Set(Object.keys(first));
    const isRecord = (i: number): boolean => {
      const row = rows[i]!;
      if (typeof row === 'string') return false;
      const { start } = items[i]!;
      const lead = /\s*$/.exec(text.slice(Math.max(position, start - MARGIN), start))![0];
      if (!mixed && !shape.isLead(lead) && !shape.isApart(row, keys, shown)) return false;
      return levelOf(text, start, final, place).level !== 'inner';
    };
    // The first item of a list is its own, unless it stands among values of another kind.
    let at = mixed ? 0 : 1;
    while (at < items.length && !isRecord(at)) at++;
    if (at < items.length) return { offset: items[at]!.start - position, unsure: Math.max(0, at - 1) };
    unsure = Math.max(unsure, items.length - 1);
  }
  return { unsure };
}

/**
 * Keys of records, as far as they can be told where the first record is damaged: those that it shows before the damage,
 * or, if that agrees, those of the longest whole object in what follows (objects inside records are shorter).
 */
export async function likelyKeys(
  buffer: TextBuffer,
  pending: readonly string[],
  at: number,
): Promise<ReadonlySet<string>> {
  const shown = new Set([...pending, ...outerKeys(buffer.text.slice(buffer.position, buffer.position + at))]);
  while (buffer.length < LOOKAHEAD && (await buffer.grow()));
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
export function asRow(text: string): Row | string {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    return `not valid JSON: ${jsonReason(error)}`;
  }
  return value === null || typeof value !== 'object' || Array.isArray(value) ? 'not a JSON object' : (value as Row);
}
