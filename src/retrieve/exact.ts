/**
 * Exact dense search: the k documents of largest dot product (or cosine) for each query, by brute force.
 *
 * Documents come in blocks, from memory or streamed from a file; a block times all queries of a batch is one matrix product
 * on the engine. While the engine multiplies the next block, this thread reads the scores of the last one against each
 * query's k-th best so far (score-scan.ts, top-k.ts), so that almost every score costs one lane of a comparison. Memory is
 * bounded whatever the number of documents: two products of `documentBlock` x `queryBlock` scores, and 16 k bytes a query
 * of a batch.
 *
 * Scores are float32 products, so that documents within 1e-6 of each other may stand in either order; equal scores stand by
 * tieRank. Vectors of length 1 make the dot product the cosine.
 *
 * A document may have several vectors, of its passages: its score is then the largest of theirs. They follow one another, so
 * that the scan meets them together and the k documents are found in the same pass.
 */
import { inputError, workError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { type CandidateFilter, type Candidates, candidatesOf, type RowRanking } from './candidates.ts';
import type { MatrixProduct } from './matrix-product.ts';
import { ScoreScan } from './score-scan.ts';
import { TopK } from './top-k.ts';

/** Vectors of documents in row order, as often as asked for. */
export interface VectorBlocks {
  count: number;
  dimensions: number;
  /** Blocks of at most `rows` vectors, [rows, dimensions], first to last; `from` is the row of the first. */
  blocks(rows?: number): AsyncIterable<{ from: number; vectors: Float32Array }>;
  /**
   * Where documents have passages: the row of each one's first vector, and the end [documents + 1]. No block ends inside of a
   * document (blocks may then have more rows than asked for), and a document without a passage is never found.
   */
  firsts?: Int32Array;
}

export interface ExactOptions {
  product: MatrixProduct;
  /** How many documents at most; default 1000. */
  k?: number;
  /** `dot` (default), or `cosine`, which first brings all vectors to length 1. */
  similarity?: 'dot' | 'cosine';
  /** Order of equal scores (candidates.ts); by row where not given. */
  tieRank?: Uint32Array;
  filter?: CandidateFilter;
  /** Documents a product; default 4096. */
  documentBlock?: number;
  /** Queries a product; default 2048. */
  queryBlock?: number;
  signal?: AbortSignal;
}

/** Queries whose best documents are gathered in one pass over the documents. */
const batchQueries = 8192;

/** Rankings of queries [queries, dimensions], in their order. */
export async function searchExact(
  documents: VectorBlocks,
  queries: Float32Array,
  options: ExactOptions,
): Promise<RowRanking[]> {
  const { dimensions } = documents;
  const { k = 1000, tieRank, filter, signal } = options;
  if (dimensions === 0) return [];
  const count = queries.length / dimensions;
  if (!Number.isInteger(count))
    throw inputError('the queries have another number of dimensions than the documents', {
      code: 'search.dimensions',
      expected: `a multiple of ${dimensions} numbers`,
      found: `${queries.length} numbers`,
    });
  const rankings: RowRanking[] = [];
  const scanner = new ScoreScan();
  for (let first = 0; first < count; first += batchQueries) {
    const size = Math.min(batchQueries, count - first);
    const batch = Array.from({ length: size }, (_, i) => ({
      best: new TopK(k, tieRank),
      candidates: candidatesOf(filter, first + i),
    }));
    const vectors = queries.slice(first * dimensions, (first + size) * dimensions);
    if (options.similarity === 'cosine') normaliseRows(vectors, dimensions);
    for await (const { scores, query, from, rows } of products(documents, vectors, options)) {
      signal?.throwIfAborted();
      for (let i = 0; i * rows < scores.length; i++) {
        const { best, candidates } = batch[query + i]!;
        if (documents.firsts === undefined) scan(scanner, scores, i * rows, rows, from, best, candidates);
        else scanPassages(scanner, scores, i * rows, rows, from, best, candidates, documents.firsts);
      }
    }
    for (const { best } of batch) rankings.push(best.take());
  }
  return rankings;
}

interface ScoreBlock {
  /** [queries, rows] */
  scores: Float32Array;
  /** Number of the first query within the batch. */
  query: number;
  /** Row of the first document. */
  from: number;
  rows: number;
}

/** All products of documents and queries, each asked for before the one ahead of it is handed out. */
async function* products(
  documents: VectorBlocks,
  queries: Float32Array,
  { product, similarity = 'dot', documentBlock = 4096, queryBlock = 2048 }: ExactOptions,
): AsyncGenerator<ScoreBlock> {
  const { dimensions } = documents;
  const count = queries.length / dimensions;
  let ahead: Promise<ScoreBlock> | undefined;
  let expected = 0;
  for await (const { from, vectors } of documents.blocks(documentBlock)) {
    const rows = vectors.length / dimensions;
    if (from !== expected) throw workError(`vectors of row ${expected} are missing`, { code: 'search.vectors' });
    expected += rows;
    for (let query = 0; query < count; query += queryBlock) {
      const last = Math.min(count, query + queryBlock);
      const left = queries.slice(query * dimensions, last * dimensions);
      const right = vectors.slice();
      if (similarity === 'cosine') normaliseRows(right, dimensions);
      const next = product
        .multiply(left, last - query, right, rows, dimensions)
        .then((scores) => ({ scores, query, from, rows }));
      next.catch(() => {}); // if an earlier product fails first, that failure is the one to report
      if (ahead !== undefined) yield await ahead;
      ahead = next;
    }
  }
  if (ahead !== undefined) yield await ahead;
  if (expected !== documents.count)
    throw workError(`vectors end after ${expected} of ${documents.count} rows`, { code: 'search.vectors' });
}

/** Offers scores[at .. at + rows), documents from row `from` on, to `best`. */
function scan(
  scanner: ScoreScan,
  scores: Float32Array,
  at: number,
  rows: number,
  from: number,
  best: TopK,
  { excluded, documentDay, before }: Candidates,
): void {
  for (let i = 0; i < excluded.length; i++) {
    const place = excluded[i]! - from;
    if (place >= 0 && place < rows) scores[at + place] = Number.NEGATIVE_INFINITY;
  }
  scanner.load(scores.subarray(at, at + rows));
  // No score of a document that may be found is -Infinity: the least bar keeps the excluded ones out.
  const bar = () => Math.max(best.threshold, -Number.MAX_VALUE);
  scanner.each(bar(), (place, score) => {
    const row = from + place;
    if (documentDay === undefined || documentDay[row]! < before) best.offer(row, score);
    return bar();
  });
}

/** `scan` over passages: each document with the largest score of its own. */
function scanPassages(
  scanner: ScoreScan,
  scores: Float32Array,
  at: number,
  rows: number,
  from: number,
  best: TopK,
  { excluded, documentDay, before }: Candidates,
  firsts: Int32Array,
): void {
  for (let i = 0; i < excluded.length; i++) {
    const first = Math.max(0, firsts[excluded[i]!]! - from);
    const end = Math.min(rows, firsts[excluded[i]! + 1]! - from);
    for (let place = first; place < end; place++) scores[at + place] = Number.NEGATIVE_INFINITY;
  }
  scanner.load(scores.subarray(at, at + rows));
  const bar = () => Math.max(best.threshold, -Number.MAX_VALUE);
  // The document under way, its best score, and where its passages end.
  let document = -1;
  let highest = 0;
  let end = from;
  const offer = () => {
    if (document >= 0 && (documentDay === undefined || documentDay[document]! < before)) best.offer(document, highest);
  };
  scanner.each(bar(), (place, score) => {
    const row = from + place;
    if (row < end) {
      if (score > highest || Number.isNaN(score)) highest = score; // no number: refused when offered
    } else {
      offer();
      document = documentOf(firsts, row);
      highest = score;
      end = firsts[document + 1]!;
    }
    return bar();
  });
  offer();
}

/** The document that owns a row: the last one whose passages begin at or before it. */
function documentOf(firsts: Int32Array, row: number): number {
  let [low, high] = [0, firsts.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (firsts[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

function normaliseRows(vectors: Float32Array, dimensions: number): void {
  for (let at = 0; at < vectors.length; at += dimensions) {
    let squares = 0;
    for (let i = at; i < at + dimensions; i++) squares += vectors[i]! * vectors[i]!;
    if (squares === 0) continue;
    const scale = 1 / Math.sqrt(squares);
    for (let i = at; i < at + dimensions; i++) vectors[i]! *= scale;
  }
}

/** Vectors in memory, [count, dimensions]. */
export function vectorArray(vectors: Float32Array, dimensions: number): VectorBlocks {
  const count = vectors.length / dimensions;
  return {
    count,
    dimensions,
    async *blocks(rows = 4096) {
      for (let from = 0; from < count; from += rows)
        yield { from, vectors: vectors.subarray(from * dimensions, Math.min(count, from + rows) * dimensions) };
    },
  };
}

/** Vectors streamed from little-endian float32 in a file, [count, dimensions] from byte `offset` on. */
export function vectorFile(
  { files }: Platform,
  path: string,
  { dimensions, count, offset = 0 }: { dimensions: number; count: number; offset?: number },
): VectorBlocks {
  return {
    count,
    dimensions,
    async *blocks(rows = 4096) {
      for (let from = 0; from < count; from += rows) {
        const length = Math.min(rows, count - from) * dimensions * 4;
        const bytes = await files.readRange(path, offset + from * dimensions * 4, length);
        if (bytes.byteLength < length)
          throw inputError('the file of vectors is too short', {
            code: 'search.vectors',
            file: path,
            expected: `${offset + count * dimensions * 4} bytes`,
            found: `${offset + from * dimensions * 4 + bytes.byteLength} bytes`,
          });
        const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
        yield { from, vectors: new Float32Array(aligned.buffer, aligned.byteOffset, length / 4) };
      }
    },
  };
}
