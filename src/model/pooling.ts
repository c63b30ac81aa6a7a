/**
 * Pooling: token states [tokens, hidden] to one vector a sequence, in the graph. Every mode but `max` is a weighted sum
 * over the sequence's tokens, so all of them are one product of a weight row per sequence and mode with the padded states:
 *
 *   cls                   1 at the first kept token
 *   lasttoken             1 at the last token
 *   mean                  1 / n            over the n kept tokens
 *   mean_sqrt_len_tokens  1 / sqrt(n)
 *   weightedmean          p / sum of p     with p the token's position in the sequence, from 1
 *
 * Kept are all tokens, or those after the prompt where the checkpoint says so. Several modes are concatenated.
 */
import { add, concatenate, gather, input, matmul, max, reshape, slice, type Tensor } from '../engine/index.ts';
import type { EncoderBatch } from './forward.ts';
import type { PoolingMode } from './types.ts';

/** [batch, modes that are sums, seq] */
export const weightInput = 'pool.weights';
/** [batch, seq, 1] */
export const hiddenInput = 'pool.hidden';

/** The pooled vectors [batch, modes · hidden]; `hidden` is the width of a state. */
export function pool(states: Tensor, batch: EncoderBatch, modes: readonly PoolingMode[], hidden: number): Tensor {
  const padded = gather(states, batch.layout.rows); // [batch, seq, hidden]
  const sums = modes.filter((mode) => mode !== 'max').length;
  const weighted = sums > 0 ? matmul(input(weightInput, 'float32', ['batch', sums, 'seq']), padded) : undefined; // [batch, sums, hidden]
  if (sums === modes.length) return reshape(weighted!, ['batch', sums * hidden]);
  const highest = max(add(padded, input(hiddenInput, 'float32', ['batch', 'seq', 1])), 1); // [batch, hidden]
  let next = 0;
  const parts = modes.map((mode) => {
    if (mode === 'max') return reshape(highest, ['batch', hidden]);
    const part = slice(weighted!, 1, next, next + 1);
    next++;
    return reshape(part, ['batch', hidden]);
  });
  return parts.length === 1 ? parts[0]! : concatenate(parts, 1);
}

/** The weights that `pool` asks for. `skip`: leading tokens that are not kept, of every sequence or of each. */
export function poolFeeds(
  lengths: readonly number[],
  modes: readonly PoolingMode[],
  skip: number | readonly number[] = 0,
) {
  const skipped = (row: number) => (typeof skip === 'number' ? skip : skip[row]!);
  const seq = lengths.reduce((a, b) => Math.max(a, b), 0);
  const sums = modes.filter((mode) => mode !== 'max');
  const weights = new Float32Array(lengths.length * sums.length * seq);
  lengths.forEach((length, row) => {
    sums.forEach((mode, column) => {
      const start = (row * sums.length + column) * seq;
      weighTokens(mode, weights.subarray(start, start + length), Math.min(skipped(row), length));
    });
  });
  const feeds: Record<string, { data: Float32Array; shape: number[] }> = {};
  if (sums.length > 0) feeds[weightInput] = { data: weights, shape: [lengths.length, sums.length, seq] };
  if (sums.length < modes.length) {
    const hidden = new Float32Array(lengths.length * seq).fill(-3e38);
    lengths.forEach((length, row) => {
      hidden.fill(0, row * seq + Math.min(skipped(row), length - 1), row * seq + length);
    });
    feeds[hiddenInput] = { data: hidden, shape: [lengths.length, seq, 1] };
  }
  return feeds;
}

function weighTokens(mode: PoolingMode, weights: Float32Array, first: number): void {
  const length = weights.length;
  const kept = length - first;
  if (mode === 'lasttoken') weights[length - 1] = 1;
  else if (mode === 'cls') weights[kept === 0 ? 0 : first] = 1;
  else if (mode === 'mean') weights.fill(1 / kept, first);
  else if (mode === 'mean_sqrt_len_tokens') weights.fill(1 / Math.sqrt(kept), first);
  else {
    const total = (length * (length + 1) - first * (first + 1)) / 2;
    for (let i = first; i < length; i++) weights[i] = (i + 1) / total;
  }
}
