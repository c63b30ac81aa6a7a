/**
 * Rewritings of the graph that change no value and save time. They run before lowering, on the backend that profits.
 *
 * Packing: linear layers that read the same x (query, key and value of an attention, mostly) become one product with
 * their weights below each other, and slices of it. One wide product is faster than several narrow ones, and `attention` reads
 * such slices without copying them.
 */
import { inOrder, isParameter, type Tensor } from './graph.ts';
import { linear } from './matmul.ts';
import { linearInt8 } from './quantised.ts';
import { concatenate, split } from './shape.ts';

export function packLinears(outputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const order = inOrder(Object.values(outputs));
  const replaced = new Map<Tensor, Tensor>();
  const groups = groupBySource(order);
  for (const tensor of order) {
    if (replaced.has(tensor)) continue;
    const group = groups.get(tensor);
    if (group === undefined) {
      const inputs = tensor.inputs.map((input) => replaced.get(input)!);
      const same = inputs.every((input, i) => input === tensor.inputs[i]);
      replaced.set(tensor, same ? tensor : Object.freeze({ ...tensor, inputs: Object.freeze(inputs) }));
      continue;
    }
    const x = replaced.get(tensor.inputs[0]!)!;
    const packed = (at: number) =>
      concatenate(
        group.map(({ inputs }) => inputs[at]!),
        0,
      );
    const bias = (at: number) => (tensor.inputs.length > at ? packed(at) : undefined);
    const whole =
      tensor.op.name === 'linear' ? linear(x, packed(1), bias(2)) : linearInt8(x, packed(1), packed(2), bias(3));
    const parts = split(
      whole,
      -1,
      group.map(({ shape }) => shape.at(-1) as number),
    );
    group.forEach((member, i) => {
      replaced.set(member, parts[i]!);
    });
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, replaced.get(tensor)!]));
}

/** For each linear layer of a group its whole group, in order: same op, same x, weights that are parameters, all with a bias or none. */
function groupBySource(order: readonly Tensor[]): Map<Tensor, Tensor[]> {
  const bySource = new Map<Tensor, Map<string, Tensor[]>>();
  for (const tensor of order) {
    const { name } = tensor.op;
    if ((name !== 'linear' && name !== 'linearInt8') || !tensor.inputs.slice(1).every(isParameter)) continue;
    const kinds = bySource.get(tensor.inputs[0]!) ?? new Map<string, Tensor[]>();
    bySource.set(tensor.inputs[0]!, kinds);
    const kind = `${name} ${tensor.inputs.length}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), tensor]);
  }
  const groups = new Map<Tensor, Tensor[]>();
  for (const kinds of bySource.values())
    for (const group of kinds.values()) if (group.length > 1) for (const tensor of group) groups.set(tensor, group);
  return groups;
}
