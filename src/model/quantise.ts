/**
 * The weights of an 8-bit model: int8 with one scale an output row, and what keeps its rounding small. All of it follows from
 * the checkpoint alone: no text is run through the model to find it.
 *
 * - A layer that reads a norm's output takes it before the norm's own weight g and bias b, which go into the layer's:
 *   W (n g + b) + c = (W diag g) n + (W b + c). In n channels are alike, while g and b lift single ones to 10 times the others.
 * - A row's scale follows its largest weight. Into the second layer of a feed-forward block, single hidden units bring weights
 *   50 times the usual, and all other weights of those rows would fall on a few levels: the columns of the largest weights
 *   stay in float32 (LLM.int8(), Dettmers et al. 2022).
 * - The value projection stays in float32. Many heads rest on a sequence's first token, an attention sink (Xiao et al. 2023),
 *   where one channel is 19 times the size of the others: the rounding error of its value enters every token with the same
 *   sign, and on real patents cost MiniLM's cosine 0.0015 at the 1st percentile, more than all other layers together.
 */
import type { Files } from '../base/platform.ts';
import { readFloat32, type StoredTensor } from '../base/safetensors.ts';
import { type ParameterValue, quantiseWeight } from '../engine/index.ts';
import type { ParameterSpec } from './forward.ts';

/** Counts up when an 8-bit model comes to give other vectors, so that stored ones are not taken for its own. */
export const int8Version = 3;

/** What `int8Context` asks for in place of the weight of `spec`, by name. */
export async function quantisedValues(
  files: Files,
  spec: ParameterSpec,
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<Map<string, ParameterValue>> {
  const [out, width] = spec.shape as [number, number];
  const read = async (name: string) => {
    const tensor = tensors.get(name);
    return tensor && (await readFloat32(files, tensor));
  };
  const values = (await read(spec.name))!;
  const layer = spec.name.replace(/\.weight$/, '');
  const { after, apart = 0 } = spec.int8 ?? {};
  const result = new Map<string, ParameterValue>();
  const set = (part: string, shape: readonly number[], source: Float32Array | Int32Array | Int8Array) =>
    result.set(`${layer}.${part}`, { dtype: dtypeOf(source), shape, source });
  if (after !== undefined) {
    const weight = (await read(`${after}.weight`))!;
    const bias = (await read(`${layer}.bias`)) ?? new Float32Array(out);
    set('folded', [out], foldNorm(values, bias, weight, (await read(`${after}.bias`)) ?? new Float32Array(width)));
  }
  if (apart > 0) {
    const columns = largest(columnPeaks(values, width), Math.min(apart, width));
    set('columns', [columns.length], columns);
    set('apart', [out, columns.length], takeColumns(values, width, columns));
  }
  const { values: bytes, scales } = quantiseWeight(values, out, width);
  set('weight', spec.shape, bytes);
  set('scales', [out], scales);
  return result;
}

const dtypeOf = (source: Float32Array | Int32Array | Int8Array) =>
  source instanceof Float32Array ? 'float32' : source instanceof Int32Array ? 'int32' : 'int8';

/**
 * W (n · g + b) + c = (W diag g) n + (W b + c): scales the columns of `values` [out, in] by the norm's weight g in place and
 * returns the new bias [out].
 */
function foldNorm(values: Float32Array, c: Float32Array, g: Float32Array, b: Float32Array): Float32Array {
  const width = g.length;
  return c.map((start, row) => {
    let total = start;
    for (let k = 0; k < width; k++) {
      total += values[row * width + k]! * b[k]!;
      values[row * width + k]! *= g[k]!;
    }
    return total;
  });
}

/** Largest absolute value of each column of values [out, width]. */
function columnPeaks(values: Float32Array, width: number): Float32Array {
  const peaks = new Float32Array(width);
  values.forEach((value, at) => {
    peaks[at % width] = Math.max(peaks[at % width]!, Math.abs(value));
  });
  return peaks;
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
