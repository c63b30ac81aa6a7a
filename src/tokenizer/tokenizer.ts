/**
 * Text to token ids, exactly as the checkpoint's own tokenizer does it: `@huggingface/tokenizers` on the checkpoint's
 * tokenizer.json, with what is ours around it:
 *  - truncation keeps the special tokens: ids = prefix + first (maxLength - specials) tokens of the text + suffix;
 *  - a text far longer than what is kept is cut before it is tokenised (`cut.ts` proves where), generously by characters;
 *    where the piece gave too few tokens it is widened, so that the ids are those of the whole text, always;
 *  - two places where the JavaScript implementation departs from the original are mended before it sees the text:
 *    lower-casing of the Greek capital sigma (the original knows no final form) and Chinese characters beyond U+FFFF.
 * Nothing is padded here: sequences keep their own lengths.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { inputError } from '../base/errors.ts';
import { canCut, nextCut, type TokenizerDescription } from './cut.ts';

/** The plain data a tokenizer is made from; it travels to a worker as it is. */
export interface TokenizerFiles {
  /** Text of tokenizer.json. */
  tokenizer: string;
  /** Text of tokenizer_config.json; `{}` where the checkpoint has none. */
  config: string;
  /** Where they were read from, for messages. */
  folder: string;
}

export interface TokenizerOptions {
  /** Lower-case the text first (sentence_bert_config.json's do_lower_case). Default false. */
  lowercase?: boolean;
}

export interface EncodedText {
  /** Special tokens included; never padded. */
  ids: Int32Array;
  /** True where the text had more tokens than were kept. */
  truncated: boolean;
}

/** A special token with the segment it belongs to. */
export interface SpecialToken {
  id: number;
  segment: number;
}

/** What stands around and between two texts that make one sequence, and the segments of the texts. */
export interface PairTemplate {
  before: readonly SpecialToken[];
  a: number;
  between: readonly SpecialToken[];
  b: number;
  after: readonly SpecialToken[];
}

export class TextTokenizer {
  /** Special tokens before and after every text. */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  /** True where long texts are cut before they are tokenised. */
  readonly cuts: boolean;
  private readonly inner: Tokenizer;
  private readonly lowercase: boolean;
  private readonly foldsSigma: boolean;
  private readonly spacesChinese: boolean;
  /** True where the original gives both texts of a pair segment 0, and the JavaScript implementation 0 and 1. */
  private readonly plainSegments: boolean;
  /** Characters a token, learnt from the texts seen: decides how much is tried first, never the result. */
  private width = 5;

  constructor(files: TokenizerFiles, { lowercase = false }: TokenizerOptions = {}) {
    const description = parse(files, 'tokenizer.json', files.tokenizer) as TokenizerDescription & object;
    const config = parse(files, 'tokenizer_config.json', files.config);
    const bert = followConfig(description, config);
    try {
      this.inner = new Tokenizer(complete(description), config);
    } catch (error) {
      throw inputError('this tokenizer cannot be read', {
        code: 'tokenizer.unsupported',
        file: `${files.folder}/tokenizer.json`,
        expected: 'a WordPiece, BPE or Unigram tokenizer as Hugging Face writes it',
        found: error instanceof Error ? error.message : String(error),
        cause: error,
      });
    }
    this.lowercase = lowercase;
    this.cuts = canCut(description);
    const normalizers = JSON.stringify(description.normalizer ?? null);
    this.foldsSigma = bert?.lowercase === true || normalizers.includes('"Lowercase"');
    this.spacesChinese = bert?.handle_chinese_chars === true;
    const { post_processor } = description as { post_processor?: unknown };
    this.plainSegments = JSON.stringify(post_processor ?? null).includes('"RobertaProcessing"');
    [this.prefix, this.suffix] = this.template();
  }

  /** Ids of `text` with the special tokens around it, at most `maxLength` in all (default: no limit). */
  encode(text: string, { maxLength = Number.POSITIVE_INFINITY }: { maxLength?: number } = {}): EncodedText {
    const room = maxLength - this.prefix.length - this.suffix.length;
    if (room < 0) {
      throw inputError('the length limit leaves no room for the special tokens', {
        code: 'tokenizer.length',
        field: 'length',
        expected: `at least ${this.prefix.length + this.suffix.length}`,
        found: String(maxLength),
      });
    }
    const { tokens, truncated } = this.firstTokens(text, room);
    const kept = Math.min(tokens.length, room);
    const ids = new Int32Array(this.prefix.length + kept + this.suffix.length);
    ids.set(this.prefix, 0);
    for (let i = 0; i < kept; i++) ids[this.prefix.length + i] = tokens[i]!;
    ids.set(this.suffix, this.prefix.length + kept);
    return { ids, truncated };
  }

  /** Ids of the whole text without special tokens, never cut. */
  tokens(text: string): number[] {
    const ids = this.inner.encode(this.prepare(text), { add_special_tokens: false }).ids as (number | undefined)[];
    return ids.filter((id): id is number => id !== undefined); // no id: a character that a vocabulary without <unk> lacks
  }

  /** The words of the whole text before they are looked up: normalised and split, as a vocabulary is trained on them. */
  words(text: string): string[] {
    const { normalizer, pre_tokenizer: split } = this.inner;
    const prepared = this.prepare(text);
    const normalised = normalizer === null ? prepared : normalizer(prepared);
    return split === null ? [normalised] : split(normalised);
  }

  /** The token of an id, for messages and tests. */
  token(id: number): string | undefined {
    return this.inner.id_to_token(id);
  }

  /** At least the first `room` tokens of the text if it has as many, and whether it has more; no special tokens. */
  firstTokens(text: string, room: number): { tokens: number[]; truncated: boolean } {
    if (this.cuts && Number.isFinite(room)) {
      for (let reach = Math.ceil((room + 1) * this.width * 1.2) + 48; reach < text.length; reach *= 2) {
        const cut = nextCut(text, reach);
        if (cut === undefined) break;
        const tokens = this.tokens(text.slice(0, cut));
        if (tokens.length > 0) this.width += (cut / tokens.length - this.width) / 16;
        if (tokens.length > room) return { tokens, truncated: true };
      }
    }
    const tokens = this.tokens(text);
    return { tokens, truncated: tokens.length > room };
  }

  /** How this tokenizer joins two texts, found by letting the post-processor wrap two marks. */
  pairTemplate(): PairTemplate {
    const { post_processor: wrap } = this.inner;
    const marks = ['\u0000first', '\u0000second'] as const;
    const wrapped = wrap?.post_process([marks[0]], [marks[1]], true) as
      | { tokens: string[]; token_type_ids?: number[] }
      | undefined;
    // A post-processor without special tokens leaves the two apart: they are joined as they are.
    const joined = wrapped?.tokens.includes(marks[1]) ? wrapped : { tokens: [...marks], token_type_ids: [0, 1] };
    const special = joined.tokens.map((token, at) => ({
      id: this.inner.token_to_id(token) ?? -1,
      segment: this.plainSegments ? 0 : (joined.token_type_ids?.[at] ?? 0),
    }));
    const [a, b] = marks.map((mark) => joined.tokens.indexOf(mark)) as [number, number];
    return {
      before: special.slice(0, a),
      a: special[a]!.segment,
      between: special.slice(a + 1, b),
      b: special[b]!.segment,
      after: special.slice(b + 1),
    };
  }

  private prepare(text: string): string {
    let prepared = this.lowercase ? text.toLowerCase() : text;
    if (this.foldsSigma && prepared.includes('Σ')) prepared = prepared.replaceAll('Σ', 'σ');
    if (this.spacesChinese && highSurrogate.test(prepared)) prepared = prepared.replace(farChinese, ' $& ');
    return prepared;
  }

  /** The special tokens on both sides, found by letting the post-processor wrap a mark. */
  private template(): [number[], number[]] {
    const { post_processor: wrap } = this.inner;
    if (wrap === null) return [[], []];
    const mark = '\u0000text';
    const { tokens } = wrap.post_process([mark], null, true) as { tokens: string[] };
    const at = tokens.indexOf(mark);
    const ids = tokens.map((token) => this.inner.token_to_id(token) ?? -1);
    return [ids.slice(0, at), ids.slice(at + 1)];
  }
}

const highSurrogate = /[\uD840-\uD87F]/;
const farChinese =
  /[\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

interface BertNormalizer {
  type: string;
  lowercase?: boolean;
  strip_accents?: boolean | null;
  handle_chinese_chars?: boolean;
}

/** As transformers does on loading: what tokenizer_config.json says of a BERT normaliser overrides tokenizer.json. */
function followConfig(description: TokenizerDescription, config: Record<string, unknown>): BertNormalizer | undefined {
  const { normalizer } = description as { normalizer?: BertNormalizer | null };
  if (normalizer?.type !== 'BertNormalizer') return undefined;
  if (typeof config.do_lower_case === 'boolean') normalizer.lowercase = config.do_lower_case;
  if (typeof config.strip_accents === 'boolean') normalizer.strip_accents = config.strip_accents;
  if (typeof config.tokenize_chinese_chars === 'boolean')
    normalizer.handle_chinese_chars = config.tokenize_chinese_chars;
  return normalizer;
}

/** Sections that older files leave out. */
function complete(description: TokenizerDescription): object {
  return {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
    ...description,
  };
}

function parse(files: TokenizerFiles, name: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new SyntaxError('not an object');
  } catch (error) {
    throw inputError('this file is not a JSON object', {
      code: 'tokenizer.json',
      file: `${files.folder}/${name}`,
      found: error instanceof Error ? error.message : String(error),
      hint: 'fetch the checkpoint again',
      cause: error,
    });
  }
}
