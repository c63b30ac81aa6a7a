/**
 * Networks written in a few lines: layers that make their own parameters, drawn from a seed, and list them for
 * `engine.openTraining`. What a parameter starts as depends on seed and name alone, so that a layer more changes none of the others.
 *
 *   linear      W uniform in ±√(6 / (in + out)) (Glorot & Bengio 2010), b = 0
 *   embedding   normal, standard deviation 0.02 (as BERT's)
 *   layerNorm   1 and 0
 */
import { stream } from '../base/random.ts';
import { gather } from './gather.ts';
import { fail, parameter, product, showShape, type Tensor } from './graph.ts';
import { linear } from './matmul.ts';
import { layerNorm } from './normalisation.ts';
import type { TrainedParameter } from './training.ts';

export interface Network {
  /** What the layers written so far are made of. */
  readonly parameters: readonly TrainedParameter[];
  /** x [..., in] to [..., out], by `name.weight` [out, in] and, unless `bias` is false, `name.bias` [out]. */
  linear(x: Tensor, name: string, out: number, options?: { bias?: boolean }): Tensor;
  /** Rows of the table `name.weight` [rows, width] at `indices` [...]: [..., width]. */
  embedding(indices: Tensor, name: string, rows: number, width: number): Tensor;
  /** x [..., width], each row with mean 0 and variance 1, times `name.weight`, plus `name.bias`. */
  layerNorm(x: Tensor, name: string): Tensor;
}

export function network(seed: number): Network {
  const parameters: TrainedParameter[] = [];
  /** The leaf of a new parameter, its values drawn one by one. */
  const make = (
    name: string,
    shape: readonly number[],
    draw: (random: ReturnType<typeof stream>) => number,
    kind: Pick<TrainedParameter, 'decay' | 'rows'>,
  ) => {
    if (parameters.some((other) => other.name === name)) fail('network', `there are two parameters '${name}'`);
    const random = stream(seed, 'network', name);
    const source = Float32Array.from({ length: product(shape) }, () => draw(random));
    parameters.push({ name, shape, ...kind, value: { dtype: 'float32', shape, source } });
    return parameter(name, shape);
  };
  const constant = (name: string, width: number, value: number) => make(name, [width], () => value, { decay: false });
  const widthOf = (x: Tensor, op: string) => {
    const width = x.shape.at(-1);
    return typeof width === 'number' ? width : fail(op, `the last axis of ${showShape(x.shape)} needs a number`);
  };
  return {
    parameters,
    linear(x, name, out, { bias = true } = {}) {
      const width = widthOf(x, 'linear');
      const bound = Math.sqrt(6 / (width + out));
      const weight = make(`${name}.weight`, [out, width], (random) => bound * (2 * random.uniform() - 1), {
        decay: true,
      });
      return linear(x, weight, bias ? constant(`${name}.bias`, out, 0) : undefined);
    },
    embedding(indices, name, rows, width) {
      const draw = (random: ReturnType<typeof stream>) => 0.02 * random.normal();
      return gather(make(`${name}.weight`, [rows, width], draw, { decay: true, rows: true }), indices);
    },
    layerNorm(x, name) {
      const width = widthOf(x, 'layerNorm');
      return layerNorm(x, constant(`${name}.weight`, width, 1), constant(`${name}.bias`, width, 0));
    },
  };
}
