/**
 * The data term of logistic regression on dense rows, computed by the engine: for weights W [outputs, width + 1] of centred
 * and turned rows x' = ((x - mean) Q, 1),
 *
 *   R = σ(X' Wᵀ)  or softmax, times the weights of rows;   Rᵀ X'   [outputs, width + 1]
 *
 * in blocks of rows whose intermediate values stay in the processor's cache; the blocks' float32 sums are added in float64.
 * What the labels add to the gradient, Yᵀ X', is constant and is summed once, in the same way.
 *
 * Centring takes out the direction that all embeddings share and parts the intercept from the weights. Q, the axes of the
 * rows' covariance, makes the Hessian nearly diagonal. Both leave the penalty |w|² as it is (Q is orthogonal), and the caller
 * brings weights back by w = Q v. Finding Q costs some 12 width³ operations: where rows are few it is left out, Q = I.
 */
import { symmetricEigen } from '../encode/lsa-eigen.ts';
import {
  type Engine,
  input,
  matmul,
  multiply,
  type ParameterValue,
  type Program,
  parameter,
  sigmoid,
  softmax,
  type Tensor,
  transpose,
  where,
} from '../engine/index.ts';
import type { DenseRows } from './features.ts';
import { type Coordinates, type DataTerm, placesOf, type Targets } from './logistic-objective.ts';

/** Rows a block. */
const blockRows = 4096;

/** Rows centred and turned, a one at the end of each, in blocks. */
export interface TurnedRows extends Coordinates {
  rows: number;
  blocks: Float32Array[];
}

/** `turn`: also along the axes of the covariance. */
export async function turnRows(
  engine: Engine,
  { vectors, dimensions: width }: DenseRows,
  turn: boolean,
): Promise<TurnedRows> {
  const rows = vectors.length / width;
  const mean = new Float64Array(width);
  for (let at = 0; at < vectors.length; at += width) for (let i = 0; i < width; i++) mean[i]! += vectors[at + i]!;
  for (let i = 0; i < width; i++) mean[i]! /= rows;
  const centred = (from: number, stride: number): Float32Array<ArrayBuffer> => {
    const some = Math.min(blockRows, rows - from);
    const block = new Float32Array(some * stride);
    for (let row = 0; row < some; row++) {
      const at = (from + row) * width;
      for (let i = 0; i < width; i++) block[row * stride + i] = vectors[at + i]! - mean[i]!;
      if (stride > width) block[row * stride + width] = 1;
    }
    return block;
  };
  const starts = Array.from({ length: Math.ceil(rows / blockRows) }, (_, b) => b * blockRows);
  if (!turn) {
    const variances = new Float64Array(width);
    const blocks = starts.map((from) => centred(from, width + 1));
    for (const block of blocks)
      for (let at = 0; at < block.length; at += width + 1)
        for (let i = 0; i < width; i++) variances[i]! += block[at + i]! ** 2;
    return { width, rows, blocks, mean, variances: variances.map((sum) => sum / rows), axes: undefined };
  }
  const x = input('x', 'float32', ['rows', width]);
  const square = await engine.compile({ product: matmul(transpose(x, [1, 0]), x) });
  const covariance = new Float64Array(width * width);
  for (const from of starts) {
    const { product } = await square.run({ x: centred(from, width) }, { transfer: true });
    for (let i = 0; i < covariance.length; i++) covariance[i]! += product.floats[i]! / rows;
  }
  await square.close();
  const { values, vectors: axes } = symmetricEigen(covariance, width);
  // The last column of x Q is room for the one.
  const q = new Float32Array(width * (width + 1));
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) q[i * (width + 1) + j] = axes[i * width + j]!;
  const value: ParameterValue = { dtype: 'float32', shape: [width, width + 1], source: q };
  const turning = await engine.compile(
    { turned: matmul(x, parameter('q', [width, width + 1])) },
    { parameters: { q: value } },
  );
  const blocks: Float32Array[] = [];
  for (const from of starts) {
    const { turned } = await turning.run({ x: centred(from, width) }, { transfer: true });
    for (let at = width; at < turned.floats.length; at += width + 1) turned.floats[at] = 1;
    blocks.push(turned.floats);
  }
  await turning.close();
  return { width, rows, blocks, mean, variances: values.map((value) => Math.max(0, value)), axes };
}

/** Labels whose sums are made at once. */
const summedLabels = 1024;

/** Σ over the rows of each label of weight · x', [labels, width + 1]. */
async function labelSums(engine: Engine, { blocks, width }: TurnedRows, targets: Targets): Promise<Float64Array> {
  const stride = width + 1;
  const { positive, truth } = targets;
  const labels = positive.length;
  const sums = new Float64Array(labels * stride);
  const y = input('y', 'float32', ['rows', 'labels']);
  const product = matmul(transpose(y, [1, 0]), input('x', 'float32', ['rows', stride]));
  const program = await engine.compile({ product });
  for (let first = 0; first < labels; first += summedLabels) {
    const some = Math.min(summedLabels, labels - first);
    for (const [b, block] of blocks.entries()) {
      const rows = block.length / stride;
      const marks = new Float32Array(rows * some);
      for (let row = 0; row < rows; row++)
        for (let k = truth.offsets[b * blockRows + row]!; k < truth.offsets[b * blockRows + row + 1]!; k++) {
          const label = truth.codes[k]!;
          if (label >= first && label < first + some) marks[row * some + label - first] = positive[label]!;
        }
      const feeds = { y: { data: marks, shape: [rows, some] }, x: { data: block, shape: [rows, stride] } };
      const { floats } = (await program.run(feeds)).product;
      for (let i = 0; i < floats.length; i++) sums[first * stride + i]! += floats[i]!;
    }
  }
  await program.close();
  return sums;
}

export class DenseTerm implements DataTerm {
  private readonly program: Program;
  private readonly turned: TurnedRows;
  private readonly targets: Targets;
  private readonly labelSums: Float64Array;
  /** Whether the program asks which rows have which label: only where that changes what they weigh. */
  private readonly marked: boolean;
  /** The indicators of the outputs asked for last: the same ones are asked for many times. */
  private indicators: { asked: Int32Array; blocks: Uint8Array[] } | undefined;

  private constructor(
    program: Program,
    parts: { turned: TurnedRows; targets: Targets; labelSums: Float64Array; marked: boolean },
  ) {
    this.program = program;
    this.turned = parts.turned;
    this.targets = parts.targets;
    this.labelSums = parts.labelSums;
    this.marked = parts.marked;
  }

  static async open(engine: Engine, turned: TurnedRows, targets: Targets): Promise<DenseTerm> {
    const { width, blocks } = turned;
    const { softmax: isSoftmax, positive, negative, truth } = targets;
    const weighted = positive.some((weight) => weight !== 1) || negative.some((weight) => weight !== 1);
    const marked = weighted && !isSoftmax;
    const w = input('w', 'float32', ['outputs', width + 1]);
    const ofLabel = (name: string) => input(name, 'float32', ['outputs']);
    const parameters: Record<string, ParameterValue> = {};
    const held = (name: string, shape: number[], source: Float32Array): Tensor => {
      parameters[name] = { dtype: 'float32', shape, source };
      return parameter(name, shape);
    };
    const outputs: Record<string, Tensor> = {};
    blocks.forEach((block, b) => {
      const rows = block.length / (width + 1);
      const x = held(`x${b}`, [rows, width + 1], block);
      const z = matmul(x, w, { transposeB: true }); // [rows, outputs]
      let r = isSoftmax ? softmax(z) : sigmoid(z);
      if (marked)
        r = multiply(r, where(input(`y${b}`, 'bool', [rows, 'outputs']), ofLabel('positive'), ofLabel('negative')));
      else if (weighted) {
        const own = truth.codes.subarray(b * blockRows, b * blockRows + rows);
        r = multiply(
          r,
          held(
            `s${b}`,
            [rows, 1],
            Float32Array.from(own, (code) => positive[code]!),
          ),
        );
      }
      outputs[`g${b}`] = matmul(transpose(r, [1, 0]), x); // turned first: quicker than a product that reads R by columns
    });
    const sums = await labelSums(engine, turned, targets);
    const program = await engine.compile(outputs, { parameters });
    return new DenseTerm(program, { turned, targets, labelSums: sums, marked });
  }

  async residuals(asked: Int32Array, points: Float32Array): Promise<Float64Array> {
    const stride = this.turned.width + 1;
    const feeds: Record<string, { data: Float32Array | Uint8Array; shape: number[] }> = {
      w: { data: points, shape: [asked.length, stride] },
    };
    if (this.marked) {
      const { positive, negative } = this.targets;
      feeds.positive = { data: Float32Array.from(asked, (label) => positive[label]!), shape: [asked.length] };
      feeds.negative = { data: Float32Array.from(asked, (label) => negative[label]!), shape: [asked.length] };
      this.indicatorsOf(asked).forEach((data, b) => {
        feeds[`y${b}`] = { data, shape: [data.length / asked.length, asked.length] };
      });
    }
    const results = await this.program.run(feeds);
    const sums = new Float64Array(points.length);
    for (const { floats } of Object.values(results)) for (let i = 0; i < sums.length; i++) sums[i]! += floats[i]!;
    asked.forEach((label, row) => {
      for (let i = 0; i < stride; i++) sums[row * stride + i]! -= this.labelSums[label * stride + i]!;
    });
    return sums;
  }

  close(): Promise<void> {
    return this.program.close();
  }

  private indicatorsOf(asked: Int32Array): Uint8Array[] {
    if (this.indicators?.asked.length === asked.length && this.indicators.asked.every((label, i) => label === asked[i]))
      return this.indicators.blocks;
    const { offsets, codes } = this.targets.truth;
    const place = placesOf(asked, this.targets.positive.length);
    const blocks = this.turned.blocks.map((block, b) => {
      const rows = block.length / (this.turned.width + 1);
      const marks = new Uint8Array(rows * asked.length);
      for (let row = 0; row < rows; row++)
        for (let k = offsets[b * blockRows + row]!; k < offsets[b * blockRows + row + 1]!; k++) {
          const column = place[codes[k]!]!;
          if (column >= 0) marks[row * asked.length + column] = 1;
        }
      return marks;
    });
    this.indicators = { asked: asked.slice(), blocks };
    return blocks;
  }
}
