/**
 * What an architecture is: the parameters it has, by Hugging Face's names without the model's own prefix, and its forward
 * pass as a function of parameters, a batch and a context to tensors. The same function serves inference, training and
 * export; what differs (8-bit linears, say) is the context's.
 */
import {
  add,
  gatherColumns,
  gelu,
  linear,
  linearInt8,
  multiply,
  parameter,
  relu,
  type SequenceLayout,
  silu,
  type Tensor,
} from '../engine/index.ts';
import type { Activation, EncoderConfig } from './config.ts';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** `linear`: a weight [out, in] of a linear layer, the only kind that is ever quantised; `exact`: one that never is. */
  readonly kind: 'embedding' | 'linear' | 'exact' | 'bias' | 'norm';
  /** Of a `linear`: this many columns stay in float32 in an 8-bit model (`splitWeight` in quantise.ts). Default 0. */
  readonly apart?: number;
  /** The norm whose output a layer with columns apart reads: they are chosen by it, and left out of the bytes of x too. */
  readonly after?: string;
}

/** A batch as symbolic tensors: rows of all sequences one after another. */
export interface EncoderBatch {
  /** int32 [tokens] */
  readonly ids: Tensor;
  /** int32 [tokens], as the architecture counts them (`batchFeeds`) */
  readonly positions: Tensor;
  /** int32 [tokens]; without them every token is of segment 0 */
  readonly segments?: Tensor;
  readonly layout: SequenceLayout;
}

/** The parameters as tensors. */
export interface EncoderParameters {
  /** Throws where the architecture has no such parameter. */
  get(name: string): Tensor;
  has(name: string): boolean;
}

export interface ForwardContext {
  /** x [tokens, in] through the linear layer `name`: `name.weight` [out, in] and, where it has one, `name.bias` [out]. */
  linear(x: Tensor, parameters: EncoderParameters, name: string): Tensor;
}

export interface Architecture<C extends EncoderConfig = EncoderConfig> {
  /** Before every name in a checkpoint, depending on how it was saved; the empty one is tried too. */
  readonly prefixes: readonly string[];
  parameters(config: C): ParameterSpec[];
  /** States [tokens, hidden] after the embeddings and after each layer; the last are the model's output. */
  forward(config: C, parameters: EncoderParameters, batch: EncoderBatch, context: ForwardContext): Tensor[];
}

/** The parameters of `specs` as tensors that a compiled program asks for by name. */
export function symbolicParameters(specs: readonly ParameterSpec[]): EncoderParameters {
  const tensors = new Map(specs.map((spec) => [spec.name, parameter(spec.name, spec.shape)]));
  return {
    has: (name) => tensors.has(name),
    get(name) {
      const found = tensors.get(name);
      if (found === undefined) throw new Error(`the architecture has no parameter ${name}`);
      return found;
    },
  };
}

/** Linear layers as they were trained. */
export const floatContext: ForwardContext = {
  linear: (x, parameters, name) =>
    linear(
      x,
      parameters.get(`${name}.weight`),
      parameters.has(`${name}.bias`) ? parameters.get(`${name}.bias`) : undefined,
    ),
};

/**
 * Linear layers in 8 bits: `name.weight` is asked for as int8, and `name.scales` [out] beside it. Where columns are kept
 * apart, the product is a sum: the bytes (zero in those columns), and `name.apart` [out, n] by the columns `name.columns` [n].
 * After a norm, x is multiplied by `name.kept` [in] first, which is 0 in those columns and 1 elsewhere.
 */
export function int8Context(specs: readonly ParameterSpec[]): ForwardContext {
  const exact = new Set(specs.filter(({ kind }) => kind === 'exact').map(({ name }) => name));
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  return {
    linear(x, parameters, name) {
      if (exact.has(`${name}.weight`)) return floatContext.linear(x, parameters, name);
      const [out, width] = parameters.get(`${name}.weight`).shape as [number, number];
      const weight = parameter(`${name}.weight`, [out, width], 'int8');
      const scales = parameter(`${name}.scales`, [out]);
      const bias = parameters.has(`${name}.bias`) ? parameters.get(`${name}.bias`) : undefined;
      const spec = byName.get(`${name}.weight`)!;
      const count = columnsApart(spec);
      if (count === 0) return linearInt8(x, weight, scales, bias);
      const few = gatherColumns(x, parameter(`${name}.columns`, [count], 'int32'));
      const rest = spec.after === undefined ? x : multiply(x, parameter(`${name}.kept`, [width]));
      return add(linearInt8(rest, weight, scales), linear(few, parameter(`${name}.apart`, [out, count]), bias));
    },
  };
}

/** How many columns of a linear weight an 8-bit model keeps in float32. */
export function columnsApart({ apart = 0, shape }: ParameterSpec): number {
  return Math.min(apart, shape.at(-1)!);
}

export function activate(x: Tensor, activation: Activation): Tensor {
  if (activation === 'gelu') return gelu(x);
  if (activation === 'gelu_tanh') return gelu(x, { approximation: 'tanh' });
  return activation === 'relu' ? relu(x) : silu(x);
}

// Short forms for the lists of parameters --------------------------------------------------------------------------

export function linearSpecs(
  name: string,
  out: number,
  width: number,
  { bias = true, apart = 0, after }: { bias?: boolean; apart?: number; after?: string } = {},
): ParameterSpec[] {
  const weight: ParameterSpec = {
    name: `${name}.weight`,
    shape: [out, width],
    kind: 'linear',
    apart,
    ...(after === undefined ? {} : { after }),
  };
  return bias ? [weight, { name: `${name}.bias`, shape: [out], kind: 'bias' }] : [weight];
}

export function normSpecs(name: string, width: number, bias = true): ParameterSpec[] {
  const weight: ParameterSpec = { name: `${name}.weight`, shape: [width], kind: 'norm' };
  return bias ? [weight, { name: `${name}.bias`, shape: [width], kind: 'norm' }] : [weight];
}

export function embeddingSpec(name: string, rows: number, width: number): ParameterSpec {
  return { name: `${name}.weight`, shape: [rows, width], kind: 'embedding' };
}
