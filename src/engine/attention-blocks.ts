/**
 * A long sequence by blocks of queries: the part of it that block `block` of a loop works on, its queries and the keys that
 * these may see. Both directions of training cut the same parts, so they see the same masks and draws.
 */
import { cutDraw, type LoweredDraw } from './attention-dropout.ts';
import { type AttentionAttributes, attendedRange, int64, maskBetween } from './attention-parts.ts';
import type { Lowering } from './lowering.ts';

/** One sequence, or a block of it. */
export interface Piece {
  /** [heads, queries, size] */
  query: string;
  /** [heads, keys, size] */
  key: string;
  /** [heads, keys, value size] */
  value: string;
  /** Added to the scores [heads, queries, keys]. */
  masks: readonly string[];
  draw?: LoweredDraw;
}

export interface Block {
  range: ReturnType<typeof attendedRange>;
  part: Piece;
  /** [from, to) of a value along an axis, 1 by default. */
  cut(value: string, from: string, to: string, axis?: number): string;
  length(from: string, to: string): string;
}

/** Block `block`, a scalar, of a piece of `seq` rows. */
export function blockOf(
  inner: Lowering,
  block: string,
  piece: Piece,
  seq: string,
  attributes: AttentionAttributes,
): Block {
  const cut = (value: string, from: string, to: string, axis = 1) =>
    inner.emit('Slice', [value, from, to, int64(inner, axis)]);
  const length = (from: string, to: string) => inner.emit('Sub', [to, from]);
  const range = attendedRange(inner, block, seq, attributes);
  const { start, stop, first, end } = range;
  const made = maskBetween(
    inner,
    attributes,
    { start, length: length(start, stop) },
    { start: first, length: length(first, end) },
  ).map((mask) => inner.emit('Squeeze', [mask, int64(inner, 0)]));
  const part: Piece = {
    query: cut(piece.query, start, stop),
    key: cut(piece.key, first, end),
    value: cut(piece.value, first, end),
    masks: [...made, ...piece.masks.map((mask) => cut(mask, first, end, 0))],
    ...(piece.draw ? { draw: cutDraw(inner, piece.draw, range) } : {}),
  };
  return { range, part, cut, length };
}
