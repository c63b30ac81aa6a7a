/**
 * BM25 over token ids, by eager sparse scores (BM25S, arXiv 2407.03618): every posting holds the score its token gives its
 * document, so that a query only adds numbers up. Formulas: bm25-scoring.ts.
 *
 * Layout: documents lie in segments of at most 65,536 documents. In a segment a token is either postings, a document number
 * within the segment (uint16) and a score (float32), 6 bytes each; or, where more than a third of the documents have it, a
 * column of float32 scores of all documents, at most twice as many bytes (fewer beyond two thirds) and many times as fast
 * to add. Both lie in WebAssembly memory (bm25-kernel.ts), one of up to 4 GiB after another. A 14,000-token patent has some
 * 1,000 distinct words, so 113,148 full texts take about 0.7 GB. A segment also ends at 2^24 postings, which bounds what
 * building needs beside the index to 100 MB. Nothing but the scores is kept.
 *
 * Search: each distinct query token, weighted by its count, is added to one float32 accumulator a document, token after
 * token, so that documents alike get the same score; then the best are picked. A query token unknown to the index adds
 * nothing; a document that shares no scoring token with the query is not found (bm25s pads its results with such documents
 * at the lowest score).
 */

import { Bm25Kernel, columnLanes, segmentDocuments } from './bm25-kernel.ts';
import {
  absentComponent,
  type Bm25Options,
  type Bm25Settings,
  bm25Settings,
  inverseDocumentFrequency,
  termComponent,
} from './bm25-scoring.ts';
import { type CandidateFilter, type Candidates, candidatesOf, everyone, type RowRanking } from './candidates.ts';
import { TopK } from './top-k.ts';

export type { Bm25Options, Bm25Settings, Bm25Variant } from './bm25-scoring.ts';
export { bm25Variants } from './bm25-scoring.ts';

type Tokens = ArrayLike<number>;

interface Segment {
  /** Row of its first document. */
  base: number;
  documents: number;
  kernel: Bm25Kernel;
  /** Postings of token t are [starts[t], starts[t + 1]). */
  starts: Int32Array;
  /** Addresses: of documents within the segment, ascending within a token, and of the scores. */
  rows: number;
  scores: number;
  /** Tokens in many documents: addresses of their columns. They have no postings. */
  columns: Map<number, number>;
  /** (document, token) pairs, those in columns too. */
  pairs: number;
}

export interface Bm25SearchOptions {
  /** How many documents at most; default 1000. */
  k?: number;
  /** Order of equal scores (candidates.ts); by row where not given. */
  tieRank?: Uint32Array;
}

const segmentPostings = 1 << 24;
/** A token in more than this share of a segment's documents is a column. */
const columnShare = 1 / 3;

/** Takes documents one by one; `finish` gives the index. Memory: 6 bytes a posting, and one open segment. */
export class Bm25Builder {
  private readonly settings: Bm25Settings;
  private readonly segments: Segment[] = [];
  private kernel = new Bm25Kernel();
  private lengths = new Int32Array(1024);
  private documents = 0;
  private tokens = 0;
  private documentFrequency = new Int32Array(1 << 12);
  private vocabulary = 0;

  // The open segment, document-major.
  private base = 0;
  private filled = 0;
  private openTerms = new Int32Array(1 << 14);
  private openCounts = new Uint16Array(1 << 14);
  private openEnds: number[] = [];
  /** Occurrences in the current document; all zero between documents. */
  private counts = new Int32Array(1 << 12);

  constructor(options: Bm25Options = {}) {
    this.settings = bm25Settings(options);
  }

  /** Adds the next document (its row is the number of documents before it). Tokens are ids of 0 or more. */
  add(tokens: Tokens): void {
    if (this.documents - this.base === segmentDocuments || this.filled >= segmentPostings) this.closeSegment();
    const from = this.filled;
    this.reserve(from + tokens.length);
    for (let i = 0; i < tokens.length; i++) {
      const term = tokens[i]!;
      if (term >= this.counts.length) this.counts = enlarged(this.counts, term + 1);
      if (this.counts[term]++ === 0) this.openTerms[this.filled++] = term;
    }
    for (let i = from; i < this.filled; i++) {
      const term = this.openTerms[i]!;
      this.openCounts[i] = Math.min(this.counts[term]!, 0xffff);
      this.counts[term] = 0;
      if (term >= this.documentFrequency.length) this.documentFrequency = enlarged(this.documentFrequency, term + 1);
      this.documentFrequency[term]++;
      if (term >= this.vocabulary) this.vocabulary = term + 1;
    }
    this.openEnds.push(this.filled);
    if (this.documents === this.lengths.length) this.lengths = enlarged(this.lengths, this.documents + 1);
    this.lengths[this.documents++] = tokens.length;
    this.tokens += tokens.length;
  }

  finish(): Bm25Index {
    if (this.openEnds.length > 0) this.closeSegment();
    const { settings, documents } = this;
    const meanLength = this.tokens / documents;
    const norms = new Float64Array(documents);
    for (let row = 0; row < documents; row++)
      norms[row] = meanLength > 0 ? 1 - settings.b + (settings.b * this.lengths[row]!) / meanLength : 1;
    const absent = absentComponent(settings);
    const idf = new Float64Array(this.vocabulary);
    for (let term = 0; term < idf.length; term++) {
      const df = this.documentFrequency[term]!;
      if (df > 0) idf[term] = inverseDocumentFrequency(settings.variant, documents, df);
    }
    const score = (term: number, count: number, row: number) =>
      idf[term]! * (termComponent(settings, count, norms[row]!) - absent);
    for (const { base, documents, kernel, starts, columns, ...at } of this.segments) {
      const rows = new Uint16Array(kernel.buffer, at.rows, starts.at(-1));
      const scores = new Float32Array(kernel.buffer, at.scores, starts.at(-1));
      for (let term = 0; term + 1 < starts.length; term++)
        for (let i = starts[term]!; i < starts[term + 1]!; i++) scores[i] = score(term, scores[i]!, base + rows[i]!);
      for (const [term, place] of columns) {
        const column = new Float32Array(kernel.buffer, place, documents);
        for (let row = 0; row < documents; row++)
          if (column[row]! > 0) column[row] = score(term, column[row]!, base + row);
      }
    }
    return new Bm25Index(
      settings,
      this.segments,
      documents,
      absent === 0 ? undefined : idf.map((value) => value * absent),
    );
  }

  /** Turns the open segment term-major by counting sort; scores are counts until the end. */
  private closeSegment(): void {
    const { openTerms, openCounts, openEnds, filled } = this;
    const documents = openEnds.length;
    const starts = new Int32Array(this.vocabulary + 1);
    for (let i = 0; i < filled; i++) starts[openTerms[i]! + 1]++;
    const frequent: number[] = [];
    for (let term = 0; term < this.vocabulary; term++) {
      if (starts[term + 1]! > columnShare * documents) {
        frequent.push(term);
        starts[term + 1] = 0;
      }
      starts[term + 1]! += starts[term]!;
    }
    const postings = starts.at(-1)!;
    const columnBytes = Math.ceil(documents / columnLanes) * columnLanes * 4;
    const bytes = frequent.length * columnBytes + postings * 6;
    let at = this.kernel.take(bytes);
    if (at === undefined) {
      this.kernel = new Bm25Kernel();
      at = this.kernel.take(bytes)!;
    }
    const { kernel } = this;
    const columns = new Map(frequent.map((term, i) => [term, at + i * columnBytes]));
    const scoresAt = at + frequent.length * columnBytes;
    const rowsAt = scoresAt + postings * 4;
    const rows = new Uint16Array(kernel.buffer, rowsAt, postings);
    const scores = new Float32Array(kernel.buffer, scoresAt, postings);
    const inColumns = new Float32Array(kernel.buffer, at, (frequent.length * columnBytes) / 4);
    /** Where the next posting of a term goes; the column's first element, less than 0, for a frequent one. */
    const places = starts.slice(0, -1);
    for (const [i, term] of frequent.entries()) places[term] = -1 - (i * columnBytes) / 4;
    for (let row = 0, i = 0; row < documents; row++)
      for (; i < openEnds[row]!; i++) {
        const place = places[openTerms[i]!]!;
        if (place < 0) {
          inColumns[row - 1 - place] = openCounts[i]!;
          continue;
        }
        places[openTerms[i]!] = place + 1;
        rows[place] = row;
        scores[place] = openCounts[i]!;
      }
    this.segments.push({
      base: this.base, documents, kernel, starts, rows: rowsAt, scores: scoresAt, columns, pairs: filled,
    }); // biome-ignore format: short
    this.base = this.documents;
    this.filled = 0;
    this.openEnds = [];
  }

  private reserve(length: number): void {
    if (length <= this.openTerms.length) return;
    this.openTerms = enlarged(this.openTerms, length);
    const counts = new Uint16Array(this.openTerms.length);
    counts.set(this.openCounts);
    this.openCounts = counts;
  }
}

export class Bm25Index {
  readonly settings: Bm25Settings;
  /** Number of documents. */
  readonly size: number;
  private readonly segments: readonly Segment[];
  /** Score of a token for documents that do not have it (bm25+, bm25l). */
  private readonly absent: Float64Array | undefined;
  private counts = new Int32Array(1 << 12);
  private collector: TopK | undefined;

  constructor(settings: Bm25Settings, segments: readonly Segment[], size: number, absent?: Float64Array) {
    this.settings = settings;
    this.segments = segments;
    this.size = size;
    this.absent = absent;
  }

  /** Builds from documents as token ids, in row order, read once. */
  static async build(
    documents: Iterable<Tokens> | AsyncIterable<Tokens>,
    options: Bm25Options = {},
  ): Promise<Bm25Index> {
    const builder = new Bm25Builder(options);
    for await (const tokens of documents) builder.add(tokens);
    return builder.finish();
  }

  /** (document, token) pairs. */
  get postings(): number {
    return this.segments.reduce((sum, { pairs }) => sum + pairs, 0);
  }

  /** Bytes the index holds. */
  get bytes(): number {
    return this.segments.reduce(
      (sum, { starts, columns, documents }) =>
        sum + starts.byteLength + starts.at(-1)! * 6 + columns.size * documents * 4,
      this.absent?.byteLength ?? 0,
    );
  }

  /** The k best documents for a query of token ids; a repeated token counts as often as it stands. */
  search(query: Tokens, { k = 1000, tieRank }: Bm25SearchOptions = {}, candidates: Candidates = everyone): RowRanking {
    const { terms, weights, base } = this.weigh(query);
    const best = this.collectorOf(k, tieRank);
    for (const segment of this.segments) {
      const { kernel, starts, columns, documents } = segment;
      const known = starts.length - 1;
      for (let t = 0; t < terms.length; t++) {
        const term = terms[t]!;
        if (term >= known) continue;
        const from = starts[term]!;
        const count = starts[term + 1]! - from;
        if (count > 0) kernel.scatter(segment.rows + 2 * from, segment.scores + 4 * from, count, weights[t]!);
        else {
          const column = columns.get(term);
          if (column !== undefined) kernel.addColumn(column, documents, weights[t]!);
        }
      }
      collect(segment, base, best, candidates);
    }
    return best.take();
  }

  /** Rankings of many queries in order, each with what the filter says about it. */
  *searchAll(
    queries: Iterable<Tokens>,
    options: Bm25SearchOptions & { filter?: CandidateFilter } = {},
  ): Generator<RowRanking> {
    let query = 0;
    for (const tokens of queries) yield this.search(tokens, options, candidatesOf(options.filter, query++));
  }

  private collectorOf(k: number, tieRank: Uint32Array | undefined): TopK {
    if (this.collector?.k !== k || this.collector.tieRank !== tieRank) this.collector = new TopK(k, tieRank);
    return this.collector;
  }

  /** Distinct tokens with their counts, and the score every document gets whatever it holds. */
  private weigh(query: Tokens): { terms: Int32Array; weights: Float64Array; base: number } {
    const terms = new Int32Array(query.length);
    let distinct = 0;
    let base = 0;
    for (let i = 0; i < query.length; i++) {
      const term = query[i]!;
      if (term >= this.counts.length) this.counts = enlarged(this.counts, term + 1);
      if (this.counts[term]++ === 0) terms[distinct++] = term;
      if (this.absent !== undefined && term < this.absent.length) base += this.absent[term]!;
    }
    const weights = new Float64Array(distinct);
    for (let t = 0; t < distinct; t++) {
      weights[t] = this.counts[terms[t]!]!;
      this.counts[terms[t]!] = 0;
    }
    return { terms: terms.subarray(0, distinct), weights, base };
  }
}

/** Offers a segment's documents to `best` and leaves the accumulator at zero. */
function collect(
  { kernel, documents, base: first }: Segment,
  base: number,
  best: TopK,
  { excluded, documentDay, before }: Candidates,
): void {
  const { accumulator } = kernel;
  for (let i = 0; i < excluded.length; i++) {
    const row = excluded[i]! - first;
    if (row >= 0 && row < documents) accumulator[row] = 0;
  }
  if (documentDay !== undefined)
    for (let row = 0; row < documents; row++) if (!(documentDay[first + row]! < before)) accumulator[row] = 0;
  // Nothing below the bar can be found; a hair of room, because `base` may make scores equal.
  const bar = Math.max(documents > 2 * best.k ? kernel.bar(documents, best.k) : 0, best.threshold - base);
  const found = kernel.gather(documents, bar - 1e-6 * (bar + base));
  for (let i = 0; i < found.count; i++) best.offer(first + found.rows[i]!, found.scores[i]! + base);
}

function enlarged(array: Int32Array<ArrayBuffer>, least: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}
