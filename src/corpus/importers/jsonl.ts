/**
 * JSON lines: one JSON object a line. A line that is not one becomes a rejected row; lines are independent by the
 * format's own rule, so no neighbour is touched.
 */
import { quoteFound } from '../../base/errors.ts';
import type { Importer, ImporterContext, Row, RowOutcome, SourceFile } from './importer.ts';
import { jsonReason, parseJson } from './json-scanner.ts';
import { readText } from './read-text.ts';
import { decodeHead } from './text.ts';

/** A longer line (in characters) is rejected, not held in memory. */
const LONGEST_LINE = 1 << 26;

export const jsonl: Importer = {
  format: 'jsonl',
  extensions: ['.jsonl', '.ndjson', '.jsonlines', '.ldjson'],
  detect({ name, bytes }) {
    const text = decodeHead(bytes);
    const named = this.extensions.some((extension) => name.endsWith(extension));
    const [first, ...others] = text.split('\n').filter((line) => line.trim() !== '');
    if (first === undefined) return named ? 0.6 : 0;
    if (!first.trimStart().startsWith('{')) return named ? 0.3 : 0;
    const whole = parses(first);
    if (others.length === 0) return named ? 0.95 : whole ? 0.55 : 0.1;
    if (whole || parses(others[0]!)) return named || others[0]!.trimStart().startsWith('{') ? 0.95 : 0.6;
    return named ? 0.5 : 0.1;
  },
  rows,
};

function parses(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

async function* rows(file: SourceFile, context: ImporterContext): AsyncGenerator<RowOutcome, void, undefined> {
  let line = 0;
  for await (const lines of textLines(readText(file, context), LONGEST_LINE)) {
    for (const text of lines) {
      line++;
      if (text === undefined) {
        yield { ok: false, line, reason: `the line is longer than ${LONGEST_LINE} characters` };
        continue;
      }
      const outcome = parseLine(text, line);
      if (outcome !== undefined) yield outcome;
    }
  }
}

function parseLine(text: string, line: number): RowOutcome | undefined {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (text.trim() === '') return undefined;
    return { ok: false, line, reason: `not valid JSON: ${jsonReason(error)}`, found: quoteFound(text.trim()) };
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return { ok: false, line, reason: 'not a JSON object', found: quoteFound(text.trim()) };
  return { ok: true, line, row: value as Row };
}

/** Lines of a text stream, in batches; `undefined` stands for a line longer than `limit`. `\r\n` ends a line as `\n` does. */
export async function* textLines(
  chunks: AsyncIterable<string>,
  limit: number,
): AsyncGenerator<(string | undefined)[], void, undefined> {
  let parts: string[] = [];
  let length = 0;
  let skipping = false;
  for await (const chunk of chunks) {
    const batch: (string | undefined)[] = [];
    let from = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
      const tail = chunk.slice(from, end);
      batch.push(
        skipping || length + tail.length > limit ? undefined : parts.length === 0 ? tail : parts.join('') + tail,
      );
      parts = [];
      length = 0;
      skipping = false;
      from = end + 1;
    }
    if (from < chunk.length && !skipping) {
      parts.push(from === 0 ? chunk : chunk.slice(from));
      length += chunk.length - from;
      if (length > limit) {
        skipping = true;
        parts = [];
        length = 0;
      }
    }
    if (batch.length > 0) yield batch;
  }
  if (skipping) yield [undefined];
  else if (length > 0) yield [parts.join('')];
}
