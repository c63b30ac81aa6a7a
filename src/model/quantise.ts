/**
 * The weights of an 8-bit model: int8 with one scale an output row, and apart from them, in float32, the few input columns
 * with the largest weights (the idea of LLM.int8(), Dettmers et al. 2022, applied to weights: nothing but the checkpoint is
 * needed, no text is run through the model).
 *
 * Why: a row's scale follows its largest weight. In the second layer of a feed-forward block single hidden units write into
 * single channels with weights 50 times the usual, so that all other weights of those rows would fall on a few levels. On
 * real patents that layer's rounding was the largest part of MiniLM's loss; with 8 columns apart it is 0.6 of what it was.
 */
import type { Files } from '../base/platform.ts';
import { readFloat32, type StoredTensor } from '../base/safetensors.ts';
import { type ParameterValue, quantiseWeight } from '../engine/index.ts';
import { columnsApart, type ParameterSpec } from './forward.ts';

/** Counts up when an 8-bit model comes to give other vectors, so that stored ones are not taken for its own. */
export const int8Version = 2;

/** What `int8Context` asks for in place of the weight of `spec`, by name. */
export async function quantisedValues(
  files: Files,
  spec: ParameterSpec,
  tensor: StoredTensor,
): Promise<Map<string, ParameterValue>> {
  const [out, width] = spec.shape as [number, number];
  const values = await readFloat32(files, tensor);
  const name = (part: string) => spec.name.replace(/\.weight$/, `.${part}`);
  const result = new Map<string, ParameterValue>();
  const count = columnsApart(spec);
  if (count > 0) {
    const { columns, apart } = splitWeight(values, out, width, count);
    result.set(name('columns'), { dtype: 'int32', shape: [count], source: columns });
    result.set(name('apart'), { dtype: 'float32', shape: [out, count], source: apart });
  }
  const { values: bytes, scales } = quantiseWeight(values, out, width);
  result.set(spec.name, { dtype: 'int8', shape: spec.shape, source: bytes });
  result.set(name('scales'), { dtype: 'float32', shape: [out], source: scales });
  return result;
}

/** Takes the `count` columns with the largest single weights out of values [out, width], which hold zeros there afterwards. */
export function splitWeight(
  values: Float32Array,
  out: number,
  width: number,
  count: number,
): { columns: Int32Array<ArrayBuffer>; apart: Float32Array<ArrayBuffer> } {
  const peaks = new Float32Array(width);
  values.forEach((value, at) => {
    peaks[at % width] = Math.max(peaks[at % width]!, Math.abs(value));
  });
  const columns = Int32Array.from({ length: width }, (_, column) => column)
    .sort((a, b) => peaks[b]! - peaks[a]! || a - b)
    .slice(0, count)
    .sort();
  const apart = new Float32Array(out * count);
  for (let row = 0; row < out; row++)
    columns.forEach((column, i) => {
      apart[row * count + i] = values[row * width + column]!;
      values[row * width + column] = 0;
    });
  return { columns, apart };
}
