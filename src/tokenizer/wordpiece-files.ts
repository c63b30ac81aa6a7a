/**
 * The files of a BERT tokenizer (uncased, WordPiece) for a vocabulary, as Hugging Face writes them: tokenizer.json, which
 * alone decides, and what older readers look for beside it.
 */
import type { TokenizerFiles } from './tokenizer.ts';

/** BERT's, in the order of their ids. */
export const specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

const roles = {
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  mask_token: '[MASK]',
} as const;

/** `tokens` begin with the special tokens; `maxLength`: the longest text, in tokens, that the model takes. */
export function wordPieceFiles(
  tokens: readonly string[],
  maxLength = 512,
): TokenizerFiles & { names: Record<string, string> } {
  const tokenizer = JSON.stringify(describe(tokens));
  const added = specialTokens.map((content) => ({
    content,
    lstrip: false,
    normalized: false,
    rstrip: false,
    single_word: false,
    special: true,
  }));
  const config = JSON.stringify(
    {
      tokenizer_class: 'BertTokenizer',
      added_tokens_decoder: Object.fromEntries(added.entries()),
      do_lower_case: true,
      strip_accents: null,
      tokenize_chinese_chars: true,
      model_max_length: maxLength,
      ...roles,
    },
    undefined,
    2,
  );
  return {
    tokenizer,
    config,
    folder: 'a new vocabulary',
    names: {
      'tokenizer.json': tokenizer,
      'tokenizer_config.json': `${config}\n`,
      'special_tokens_map.json': `${JSON.stringify(roles, undefined, 2)}\n`,
      'vocab.txt': tokens.map((token) => `${token}\n`).join(''),
    },
  };
}

function describe(tokens: readonly string[]): object {
  const sequence = (id: 'A' | 'B', type: number) => ({ Sequence: { id, type_id: type } });
  const special = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const [cls, sep] = ['[CLS]', '[SEP]'];
  const wrap = (token: string) => ({ id: token, ids: [specialTokens.indexOf(token as '[CLS]')], tokens: [token] });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [special(cls, 0), sequence('A', 0), special(sep, 0)],
      pair: [special(cls, 0), sequence('A', 0), special(sep, 0), sequence('B', 1), special(sep, 1)],
      special_tokens: { [cls]: wrap(cls), [sep]: wrap(sep) },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
}
