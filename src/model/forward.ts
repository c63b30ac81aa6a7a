/**
 * What an architecture is: the parameters it has, by Hugging Face's names without the model's own prefix, and its forward
 * pass as a function of parameters, a batch and a context to tensors. The same function serves inference, training and
 * export; what differs (8-bit linears, say) is the context's.
 */
import { murmur3 } from '../base/random.ts';
import { inOrder, isInput } from '../engine/graph.ts';
import {
  type AttentionOptions,
  add,
  dropout,
  gatherColumns,
  gelu,
  input,
  linear,
  linearInt8,
  parameter,
  relu,
  type SequenceLayout,
  silu,
  type Tensor,
  withoutAffine,
} from '../engine/index.ts';
import type { Activation, EncoderConfig } from './config.ts';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** `linear`: a weight [out, in] of a linear layer, the only kind that is ever quantised. */
  readonly kind: 'embedding' | 'linear' | 'bias' | 'norm';
  /** How an 8-bit model treats a `linear` (quantise.ts). */
  readonly int8?: Int8Care;
}

/** What an 8-bit linear layer needs beside bytes and scales, so that its rounding stays small. */
export interface Int8Care {
  /** The layer reads this norm's output: the norm's weight and bias are folded into it. */
  readonly after?: string;
  /** This many columns stay in float32: those of the largest weights. */
  readonly apart?: number;
  /** The layer stays as it is. */
  readonly exact?: boolean;
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
  /** In training (`trainingContext`). Without it nothing is dropped, and no node says so. */
  readonly dropout?: TrainingDropout;
}

export interface TrainingDropout {
  /** int32 [tokens]: what a row draws from. */
  readonly keys: Tensor;
  /** In place of every rate of the checkpoint. Default: its own. */
  readonly rate?: number;
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

// Dropout ----------------------------------------------------------------------------------------------------------

/** The input that holds the rows' keys (`dropoutKeys`). */
export const dropoutInput = 'dropout keys';

/** `base` in training: dropout at the checkpoint's own rates, or at `rate` in place of each. */
export function trainingContext(rate?: number, base: ForwardContext = floatContext): ForwardContext {
  const keys = input(dropoutInput, 'int32', ['tokens']);
  return { ...base, dropout: { keys, ...(rate === undefined ? {} : { rate }) } };
}

/** Whether a graph drops anything: then it asks for `dropoutInput`. */
export function drops(output: Tensor): boolean {
  return inOrder([output]).some((tensor) => isInput(tensor) && tensor.attributes.name === dropoutInput);
}

/** x [tokens, width], in training with entries dropped at the checkpoint's `own` rate. `place` names the draw. */
export function dropped(x: Tensor, { dropout: training }: ForwardContext, place: string, own: number): Tensor {
  return training === undefined ? x : dropout(x, training.rate ?? own, { keys: training.keys, site: murmur3(place) });
}

/** The same of the probabilities of `attention`. */
export function attentionDropout(
  { dropout: training }: ForwardContext,
  place: string,
  own: number,
): Pick<AttentionOptions, 'dropout'> {
  const { keys, rate = own } = training ?? {};
  return keys === undefined ? {} : { dropout: { rate, keys, site: murmur3(place) } };
}

// Linear layers in 8 bits ------------------------------------------------------------------------------------------

/**
 * Linear layers in 8 bits: `name.weight` is asked for as int8, and `name.scales` [out] beside it. More by what `int8` of the
 * weight's spec asks for:
 *
 *   after       x is taken before the norm's weight and bias; `name.folded` [out] is the bias with theirs in it
 *   apart       plus the product of the columns `name.columns` [n] of x by `name.apart` [out, n]
 *   exact  nothing of this: a float32 layer
 */
export function int8Context(specs: readonly ParameterSpec[]): ForwardContext {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  return {
    linear(x, parameters, name) {
      const { after, apart = 0, exact = false } = byName.get(`${name}.weight`)!.int8 ?? {};
      if (exact) return floatContext.linear(x, parameters, name);
      const [out, width] = parameters.get(`${name}.weight`).shape as [number, number];
      const weight = parameter(`${name}.weight`, [out, width], 'int8');
      const scales = parameter(`${name}.scales`, [out]);
      if (after !== undefined) return linearInt8(withoutAffine(x), weight, scales, parameter(`${name}.folded`, [out]));
      const bias = parameters.has(`${name}.bias`) ? parameters.get(`${name}.bias`) : undefined;
      if (apart === 0) return linearInt8(x, weight, scales, bias);
      const count = Math.min(apart, width);
      const few = gatherColumns(x, parameter(`${name}.columns`, [count], 'int32'));
      return add(linearInt8(x, weight, scales), linear(few, parameter(`${name}.apart`, [out, count]), bias));
    },
  };
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
  { bias = true, int8 }: { bias?: boolean; int8?: Int8Care } = {},
): ParameterSpec[] {
  const weight: ParameterSpec = {
    name: `${name}.weight`,
    shape: [out, width],
    kind: 'linear',
    ...(int8 === undefined ? {} : { int8 }),
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
