/**
 * Two texts as one sequence, as a cross-encoder reads them: `[CLS] a [SEP] b [SEP]` for BERT, `<s> a </s> </s> b </s>` for the
 * RoBERTa family, with the segment of every token (0 and 1 for BERT). A text is tokenised once and joined with many others.
 *
 * Where both are longer than fits, the longer one is cut first, as Hugging Face's `longest_first` does it. With n₁ ≤ n₂
 * tokens and room for m:
 *
 *   n₁ + n₂ ≤ m      both whole
 *   n₁ < m − n₁      the shorter one whole, m − n₁ of the longer one
 *   else             half of m each, the odd token to the longer one (of equal ones to the second)
 */
import { inputError } from '../base/errors.ts';
import type { EncodedText, PairTemplate, TextTokenizer } from './tokenizer.ts';

/** One side of a pair. */
export interface PairText {
  /** The first tokens, as many as could ever be kept. */
  readonly tokens: Int32Array;
  /** True where the text has more tokens than that. */
  readonly truncated: boolean;
  /** The number of all its tokens; worked out when it is asked for. */
  length(): number;
}

export interface EncodedPair extends EncodedText {
  /** As long as `ids`. */
  segments: Int32Array;
}

export class PairEncoder {
  private readonly tokenizer: TextTokenizer;
  private readonly template: PairTemplate;
  /** Tokens of both texts together. */
  private readonly room: number;

  /** `maxLength`: most tokens of a pair, special ones counted. */
  constructor(tokenizer: TextTokenizer, maxLength: number) {
    this.tokenizer = tokenizer;
    this.template = tokenizer.pairTemplate();
    const { before, between, after } = this.template;
    const special = before.length + between.length + after.length;
    this.room = maxLength - special;
    if (this.room >= 2) return;
    throw inputError('the length limit leaves no room for two texts beside the special tokens', {
      code: 'tokenizer.length',
      field: 'length',
      expected: `at least ${special + 2}`,
      found: String(maxLength),
    });
  }

  read(text: string): PairText {
    const { tokens, truncated } = this.tokenizer.firstTokens(text, this.room);
    const kept = Int32Array.from(tokens.slice(0, this.room));
    // The text of a cut one is kept until its length is asked for; that of a whole one is not needed any more.
    let known: string | number = truncated ? text : kept.length;
    return {
      tokens: kept,
      truncated,
      length: () => {
        if (typeof known === 'string') known = this.tokenizer.tokens(known).length;
        return known;
      },
    };
  }

  join(a: PairText, b: PairText): EncodedPair {
    const { before, between, after } = this.template;
    const [first, second] = this.share(a, b);
    const parts = [
      { ids: before.map(({ id }) => id), segments: before.map(({ segment }) => segment) },
      { ids: a.tokens.subarray(0, first), segments: new Int32Array(first).fill(this.template.a) },
      { ids: between.map(({ id }) => id), segments: between.map(({ segment }) => segment) },
      { ids: b.tokens.subarray(0, second), segments: new Int32Array(second).fill(this.template.b) },
      { ids: after.map(({ id }) => id), segments: after.map(({ segment }) => segment) },
    ];
    const length = parts.reduce((sum, { ids }) => sum + ids.length, 0);
    const pair = { ids: new Int32Array(length), segments: new Int32Array(length) };
    let at = 0;
    for (const { ids, segments } of parts) {
      pair.ids.set(ids, at);
      pair.segments.set(segments, at);
      at += ids.length;
    }
    return {
      ...pair,
      truncated: a.truncated || b.truncated || first < a.tokens.length || second < b.tokens.length,
    };
  }

  /** How many tokens of either are kept. What is known of a cut text's length is enough, but for the odd token. */
  private share(a: PairText, b: PairText): [number, number] {
    const known = longestFirst(a.tokens.length, b.tokens.length, this.room);
    const even = known[0] === known[1] || this.room % 2 === 0;
    return even || !a.truncated || !b.truncated ? known : longestFirst(a.length(), b.length(), this.room);
  }
}

/** Tokens kept of two texts that have `a` and `b`, where there is room for `room`. */
export function longestFirst(a: number, b: number, room: number): [number, number] {
  if (a + b <= room) return [a, b];
  if (a > b) {
    const [second, first] = longestFirst(b, a, room);
    return [first, second];
  }
  const rest = Math.max(a, room - a);
  if (a + rest <= room) return [a, rest];
  const half = Math.floor(room / 2);
  return [half, room - half];
}
