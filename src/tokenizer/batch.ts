/** Many texts at once, as the tokenising thread works on them. */
import { sha256 } from '../base/hash.ts';
import type { TextTokenizer } from './tokenizer.ts';

/** Token ids of texts one after another: text i has ids starts[i] … starts[i + 1] - 1. */
export interface TokenBatch {
  ids: Int32Array;
  /** texts + 1 positions in `ids`. */
  starts: Int32Array;
  /** Texts that had more tokens than were kept. */
  truncated: number;
  /** Leading tokens of every text that are special tokens and prompt. */
  promptTokens: number;
}

/** Tokenises each text with `prompt` before it. */
export function tokenizeTexts(
  tokenizer: TextTokenizer,
  texts: readonly string[],
  prompt: string,
  maxLength: number,
): TokenBatch {
  const starts = new Int32Array(texts.length + 1);
  const pieces: Int32Array[] = [];
  let truncated = 0;
  for (const [i, text] of texts.entries()) {
    const encoded = tokenizer.encode(prompt + text, { maxLength });
    pieces.push(encoded.ids);
    starts[i + 1] = starts[i]! + encoded.ids.length;
    if (encoded.truncated) truncated++;
  }
  const ids = new Int32Array(starts[texts.length]!);
  for (const [i, piece] of pieces.entries()) ids.set(piece, starts[i]);
  const promptTokens = prompt === '' ? 0 : tokenizer.prefix.length + tokenizer.tokens(prompt).length;
  return { ids, starts, truncated, promptTokens };
}

/** SHA-256 over the texts with their lengths: equal exactly where the lists of texts are equal. */
export function hashTexts(texts: readonly string[]): Promise<string> {
  return sha256(texts.map((text) => `${text.length}\n${text}`).join('\n'));
}
