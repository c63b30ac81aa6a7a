/**
 * What all clusterings ask of their vectors before they begin: that there are some, that they have one number of dimensions
 * and that every value is a finite number; and their mean and variance, which tolerances are relative to.
 */
import { inputError } from '../base/errors.ts';
import { type VectorBlocks, vectorArray } from '../retrieve/exact.ts';
import { squaredDistance } from './nearest-centres.ts';

/** Vectors in memory, [rows, dimensions], or in blocks, as often as asked for. */
export type VectorSource = Float32Array | VectorBlocks;

export function vectorBlocks(vectors: VectorSource, dimensions: number | undefined): VectorBlocks {
  if (!(vectors instanceof Float32Array)) {
    if (dimensions !== undefined && dimensions !== vectors.dimensions)
      throw wrongDimensions(`${dimensions}`, `${vectors.dimensions}`);
    return vectors;
  }
  if (dimensions === undefined || !(Number.isInteger(dimensions) && dimensions >= 1))
    throw wrongDimensions('a whole number from 1', String(dimensions));
  if (vectors.length % dimensions !== 0)
    throw wrongDimensions(`a multiple of ${dimensions} numbers`, `${vectors.length} numbers`);
  return vectorArray(vectors, dimensions);
}

function wrongDimensions(expected: string, found: string) {
  return inputError('the vectors have not all the same number of dimensions', {
    code: 'cluster.dimensions',
    field: 'dimensions',
    expected,
    found,
  });
}

/** The number of clusters of so many rows. */
export function checkClusters(clusters: number, rows: number): void {
  if (rows === 0) throw inputError('there are no vectors to cluster', { code: 'cluster.empty' });
  if (!(Number.isInteger(clusters) && clusters >= 1 && clusters <= rows))
    throw inputError('this many clusters cannot be formed', {
      code: 'cluster.clusters',
      field: 'clusters',
      expected: `a whole number from 1 to the number of vectors, ${rows}`,
      found: String(clusters),
    });
}

export interface Moments {
  /** [dimensions] */
  mean: Float64Array;
  /** Mean over the dimensions of the variance (divided by the number of rows). */
  variance: number;
}

/** One pass; sums are taken from the first row on, so that they do not cancel. */
export async function moments(source: VectorBlocks, signal?: AbortSignal): Promise<Moments> {
  const { dimensions, count } = source;
  const sums = new Float64Array(dimensions);
  const squares = new Float64Array(dimensions);
  let first: Float64Array | undefined;
  let seen = 0;
  for await (const { from, vectors } of source.blocks()) {
    signal?.throwIfAborted();
    if (from !== seen || vectors.length % dimensions !== 0)
      throw wrongDimensions(
        `${dimensions} numbers a row, row ${seen} next`,
        `${vectors.length} numbers from row ${from}`,
      );
    seen += vectors.length / dimensions;
    first ??= Float64Array.from(vectors.subarray(0, dimensions));
    for (let at = 0; at < vectors.length; at += dimensions)
      for (let d = 0; d < dimensions; d++) {
        const value = vectors[at + d]! - first[d]!;
        sums[d]! += value;
        squares[d]! += value * value;
      }
    // A value that is no finite number stays in the sums; sums of finite float32 values stay finite.
    if (!squares.every(Number.isFinite)) throw notFinite(vectors, dimensions, from);
  }
  if (first === undefined || seen !== count) throw wrongDimensions(`${count} rows`, `${seen} rows`);
  let variance = 0;
  for (let d = 0; d < dimensions; d++) {
    const shift = sums[d]! / count;
    variance += Math.max(0, squares[d]! / count - shift * shift) / dimensions;
    sums[d] = first[d]! + shift;
  }
  return { mean: sums, variance };
}

/** |x - m|² of each vector. */
export async function spreadOf(source: VectorBlocks, mean: Float64Array): Promise<Float64Array> {
  const { dimensions, count } = source;
  const spread = new Float64Array(count);
  for await (const { from, vectors } of source.blocks())
    for (let at = 0, row = from; at < vectors.length; at += dimensions, row++)
      spread[row] = squaredDistance(vectors, at, mean, 0, dimensions);
  return spread;
}

function notFinite(vectors: Float32Array, dimensions: number, from: number) {
  const at = vectors.findIndex((value) => !Number.isFinite(value));
  const row = from + Math.floor(at / dimensions);
  return inputError(`the vector of row ${row} (counted from 0) is not all numbers`, {
    code: 'cluster.values',
    expected: 'finite numbers',
    found: `${vectors[at]} in column ${at % dimensions}`,
    hint: 'leave the row out, or encode it again',
  });
}
