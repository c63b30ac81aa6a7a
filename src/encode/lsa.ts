/**
 * `lsa`: the dense model that needs no weights. Latent semantic analysis (Deerwester et al. 1990) is fitted on the corpus:
 *
 *   x(document) = TF-IDF, L2-normalised:   tf' = 1 + ln tf (sublinear, default) or tf;   idf = ln((1 + N) / (1 + df)) + 1
 *   X ≈ U S Vᵀ  (truncated SVD of documents x terms);   vector(text) = x(text) V, L2-normalised
 *
 * as scikit-learn's TfidfVectorizer, TruncatedSVD and Normalizer do; queries are encoded as documents are.
 *
 * The SVD is found by randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4): with Q on the shorter
 * side of X, repeat Q <- orth(X Xᵀ Q) (or Xᵀ X Q), then solve the small eigenproblem of Qᵀ X Xᵀ Q. Seeded: the same
 * documents in the same order give the same vectors.
 *
 * Memory: terms in fewer than `minDocuments` documents say nothing about two documents and are left out; of the rest the
 * `maxTerms` most frequent stay. The documents that the SVD sees are a seeded uniform sample of at most `maxPostings`
 * (document, term) entries: 16 bytes each, 0.5 GB at the default of 2^25 and some 25 MB for 1,252 full texts. The model
 * itself holds terms x dimensions float32.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';
import {
  addRows,
  gram,
  multiplySparse,
  multiplyTall,
  orthonormalise,
  type SparseMatrix,
  symmetricEigen,
  transpose,
} from './lsa-matrix.ts';

export interface LsaOptions {
  /** Length of the vectors; default 256, fewer where the corpus has not so many independent documents or terms. */
  dimensions?: number;
  /** 1 + ln tf in place of tf; default true. */
  sublinear?: boolean;
  /** A term must stand in so many documents; default 2. */
  minDocuments?: number;
  /** Most terms kept, those in most documents first; default 100,000. */
  maxTerms?: number;
  /** Most (document, term) entries the SVD sees; default 2^25. */
  maxPostings?: number;
  /** Subspace iterations; default 4. */
  iterations?: number;
  seed: number;
}

export type LsaSettings = Readonly<Required<LsaOptions>>;

type Tokens = ArrayLike<number>;

/** More columns than dimensions, so that the last dimensions are found as well as the first. */
const oversampling = 16;

/** Takes documents one by one; `fit` gives the model. */
export class LsaBuilder {
  private readonly settings: LsaSettings;
  private readonly random: ReturnType<typeof stream>;
  private documents = 0;
  private postings = 0;
  /** Documents whose draw lies below this are in the sample. */
  private share = 1;
  private sample: { draw: number; terms: Int32Array; counts: Uint16Array }[] = [];
  private documentFrequency = new Int32Array(1 << 12);
  private readonly counter = new TermCounter();

  constructor(options: LsaOptions) {
    this.settings = lsaSettings(options);
    this.random = stream(this.settings.seed, 'lsa', 'sample');
  }

  add(tokens: Tokens): void {
    const { terms, counts } = this.counter.count(tokens);
    for (const term of terms) {
      if (term >= this.documentFrequency.length) this.documentFrequency = enlarged(this.documentFrequency, term + 1);
      this.documentFrequency[term]++;
    }
    this.documents++;
    const draw = this.random.uniform();
    if (draw >= this.share || terms.length === 0) return;
    this.sample.push({ draw, terms, counts });
    this.postings += terms.length;
    while (this.postings > this.settings.maxPostings && this.sample.length > 1) {
      this.share *= 0.9;
      this.sample = this.sample.filter(({ draw }) => draw < this.share);
      this.postings = this.sample.reduce((sum, { terms }) => sum + terms.length, 0);
    }
  }

  fit(): LsaModel {
    const { settings, documents } = this;
    const columns = this.chooseTerms();
    const terms = columns.reduce((most, column) => Math.max(most, column), -1) + 1;
    const idf = new Float32Array(terms);
    for (let term = 0; term < columns.length; term++)
      if (columns[term]! >= 0)
        idf[columns[term]!] = Math.log((1 + documents) / (1 + this.documentFrequency[term]!)) + 1;
    const weighting: Weighting = { columns, idf, sublinear: settings.sublinear };

    const matrix: SparseMatrix = {
      rows: this.sample.length,
      columns: terms,
      starts: new Int32Array(this.sample.length + 1),
      indices: new Int32Array(this.postings),
      values: new Float32Array(this.postings),
    };
    let filled = 0;
    for (const [row, { terms, counts }] of this.sample.entries()) {
      filled = weigh(weighting, terms, counts, matrix.indices, matrix.values, filled);
      matrix.starts[row + 1] = filled;
    }
    matrix.indices = matrix.indices.subarray(0, filled);
    matrix.values = matrix.values.subarray(0, filled);
    this.sample = [];
    const { vectors, dimensions, singularValues } = rightSingularVectors(matrix, settings);
    return new LsaModel({ settings, weighting, components: vectors, dimensions, singularValues });
  }

  /** Term -> column, -1 for terms that are left out; columns in order of term ids. */
  private chooseTerms(): Int32Array {
    const { documentFrequency, settings } = this;
    let least = settings.minDocuments;
    const kept = documentFrequency.filter((df) => df >= least);
    if (kept.length > settings.maxTerms) least = kept.sort().at(-settings.maxTerms)!;
    const columns = new Int32Array(documentFrequency.length).fill(-1);
    // Terms just at the bar come in order of their ids until the room is full.
    let room = Math.max(0, settings.maxTerms - documentFrequency.filter((df) => df > least).length);
    let next = 0;
    for (let term = 0; term < columns.length; term++) {
      const df = documentFrequency[term]!;
      if (df > least || (df === least && room-- > 0)) columns[term] = next++;
    }
    return columns;
  }
}

interface Weighting {
  columns: Int32Array;
  idf: Float32Array;
  sublinear: boolean;
}

export class LsaModel {
  readonly settings: LsaSettings;
  /** Length of every vector. */
  readonly dimensions: number;
  /** Of the sampled documents' matrix, descending. */
  readonly singularValues: Float64Array;
  private readonly weighting: Weighting;
  /** [terms, dimensions] */
  private readonly components: Float32Array;
  private readonly counter = new TermCounter();

  constructor(parts: {
    settings: LsaSettings;
    weighting: Weighting;
    components: Float32Array;
    dimensions: number;
    singularValues: Float64Array;
  }) {
    this.settings = parts.settings;
    this.dimensions = parts.dimensions;
    this.singularValues = parts.singularValues;
    this.weighting = parts.weighting;
    this.components = parts.components;
  }

  /** Fits on documents as token ids, read once. */
  static async fit(documents: Iterable<Tokens> | AsyncIterable<Tokens>, options: LsaOptions): Promise<LsaModel> {
    const builder = new LsaBuilder(options);
    for await (const tokens of documents) builder.add(tokens);
    return builder.fit();
  }

  /** Bytes the model holds. */
  get bytes(): number {
    return this.components.byteLength + this.weighting.idf.byteLength + this.weighting.columns.byteLength;
  }

  /** The vector of a text, of length 1; all zero where no token is known. */
  encode(tokens: Tokens): Float32Array {
    const vector = new Float32Array(this.dimensions);
    this.encodeInto(tokens, vector, 0);
    return vector;
  }

  /** Writes the vector of a text to `target[at .. at + dimensions)`. */
  encodeInto(tokens: Tokens, target: Float32Array, at: number): void {
    const { terms, counts } = this.counter.count(tokens);
    const indices = new Int32Array(terms.length);
    const values = new Float32Array(terms.length);
    const used = weigh(this.weighting, terms, counts, indices, values, 0);
    const vector = target.subarray(at, at + this.dimensions).fill(0);
    addRows(vector, 0, this.components, indices, values, 0, used, this.dimensions);
    let squares = 0;
    for (const value of vector) squares += value * value;
    if (squares > 0) for (let i = 0, scale = 1 / Math.sqrt(squares); i < vector.length; i++) vector[i]! *= scale;
  }

  /** Vectors of many texts, [texts, dimensions]. */
  encodeAll(texts: readonly Tokens[]): Float32Array {
    const vectors = new Float32Array(texts.length * this.dimensions);
    texts.forEach((tokens, i) => {
      this.encodeInto(tokens, vectors, i * this.dimensions);
    });
    return vectors;
  }
}

function lsaSettings(options: LsaOptions): LsaSettings {
  const {
    dimensions = 256,
    sublinear = true,
    minDocuments = 2,
    maxTerms = 100_000,
    maxPostings = 1 << 25,
    iterations = 4,
    seed,
  } = options;
  for (const [field, value] of Object.entries({ dimensions, minDocuments, maxTerms, maxPostings, iterations }))
    if (!(Number.isInteger(value) && value >= 1))
      throw inputError('LSA parameter out of range', {
        code: 'lsa.parameter',
        field,
        expected: 'an integer of 1 or more',
        found: String(value),
      });
  return { dimensions, sublinear, minDocuments, maxTerms, maxPostings, iterations, seed };
}

/** TF-IDF of one document, L2-normalised, appended at `at`; returns where it ends. */
function weigh(
  { columns, idf, sublinear }: Weighting,
  terms: Int32Array,
  counts: Uint16Array,
  indices: Int32Array,
  values: Float32Array,
  at: number,
): number {
  let end = at;
  let squares = 0;
  for (let i = 0; i < terms.length; i++) {
    const column = terms[i]! < columns.length ? columns[terms[i]!]! : -1;
    if (column < 0) continue;
    const value = (sublinear ? 1 + Math.log(counts[i]!) : counts[i]!) * idf[column]!;
    indices[end] = column;
    values[end++] = value;
    squares += value * value;
  }
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  for (let i = at; i < end; i++) values[i]! *= scale;
  return end;
}

/** V of the truncated SVD, [columns, dimensions]. */
function rightSingularVectors(
  matrix: SparseMatrix,
  { dimensions, iterations, seed }: LsaSettings,
): { vectors: Float32Array; dimensions: number; singularValues: Float64Array } {
  const short = Math.min(matrix.rows, matrix.columns);
  const width = Math.min(dimensions + oversampling, short);
  if (width === 0) return { vectors: new Float32Array(0), dimensions: 0, singularValues: new Float64Array(0) };
  const turned = transpose(matrix);
  const [tall, wide] = matrix.rows <= matrix.columns ? [matrix, turned] : [turned, matrix];
  const random = stream(seed, 'lsa', 'start');
  // `tall` has the short side as rows: Q [short, width], Z = tallᵀ Q [long, width].
  let q = Float32Array.from({ length: short * width }, () => random.normal());
  orthonormalise(q, width);
  for (let i = 0; i < iterations; i++) {
    q = multiplySparse(tall, multiplySparse(wide, q, width), width) as Float32Array<ArrayBuffer>;
    orthonormalise(q, width);
  }
  orthonormalise(q, width);
  const z = multiplySparse(wide, q, width);
  const { values, vectors } = symmetricEigen(gram(z, width), width);
  const least = values[0]! * 1e-7;
  let kept = 0;
  while (kept < Math.min(dimensions, width) && values[kept]! > least) kept++;
  const singularValues = values.slice(0, kept).map(Math.sqrt);
  if (matrix.rows <= matrix.columns)
    for (let j = 0; j < kept; j++) for (let i = 0; i < width; i++) vectors[i * width + j]! /= singularValues[j]!;
  const components = multiplyTall(matrix.rows <= matrix.columns ? z : q, width, vectors, kept);
  return { vectors: components, dimensions: kept, singularValues };
}

/** Distinct tokens of a document with their counts, in order of first appearance. */
class TermCounter {
  private counts = new Int32Array(1 << 12);

  count(tokens: Tokens): { terms: Int32Array; counts: Uint16Array } {
    const terms = new Int32Array(tokens.length);
    let distinct = 0;
    for (let i = 0; i < tokens.length; i++) {
      const term = tokens[i]!;
      if (term >= this.counts.length) this.counts = enlarged(this.counts, term + 1);
      if (this.counts[term]++ === 0) terms[distinct++] = term;
    }
    const counts = new Uint16Array(distinct);
    for (let i = 0; i < distinct; i++) {
      counts[i] = Math.min(this.counts[terms[i]!]!, 0xffff);
      this.counts[terms[i]!] = 0;
    }
    return { terms: terms.slice(0, distinct), counts };
  }
}

function enlarged(array: Int32Array<ArrayBuffer>, least: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}
