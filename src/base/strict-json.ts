/**
 * A strict JSON parser for files that may be hostile. It differs from `JSON.parse` in what it refuses:
 *
 * - a key that stands twice in one object (`JSON.parse` keeps the last one, other readers the first: the published way to
 *   show two programs two different files);
 * - nesting deeper than a limit (a stack overflow otherwise);
 * - with `integersOnly`, every number that is not an unsigned integer below 2^53 written plainly.
 *
 * Objects come without a prototype, so that a key `__proto__` is a key like any other.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface StrictJsonOptions {
  /** Default 32. */
  maxDepth?: number;
  /** Default false. */
  integersOnly?: boolean;
}

/** What is wrong and where: `offset` counts UTF-16 code units from the start, `line` from 1. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError';
  readonly offset: number;
  readonly line: number;

  constructor(message: string, text: string, offset: number) {
    super(message);
    this.offset = offset;
    let line = 1;
    for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line++;
    this.line = line;
  }
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Parses one JSON text; anything but white space after it is an error. */
export function parseStrictJson(text: string, options: StrictJsonOptions = {}): Json {
  const { maxDepth = 32, integersOnly = false } = options;
  let at = 0;

  function fail(message: string, offset = at): never {
    throw new StrictJsonError(message, text, offset);
  }

  function skipSpace(): void {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      at++;
    }
  }

  function value(depth: number): Json {
    const start = text[at];
    if (start === '{' || start === '[') {
      if (depth >= maxDepth) fail(`nested deeper than ${maxDepth} levels`);
      return start === '{' ? object(depth + 1) : array(depth + 1);
    }
    if (start === '"') return string();
    if (start === undefined) fail('the text ends where a value should stand');
    if (start === '-' || (start >= '0' && start <= '9')) return number();
    for (const [word, meaning] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    return fail(`${JSON.stringify(start)} where a value should stand`);
  }

  function object(depth: number): Json {
    const result: { [key: string]: Json } = Object.create(null);
    at++;
    skipSpace();
    if (text[at] === '}') {
      at++;
      return result;
    }
    for (;;) {
      skipSpace();
      if (text[at] !== '"') fail('a key in double quotes should stand here');
      const keyAt = at;
      const key = string();
      if (key in result) fail(`the key ${JSON.stringify(key.slice(0, 80))} stands twice in one object`, keyAt);
      skipSpace();
      if (text[at] !== ':') fail('a colon should stand here');
      at++;
      skipSpace();
      result[key] = value(depth);
      skipSpace();
      const end = text[at++];
      if (end === '}') return result;
      if (end !== ',') fail('a comma or a closing brace should stand here', at - 1);
    }
  }

  function array(depth: number): Json {
    const result: Json[] = [];
    at++;
    skipSpace();
    if (text[at] === ']') {
      at++;
      return result;
    }
    for (;;) {
      skipSpace();
      result.push(value(depth));
      skipSpace();
      const end = text[at++];
      if (end === ']') return result;
      if (end !== ',') fail('a comma or a closing bracket should stand here', at - 1);
    }
  }

  function string(): string {
    at++;
    let result = '';
    for (;;) {
      const from = at;
      for (let code = text.charCodeAt(at); code >= 0x20 && code !== 0x22 && code !== 0x5c; )
        code = text.charCodeAt(++at);
      result += text.slice(from, at);
      const stop = text[at];
      if (stop === undefined) fail('the text ends inside a string');
      if (stop === '"') {
        at++;
        return result;
      }
      if (stop !== '\\') fail('a control character stands in a string');
      const letter = text[at + 1] ?? '';
      if (letter === 'u') {
        const digits = text.slice(at + 2, at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) fail('\\u needs four hexadecimal digits');
        result += String.fromCharCode(Number.parseInt(digits, 16));
        at += 6;
      } else {
        if (!Object.hasOwn(escapes, letter)) fail('an unknown escape stands in a string');
        result += escapes[letter];
        at += 2;
      }
    }
  }

  function number(): number {
    numberPattern.lastIndex = at;
    if (!numberPattern.test(text)) fail('a number should stand here');
    const literal = text.slice(at, numberPattern.lastIndex);
    if (integersOnly && !/^\d+$/.test(literal)) fail(`${literal.slice(0, 40)} is not a whole number`);
    const result = Number(literal);
    if (integersOnly && !Number.isSafeInteger(result)) fail(`${literal.slice(0, 40)} is 2^53 or more`);
    at = numberPattern.lastIndex;
    return result;
  }

  skipSpace();
  const result = value(0);
  skipSpace();
  if (at < text.length) fail('something follows the end of the JSON text');
  return result;
}
