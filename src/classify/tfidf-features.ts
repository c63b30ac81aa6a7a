/**
 * TF-IDF rows of texts: the lexical baseline of classification, over the words of bm25 and lsa (tokenizer/words.ts).
 *
 *   x = (1 + ln tf) · (ln((1 + N) / (1 + df)) + 1),  each row of length 1
 *
 * scikit-learn's TfidfVectorizer(sublinear_tf=True). Vocabulary and df come from the training texts alone; words that they do not
 * have, or have in fewer than `minDocuments` documents, are left out of all rows.
 */
import { inputError } from '../base/errors.ts';
import { TermCounter, type Weighting, weigh } from '../encode/lsa.ts';
import type { SparseMatrix } from '../encode/lsa-matrix.ts';
import { type AnalyserOptions, WordAnalyser } from '../tokenizer/words.ts';

export interface TfidfOptions extends AnalyserOptions {
  /** 1 + ln tf in place of tf; default true. */
  sublinear?: boolean;
  /** A word must stand in so many training documents; default 2. */
  minDocuments?: number;
  /** Most words kept, those in most documents first, of equals the ones met first; default 50,000. */
  maxTerms?: number;
}

/** Fitted on training texts; gives rows of any texts. */
export class TfidfFeatures {
  /** The word of each column. */
  readonly terms: readonly string[];
  private readonly analyser: WordAnalyser;
  private readonly weighting: Weighting;
  private readonly counter = new TermCounter();

  private constructor(analyser: WordAnalyser, weighting: Weighting, terms: readonly string[]) {
    this.analyser = analyser;
    this.weighting = weighting;
    this.terms = terms;
  }

  /** Throws where no word stands in `minDocuments` texts. */
  static fit(texts: Iterable<string>, options: TfidfOptions = {}): TfidfFeatures {
    const { sublinear = true, minDocuments = 2, maxTerms = 50_000, ...words } = options;
    for (const [field, value] of Object.entries({ minDocuments, maxTerms }))
      if (!(Number.isInteger(value) && value >= 1))
        throw inputError('a setting of TF-IDF is out of range', {
          code: 'classify.option',
          field,
          expected: 'a whole number from 1',
          found: String(value),
        });
    const analyser = new WordAnalyser(words);
    const frequencies: number[] = [];
    let documents = 0;
    for (const text of texts) {
      const ids = new Set(analyser.analyse(text));
      while (frequencies.length < analyser.size) frequencies.push(0);
      for (const id of ids) frequencies[id]!++;
      documents++;
    }
    const kept = Array.from(frequencies, (_, id) => id)
      .filter((id) => frequencies[id]! >= minDocuments)
      .sort((a, b) => frequencies[b]! - frequencies[a]! || a - b)
      .slice(0, maxTerms)
      .sort((a, b) => a - b);
    if (kept.length === 0)
      throw inputError('the training texts have no words to weigh', {
        code: 'classify.terms',
        expected: `words that stand in ${minDocuments} texts or more`,
        found: `${documents} texts without such words`,
        hint: 'choose a view with more text, or a smaller minDocuments',
      });
    const columns = new Int32Array(frequencies.length).fill(-1);
    kept.forEach((id, column) => {
      columns[id] = column;
    });
    const idf = Float32Array.from(kept, (id) => Math.log((1 + documents) / (1 + frequencies[id]!)) + 1);
    return new TfidfFeatures(
      analyser,
      { columns, idf, sublinear },
      kept.map((id) => analyser.term(id)),
    );
  }

  /** Rows of texts, in their order; a text without a known word is a row of zeros. */
  rows(texts: Iterable<string>): SparseMatrix {
    const parts: { indices: Int32Array; values: Float32Array }[] = [];
    for (const text of texts) {
      const { terms, counts } = this.counter.count(this.analyser.analyse(text, { grow: false }));
      const indices = new Int32Array(terms.length);
      const values = new Float32Array(terms.length);
      const used = weigh(this.weighting, terms, counts, indices, values, 0);
      parts.push({ indices: indices.subarray(0, used), values: values.subarray(0, used) });
    }
    const starts = new Int32Array(parts.length + 1);
    parts.forEach(({ indices }, row) => {
      starts[row + 1] = starts[row]! + indices.length;
    });
    const matrix: SparseMatrix = {
      rows: parts.length,
      columns: this.terms.length,
      starts,
      indices: new Int32Array(starts[parts.length]!),
      values: new Float32Array(starts[parts.length]!),
    };
    parts.forEach(({ indices, values }, row) => {
      matrix.indices.set(indices, starts[row]!);
      matrix.values.set(values, starts[row]!);
    });
    return matrix;
  }
}
