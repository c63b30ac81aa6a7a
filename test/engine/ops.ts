/** What the conformance suite and the checks of gradients go through alike: seeded draws, and the ops of each kind. */
import { stream } from '../../src/base/random.ts';
import {
  add,
  divide,
  erf,
  exp,
  gelu,
  log,
  max,
  mean,
  multiply,
  negate,
  relu,
  segmentFirst,
  segmentLast,
  segmentMean,
  sigmoid,
  silu,
  sqrt,
  subtract,
  sum,
  type Tensor,
  tanh,
} from '../../src/engine/index.ts';

/** Draws of one case, all from one seed: sizes, then values. */
export class Draw {
  private readonly random;
  constructor(seed: number, label: string) {
    this.random = stream(seed, label);
  }
  size(from: number, to: number): number {
    return from + this.random.integer(to - from + 1);
  }
  pick<T>(...items: T[]): T {
    return this.random.pick(items);
  }
  floats(length: number, scale = 1): Float32Array {
    return Float32Array.from({ length }, () => this.random.normal() * scale);
  }
  integers(length: number, bound: number): Int32Array {
    return Int32Array.from({ length }, () => this.random.integer(bound));
  }
  lengths(count: number, longest: number): number[] {
    return Array.from({ length: count }, () => this.size(1, longest));
  }
}

export interface UnaryOp {
  name: string;
  op: (x: Tensor) => Tensor;
  /** Taken of positive numbers only. */
  positive?: boolean;
  /** Has no derivative at 0. */
  kink?: boolean;
}

export const unaryOps: readonly UnaryOp[] = [
  { name: 'negate', op: negate },
  { name: 'exp', op: exp },
  { name: 'log', op: log, positive: true },
  { name: 'sqrt', op: sqrt, positive: true },
  { name: 'tanh', op: tanh },
  { name: 'erf', op: erf },
  { name: 'sigmoid', op: sigmoid },
  { name: 'silu', op: silu },
  { name: 'relu', op: relu, kink: true },
  { name: 'gelu by erf', op: (x) => gelu(x) },
  { name: 'gelu by tanh', op: (x) => gelu(x, { approximation: 'tanh' }) },
];

export const binaryOps = { add, subtract, multiply, divide };
export const reductions = { sum, mean, max };
export const poolings = { segmentMean, segmentFirst, segmentLast };
