/**
 * Ragged sequences without padding: the rows of all sequences stand one after another in flat tensors [tokens, hidden].
 * Only `lengths` is given; the index tables that attention and pooling need are derived from it, once a run, and only
 * those that the graph uses.
 *
 *   rows   [batch, seq]  the flat row of each padded slot (a padding slot repeats the sequence's last row)
 *   slots  [tokens]      the padded slot (batch-major) of each flat row
 *   starts [batch], ends [batch]  first and last row of each sequence
 */

import { gather } from './gather.ts';
import { defineOp, type Feeds, input, requireRank, type Tensor } from './graph.ts';
import { ndarray } from './ndarray.ts';

export interface SequenceLayout {
  /** int32 [batch], each at least 1. */
  readonly lengths: Tensor;
  /** int32 [batch, seq] */
  readonly rows: Tensor;
  /** int32 [tokens] */
  readonly slots: Tensor;
  /** int32 [batch] */
  readonly starts: Tensor;
  /** int32 [batch] */
  readonly ends: Tensor;
}

/** The symbolic layout; its one value to give at a run is `lengths` (`sequenceFeeds`). */
export function sequenceInputs(name = 'lengths'): SequenceLayout {
  const derived = (
    part: string,
    shape: readonly string[],
    make: (lengths: Int32Array) => { data: Int32Array; shape: readonly number[] },
  ) => input(`${name}.${part}`, 'int32', shape, { derive: (feed) => make(feed(name) as Int32Array) });
  return {
    lengths: input(name, 'int32', ['batch']),
    rows: derived('rows', ['batch', 'seq'], (lengths) => {
      const seq = longest(lengths);
      const data = new Int32Array(lengths.length * seq);
      let start = 0;
      lengths.forEach((length, i) => {
        for (let j = 0; j < seq; j++) data[i * seq + j] = start + Math.min(j, length - 1);
        start += length;
      });
      return { data, shape: [lengths.length, seq] };
    }),
    slots: derived('slots', ['tokens'], (lengths) => {
      const seq = longest(lengths);
      const data = new Int32Array(lengths.reduce((a, b) => a + b, 0));
      let at = 0;
      lengths.forEach((length, i) => {
        for (let j = 0; j < length; j++) data[at++] = i * seq + j;
      });
      return { data, shape: [data.length] };
    }),
    starts: derived('starts', ['batch'], (lengths) => edges(lengths, 0)),
    ends: derived('ends', ['batch'], (lengths) => edges(lengths, 1)),
  };
}

/** The feeds of a layout: the sequences' lengths, in the order of their rows. */
export function sequenceFeeds(lengths: ArrayLike<number>, name = 'lengths'): Feeds {
  return { [name]: Int32Array.from(lengths) };
}

function longest(lengths: Int32Array): number {
  return lengths.reduce((a, b) => Math.max(a, b), 0);
}

/** side 0: the first row of each sequence; side 1: the last. */
function edges(lengths: Int32Array, side: 0 | 1): { data: Int32Array; shape: readonly number[] } {
  let start = 0;
  const data = lengths.map((length) => {
    start += length;
    return side === 0 ? start - length : start - 1;
  });
  return { data, shape: [data.length] };
}

// Pooling ----------------------------------------------------------------------------------------------------------

const segmentMeanNode = defineOp<undefined>({
  name: 'segmentMean',
  infer([x, lengths]) {
    requireRank('segmentMean', x!, 2);
    return { dtype: 'float32', shape: [lengths!.shape[0]!, x!.shape[1]!] };
  },
  evaluate([x, lengths], _, shape) {
    const result = ndarray(shape);
    const width = shape[1]!;
    let row = 0;
    lengths!.data.forEach((length, i) => {
      for (let j = 0; j < length; j++, row++)
        for (let k = 0; k < width; k++) result.data[i * width + k]! += x!.data[row * width + k]! / length;
    });
    return result;
  },
  lower(context, [x, lengths, rows]) {
    // Pads, multiplies by a 0/1 row of each sequence ([batch, 1, seq] by [batch, seq, hidden]) and divides by the length.
    const padded = context.emit('Gather', [x!, rows!], { axis: 0 });
    const one = context.constant([1], [1], 'int64');
    const mask = context.shared(`mask ${lengths} ${rows}`, () => {
      const seq = context.emit('Squeeze', [context.emit('Shape', [rows!], { start: 1, end: 2 })]);
      const range = context.emit('Range', [
        context.constant([0], [], 'int64'),
        seq,
        context.constant([1], [], 'int64'),
      ]);
      const limits = context.emit('Unsqueeze', [context.emit('Cast', [lengths!], { to: 7 }), one]);
      return context.emit('Unsqueeze', [context.emit('Cast', [context.emit('Less', [range, limits])], { to: 1 }), one]);
    });
    const sums = context.emit('Squeeze', [context.emit('MatMul', [mask, padded]), one]);
    const divisor = context.emit('Unsqueeze', [context.emit('Cast', [lengths!], { to: 1 }), one]);
    return context.emit('Div', [sums, divisor]);
  },
});

/** The mean over each sequence's rows: x [tokens, hidden] to [batch, hidden]. */
export function segmentMean(x: Tensor, layout: SequenceLayout): Tensor {
  return segmentMeanNode([x, layout.lengths, layout.rows], undefined);
}

/** The first row of each sequence (CLS): [batch, hidden]. */
export function segmentFirst(x: Tensor, layout: SequenceLayout): Tensor {
  return gather(x, layout.starts);
}

/** The last row of each sequence: [batch, hidden]. */
export function segmentLast(x: Tensor, layout: SequenceLayout): Tensor {
  return gather(x, layout.ends);
}
