/**
 * From token sequences of unequal length to the feeds of a program: all tokens in one row, their positions as the
 * architecture counts them, and the lengths. Nothing is padded, so a vector cannot depend on its neighbours' lengths.
 */
import { inputError } from '../base/errors.ts';
import { type Feeds, input, sequenceFeeds, sequenceInputs } from '../engine/index.ts';
import type { EncoderConfig } from './config.ts';
import type { EncoderBatch } from './forward.ts';

/** The symbolic batch that `batchFeeds` gives values to. */
export function batchInputs({ segments = false }: { segments?: boolean } = {}): EncoderBatch {
  return {
    ids: input('ids', 'int32', ['tokens']),
    positions: input('positions', 'int32', ['tokens']),
    ...(segments ? { segments: input('segments', 'int32', ['tokens']) } : {}),
    layout: sequenceInputs(),
  };
}

/** Checks every id and length; `segments`, where given, is as long as the sequences are. */
export function batchFeeds(
  config: EncoderConfig,
  sequences: readonly Int32Array[],
  { maxLength = config.maxPositions, segments }: { maxLength?: number; segments?: readonly Int32Array[] } = {},
): Feeds {
  if (sequences.length === 0) throw inputError('a batch needs at least one sequence', { code: 'model.batch-empty' });
  const tokens = sequences.reduce((total, sequence) => total + sequence.length, 0);
  const ids = new Int32Array(tokens);
  const positions = new Int32Array(tokens);
  let start = 0;
  sequences.forEach((sequence, at) => {
    checkSequence(config, sequence, at, maxLength);
    ids.set(sequence, start);
    positionsOf(config, sequence, positions.subarray(start, start + sequence.length));
    start += sequence.length;
  });
  const feeds = { ids, positions, ...sequenceFeeds(sequences.map((sequence) => sequence.length)) };
  return segments === undefined ? feeds : { ...feeds, segments: flat(segments) };
}

/** First rows of the sequences and the number of all rows: [sequences + 1]. */
export function startsOf(sequences: readonly Int32Array[]): Int32Array {
  const starts = new Int32Array(sequences.length + 1);
  sequences.forEach((sequence, at) => {
    starts[at + 1] = starts[at]! + sequence.length;
  });
  return starts;
}

/**
 * BERT and ModernBERT count from 0. The RoBERTa family and MPNet count from pad id + 1, and a pad token inside a text has
 * the pad id as its position and is not counted.
 */
function positionsOf(config: EncoderConfig, sequence: Int32Array, target: Int32Array): void {
  const padId = config.architecture === 'modernbert' ? undefined : config.positionPadId;
  if (padId === undefined) {
    for (let i = 0; i < target.length; i++) target[i] = i;
    return;
  }
  let position = padId;
  for (let i = 0; i < target.length; i++) target[i] = sequence[i] === padId ? padId : ++position;
}

function checkSequence({ vocabulary }: EncoderConfig, sequence: Int32Array, at: number, maxLength: number): void {
  if (sequence.length === 0 || sequence.length > maxLength) {
    throw inputError(sequence.length === 0 ? 'a sequence has no tokens' : 'a sequence is longer than the model takes', {
      code: 'model.sequence-length',
      field: `sequence ${at}`,
      expected: `1 to ${maxLength} tokens, special ones counted`,
      found: `${sequence.length}`,
    });
  }
  for (const id of sequence) {
    if (id < 0 || id >= vocabulary)
      throw inputError('a token id lies outside the vocabulary', {
        code: 'model.token-id',
        field: `sequence ${at}`,
        expected: `0 to ${vocabulary - 1}`,
        found: `${id}`,
        hint: 'the tokenizer and the weights do not belong together',
      });
  }
}

function flat(parts: readonly Int32Array[]): Int32Array {
  const result = new Int32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
