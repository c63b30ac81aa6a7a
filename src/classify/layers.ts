/** Linear layers with activations between them, applied to dense rows by the engine. */
import { type Engine, gelu, input, linear, type ParameterValue, parameter, relu } from '../engine/index.ts';
import type { DenseRows } from './features.ts';

export interface Layer {
  /** [out, in] */
  readonly weight: Float32Array;
  /** [out] */
  readonly bias: Float32Array;
}

export const activations = { gelu, relu };
export type Activation = keyof typeof activations;

/** Rows a product. */
const blockRows = 4096;

/** What the last layer gives, [rows, out]. */
export async function applyLayers(
  engine: Engine,
  { vectors, dimensions }: DenseRows,
  layers: readonly Layer[],
  activation: Activation = 'gelu',
): Promise<Float32Array> {
  const rows = vectors.length / dimensions;
  const parameters: Record<string, ParameterValue> = {};
  let x = input('x', 'float32', ['rows', dimensions]);
  let width = dimensions;
  layers.forEach(({ weight, bias }, i) => {
    const shape = [bias.length, width];
    parameters[`w${i}`] = { dtype: 'float32', shape, source: weight };
    parameters[`b${i}`] = { dtype: 'float32', shape: [bias.length], source: bias };
    const z = linear(x, parameter(`w${i}`, shape), parameter(`b${i}`, [bias.length]));
    x = i + 1 < layers.length ? activations[activation](z) : z;
    width = bias.length;
  });
  const program = await engine.compile({ out: x }, { parameters });
  const results = new Float32Array(rows * width);
  for (let from = 0; from < rows; from += blockRows) {
    const to = Math.min(rows, from + blockRows);
    const block = vectors.slice(from * dimensions, to * dimensions);
    const { out } = await program.run({ x: { data: block, shape: [to - from, dimensions] } }, { transfer: true });
    results.set(out.floats, from * width);
  }
  await program.close();
  return results;
}
