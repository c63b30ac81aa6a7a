/**
 * Finds the end of one JSON value in a growing buffer, checking the grammar of everything outside strings on the way, so
 * that damage (a lost quote or bracket) shows within a few tokens instead of swallowing the values that follow.
 */

export type JsonScan =
  | { state: 'value'; end: number }
  /**
   * `at`: where the grammar was first broken. `doubt`: from where the reading may be wrong already: the start of the last
   * text before that, which a lost quote may have made too long.
   */
  | { state: 'broken'; at: number; doubt: number; reason: string }
  /** The buffer ends inside the value. */
  | { state: 'more' };

/** Deeper nesting is refused: it is damage or an attack, and writing it again would exhaust the stack. */
const DEEPEST = 200;
const LITERAL = /true|false|null|NaN|-?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

// What may come next.
const VALUE = 0;
const VALUE_OR_END = 1;
const KEY = 2;
const KEY_OR_END = 3;
const COLON = 4;
const COMMA_OR_END = 5;

/**
 * Scans the value that starts at `start` (blanks before it are allowed). `final`: nothing follows the buffer. `inObject`:
 * an object, from the key of a member on.
 */
export function scanJson(text: string, start: number, final: boolean, inObject = false): JsonScan {
  const closers: number[] = inObject ? [0x7d] : [];
  let expected = inObject ? KEY : VALUE;
  let lastText = start;
  const broken = (at: number, reason: string): JsonScan => ({
    state: 'broken',
    at,
    doubt: at < text.length && at > start ? lastText : at,
    reason,
  });
  for (let i = start; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      i++;
      continue;
    }
    if (code === 0x22) {
      if (expected === COLON || expected === COMMA_OR_END) return broken(i, 'text where a comma or colon belongs');
      const end = stringEnd(text, i);
      lastText = i;
      if (end < 0) return final ? broken(i, 'a text is not closed') : { state: 'more' };
      i = end;
      expected = expected === KEY || expected === KEY_OR_END ? COLON : COMMA_OR_END;
    } else if (code === 0x3a) {
      if (expected !== COLON) return broken(i, 'a colon out of place');
      expected = VALUE;
      i++;
    } else if (code === 0x2c) {
      if (expected !== COMMA_OR_END) return broken(i, 'a comma out of place');
      expected = closers[closers.length - 1] === 0x7d ? KEY : VALUE;
      i++;
    } else if (code === 0x7b || code === 0x5b) {
      if (expected > VALUE_OR_END) return broken(i, 'a bracket out of place');
      if (closers.length >= DEEPEST) return broken(i, `nested deeper than ${DEEPEST}`);
      closers.push(code + 2);
      expected = code === 0x7b ? KEY_OR_END : VALUE_OR_END;
      i++;
    } else if (code === 0x7d || code === 0x5d) {
      const allowed = expected === COMMA_OR_END || expected === (code === 0x7d ? KEY_OR_END : VALUE_OR_END);
      if (!allowed || closers.pop() !== code) return broken(i, 'a closing bracket out of place');
      expected = COMMA_OR_END;
      i++;
    } else {
      LITERAL.lastIndex = i;
      if (expected > VALUE_OR_END) return broken(i, 'text outside quotes');
      if (!LITERAL.test(text))
        return text.length - i < 10 && !final ? { state: 'more' } : broken(i, 'text outside quotes');
      // `5` may go on as `5e-`, which matches only with the digit after it.
      if (text.length - LITERAL.lastIndex <= 2 && !final) return { state: 'more' };
      i = LITERAL.lastIndex;
      expected = COMMA_OR_END;
    }
    if (closers.length === 0 && expected === COMMA_OR_END) return { state: 'value', end: i };
  }
  return final ? broken(text.length, 'the value does not end') : { state: 'more' };
}

/** Position after the closing quote of the string that opens at `open`; -1 where the buffer ends first. */
export function stringEnd(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return close + 1;
  }
  return -1;
}

/** `JSON.parse` that also reads the `NaN` and `Infinity` which other languages write, as null; refuses nesting beyond 200. */
export function parseJson(text: string): unknown {
  const value = parseLenient(text);
  if (text.length > 2 * DEEPEST && isDeeper(value, DEEPEST))
    throw new SyntaxError(`nested deeper than ${DEEPEST} levels`);
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const part of Array.isArray(value) ? value : Object.values(value)) if (isDeeper(part, levels - 1)) return true;
  return false;
}

function parseLenient(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/\b(?:NaN|Infinity)\b/.test(text)) throw error;
    return JSON.parse(
      text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/gs, (token) => (token.startsWith('"') ? token : 'null')),
    );
  }
}

/** V8 quotes the text around an error in its message: keep what says where and what. */
export function jsonReason(error: unknown): string {
  const message = String((error as Error).message).replace(/, *(?:\.{3})?"[\s\S]*" is not valid JSON/, '');
  return message.length > 120 ? `${message.slice(0, 119)}…` : message;
}
