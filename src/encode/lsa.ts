/**
 * `lsa`: the dense model that needs no weights. Latent semantic analysis (Deerwester et al. 1990) is fitted on the corpus:
 *
 *   x(document) = TF-IDF, L2-normalised:   tf' = 1 + ln tf (sublinear, default) or tf;   idf = ln((1 + N) / (1 + df)) + 1
 *   X ≈ U S Vᵀ  (truncated SVD of documents x terms);   vector(text) = x(text) V, L2-normalised
 *
 * as scikit-learn's TfidfVectorizer, TruncatedSVD and Normalizer do; queries are encoded as documents are.
 *
 * The SVD is found by randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4): with Q on the shorter
 * side of X, repeat Q <- orth(X Xᵀ Q - shift Q) (or Xᵀ X), then solve the small eigenproblem of Qᵀ X Xᵀ Q. The shift, at
 * most half of the smallest eigenvalue looked for, makes an iteration worth about two (dashSVD, Feng et al. 2024). Seeded:
 * the same documents in the same order give the same vectors.
 *
 * Memory: terms in fewer than `minDocuments` documents say nothing about two documents and are left out; of the rest the
 * `maxTerms` most frequent stay. The documents that the SVD sees are a seeded uniform sample of at most `maxPostings`
 * (document, term) entries: 32 bytes each at the peak, 1 GB at the default of 2^25 and some 40 MB for 1,252 full texts,
 * beside the dense (documents + terms) x dimensions. The model
 * itself holds terms x dimensions float32.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';
import { symmetricEigen } from './lsa-eigen.ts';
import { lanes, type Placed, RowKernel } from './lsa-kernel.ts';
import {
  largestSingularValue,
  multiplySparse,
  multiplyTall,
  multiplyTriangle,
  orthonormaliser,
  placeSparse,
  type SparseMatrix,
  SymmetricProduct,
  transpose,
} from './lsa-matrix.ts';

interface LsaOptions {
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

type LsaSettings = Readonly<Required<LsaOptions>>;

type Tokens = ArrayLike<number>;

/** More columns than dimensions, so that the last dimensions are found as well as the first. */
const oversampling = (dimensions: number) => Math.max(16, dimensions >> 3);
/** Distinct terms of a text that are projected at once. */
const chunk = 4096;

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
    if (terms === 0)
      throw inputError('LSA has nothing to learn from', {
        code: 'lsa.empty',
        expected: `words that stand in ${settings.minDocuments} documents or more`,
        found: `${documents} documents without such words`,
        hint: 'Choose a view with more text, or a larger corpus.',
      });
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

/** How TF-IDF weighs: term -> column (-1: left out), and idf of each column. */
export interface Weighting {
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
  private readonly kernel: RowKernel;
  /** [terms, dimensions rounded up to `lanes`] */
  private readonly components: Placed<Float32Array>;
  private readonly sum: Placed<Float32Array>;
  private readonly indices: Placed<Int32Array>;
  private readonly values: Placed<Float32Array>;
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
    const width = roundUp(parts.dimensions);
    this.kernel = new RowKernel(4 * (parts.components.length + width + 2 * chunk) + 256);
    this.components = this.kernel.floats(parts.components.length);
    this.components.view.set(parts.components);
    this.sum = this.kernel.floats(width);
    this.indices = this.kernel.integers(chunk);
    this.values = this.kernel.floats(chunk);
  }

  /** Fits on documents as token ids, read once. */
  static async fit(documents: Iterable<Tokens> | AsyncIterable<Tokens>, options: LsaOptions): Promise<LsaModel> {
    const builder = new LsaBuilder(options);
    for await (const tokens of documents) builder.add(tokens);
    return builder.fit();
  }

  /** Bytes the model holds. */
  get bytes(): number {
    return this.components.view.byteLength + this.weighting.idf.byteLength + this.weighting.columns.byteLength;
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
    this.sum.view.fill(0);
    for (let from = 0; from < used; from += chunk) {
      const to = Math.min(used, from + chunk);
      this.indices.view.set(indices.subarray(from, to));
      this.values.view.set(values.subarray(from, to));
      this.kernel.addRows(
        this.sum.at,
        this.components.at,
        this.indices.at,
        this.values.at,
        to - from,
        this.sum.view.length,
      );
    }
    let squares = 0;
    for (const value of this.sum.view) squares += value * value;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < this.dimensions; i++) target[at + i] = this.sum.view[i]! * scale;
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

/** All settings with their defaults, checked. */
export function lsaSettings(options: LsaOptions): LsaSettings {
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
export function weigh(
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
  const long = Math.max(matrix.rows, matrix.columns);
  const width = roundUp(Math.min(dimensions + oversampling(dimensions), short));
  const entries = matrix.indices.length;
  const kernel = new RowKernel(
    16 * entries + 4 * width * (2 * short + 2 * long + width + 1) + SymmetricProduct.bytes(width) + 1024,
  );
  const turned = transpose(matrix);
  const documentsShort = matrix.rows <= matrix.columns;
  // `tall` has the short side as rows.
  const tall = placeSparse(kernel, documentsShort ? matrix : turned);
  const wide = placeSparse(kernel, documentsShort ? turned : matrix);
  const square = kernel.floats(width * width);
  const order = kernel.integers(width);
  order.view.set(order.view.map((_, i) => i));
  let q = kernel.floats(short * width);
  let y = kernel.floats(short * width);
  const z = kernel.floats(long * width);
  const gram = new SymmetricProduct(kernel, width);
  /** Makes Q's columns orthonormal; returns its smallest singular value before. */
  const orthonormalise = (): number => {
    const inverse = orthonormaliser(gram.of(q.view, q.view), width);
    multiplyTriangle(kernel, q, inverse, square, y, order, width);
    [q, y] = [y, q];
    return 1 / largestSingularValue(inverse, width);
  };
  const random = stream(seed, 'lsa', 'start');
  for (let i = 0; i < q.view.length; i++) q.view[i] = random.normal();
  orthonormalise();
  let shift = 0;
  for (let i = 0; i < iterations; i++) {
    multiplySparse(kernel, wide, q, z, width);
    multiplySparse(kernel, tall, z, y, width);
    if (shift > 0) for (let j = 0; j < y.view.length; j++) y.view[j]! -= shift * q.view[j]!;
    [q, y] = [y, q];
    const smallest = orthonormalise();
    shift = Math.max(shift, (0.9 * smallest + shift) / 2); // never more than half of the eigenvalue it stands for
  }
  orthonormalise(); // the second time makes it so to the last digits
  multiplySparse(kernel, wide, q, z, width);
  multiplySparse(kernel, tall, z, y, width);
  const { values, vectors } = symmetricEigen(gram.of(q.view, y.view), width);
  const least = values[0]! * 1e-6;
  let kept = 0;
  while (kept < Math.min(dimensions, width) && values[kept]! > least) kept++;
  const singularValues = values.slice(0, kept).map(Math.sqrt);
  // With Q on the documents' side, V = Xᵀ Q W S⁻¹; on the terms' side, V = Q W.
  const padded = roundUp(kept);
  for (let i = 0; i < width; i++)
    for (let j = 0; j < padded; j++)
      square.view[i * padded + j] = j < kept ? vectors[i * width + j]! / (documentsShort ? singularValues[j]! : 1) : 0;
  const right = kernel.floats(matrix.columns * padded);
  multiplyTall(kernel, documentsShort ? z : q, square, right, order, width, padded);
  return { vectors: right.view.slice(), dimensions: kept, singularValues };
}

function roundUp(width: number): number {
  return Math.ceil(width / lanes) * lanes;
}

/** Distinct tokens of a document with their counts, in order of first appearance. */
export class TermCounter {
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
