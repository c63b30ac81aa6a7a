/**
 * Ragged sequences without padding: the rows of all sequences stand one after another in flat tensors [tokens, hidden].
 * Only `lengths` is given; the index tables that attention and pooling need are derived from it, once a run, and only
 * those that the graph uses.
 *
 *   rows   [batch, seq]  the flat row of each padded slot (a padding slot repeats the sequence's last row)
 *   slots  [tokens]      the padded slot (batch-major) of each flat row
 *   starts [batch], ends [batch]  first and last row of each sequence
 */

import { cast } from './cast.ts';
import { divide } from './elementwise.ts';
import { gather, scatterAddRows } from './gather.ts';
import { defineOp, type Feeds, type InputAttributes, input, product, requireRank, type Tensor } from './graph.ts';
import type { Lowering } from './lowering.ts';
import { ndarray } from './ndarray.ts';
import { reshape } from './shape.ts';

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
    scatter: InputAttributes['scatter'],
  ) =>
    input(`${name}.${part}`, 'int32', shape, {
      derive: (feed) => make(feed(name) as Int32Array),
      ...(scatter ? { scatter } : {}),
    });
  const distinct = (indices: () => Tensor) => (cotangent: Tensor, table: Tensor) =>
    scatterAddRows(cotangent, indices(), table, { distinct: true });
  const layout: SequenceLayout = {
    lengths: input(name, 'int32', ['batch']),
    rows: derived(
      'rows',
      ['batch', 'seq'],
      (lengths) => {
        const seq = longest(lengths);
        const data = new Int32Array(lengths.length * seq);
        let start = 0;
        lengths.forEach((length, i) => {
          for (let j = 0; j < seq; j++) data[i * seq + j] = start + Math.min(j, length - 1);
          start += length;
        });
        return { data, shape: [lengths.length, seq] };
      },
      (cotangent, table) => unpad(cotangent, layout, table),
    ),
    slots: derived(
      'slots',
      ['tokens'],
      (lengths) => {
        const seq = longest(lengths);
        const data = new Int32Array(lengths.reduce((a, b) => a + b, 0));
        let at = 0;
        lengths.forEach((length, i) => {
          for (let j = 0; j < length; j++) data[at++] = i * seq + j;
        });
        return { data, shape: [data.length] };
      },
      distinct(() => layout.slots),
    ),
    starts: derived(
      'starts',
      ['batch'],
      (lengths) => edges(lengths, 0),
      distinct(() => layout.starts),
    ),
    ends: derived(
      'ends',
      ['batch'],
      (lengths) => edges(lengths, 1),
      distinct(() => layout.ends),
    ),
  };
  return layout;
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

// Gradient of padding ----------------------------------------------------------------------------------------------

/** The gradient of `gather(table, layout.rows)`: inputs cotangent [batch, seq, ...rest], lengths, rows, slots, ends, table. */
const unpadNode = defineOp<undefined>({
  name: 'unpad',
  infer: (inputs) => ({ dtype: 'float32', shape: inputs.at(-1)!.shape }),
  evaluate([cotangent, , rows], _, shape) {
    const result = ndarray(shape);
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    rows!.data.forEach((row, i) => {
      for (let k = 0; k < width; k++) result.data[row * width + k]! += cotangent!.data[i * width + k]!;
    });
    return result;
  },
  lower(context, [cotangent, lengths, rows, slots, ends], _, tensors, result) {
    // Each row takes its own slot's; the last of a sequence also the sum over the padding, which repeats it.
    const int64 = (...values: number[]) => context.constant(values, [values.length], 'int64');
    const rest = result.shape.slice(1) as number[];
    const width = product(rest);
    const flat = context.emit('Reshape', [cotangent!, int64(-1, width)]);
    const own = context.emit('Gather', [flat, slots!], { axis: 0 }); // [tokens, width]
    const mask = sequenceMask(context, lengths!, rows!); // [batch, 1, seq]
    const padding = context.shared(`padding ${mask}`, () => context.emit('Sub', [context.constant([1], []), mask]));
    const wide =
      rest.length === 1
        ? cotangent!
        : context.emit('Reshape', [cotangent!, context.shape([...tensors[0]!.shape.slice(0, 2), width])]);
    const sums = context.emit('Squeeze', [context.emit('MatMul', [padding, wide]), int64(1)]); // [batch, width]
    const at = context.emit('Unsqueeze', [context.emit('Cast', [ends!], { to: 7 }), int64(1)]);
    const ended = context.emit('Add', [sums, context.emit('Gather', [own, ends!], { axis: 0 })]);
    const all = context.emit('ScatterND', [own, at, ended]); // the ends are distinct
    return rest.length === 1 ? all : context.emit('Reshape', [all, int64(-1, ...rest)]);
  },
});

function unpad(cotangent: Tensor, { lengths, rows, slots, ends }: SequenceLayout, table: Tensor): Tensor {
  return unpadNode([cotangent, lengths, rows, slots, ends, table], undefined);
}

/** 1 at the slots of each sequence's rows, 0 at its padding: float32 [batch, 1, seq]. */
function sequenceMask(context: Lowering, lengths: string, rows: string): string {
  const one = context.constant([1], [1], 'int64');
  return context.shared(`mask ${lengths} ${rows}`, () => {
    const seq = context.emit('Squeeze', [context.emit('Shape', [rows], { start: 1, end: 2 })]);
    const range = context.emit('Range', [context.constant([0], [], 'int64'), seq, context.constant([1], [], 'int64')]);
    const limits = context.emit('Unsqueeze', [context.emit('Cast', [lengths], { to: 7 }), one]);
    return context.emit('Unsqueeze', [context.emit('Cast', [context.emit('Less', [range, limits])], { to: 1 }), one]);
  });
}

// Pooling ----------------------------------------------------------------------------------------------------------

/** `slots` of the layout, which only the gradient reads. */
const segmentMeanNode = defineOp<{ slots: Tensor }>({
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
    const mask = sequenceMask(context, lengths!, rows!);
    const sums = context.emit('Squeeze', [context.emit('MatMul', [mask, padded]), one]);
    const divisor = context.emit('Unsqueeze', [context.emit('Cast', [lengths!], { to: 1 }), one]);
    return context.emit('Div', [sums, divisor]);
  },
  gradient: ({ inputs: [x, lengths], attributes: { slots } }, cotangent) => [
    segmentSpread([divide(cotangent, columnOf(cast(lengths!, 'float32'))), lengths!, slots, x!], undefined),
  ],
});

/** Each sequence's row given to all its rows: [batch, hidden] to [tokens, hidden]. Inputs: the rows, lengths, slots, a [tokens, hidden]. */
const segmentSpread = defineOp<undefined>({
  name: 'segmentSpread',
  infer: ([, , , like]) => ({ dtype: 'float32', shape: like!.shape }),
  evaluate([rows, lengths], _, shape) {
    const result = ndarray(shape);
    const width = shape[1]!;
    let row = 0;
    lengths!.data.forEach((length, i) => {
      for (let j = 0; j < length; j++, row++)
        result.data.set(rows!.data.subarray(i * width, (i + 1) * width), row * width);
    });
    return result;
  },
  lower(context, [rows, lengths, slots]) {
    const sequence = context.shared(`sequence of ${slots}`, () =>
      context.emit('Div', [slots!, context.emit('ReduceMax', [lengths!], { keepdims: 0 })]),
    );
    return context.emit('Gather', [rows!, sequence], { axis: 0 });
  },
});

/** [n] as [n, 1]. */
function columnOf(x: Tensor): Tensor {
  return reshape(x, [x.shape[0]!, 1]);
}

/** The mean over each sequence's rows: x [tokens, hidden] to [batch, hidden]. */
export function segmentMean(x: Tensor, layout: SequenceLayout): Tensor {
  return segmentMeanNode([x, layout.lengths, layout.rows], { slots: layout.slots });
}

/** The first row of each sequence (CLS): [batch, hidden]. */
export function segmentFirst(x: Tensor, layout: SequenceLayout): Tensor {
  return gather(x, layout.starts);
}

/** The last row of each sequence: [batch, hidden]. */
export function segmentLast(x: Tensor, layout: SequenceLayout): Tensor {
  return gather(x, layout.ends);
}
