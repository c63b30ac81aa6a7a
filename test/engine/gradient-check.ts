/**
 * Checks of gradients against central differences in float64: (f(x + ε) − f(x − ε)) / 2ε with ε = 1e-6 on the reference
 * interpreter, element by element or along random directions.
 */
import assert from 'node:assert/strict';
import { stream } from '../../src/base/random.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { checkLeaves, type FilledInput, fillInputs, type Value } from '../../src/engine/feeds.ts';
import type { Feeds, Tensor } from '../../src/engine/graph.ts';
import { inOrder, isInput } from '../../src/engine/graph.ts';
import { gradients } from '../../src/engine/index.ts';
import { interpret } from '../../src/engine/reference.ts';

const epsilon = 1e-6;
export const tolerance = { absolute: 1e-5, relative: 1e-3 };

export interface Checked {
  loss: Tensor;
  feeds: Feeds;
  /** Inputs to differentiate by. */
  wrt: readonly Tensor[];
}

/** Outputs in float64 as a function of changed inputs, all others as fed. */
export function evaluator(outputs: Record<string, Tensor>, feeds: Feeds) {
  const inputs = checkLeaves(inOrder(Object.values(outputs)).filter(isInput));
  const names = new Set(inputs.map(({ attributes }) => attributes.name));
  const needed = Object.fromEntries(
    Object.entries(feeds).filter(
      ([name]) => names.has(name) || inputs.some(({ attributes }) => attributes.name.startsWith(`${name}.`)),
    ),
  );
  const { values, dimensions } = fillInputs(inputs, needed);
  return (changed: ReadonlyMap<string, Float64Array>) =>
    interpret(
      outputs,
      new Map(
        [...values].map(([name, value]): [string, FilledInput] => [
          name,
          changed.has(name) ? { ...value, data: changed.get(name)! } : value,
        ]),
      ),
      new Map(),
      dimensions,
    );
}

const nameOf = (tensor: Tensor) => (tensor.attributes as { name: string }).name;
const dataOf = (feeds: Feeds, name: string) => {
  const feed = feeds[name]!;
  return Float64Array.from(('shape' in feed ? feed.data : feed) as Float32Array);
};

/**
 * Central differences by every element of each input, or, with `directions`, along so many random directions in it: pairs
 * of direction and slope.
 */
export function slopes(
  { loss, feeds, wrt }: Checked,
  directions?: number,
): { direction: Float64Array; slope: number }[][] {
  const run = evaluator({ loss }, feeds);
  const random = stream(7, 'directions');
  return wrt.map((tensor) => {
    const name = nameOf(tensor);
    const start = dataOf(feeds, name);
    const count = directions ?? start.length;
    return Array.from({ length: count }, (_, k) => {
      const direction =
        directions === undefined
          ? Float64Array.from({ length: start.length }, (_, i) => Number(i === k))
          : Float64Array.from({ length: start.length }, () => random.normal());
      const at = (step: number) =>
        run(new Map([[name, start.map((value, i) => value + step * direction[i]!)]])).loss!.data[0]!;
      return { direction, slope: (at(epsilon) - at(-epsilon)) / (2 * epsilon) };
    });
  });
}

/** The gradient graph on the reference interpreter, in float64. */
export function referenceGradients({ loss, feeds, wrt }: Checked): Float64Array[] {
  const outputs = Object.fromEntries(gradients(loss, wrt).map((tensor, i) => [`g${i}`, tensor]));
  const found = evaluator(outputs, feeds)(new Map());
  return wrt.map((_, i) => found[`g${i}`]!.data);
}

/** Gradients of `runs` runs; the loss beside them is compared with the reference's. */
export async function engineGradients(
  engine: Engine,
  { loss, feeds, wrt }: Checked,
  runs = 1,
): Promise<Float32Array[][]> {
  const outputs = { loss, ...Object.fromEntries(gradients(loss, wrt).map((tensor, i) => [`g${i}`, tensor])) };
  const expected = evaluator({ loss }, feeds)(new Map()).loss!.data[0]!;
  const program = await engine.compile(outputs);
  const all: Float32Array[][] = [];
  for (let run = 0; run < runs; run++) {
    const values = (await program.run(feeds)) as Record<string, Value>;
    const found = values.loss!.floats[0]!;
    assert.ok(Math.abs(found - expected) <= 1e-5 + 1e-4 * Math.abs(expected), `loss ${found} instead of ${expected}`);
    all.push(wrt.map((_, i) => values[`g${i}`]!.floats));
  }
  await program.close();
  return all;
}

/** Compares gradients with the slopes; `what` names them in messages. */
export function compare(
  what: string,
  checked: Checked,
  expected: ReturnType<typeof slopes>,
  found: readonly ArrayLike<number>[],
): void {
  expected.forEach((list, i) => {
    for (const [k, { direction, slope }] of list.entries()) {
      let along = 0;
      let size = 0;
      for (let j = 0; j < direction.length; j++) {
        along += direction[j]! * found[i]![j]!;
        size += Math.abs(direction[j]! * found[i]![j]!);
      }
      const limit = tolerance.absolute + tolerance.relative * Math.max(Math.abs(slope), size * 1e-2);
      assert.ok(
        Math.abs(along - slope) <= limit,
        `${what}, by ${nameOf(checked.wrt[i]!)}, ${k}: ${along} instead of ${slope}`,
      );
    }
  });
}
