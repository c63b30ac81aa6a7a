/**
 * Reverse-mode differentiation (Linnainmaa 1970) of the graph itself: the gradients are tensors like any others, made of the
 * graph's own ops, so that one program computes loss and gradients, on every backend.
 *
 *   x̄ = Σ over the users y of x of (∂y/∂x)ᵀ ȳ,     l̄oss = 1
 *
 * Users are visited before what they use, each once; only tensors that lie between `wrt` and the loss are visited. Each op's
 * own rule is the `gradient` of its definition. Named dimensions need no numbers: what was broadcast is known from the shapes,
 * as a name equals itself.
 */

import { add } from './elementwise.ts';
import {
  constant,
  fail,
  inOrder,
  isInput,
  isParameter,
  type NodeOf,
  sameShape,
  showShape,
  type Tensor,
} from './graph.ts';
import { concatenate, isPadding, zerosLike } from './shape.ts';

type Rule = (node: Tensor, cotangent: Tensor) => readonly (Tensor | undefined)[];

/**
 * The derivatives of `loss`, a float32 scalar, by each of `wrt`, each of its tensor's shape: zeros where the loss does not
 * depend on it. `wrt` may be leaves (two of one name are one) or anything on the way. Throws where a way from `wrt` to the loss
 * goes through an op without a gradient.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (loss.dtype !== 'float32' || loss.shape.length !== 0)
    fail('gradients', `the loss is a float32 scalar, not ${loss.dtype} ${showShape(loss.shape)}`);
  return pullBack([[loss, constant(1)]], wrt);
}

/**
 * The same from any tensors with their cotangents (each of its tensor's shape): the backward pass of a part of a network,
 * where the rest was differentiated apart.
 */
export function pullBack(seeds: readonly (readonly [Tensor, Tensor])[], wrt: readonly Tensor[]): Tensor[] {
  return walk(seeds, wrt, (tensor, list) => (list.length === 0 ? zerosLike(tensor) : total(list)));
}

/** The gradient of a table as sums of rows still to be made: table̅[indices[i]] += rows[i], and `dense` on top. */
export interface RowGradient {
  readonly rows: readonly { readonly indices: Tensor; readonly rows: Tensor }[];
  /** What does not come through `gather` with any indices; undefined where nothing does. */
  readonly dense: Tensor | undefined;
}

/**
 * The gradients by leaves that are read by `gather` (embedding tables), without the scatter into the whole table: that takes
 * a pass over memory as large as the vocabulary, and ONNX Runtime's is slow. indices [...], rows [...indices, ...rest].
 * Leaves of which `byRows` says no get a dense gradient as `gradients` makes it, so that one walk serves both.
 */
export function rowGradients(
  loss: Tensor,
  tables: readonly Tensor[],
  byRows: (table: Tensor) => boolean = () => true,
): RowGradient[] {
  for (const table of tables)
    if (typeof identityOf(table) !== 'string')
      fail('rowGradients', `a table is a leaf, not what '${table.op.name}' made`);
  return rowPullBack([[loss, constant(1)]], tables, byRows);
}

/** The same from any tensors with their cotangents; leaves. */
export function rowPullBack(
  seeds: readonly (readonly [Tensor, Tensor])[],
  leaves: readonly Tensor[],
  byRows: (table: Tensor) => boolean,
): RowGradient[] {
  return walk(seeds, leaves, (table, list) => {
    if (!byRows(table)) return { rows: [], dense: list.length === 0 ? zerosLike(table) : total(list) };
    const dense = list.filter((part) => part.op.name !== 'scatterAddRows');
    return {
      rows: list
        .filter((part) => part.op.name === 'scatterAddRows')
        .map(({ inputs }) => ({ rows: inputs[0]!, indices: inputs[1]! })),
      dense: dense.length === 0 ? undefined : total(dense),
    };
  });
}

/** The walk from the seeds back; `finish` makes of a leaf's parts what the caller wants. */
function walk<T>(
  seeds: readonly (readonly [Tensor, Tensor])[],
  wrt: readonly Tensor[],
  finish: (tensor: Tensor, parts: readonly Tensor[]) => T,
): T[] {
  for (const [tensor, cotangent] of seeds)
    if (!sameShape(tensor.shape, cotangent.shape))
      fail('gradients', `a cotangent ${showShape(cotangent.shape)} of a tensor ${showShape(tensor.shape)}`);
  const wanted = new Set(wrt.map(identityOf));
  const order = inOrder(seeds.map(([tensor]) => tensor));
  const relevant = new Set<Tensor>();
  for (const tensor of order)
    if (wanted.has(identityOf(tensor)) || tensor.inputs.some((input) => relevant.has(input))) relevant.add(tensor);

  const parts = new Map<string | Tensor, Tensor[]>();
  const contribute = (tensor: Tensor, cotangent: Tensor) => {
    const key = identityOf(tensor);
    const list = parts.get(key);
    if (list) list.push(cotangent);
    else parts.set(key, [cotangent]);
  };
  for (const [tensor, cotangent] of seeds) contribute(tensor, cotangent);

  const found = new Map<string | Tensor, T>();
  for (const tensor of order.toReversed()) {
    const key = identityOf(tensor);
    if (typeof key === 'string') continue; // leaves: summed when all their users were visited
    const list = parts.get(key);
    if (!list || !relevant.has(tensor)) continue;
    parts.delete(key);
    const cotangent = total(list);
    if (wanted.has(key)) found.set(key, finish(tensor, [cotangent]));
    if (!tensor.inputs.some((input) => relevant.has(input))) continue;
    const rule = tensor.op.gradient as Rule | undefined;
    if (rule === undefined) fail('gradients', `the op '${tensor.op.name}' has no gradient`);
    rule.call(tensor.op, tensor as NodeOf<never>, cotangent).forEach((part, i) => {
      const input = tensor.inputs[i]!;
      if (!part || !relevant.has(input)) return;
      if (!sameShape(part.shape, input.shape))
        fail('gradients', `'${tensor.op.name}' gave ${showShape(part.shape)} for ${showShape(input.shape)}`);
      contribute(input, part);
    });
  }
  return wrt.map((tensor) => {
    const key = identityOf(tensor);
    return found.get(key) ?? finish(tensor, parts.get(key) ?? []);
  });
}

/** A leaf is what its name says, wherever it was written. */
function identityOf(tensor: Tensor): string | Tensor {
  if (isInput(tensor)) return `input ${tensor.attributes.name}`;
  return isParameter(tensor) ? `parameter ${tensor.attributes.name}` : tensor;
}

/** The sum of the parts. Those of slices that lie side by side (a tensor cut by `split`) are joined instead. */
function total(parts: readonly Tensor[]): Tensor {
  const pads = parts.filter(isPadding).sort((a, b) => a.attributes.before - b.attributes.before);
  const joined: Tensor[] = parts.filter((part) => !isPadding(part));
  if (pads.length > 1) {
    const { axis } = pads[0]!.attributes;
    const size = pads[0]!.shape[axis];
    let end = 0;
    const tiles = pads.every((pad) => {
      const fits = pad.attributes.axis === axis && pad.attributes.before === end;
      end += pad.inputs[0]!.shape[axis] as number;
      return fits;
    });
    if (tiles && end === size)
      joined.push(
        concatenate(
          pads.map((pad) => pad.inputs[0]!),
          axis,
        ),
      );
    else joined.push(...pads);
  } else joined.push(...pads);
  return joined.reduce((sum, part) => add(sum, part));
}
