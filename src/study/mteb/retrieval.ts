/**
 * MTEB's retrieval protocol: every query that has a relevant document against all documents, exactly, the best 1,000 of which
 * are scored. An id that stands twice means its last row. A query is never kept from finding a document of its own id.
 */
import { inputError } from '../../base/errors.ts';
import { type Progress, silent } from '../../base/progress.ts';
import { compareBytes } from '../../metrics/score.ts';
import type { Judgements, Run } from '../../metrics/types.ts';
import { searchExact } from '../../retrieve/exact.ts';
import type { MatrixProduct } from '../../retrieve/matrix-product.ts';
import type { TaskEncoder } from './encoder.ts';
import { retrievalScores } from './retrieval-scores.ts';
import { type TableRow, type TaskData, textOf, wrongValue } from './tables.ts';
import type { RetrievalTask } from './tasks.ts';

export interface RetrievalData {
  /** Ids and texts of the queries with a relevant document, in the order of their table. */
  queries: { ids: string[]; texts: string[] };
  /** Documents in the order of `texts`. */
  documents: string[];
  texts(): AsyncIterable<string>;
  /** Relevant documents of these queries. */
  judgements: Judgements;
  /** What was read, by the names of the task's `expected`. */
  found: Record<string, number>;
}

export async function loadRetrieval(
  task: RetrievalTask,
  data: TaskData,
  progress: Progress = silent,
): Promise<RetrievalData> {
  const relevant = await readRelations(task, data);
  const { id, text } = task.queries;
  const texts = new Map<string, string>();
  for await (const row of data.table('queries').rows([id, ...text])) texts.set(textOf(row, id), joined(row, text));
  const ids = [...texts.keys()].filter((query) => relevant.has(query));
  if (ids.length === 0) {
    throw inputError('no query of the task has a relevant document', {
      code: 'mteb.relevance',
      field: task.relations.query,
      expected: `ids of the table of queries, such as ${[...texts.keys()].slice(0, 3).join(', ') || '(it is empty)'}`,
      found: [...relevant.keys()].slice(0, 3).join(', ') || 'no pair that counts as relevant',
    });
  }
  // Texts are not held: full texts of patents are larger than memory. The first pass says which row of an id counts.
  const { corpus } = task;
  const reading = progress.begin(`documents of ${task.name}`, { unit: 'documents' });
  const rowOf = new Map<string, number>();
  let rows = 0;
  for await (const row of data.table('corpus').rows([corpus.id])) {
    rowOf.set(textOf(row, corpus.id), rows++);
    reading.advance();
  }
  reading.finish();
  const counts = new Set(rowOf.values());
  const judgements: Judgements = new Map(ids.map((query) => [query, relevant.get(query)!]));
  return {
    queries: { ids, texts: ids.map((query) => texts.get(query)!) },
    documents: [...rowOf].sort(([, a], [, b]) => a - b).map(([document]) => document),
    async *texts() {
      let at = 0;
      for await (const row of data.table('corpus').rows([corpus.title ?? [], corpus.text].flat()))
        if (counts.has(at++)) yield documentText(row, corpus);
    },
    judgements,
    found: {
      queries: ids.length,
      corpus: rowOf.size,
      positives: [...judgements.values()].reduce((sum, of) => sum + of.size, 0),
    },
  };
}

/** Query -> relevant documents; queries without any are left out. */
async function readRelations({ relations }: RetrievalTask, data: TaskData): Promise<Judgements> {
  const { query, document, score, where } = relations;
  const conditions = Object.entries(where);
  const columns = [query, document, ...conditions.map(([column]) => column), ...(score === undefined ? [] : [score])];
  const pairs = new Map<string, Map<string, boolean>>();
  for await (const row of data.table('relations').rows(columns)) {
    const of = textOf(row, query);
    let documents = pairs.get(of);
    if (documents === undefined) {
      documents = new Map();
      pairs.set(of, documents);
    }
    const meets = conditions.every(([column, value]) => row.values[column] === value);
    documents.set(textOf(row, document), meets && (score === undefined || scoreOf(row, score) > 0));
  }
  const relevant: Judgements = new Map();
  for (const [of, documents] of pairs) {
    const positive = [...documents].filter(([, counts]) => counts).map(([found]) => [found, 1] as const);
    if (positive.length > 0) relevant.set(of, new Map(positive));
  }
  return relevant;
}

function scoreOf({ file, line, values }: TableRow, column: string): number {
  const value = Number(values[column]);
  if (values[column] !== null && Number.isFinite(value)) return value;
  throw wrongValue(file, line, column, 'a number', values[column]);
}

const joined = (row: TableRow, columns: readonly string[]) =>
  columns
    .map((column) => textOf(row, column))
    .filter((text) => text !== '')
    .join('\n');

function documentText(row: TableRow, { title, text }: RetrievalTask['corpus']): string {
  const body = joined(row, text);
  const head = title === undefined ? '' : textOf(row, title);
  return (head === '' ? body : `${head} ${body}`).trim();
}

export interface RetrievalOptions {
  product: MatrixProduct;
  cuts: readonly number[];
  signal?: AbortSignal | undefined;
}

export async function evaluateRetrieval(
  { queries, documents, texts, judgements }: RetrievalData,
  encoder: TaskEncoder,
  { product, cuts, signal }: RetrievalOptions,
): Promise<Record<string, number>> {
  const { similarity } = encoder;
  if (similarity !== 'cosine' && similarity !== 'dot') {
    throw inputError('the model compares texts in a way that is not computed here', {
      code: 'mteb.similarity',
      field: '--model',
      expected: 'cosine or dot',
      found: similarity,
    });
  }
  const asked = await encoder.encode({
    texts: queries.texts,
    count: queries.ids.length,
    role: 'query',
    label: 'queries',
  });
  const found = await encoder.encode({ texts: texts(), count: documents.length, role: 'document', label: 'documents' });
  const last = Int32Array.from(documents.keys()).sort((a, b) => compareBytes(documents[b]!, documents[a]!));
  const tieRank = new Uint32Array(documents.length);
  for (const [rank, row] of last.entries()) tieRank[row] = rank;
  const rankings = await searchExact(found, await asked.read(), {
    product,
    similarity,
    tieRank,
    k: Math.max(...cuts),
    ...(signal === undefined ? {} : { signal }),
  });
  const run: Run = new Map(
    rankings.map(({ rows, scores }, i) => [
      queries.ids[i]!,
      { documents: Array.from(rows, (row) => documents[row]!), scores },
    ]),
  );
  return retrievalScores(judgements, run, cuts);
}
