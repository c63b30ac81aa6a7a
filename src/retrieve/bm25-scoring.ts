/**
 * The five BM25 variants of Kamphuis et al. (ECIR 2020, "Which BM25 do you mean?") and of bm25s, whose defaults these are.
 *
 *   score(query, document) = sum over query tokens t of  idf(t) * tfc(tf(t, document), length / mean length)
 *
 *   with L = 1 - b + b * length / meanLength          idf                                        tfc
 *   lucene     ln(1 + (N - df + 0.5) / (df + 0.5))    tf / (tf + k1 L)
 *   robertson  ln(max(1, (N - df + 0.5) / (df + 0.5)))    tf / (tf + k1 L)
 *   atire      ln(N / df)                             (k1 + 1) tf / (tf + k1 L)
 *   bm25+      ln((N + 1) / df)                       (k1 + 1) tf / (tf + k1 L) + delta
 *   bm25l      ln((N + 1) / (df + 0.5))               (k1 + 1) (c + delta) / (k1 + c + delta),  c = tf / L
 *
 * bm25+ and bm25l give a document a score for a token it does not have, too: that part is the same for every document,
 * so the index holds only what occurrence adds to it (eager sparse scores, Lù 2024, arXiv 2407.03618).
 */
import { inputError } from '../base/errors.ts';

export const bm25Variants = ['lucene', 'robertson', 'atire', 'bm25+', 'bm25l'] as const;
export type Bm25Variant = (typeof bm25Variants)[number];

export interface Bm25Options {
  /** Default `lucene`. */
  variant?: Bm25Variant;
  /** Saturation of term frequency, 0 or more; default 1.5. */
  k1?: number;
  /** Strength of length normalisation, 0..1; default 0.75. */
  b?: number;
  /** Floor of bm25+ and bm25l, 0 or more; default 0.5; the others ignore it. */
  delta?: number;
}

export type Bm25Settings = Readonly<Required<Bm25Options>>;

export function bm25Settings(options: Bm25Options = {}): Bm25Settings {
  const { variant = 'lucene', k1 = 1.5, b = 0.75, delta = 0.5 } = options;
  if (!bm25Variants.includes(variant))
    throw inputError('unknown BM25 variant', {
      code: 'bm25.variant',
      field: 'variant',
      expected: bm25Variants.join(', '),
      found: String(variant),
    });
  checkRange('k1', k1, 0, Number.MAX_VALUE);
  checkRange('b', b, 0, 1);
  checkRange('delta', delta, 0, Number.MAX_VALUE);
  return { variant, k1, b, delta };
}

function checkRange(field: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw inputError(`BM25 parameter out of range`, {
    code: 'bm25.parameter',
    field,
    expected: most === Number.MAX_VALUE ? `${least} or more` : `${least} to ${most}`,
    found: String(value),
  });
}

export function inverseDocumentFrequency(variant: Bm25Variant, documents: number, df: number): number {
  const odds = (documents - df + 0.5) / (df + 0.5);
  switch (variant) {
    case 'lucene':
      return Math.log(1 + odds);
    case 'robertson':
      return Math.log(Math.max(1, odds));
    case 'atire':
      return Math.log(documents / df);
    case 'bm25+':
      return Math.log((documents + 1) / df);
    case 'bm25l':
      return Math.log((documents + 1) / (df + 0.5));
  }
}

/** What one token adds to a document that does not have it, in units of its idf. */
export function absentComponent({ variant, k1, delta }: Bm25Settings): number {
  if (variant === 'bm25+') return delta;
  if (variant === 'bm25l' && delta > 0) return ((k1 + 1) * delta) / (k1 + delta);
  return 0;
}

/** The term-frequency component; `norm` is 1 - b + b * length / meanLength. */
export function termComponent({ variant, k1, delta }: Bm25Settings, tf: number, norm: number): number {
  switch (variant) {
    case 'lucene':
    case 'robertson':
      return tf / (tf + k1 * norm);
    case 'atire':
      return ((k1 + 1) * tf) / (tf + k1 * norm);
    case 'bm25+':
      return ((k1 + 1) * tf) / (tf + k1 * norm) + delta;
    case 'bm25l': {
      const c = tf / norm;
      return ((k1 + 1) * (c + delta)) / (k1 + c + delta);
    }
  }
}
