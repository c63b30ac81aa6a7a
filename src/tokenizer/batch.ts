/** Many texts at once, as the tokenising thread works on them. */
import { inputError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { type PassageWindows, passageSpans } from './passages.ts';
import type { TextTokenizer } from './tokenizer.ts';

/** Token ids of texts, or of their passages, one after another: sequence i has ids starts[i] … starts[i + 1] - 1. */
export interface TokenBatch {
  ids: Int32Array;
  /** sequences + 1 positions in `ids`. */
  starts: Int32Array;
  /** Passages of each text; undefined where every text is one sequence. */
  passages?: Int32Array;
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

/**
 * Tokenises each text with `prompt` before it and cuts it into passages: the first is the text as `tokenizeTexts` cuts it at
 * the same length, to the token; the others begin further on, each with the prompt and the special tokens of its own.
 */
export function tokenizePassages(
  tokenizer: TextTokenizer,
  texts: readonly string[],
  prompt: string,
  { size, overlap, most = Number.POSITIVE_INFINITY }: PassageWindows,
): TokenBatch {
  const { prefix, suffix } = tokenizer;
  const lead = prompt === '' ? [] : tokenizer.tokens(prompt);
  const room = size - prefix.length - suffix.length - lead.length;
  if (!(overlap < room)) {
    throw inputError('passages overlap by as much as they hold', {
      code: 'tokenizer.passages',
      field: 'passages',
      expected: `an overlap below ${Math.max(0, room)}: ${size} tokens less special tokens and prompt`,
      found: String(overlap),
    });
  }
  const reach = lead.length + room + (most - 1) * (room - overlap);
  const passages = new Int32Array(texts.length);
  const sequences: number[][] = [];
  let truncated = 0;
  for (const [i, text] of texts.entries()) {
    const { tokens, truncated: longer } = tokenizer.firstTokens(prompt + text, reach);
    if (longer) truncated++;
    const count = Math.max(0, Math.min(tokens.length, reach) - lead.length);
    const spans = passageSpans(count, room, overlap);
    passages[i] = spans.length;
    for (const [from, to] of spans) {
      // The first passage has the prompt's tokens as they stand before the text.
      const own =
        from === 0
          ? tokens.slice(0, lead.length + to)
          : [...lead, ...tokens.slice(lead.length + from, lead.length + to)];
      sequences.push([...prefix, ...own, ...suffix]);
    }
  }
  const starts = new Int32Array(sequences.length + 1);
  for (const [i, { length }] of sequences.entries()) starts[i + 1] = starts[i]! + length;
  const ids = new Int32Array(starts[sequences.length]!);
  for (const [i, sequence] of sequences.entries()) ids.set(sequence, starts[i]);
  return { ids, starts, passages, truncated, promptTokens: lead.length === 0 ? 0 : prefix.length + lead.length };
}

/** SHA-256 over the texts with their lengths: equal exactly where the lists of texts are equal. */
export function hashTexts(texts: readonly string[]): Promise<string> {
  return sha256(texts.map((text) => `${text.length}\n${text}`).join('\n'));
}
