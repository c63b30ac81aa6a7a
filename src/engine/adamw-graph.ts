/**
 * One step of AdamW (adamw.ts has the formula) as a graph, for devices whose buffers no code of ours can reach. The graph is the
 * same for every parameter of as many axes: what differs from step to step and from parameter to parameter is fed as scalars.
 */
import { type AdamWStep, adamwFactors } from './adamw.ts';
import { add, divide, multiply, sqrt, subtract } from './elementwise.ts';
import { constant, input, type Tensor } from './graph.ts';
import { sum } from './reduce.ts';

/** Names of the axes of a tensor of unknown sizes. */
const axes = (rank: number) => Array.from({ length: rank }, (_, axis) => `d${axis}`);

/** Outputs `weights`, `first` and `second` of the inputs of the same names, `gradient`, and those of `adamwScalars`. */
export function adamwGraph(rank: number): Record<'weights' | 'first' | 'second', Tensor> {
  const tensor = (name: string) => input(name, 'float32', axes(rank));
  const scalar = (name: keyof ReturnType<typeof adamwScalars>) => input(name, 'float32', []);
  const gradient = multiply(tensor('gradient'), scalar('gradientScale'));
  const moment = (name: 'first' | 'second', value: Tensor, kept: Tensor, rate: Tensor) =>
    add(multiply(tensor(name), kept), multiply(rate, value));
  const first = moment('first', gradient, scalar('beta1'), scalar('oneMinusBeta1'));
  const second = moment('second', multiply(gradient, gradient), scalar('beta2'), scalar('oneMinusBeta2'));
  const change = divide(multiply(scalar('stepSize'), first), add(sqrt(second), scalar('epsilon')));
  return { weights: subtract(multiply(tensor('weights'), scalar('decay')), change), first, second };
}

/** Scalars of one step for a parameter that decays or does not. */
export function adamwScalars(options: AdamWStep, decays: boolean) {
  const { stepSize, epsilon, decay, beta1, beta2 } = adamwFactors(options);
  return {
    gradientScale: options.gradientScale ?? 1,
    decay: decays ? decay : 1,
    beta1,
    oneMinusBeta1: 1 - beta1,
    beta2,
    oneMinusBeta2: 1 - beta2,
    stepSize,
    epsilon,
  };
}

/** Σ x² over all elements of all inputs `0`, `1`, …, of these shapes. */
export function squaresGraph(shapes: readonly (readonly number[])[]): Tensor {
  return shapes
    .map((shape, at) => {
      const x = input(String(at), 'float32', shape);
      return shape.reduce((total) => sum(total, 0), multiply(x, x));
    })
    .reduce((a, b) => add(a, b), constant(0));
}

/** a + b. */
export function sumGraph(rank: number): Tensor {
  return add(input('a', 'float32', axes(rank)), input('b', 'float32', axes(rank)));
}

/** x itself: what moves it between a device and the processor. */
export function copyGraph(rank: number): Tensor {
  return input('x', 'float32', axes(rank));
}
