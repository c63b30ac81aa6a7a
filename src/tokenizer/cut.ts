/**
 * Where a text may be cut before it is tokenised, so that the tokens of the piece are the first tokens of the whole.
 *
 * A 256-token model keeps two per cent of a full patent text; tokenising the rest is wasted. The cut is made between a
 * letter and a single blank that is followed by a letter ("…foo| bar…"). That the tokens before it cannot depend on what
 * comes after is proven from the tokenizer's own description, stage by stage; where a stage is unknown the text is never
 * cut:
 *  - added tokens: none has a blank between two other characters, so none spans the cut;
 *  - normalisers: each works on a character with its combining marks (a blank has none after it, as a letter follows) or
 *    on runs of blanks (the cut's blank is alone); lower-casing looks at neighbours for the final sigma only, which a
 *    blank ends as the end of the text does;
 *  - pre-tokenisers: at least one stage separates words at the blank, the others work within what they are given;
 *  - without such a stage (SentencePiece's `▁` convention on the whole text): no vocabulary entry has `▁` after another
 *    character, so no merge and no lattice edge spans the cut;
 *  - models: WordPiece, BPE without dropout and Unigram tokenise a word from the word alone.
 */

/** A tokenizer.json as far as cutting looks at it. */
export interface TokenizerDescription {
  added_tokens?: { content: string }[];
  normalizer?: Stage | null;
  pre_tokenizer?: Stage | null;
  model?: {
    type?: string;
    vocab?: Record<string, number> | [string, number][];
    dropout?: number | null;
    [key: string]: unknown;
  };
}

interface Stage {
  type: string;
  normalizers?: Stage[];
  pretokenizers?: Stage[];
  pattern?: { String?: string; Regex?: string };
  [key: string]: unknown;
}

/** True where the proof above holds for this tokenizer. */
export function canCut(description: TokenizerDescription): boolean {
  const { added_tokens = [], normalizer, pre_tokenizer, model } = description;
  if (added_tokens.some((token) => /\S\s+\S/u.test(token.content))) return false;
  if (!flatten(normalizer).every(isLocalNormalizer)) return false;
  const stages = flatten(pre_tokenizer);
  if (!stages.every((stage) => separatesWords(stage) || worksWithin(stage))) return false;
  if (!['WordPiece', 'BPE', 'Unigram', 'WordLevel'].includes(model?.type ?? '')) return false;
  if (model?.dropout) return false;
  return stages.some(separatesWords) || marksWords(normalizer, stages, model);
}

/**
 * The first place at or after `from` where `text` may be cut: between a letter and a blank that a letter follows;
 * `undefined` where there is none (then the whole text is to be taken).
 */
export function nextCut(text: string, from: number): number | undefined {
  boundary.lastIndex = Math.max(0, from - 1);
  const found = boundary.exec(text);
  return found === null ? undefined : found.index + 1;
}

// Letters of scripts that write blanks between words and have no form that a normaliser turns into a blank or nothing.
const letter = '[\\p{Lu}\\p{Ll}\\u05D0-\\u05EA\\u0621-\\u064A\\uAC00-\\uD7A3]';
const boundary = new RegExp(`${letter} (?=${letter})`, 'gu');

function flatten(stage: Stage | null | undefined): Stage[] {
  if (!stage) return [];
  if (stage.type !== 'Sequence') return [stage];
  return (stage.normalizers ?? stage.pretokenizers ?? []).flatMap(flatten);
}

const localNormalizers = new Set([
  'BertNormalizer', 'NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Precompiled', 'Strip', 'Prepend',
  'ByteLevel',
]); // biome-ignore format: one list
/** Patterns over blanks alone: they meet one blank at the cut, whatever stands to its right. */
const blankPatterns = new Set([' ', ' {2,}', '\\s+', '\\s{2,}', '[\\s]+', '\\s']);

function isLocalNormalizer(stage: Stage): boolean {
  if (localNormalizers.has(stage.type)) return true;
  if (stage.type !== 'Replace') return false;
  const { String: literal, Regex: regex } = stage.pattern ?? {};
  if (literal !== undefined) return literal === ' ' || !/\s/u.test(literal);
  return regex !== undefined && blankPatterns.has(regex);
}

/** Word patterns in use; each ends a match at a letter that a blank follows. */
const wordPatterns = new Set([
  // GPT-2, RoBERTa
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  // GPT-4, Llama 3
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  // Qwen 2 and 3
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  // plain white space
  '\\s+',
  '\\s',
]);

function separatesWords(stage: Stage): boolean {
  switch (stage.type) {
    case 'BertPreTokenizer':
    case 'Whitespace':
    case 'WhitespaceSplit':
      return true;
    case 'ByteLevel':
      return stage.use_regex !== false;
    case 'Split':
      return (
        (stage.behavior === 'Isolated' || stage.behavior === 'Removed') &&
        (wordPatterns.has(stage.pattern?.Regex ?? '') || stage.pattern?.String === ' ')
      );
    default:
      return false;
  }
}

/** Stages that neither separate words at a blank nor look beyond what they are given. */
function worksWithin(stage: Stage): boolean {
  if (stage.type === 'Punctuation' || stage.type === 'Digits') {
    const { behavior = 'Isolated' } = stage;
    return behavior === 'Isolated' || behavior === 'Removed' || stage.type === 'Digits';
  }
  return stage.type === 'Metaspace' || (stage.type === 'ByteLevel' && stage.use_regex === false);
}

/** SentencePiece without a word splitter: the blank becomes `▁`, and no vocabulary entry has one inside. */
function marksWords(
  normalizer: Stage | null | undefined,
  stages: Stage[],
  model: TokenizerDescription['model'],
): boolean {
  const marked =
    stages.some((stage) => stage.type === 'Metaspace' && (stage.replacement ?? '▁') === '▁') ||
    flatten(normalizer).some(
      (stage) => stage.type === 'Replace' && stage.pattern?.String === ' ' && stage.content === '▁',
    );
  if (!marked || !model?.vocab) return false;
  const entries = Array.isArray(model.vocab) ? model.vocab.map(([entry]) => entry) : Object.keys(model.vocab);
  return !entries.some((entry) => /[^▁]▁/u.test(entry));
}
