/**
 * Judgements and queries of the user's own: a TREC qrels file (`topic iteration document gain`) or three columns
 * (`query document gain`, as BEIR writes them, with or without a header), and a queries file: JSON lines with `id` and `text`
 * (and `date` where there is one), `id <tab> text` lines, or ids of patents of the corpus, one a line.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { inputError, quoteFound } from '../base/errors.ts';

/** topic -> document -> gain, in file order. */
export type Judgements = Map<string, Map<string, number>>;

export interface Query {
  id: string;
  /** Undefined: the id is a patent's, whose own text is the query. */
  text?: string;
  date?: string;
}

export async function readQrels(path: string): Promise<Judgements> {
  const judgements: Judgements = new Map();
  for await (const [line, text] of numberedLines(path)) {
    const columns = text.trim().split(/\s+/);
    const header = line === 1 && /^query/i.test(columns[0]!) && !/^-?\d/.test(columns.at(-1)!);
    if (header) continue;
    const [topic, document, gain] =
      columns.length === 4 ? [columns[0]!, columns[2]!, columns[3]!] : (columns as [string, string, string]);
    if ((columns.length !== 3 && columns.length !== 4) || !/^[+-]?\d+(?:\.\d+)?$/.test(gain))
      throw inputError('not a line of judgements', {
        code: 'qrels.line',
        file: path,
        line,
        expected: '`topic iteration document gain` or `query document gain`, the gain a number',
        found: quoteFound(text),
      });
    if (!judgements.has(topic)) judgements.set(topic, new Map());
    judgements.get(topic)!.set(document, Number(gain));
  }
  if (judgements.size === 0)
    throw inputError('the file has no judgements', {
      code: 'qrels.empty',
      file: path,
      expected: 'at least one line',
      found: 'none',
    });
  return judgements;
}

export async function readQueries(path: string): Promise<Query[]> {
  const queries: Query[] = [];
  const seen = new Set<string>();
  for await (const [line, text] of numberedLines(path)) {
    const query = text.trimStart().startsWith('{') ? fromJson(path, line, text) : fromColumns(text);
    if (line === 1 && /^(?:query|query[-_]?id|id|_id)$/i.test(query.id) && !text.trimStart().startsWith('{')) continue;
    if (seen.has(query.id))
      throw inputError('two queries have the same id', {
        code: 'queries.twice',
        file: path,
        line,
        field: 'id',
        expected: 'each id once',
        found: quoteFound(query.id),
      });
    seen.add(query.id);
    queries.push(query);
  }
  if (queries.length === 0)
    throw inputError('the file has no queries', {
      code: 'queries.empty',
      file: path,
      expected: 'at least one query',
      found: 'none',
    });
  return queries;
}

function fromColumns(text: string): Query {
  const tab = text.indexOf('\t');
  if (tab < 0) return { id: text.trim() };
  const body = text.slice(tab + 1).trim();
  return { id: text.slice(0, tab).trim(), ...(body === '' ? {} : { text: body }) };
}

function fromJson(path: string, line: number, text: string): Query {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw inputError('not a line of JSON', {
      code: 'queries.line',
      file: path,
      line,
      expected: 'a JSON object with `id` and `text`',
      found: quoteFound(text),
      cause: error,
    });
  }
  const id = value.id ?? value._id ?? value.query_id ?? value.qid;
  if (typeof id !== 'string' && typeof id !== 'number')
    throw inputError('a query without an id', {
      code: 'queries.line',
      file: path,
      line,
      field: 'id',
      expected: 'a text or a number',
      found: quoteFound(id),
    });
  const body = value.text ?? value.query ?? value.title;
  return {
    id: String(id),
    ...(typeof body === 'string' && body.trim() !== '' ? { text: body } : {}),
    ...(typeof value.date === 'string' ? { date: value.date } : {}),
  };
}

/** Lines with text in them, numbered from 1; gunzipped where the name ends in .gz. */
async function* numberedLines(path: string): AsyncGenerator<[number, string], void, undefined> {
  const disk = createReadStream(path);
  const input = path.endsWith('.gz') ? disk.pipe(createGunzip()) : disk;
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
    input.destroy();
  };
  disk.on('error', fail);
  input.on('error', fail);
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line++;
      const clean = line === 1 ? text.replace(/^\uFEFF/, '') : text;
      if (clean.trim() !== '') yield [line, clean];
    }
  } catch (error) {
    failure ??= error;
  } finally {
    disk.destroy();
  }
  if (failure !== undefined)
    throw inputError('the file cannot be read', {
      code: 'file.unreadable',
      file: path,
      found: String((failure as Error).message),
      hint: 'Check the path.',
      cause: failure,
    });
}
