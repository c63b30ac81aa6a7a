/**
 * The weights of an 8-bit model: int8 with one scale an output row, and apart from them, in float32, a few input columns
 * (LLM.int8(), Dettmers et al. 2022). Which ones, the checkpoint alone says: no text is run through the model.
 *
 * A row's scale follows its largest value. Into the second layer of a feed-forward block, single hidden units bring weights
 * 50 times the usual, and all other weights of those rows would fall on a few levels: the columns of the largest weights
 * stand apart. The first layer reads a norm's output, in which a few channels are 10 times the others: the channels of the
 * largest weight and bias of the norm stand apart, and are left out of the bytes of x as well.
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
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<Map<string, ParameterValue>> {
  const [out, width] = spec.shape as [number, number];
  const values = await readFloat32(files, tensors.get(spec.name)!);
  const name = (part: string) => spec.name.replace(/\.weight$/, `.${part}`);
  const result = new Map<string, ParameterValue>();
  const count = columnsApart(spec);
  if (count > 0) {
    const sizes = spec.after === undefined ? columnPeaks(values, width) : await outputSizes(files, spec.after, tensors);
    const columns = largest(sizes, count);
    const apart = takeColumns(values, width, columns);
    if (spec.after !== undefined) {
      const kept = new Float32Array(width).fill(1);
      for (const column of columns) kept[column] = 0;
      result.set(name('kept'), { dtype: 'float32', shape: [width], source: kept });
    }
    result.set(name('columns'), { dtype: 'int32', shape: [count], source: columns });
    result.set(name('apart'), { dtype: 'float32', shape: [out, count], source: apart });
  }
  const { values: bytes, scales } = quantiseWeight(values, out, width);
  result.set(spec.name, { dtype: 'int8', shape: spec.shape, source: bytes });
  result.set(name('scales'), { dtype: 'float32', shape: [out], source: scales });
  return result;
}

/** Largest absolute value of each column of values [out, width]. */
function columnPeaks(values: Float32Array, width: number): Float32Array {
  const peaks = new Float32Array(width);
  values.forEach((value, at) => {
    peaks[at % width] = Math.max(peaks[at % width]!, Math.abs(value));
  });
  return peaks;
}

/** How far from zero each channel of a norm's output gets, by its own weight and bias: three deviations. */
async function outputSizes(
  files: Files,
  norm: string,
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<Float32Array> {
  const weight = await readFloat32(files, tensors.get(`${norm}.weight`)!);
  const bias = tensors.get(`${norm}.bias`);
  const shifts = bias === undefined ? undefined : await readFloat32(files, bias);
  return weight.map((value, i) => 3 * Math.abs(value) + Math.abs(shifts?.[i] ?? 0));
}

/** The places of the `count` largest, ascending; of equal ones the earlier. */
function largest(sizes: Float32Array, count: number): Int32Array<ArrayBuffer> {
  return Int32Array.from(sizes.keys())
    .sort((a, b) => sizes[b]! - sizes[a]! || a - b)
    .slice(0, count)
    .sort();
}

/** Copies columns of values [out, width] to [out, columns] and leaves zeros in their place. */
function takeColumns(values: Float32Array, width: number, columns: Int32Array): Float32Array<ArrayBuffer> {
  const apart = new Float32Array((values.length / width) * columns.length);
  for (let row = 0; row * width < values.length; row++)
    columns.forEach((column, i) => {
      apart[row * columns.length + i] = values[row * width + column]!;
      values[row * width + column] = 0;
    });
  return apart;
}
