/**
 * BM25 over token ids, by eager sparse scores (BM25S, arXiv 2407.03618): every posting holds the score its token gives its
 * document, so that a query only adds numbers up. Formulas: bm25-scoring.ts.
 *
 * Layout: documents lie in segments of at most 65,536 documents; a segment is term-major CSR, a posting is a document
 * number within the segment (uint16) and a score (float32): 6 bytes. A 14,000-token patent has some 1,000 distinct words,
 * so 113,148 full texts take about 0.7 GB. A segment also ends at 2^24 postings, which bounds what building needs beside
 * the index to 100 MB. Nothing but the postings is kept.
 *
 * Search: each distinct query token, weighted by its count, adds its postings to one float64 accumulator a document; then
 * one pass takes the k best. A query token unknown to the index adds nothing; a document that shares no scoring token
 * with the query is not found (bm25s pads its results with such documents at the lowest score).
 */

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
  /** Postings of token t are [starts[t], starts[t + 1]). */
  starts: Int32Array;
  /** Document within the segment; ascending within a token. */
  rows: Uint16Array;
  scores: Float32Array;
}

export interface Bm25SearchOptions {
  /** How many documents at most; default 1000. */
  k?: number;
  /** Order of equal scores (candidates.ts); by row where not given. */
  tieRank?: Uint32Array;
}

const segmentDocuments = 1 << 16;
const segmentPostings = 1 << 24;

/** Takes documents one by one; `finish` gives the index. Memory: 6 bytes a posting, and one open segment. */
export class Bm25Builder {
  private readonly settings: Bm25Settings;
  private readonly segments: Segment[] = [];
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
    for (const { base, starts, rows, scores } of this.segments)
      for (let term = 0; term + 1 < starts.length; term++)
        for (let i = starts[term]!; i < starts[term + 1]!; i++)
          scores[i] = idf[term]! * (termComponent(settings, scores[i]!, norms[base + rows[i]!]!) - absent);
    return new Bm25Index(
      settings,
      this.segments,
      documents,
      absent === 0 ? undefined : idf.map((value) => value * absent),
    );
  }

  /** Turns the open segment term-major by counting sort; `scores` holds counts until the end. */
  private closeSegment(): void {
    const starts = new Int32Array(this.vocabulary + 1);
    const { openTerms, openCounts, openEnds, filled } = this;
    for (let i = 0; i < filled; i++) starts[openTerms[i]! + 1]++;
    for (let term = 0; term < this.vocabulary; term++) starts[term + 1]! += starts[term]!;
    const places = starts.slice(0, -1);
    const rows = new Uint16Array(filled);
    const scores = new Float32Array(filled);
    for (let row = 0, i = 0; row < openEnds.length; row++)
      for (; i < openEnds[row]!; i++) {
        const place = places[openTerms[i]!]++;
        rows[place] = row;
        scores[place] = openCounts[i]!;
      }
    this.segments.push({ base: this.base, documents: openEnds.length, starts, rows, scores });
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
  /** Scores of one segment's documents; all zero between searches. */
  private readonly accumulator: Float64Array;
  private counts = new Int32Array(1 << 12);
  private collector: TopK | undefined;

  constructor(settings: Bm25Settings, segments: readonly Segment[], size: number, absent?: Float64Array) {
    this.settings = settings;
    this.segments = segments;
    this.size = size;
    this.absent = absent;
    this.accumulator = new Float64Array(Math.max(1, ...segments.map((segment) => segment.documents)));
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

  get postings(): number {
    return this.segments.reduce((sum, segment) => sum + segment.rows.length, 0);
  }

  /** Bytes the index holds. */
  get bytes(): number {
    return this.segments.reduce(
      (sum, { starts, rows, scores }) => sum + starts.byteLength + rows.byteLength + scores.byteLength,
      this.absent?.byteLength ?? 0,
    );
  }

  /** The k best documents for a query of token ids; a repeated token counts as often as it stands. */
  search(query: Tokens, { k = 1000, tieRank }: Bm25SearchOptions = {}, candidates: Candidates = everyone): RowRanking {
    const { terms, weights, base } = this.weigh(query);
    const best = this.collectorOf(k, tieRank);
    for (const segment of this.segments) {
      const { starts, rows, scores } = segment;
      const known = starts.length - 1;
      for (let t = 0; t < terms.length; t++) {
        const term = terms[t]!;
        if (term < known) accumulate(this.accumulator, rows, scores, starts[term]!, starts[term + 1]!, weights[t]!);
      }
      this.collect(segment, base, best, candidates);
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

  /** Offers a segment's documents to `best` and leaves the accumulator at zero. */
  private collect(segment: Segment, base: number, best: TopK, { excluded, documentDay, before }: Candidates): void {
    const { accumulator } = this;
    const { documents, base: first } = segment;
    for (let i = 0; i < excluded.length; i++) {
      const row = excluded[i]! - first;
      if (row >= 0 && row < documents) accumulator[row] = 0;
    }
    // Nothing at or below the bar can be found; a hair of room, because scores are compared as float32.
    const barOf = (threshold: number) => Math.max(0, threshold - base - 1e-6 * Math.abs(threshold));
    let bar = barOf(best.threshold);
    for (let row = 0; row < documents; row++) {
      const score = accumulator[row]!;
      if (score <= bar) continue;
      if (documentDay !== undefined && !(documentDay[first + row]! < before)) continue;
      if (best.offer(first + row, score + base)) bar = barOf(best.threshold);
    }
    accumulator.fill(0, 0, documents);
  }
}

/** accumulator[rows[i]] += weight * scores[i] for i in [from, to): where a search spends its time. */
function accumulate(
  accumulator: Float64Array,
  rows: Uint16Array,
  scores: Float32Array,
  from: number,
  to: number,
  weight: number,
): void {
  let i = from;
  for (const last = to - 3; i < last; i += 4) {
    const a = rows[i]!;
    const b = rows[i + 1]!;
    const c = rows[i + 2]!;
    const d = rows[i + 3]!;
    accumulator[a]! += weight * scores[i]!;
    accumulator[b]! += weight * scores[i + 1]!;
    accumulator[c]! += weight * scores[i + 2]!;
    accumulator[d]! += weight * scores[i + 3]!;
  }
  for (; i < to; i++) accumulator[rows[i]!]! += weight * scores[i]!;
}

function enlarged(array: Int32Array<ArrayBuffer>, least: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}
