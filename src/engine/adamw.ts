/**
 * What training changes: weights, their gradients and AdamW's moments, as float32 regions of WebAssembly memories that
 * never grow, so that their views stay valid. ONNX Runtime reads weights from these views and fetches gradients into
 * them; the loops of `adamw-kernel.ts` then run over them without a copy.
 *
 * AdamW (Loshchilov & Hutter 2019) as torch.optim.AdamW computes it, t counting from 1:
 *
 *   m ← β1 m + (1 − β1) g;   v ← β2 v + (1 − β2) g²;   m̂ = m / (1 − β1^t);   v̂ = v / (1 − β2^t)
 *   p ← p (1 − η λ) − η m̂ / (√v̂ + ε),   λ = 0 where `decay` is false
 *
 * A memory holds whole tensors; each of its four (or five) arenas holds one kind of value of all of them, at the same
 * offsets. Tensors are padded to 64 bytes; the padding is 0 and stays 0.
 *
 * `rows: true` marks a table whose gradient arrives by `addRows` only (embeddings). A row that never got a gradient has
 * moments of 0, so AdamW only decays it: the step does exactly that, and touches moments and gradient of the rest
 * alone. The numbers are those of the dense step to the last bit; only rows never met are cheaper.
 */
import { inputError } from '../base/errors.ts';
import { type OptimiserKernel, optimiserKernel } from './adamw-kernel.ts';

export interface TrainedTensor {
  name: string;
  shape: readonly number[];
  /** Whether weight decay applies; customarily not to biases and norms. */
  decay: boolean;
  /** The gradient arrives by `addRows` alone. Default false. */
  rows?: boolean;
}

export interface ParameterMemoryOptions {
  /** Adds a region `incoming` for every tensor that is not `rows`: gradients of one sub-batch. Default false. */
  incoming?: boolean;
  /** The most bytes of one memory. Default 4 GiB less one page. */
  memoryBytes?: number;
}

export interface AdamWStep {
  /** η, the schedule's factor included. */
  learningRate: number;
  /** t, from 1. */
  step: number;
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Added to √v̂. Default 1e-8. */
  epsilon?: number;
  /** λ. Default 0.01. */
  weightDecay?: number;
  /** Multiplies every gradient first (clipping, averaging) without a pass of its own. Default 1. */
  gradientScale?: number;
}

type Kind = 'weights' | 'gradient' | 'first' | 'second' | 'incoming';

interface Region {
  readonly tensor: TrainedTensor;
  readonly arena: Arena;
  /** Bytes from the front of every kind of the arena. */
  readonly offset: number;
  readonly length: number;
  /** Bytes with padding. */
  readonly bytes: number;
  readonly rows?: RowState;
}

/** Of a `rows` tensor: which rows have a gradient in this step, and which ever had one. */
interface RowState {
  readonly width: number;
  readonly current: Uint8Array;
  readonly met: Uint8Array;
}

interface Arena {
  readonly memory: WebAssembly.Memory;
  readonly kernel: OptimiserKernel;
  readonly starts: Readonly<Partial<Record<Kind, number>>>;
}

const pageBytes = 65536;
const alignment = 64;
/** The front of every memory, where values from outside pass through a block at a time: at least so large. */
const smallestScratch = 1 << 18;
const largestMemory = 65535 * pageBytes;
const smallestNormal = 2 ** -126;

export class ParameterMemory {
  readonly tensors: readonly TrainedTensor[];
  private readonly regions = new Map<string, Region>();
  private readonly arenas: Arena[] = [];
  /** Ids in front, rows behind; one row of any tensor has room. */
  private readonly scratchBytes: number;

  constructor(tensors: readonly TrainedTensor[], options: ParameterMemoryOptions = {}) {
    const { incoming = false, memoryBytes = largestMemory } = options;
    this.tensors = [...tensors];
    const kinds: Kind[] = ['weights', 'gradient', 'first', 'second', ...(incoming ? ['incoming' as const] : [])];
    this.scratchBytes = alignment * Math.ceil(Math.max(smallestScratch, ...tensors.map(rowBytes)) / alignment);
    const limit = Math.min(memoryBytes, largestMemory) - this.scratchBytes;
    for (const group of grouped(tensors, kinds.length, limit)) this.arenas.push(this.place(group, kinds));
  }

  /** Bytes of all memories. */
  get bytes(): number {
    return this.arenas.reduce((total, { memory }) => total + memory.buffer.byteLength, 0);
  }

  /** Values in row-major order; the view stays valid for the life of this object, as the ones below. */
  weights(name: string): Float32Array<ArrayBuffer> {
    return this.view(name, 'weights');
  }

  gradient(name: string): Float32Array<ArrayBuffer> {
    return this.view(name, 'gradient');
  }

  /** Where a sub-batch's gradient is fetched to before `accumulate`. Needs the option `incoming`. */
  incoming(name: string): Float32Array<ArrayBuffer> {
    return this.view(name, 'incoming');
  }

  /** AdamW's first moments (m), for checkpoints. Write them with `loadMoments`. */
  first(name: string): Float32Array<ArrayBuffer> {
    return this.view(name, 'first');
  }

  /** AdamW's second moments (v), for checkpoints. */
  second(name: string): Float32Array<ArrayBuffer> {
    return this.view(name, 'second');
  }

  /** Continues from a checkpoint's moments. */
  loadMoments(name: string, first: Float32Array, second: Float32Array): void {
    const { rows, length } = this.region(name);
    for (const values of [first, second]) requireLength(name, values.length, length);
    this.first(name).set(first);
    this.second(name).set(second);
    if (rows === undefined) return;
    const bits = [this.first(name), this.second(name)].map(
      ({ buffer, byteOffset }) => new Int32Array(buffer, byteOffset, length),
    );
    for (let row = 0; row < rows.met.length; row++) {
      const [from, to] = [row * rows.width, (row + 1) * rows.width];
      rows.met[row] = bits.some((all) => all.subarray(from, to).some((value) => value !== 0)) ? 1 : 0;
    }
  }

  // Gradients --------------------------------------------------------------------------------------------------------

  /** Sets gradients to 0. Not needed for tensors whose gradient is overwritten by the next fetch. Default: all. */
  zeroGradients(names: Iterable<string> = this.regions.keys()): void {
    for (const name of names) {
      const region = this.region(name);
      const gradient = this.gradient(name);
      if (region.rows === undefined) gradient.fill(0);
      else {
        const { width, current } = region.rows;
        forEachRun(current, (first, end) => gradient.fill(0, first * width, end * width));
        current.fill(0);
      }
    }
  }

  /** gradient += scale · incoming. Default: of all tensors that have one. */
  accumulate(scale = 1, names: Iterable<string> = this.regions.keys()): void {
    for (const name of names)
      if (this.region(name).rows === undefined) {
        const { arena, offset, bytes } = this.region(name);
        arena.kernel.accumulate(at(arena, 'gradient', offset), at(arena, 'incoming', offset), bytes, scale);
      }
  }

  /** Throws `engine.row` where a row is none of the tensor's. */
  requireRows(name: string, ids: Int32Array): void {
    const [height] = this.region(name).tensor.shape;
    for (const id of ids)
      if (!(id >= 0 && id < height!))
        throw inputError(`there is no row ${id} to add a gradient to`, {
          code: 'engine.row',
          field: name,
          expected: `rows 0 to ${height! - 1}`,
          found: String(id),
        });
  }

  /**
   * gradient[ids[t]] += scale · rows[t] for t = 0, 1, ... in this order, repeated ids included.
   * `rows`: [ids.length, width], row-major; anywhere in memory.
   */
  addRows(name: string, ids: Int32Array, rows: Float32Array, scale = 1): void {
    const { tensor, arena, offset, rows: state } = this.region(name);
    const width = tensor.shape.slice(1).reduce((a, b) => a * b, 1);
    requireLength(name, rows.length, ids.length * width);
    this.requireRows(name, ids);
    if (state !== undefined) for (const id of ids) state.current[id] = 1;
    const table = at(arena, 'gradient', offset);
    const { buffer } = arena.memory;
    const blockRows = Math.floor(this.scratchBytes / (4 * width + 4));
    const [idsAt, rowsAt] = [0, 4 * blockRows];
    for (let t = 0; t < ids.length; t += blockRows) {
      const count = Math.min(blockRows, ids.length - t);
      new Int32Array(buffer, idsAt, count).set(ids.subarray(t, t + count));
      new Float32Array(buffer, rowsAt, count * width).set(rows.subarray(t * width, (t + count) * width));
      arena.kernel.addRows(table, idsAt, rowsAt, count, 4 * width, scale);
    }
  }

  /** √Σ g² over all tensors, summed in float64. NaN or infinite exactly where a gradient is. */
  gradientNorm(): number {
    return Math.sqrt(this.squares('gradient'));
  }

  /** Whether no value is NaN or infinite. */
  isFinite(kind: 'weights' | 'gradient'): boolean {
    return Number.isFinite(this.squares(kind));
  }

  private squares(kind: 'weights' | 'gradient'): number {
    let total = 0;
    for (const { arena, offset, bytes, rows } of this.regions.values()) {
      const start = at(arena, kind, offset);
      if (kind === 'weights' || rows === undefined) total += arena.kernel.squares(start, bytes);
      else {
        // Row by row: the sum then does not depend on which other rows were met.
        const { current, width } = rows;
        for (let row = 0; row < current.length; row++)
          if (current[row] === 1) total += arena.kernel.squares(start + 4 * width * row, 4 * width);
      }
    }
    return total;
  }

  /** gradient *= factor. `adamw` takes a factor of its own at no cost. */
  scaleGradients(factor: number): void {
    for (const { arena, offset, bytes, rows } of this.regions.values()) {
      const start = at(arena, 'gradient', offset);
      if (rows === undefined) arena.kernel.scale(start, bytes, factor);
      else
        forEachRun(rows.current, (first, end) =>
          arena.kernel.scale(start + 4 * rows.width * first, 4 * rows.width * (end - first), factor),
        );
    }
  }

  // Update -----------------------------------------------------------------------------------------------------------

  /** One step over all tensors. Gradients stay as they are. */
  adamw(options: AdamWStep): void {
    const { gradientScale = 1 } = options;
    const factors = adamwFactors(options);
    const { beta1, beta2, stepSize, epsilon } = factors;
    for (const { tensor, arena, offset, bytes, rows } of this.regions.values()) {
      const decay = tensor.decay ? factors.decay : 1;
      const [p, g, m, v] = (['weights', 'gradient', 'first', 'second'] as const).map((kind) => at(arena, kind, offset));
      const update = (from: number, length: number) =>
        arena.kernel.adamw(
          p! + from,
          g! + from,
          m! + from,
          v! + from,
          length,
          gradientScale,
          decay,
          beta1,
          1 - beta1,
          beta2,
          1 - beta2,
          stepSize,
          epsilon,
          smallestNormal,
        );
      if (rows === undefined) {
        update(0, bytes);
        continue;
      }
      const { met, current, width } = rows;
      for (let row = 0; row < met.length; row++) met[row]! |= current[row]!;
      const size = 4 * width;
      let decayed = 0;
      const decayUpTo = (row: number) => {
        if (decay !== 1 && row > decayed) arena.kernel.scale(p! + decayed * size, (row - decayed) * size, decay);
      };
      forEachRun(met, (first, end) => {
        decayUpTo(first);
        update(first * size, (end - first) * size);
        decayed = end;
      });
      decayUpTo(met.length);
    }
  }

  // Placing ----------------------------------------------------------------------------------------------------------

  private place(group: readonly TrainedTensor[], kinds: readonly Kind[]): Arena {
    const size = group.reduce((total, tensor) => total + paddedBytes(tensor), 0);
    // Kinds start apart from multiples of 4 KiB, or the processor would take a load for one of a store just made.
    const stride = kindStride(size);
    const starts = Object.fromEntries(kinds.map((kind, i) => [kind, this.scratchBytes + i * stride]));
    const pages = Math.ceil((this.scratchBytes + kinds.length * stride) / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const arena: Arena = { memory, kernel: optimiserKernel(memory), starts };
    let offset = 0;
    for (const tensor of group) {
      if (this.regions.has(tensor.name))
        throw inputError('two trained tensors have one name', { code: 'engine.parameter', field: tensor.name });
      const length = tensor.shape.reduce((a, b) => a * b, 1);
      const bytes = paddedBytes(tensor);
      const height = tensor.shape[0] ?? 0;
      const width = length / height;
      // Kernels take whole vectors: a table whose rows are none is updated as a whole.
      const byRows = tensor.rows === true && width % 4 === 0;
      const rows = byRows ? { width, current: new Uint8Array(height), met: new Uint8Array(height) } : undefined;
      this.regions.set(tensor.name, { tensor, arena, offset, length, bytes, ...(rows ? { rows } : {}) });
      offset += bytes;
    }
    return arena;
  }

  private region(name: string): Region {
    const region = this.regions.get(name);
    if (region === undefined)
      throw inputError(`no trained tensor has the name ${name}`, { code: 'engine.parameter', field: name });
    return region;
  }

  private view(name: string, kind: Kind): Float32Array<ArrayBuffer> {
    const { arena, offset, length } = this.region(name);
    return new Float32Array(arena.memory.buffer as ArrayBuffer, at(arena, kind, offset), length);
  }
}

/** The factors of a step, the bias corrections folded in: p ← p·decay − stepSize · m / (√v + epsilon). */
export function adamwFactors(options: AdamWStep) {
  const { learningRate, step, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = options;
  requireRange('learningRate', learningRate, learningRate >= 0, '0 or more');
  requireRange('step', step, Number.isInteger(step) && step >= 1, 'a whole number from 1');
  requireRange('beta1', beta1, beta1 >= 0 && beta1 < 1, '0 or more, below 1');
  requireRange('beta2', beta2, beta2 >= 0 && beta2 < 1, '0 or more, below 1');
  requireRange('epsilon', epsilon, epsilon > 0, 'above 0');
  const correction = Math.sqrt(1 - beta2 ** step);
  const stepSize = (learningRate * correction) / (1 - beta1 ** step);
  return { beta1, beta2, stepSize, epsilon: epsilon * correction, decay: 1 - learningRate * weightDecay };
}

function at(arena: Arena, kind: Kind, offset: number): number {
  const start = arena.starts[kind];
  if (start === undefined)
    throw inputError(`this memory has no region '${kind}'`, {
      code: 'engine.parameter',
      hint: 'make it with the option incoming: true',
    });
  return start + offset;
}

function paddedBytes({ name, shape }: TrainedTensor): number {
  const length = shape.reduce((a, b) => a * b, 1);
  if (!(Number.isInteger(length) && length >= 1 && shape.every((size) => size >= 1)))
    throw inputError('a trained tensor needs one element or more', {
      code: 'engine.parameter',
      field: name,
      found: `[${shape.join(', ')}]`,
    });
  return Math.ceil((4 * length) / alignment) * alignment;
}

/** Bytes of one row and its id. */
function rowBytes({ shape }: TrainedTensor): number {
  return 4 * shape.slice(1).reduce((a, b) => a * b, 1) + 4;
}

function kindStride(size: number): number {
  return Math.ceil(size / 4096) * 4096 + 1024 - alignment;
}

/** Tensors in order, as many to a memory as go into `limit` bytes. */
function grouped(tensors: readonly TrainedTensor[], kinds: number, limit: number): TrainedTensor[][] {
  const groups: TrainedTensor[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const own = paddedBytes(tensor);
    if (kinds * kindStride(own) > limit)
      throw inputError('a trained tensor is too large for one WebAssembly memory', {
        code: 'engine.parameter-memory',
        field: tensor.name,
        expected: `at most ${Math.floor(limit / kinds / 4 / 1e6)} million elements`,
        found: `[${tensor.shape.join(', ')}]`,
        hint: 'Freeze it, or train it through LoRA.',
      });
    if (kinds * kindStride(size + own) > limit) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)!.push(tensor);
    size += own;
  }
  return groups;
}

/** Calls `visit` for every unbroken run of ones: first row, end (excluded). */
function forEachRun(marks: Uint8Array, visit: (first: number, end: number) => void): void {
  for (let row = marks.indexOf(1); row !== -1; ) {
    let end = marks.indexOf(0, row);
    if (end === -1) end = marks.length;
    visit(row, end);
    row = marks.indexOf(1, end);
  }
}

function requireLength(name: string, found: number, expected: number): void {
  if (found !== expected)
    throw inputError('the number of values does not fit the tensor', {
      code: 'engine.parameter',
      field: name,
      expected: String(expected),
      found: String(found),
    });
}

function requireRange(field: string, value: number, fits: boolean, expected: string): void {
  if (!fits)
    throw inputError(`${field} is out of range`, { code: 'engine.adamw', field, expected, found: String(value) });
}
