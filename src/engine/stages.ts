/**
 * From a loss to the programs that compute it with its gradient: one, or, where boundaries are named, a chain that keeps only
 * these and computes the rest of each segment's activations a second time on the way back (Chen et al. 2016, "Training deep
 * nets with sublinear memory cost").
 *
 *   forward    b₁ = f₁(feeds),  b₂ = f₂(b₁, feeds), …        each program ends, and its activations with it
 *   last       loss = f(bₙ, feeds), its gradient, and the cotangent of bₙ
 *   backward   for k = n … 1:  bₖ again, from bₖ₋₁;  Δparameters and the cotangent of bₖ₋₁ from that of bₖ
 *
 * Recomputation lies in a graph of its own, where no common-subexpression pass can undo it. A segment takes every boundary that it
 * reads, whichever segment made it, and computes anew what it needs from before them (masks, rotary tables, a bias table):
 * the gradients are right wherever the graph is cut, and a cut through which everything passes is what saves memory.
 */
import { inputError } from '../base/errors.ts';
import { add, multiply } from './elementwise.ts';
import { rowPullBack } from './gradients.ts';
import { constant, inOrder, input, isInput, isParameter, showShape, type Tensor } from './graph.ts';

/** One program of the chain. */
export interface Stage {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly gradients: readonly KeptGradient[];
  /** Outputs that later stages take as inputs of the same name, and that nobody else sees. */
  readonly handed: readonly string[];
}

/** How the gradient of a parameter comes out of a program. */
export interface KeptGradient {
  readonly name: string;
  /** As a whole, in the output `gradientOutput(name)`. */
  readonly whole: boolean;
  /** So many lists of rows, in `rowsOutput(name, i)`, to be added at `indicesOutput(name, i)`. */
  readonly lists: number;
}

export const gradientOutput = (name: string) => `gradient of ${name}`;
export const rowsOutput = (name: string, list: number) => `gradient rows ${list} of ${name}`;
export const indicesOutput = (name: string, list: number) => `gradient indices ${list} of ${name}`;

/** The input by which the loss is multiplied before it is differentiated. */
export const weightInput = 'gradient weight';

const boundaryInput = (boundary: number) => `boundary ${boundary}`;
const cotangentInput = (boundary: number, segment: number) => `cotangent of boundary ${boundary} from ${segment}`;

/** The stages of `outputs` with the gradients of `outputs[loss]`, in the order of their runs. `trained`: by rows or whole. */
export function planStages(
  outputs: Readonly<Record<string, Tensor>>,
  loss: string,
  trained: ReadonlyMap<string, { readonly rows?: boolean }>,
  boundaries: readonly Tensor[] = [],
): Stage[] {
  const order = inOrder(Object.values(outputs));
  const cuts = orderedCuts(order, inOrder([outputs[loss]!]), boundaries);
  const last = cuts.length;
  const { made, read } = cutAt(order, cuts);
  const learns = dependents(order, (leaf) => isParameter(leaf) && trained.has(leaf.attributes.name));
  const cutOf = new Map(cuts.map((_, k) => [boundaryInput(k), k]));
  /** Segments that gave a cotangent, by boundary. */
  const givers = new Map<number, number[]>();

  /** The way back through a segment, from its end with the end's cotangent. */
  const backward = (segment: number, end: Tensor, cotangent: Tensor): Omit<Stage, 'handed'> & { handed: string[] } => {
    const leaves = new Map<string, Tensor>();
    const behind = new Map<number, Tensor>();
    for (const tensor of inOrder([end])) {
      if (isParameter(tensor) && trained.has(tensor.attributes.name)) leaves.set(tensor.attributes.name, tensor);
      const cut = isInput(tensor) ? cutOf.get(tensor.attributes.name) : undefined;
      if (cut !== undefined && learns.has(cuts[cut]!)) behind.set(cut, tensor);
    }
    const names = [...leaves.keys()];
    const found = rowPullBack(
      [[end, cotangent]],
      [...leaves.values(), ...behind.values()],
      (table) => isParameter(table) && trained.get(table.attributes.name)?.rows === true,
    );
    const made: Record<string, Tensor> = {};
    const gradients = names.map((name, i): KeptGradient => {
      const { rows, dense } = found[i]!;
      if (dense !== undefined) made[gradientOutput(name)] = dense;
      rows.forEach((list, at) => {
        made[rowsOutput(name, at)] = list.rows;
        made[indicesOutput(name, at)] = list.indices;
      });
      return { name, whole: dense !== undefined, lists: rows.length };
    });
    const handed = [...behind.keys()].map((cut, i) => {
      const name = cotangentInput(cut, segment);
      made[name] = found[names.length + i]!.dense!;
      givers.set(cut, [...(givers.get(cut) ?? []), segment]);
      return name;
    });
    return { outputs: made, gradients, handed };
  };

  const forward = cuts.map((cut, k): Stage => {
    const name = boundaryInput(k);
    return { outputs: { [name]: made(cut) }, gradients: [], handed: [name] };
  });
  const asked = Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, read(tensor)]));
  const end = backward(last, multiply(asked[loss]!, input(weightInput, 'float32', [])), constant(1));
  const stages: Stage[] = [...forward, { ...end, outputs: { ...asked, ...end.outputs } }];
  for (let k = last - 1; k >= 0; k--) {
    const parts = (givers.get(k) ?? []).map((segment) => input(cotangentInput(k, segment), 'float32', cuts[k]!.shape));
    if (parts.length > 0)
      stages.push(
        backward(
          k,
          made(cuts[k]!),
          parts.reduce((a, b) => add(a, b)),
        ),
      );
  }
  return stages;
}

/** The boundaries in the order of the graph, each once; refused where one cannot be a boundary. */
function orderedCuts(order: readonly Tensor[], onTheWay: readonly Tensor[], boundaries: readonly Tensor[]): Tensor[] {
  const way = new Set(onTheWay);
  const wrong = (at: number, expected: string, found: string) =>
    inputError(`boundary ${at} cannot be one`, {
      code: 'engine.boundary',
      field: `boundaries[${at}]`,
      expected,
      found,
    });
  boundaries.forEach((tensor, at) => {
    const type = `${tensor.dtype} ${showShape(tensor.shape)}`;
    if (tensor.dtype !== 'float32') throw wrong(at, 'a float32 tensor', type);
    if (isInput(tensor) || isParameter(tensor)) throw wrong(at, 'a computed tensor', `the leaf ${type}`);
    if (!way.has(tensor)) throw wrong(at, 'a tensor that the loss is made of', `${type}, which it does not depend on`);
  });
  const chosen = new Set(boundaries);
  return order.filter((tensor) => chosen.has(tensor));
}

/** The graph with inputs in the boundaries' places: `made` is a boundary's own making, `read` what its users see. */
function cutAt(order: readonly Tensor[], cuts: readonly Tensor[]) {
  const places = new Map(cuts.map((cut, k) => [cut, input(boundaryInput(k), 'float32', cut.shape)]));
  const copies = new Map<Tensor, Tensor>();
  const read = (tensor: Tensor) => places.get(tensor) ?? copies.get(tensor)!;
  for (const tensor of order) {
    const inputs = tensor.inputs.map(read);
    const same = inputs.every((one, i) => one === tensor.inputs[i]);
    copies.set(tensor, same ? tensor : Object.freeze({ ...tensor, inputs: Object.freeze(inputs) }));
  }
  return { made: (cut: Tensor) => copies.get(cut)!, read };
}

/** Whatever depends on a leaf that `counts`. */
function dependents(order: readonly Tensor[], counts: (leaf: Tensor) => boolean): Set<Tensor> {
  const found = new Set<Tensor>();
  for (const tensor of order) if (counts(tensor) || tensor.inputs.some((one) => found.has(one))) found.add(tensor);
  return found;
}
