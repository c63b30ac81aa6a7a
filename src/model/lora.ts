/**
 * Low-rank adapters (LoRA, Hu et al. 2022): beside a linear layer's frozen weight W [out, in], two small trained matrices
 *
 *   y = W x + b + factor · scale · B A dropout(x)        A [rank, in], B [out, rank]
 *   scale = alpha / rank, or alpha / √rank where rank-stabilised (Kalajdzievski 2023)
 *
 * A begins uniform in ±1/√in (Kaiming with a = √5, as PEFT does it) and B at zero, so that an untrained adapter changes
 * nothing. `factor` weakens a trained adapter at inference: 0 is the model without it, 1 the model as trained. Merging gives
 * W + factor · scale · B A, the same function in the same shapes as before.
 *
 * The parameters of an adapter are called `<layer>.lora_A.weight` and `<layer>.lora_B.weight`; by default every linear layer of the
 * encoder has one, without which LoRA falls behind full fine-tuning (Dettmers et al. 2023). Files: `adapter.ts`.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';
import { add, constant, linear, multiply, type ParameterValue, parameter } from '../engine/index.ts';
import { dropped, type ForwardContext, floatContext, type ParameterSpec } from './forward.ts';

export interface LoraOptions {
  /** Default 16. */
  rank?: number;
  /** Default: the rank, so that the scale is 1. */
  alpha?: number;
  /** The rate at which entries of the layer's input are dropped on the way to A, in training only. Default 0. */
  dropout?: number;
  /** Rank-stabilised. Default false. */
  rslora?: boolean;
  /** Layers by name, as PEFT reads a list: the whole name, or its end after a dot (`query`). Or a pattern that matches whole names. Default all. */
  targetModules?: readonly string[] | RegExp;
  /** Of A's first values. Default 0. */
  seed?: number;
}

export interface LoraLayer {
  readonly out: number;
  readonly width: number;
  readonly rank: number;
  readonly alpha: number;
}

export interface LoraAdapter {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly rankStabilised: boolean;
  /** By the names of the linear layers, without `.weight`. */
  readonly layers: ReadonlyMap<string, LoraLayer>;
  /** Both matrices of every layer, by parameter name. */
  readonly values: ReadonlyMap<string, Float32Array>;
}

export const nameOfA = (layer: string) => `${layer}.lora_A.weight`;
export const nameOfB = (layer: string) => `${layer}.lora_B.weight`;

/** A fresh adapter for the linear layers among `specs`. */
export function createAdapter(specs: readonly ParameterSpec[], options: LoraOptions = {}): LoraAdapter {
  const { rank = 16, alpha = rank, dropout = 0, rslora = false, targetModules, seed = 0 } = options;
  const wrong = (field: string, expected: string, found: unknown) =>
    inputError('an adapter cannot be made with this setting', {
      code: 'model.lora',
      field,
      expected,
      found: String(found),
    });
  if (!Number.isSafeInteger(rank) || rank < 1) throw wrong('rank', 'a whole number, at least 1', rank);
  if (!(Number.isFinite(alpha) && alpha > 0)) throw wrong('alpha', 'a number above 0', alpha);
  if (!(dropout >= 0 && dropout < 1)) throw wrong('dropout', '0 or more, less than 1', dropout);
  const all = linearLayers(specs);
  const layers = new Map<string, LoraLayer>();
  for (const [name, { out, width }] of all)
    if (isTarget(name, targetModules)) layers.set(name, { out, width, rank, alpha });
  const idle =
    targetModules === undefined || targetModules instanceof RegExp
      ? []
      : targetModules.filter((target) => ![...all.keys()].some((name) => isTarget(name, [target])));
  if (layers.size === 0 || idle.length > 0) {
    const examples = [...new Set([...all.keys()].map((name) => name.replace(/^.*\.\d+\./, '')))];
    throw wrong(
      'targetModules',
      `linear layers of the model: ${examples.join(', ')}`,
      idle.length > 0 ? idle : targetModules,
    );
  }
  const values = new Map<string, Float32Array>();
  for (const [name, { out, width }] of layers) {
    const random = stream(seed, 'lora', name);
    const bound = 1 / Math.sqrt(width);
    values.set(
      nameOfA(name),
      Float32Array.from({ length: rank * width }, () => bound * (2 * random.uniform() - 1)),
    );
    values.set(nameOfB(name), new Float32Array(out * rank));
  }
  return { rank, alpha, dropout, rankStabilised: rslora, layers, values };
}

/** The adapter with other matrices, as a training leaves them. */
export function withValues(adapter: LoraAdapter, values: ReadonlyMap<string, Float32Array>): LoraAdapter {
  for (const { name, shape } of loraSpecs(adapter)) {
    const found = values.get(name)?.length;
    const size = shape[0]! * shape[1]!;
    if (found !== size) throw new RangeError(`${name}: ${size} values are needed, given ${found ?? 'none'}`);
  }
  return { ...adapter, values };
}

/** The adapter's parameters, A before B, layer by layer. */
export function loraSpecs({ layers }: Pick<LoraAdapter, 'layers'>): ParameterSpec[] {
  return [...layers].flatMap(([name, { out, width, rank }]): ParameterSpec[] => [
    { name: nameOfA(name), shape: [rank, width], kind: 'linear', int8: { exact: true } },
    { name: nameOfB(name), shape: [out, rank], kind: 'linear', int8: { exact: true } },
  ]);
}

/** Their values, as programs take them. */
export function loraParameters(adapter: LoraAdapter): Map<string, ParameterValue> {
  return new Map(
    loraSpecs(adapter).map(({ name, shape }) => [name, { dtype: 'float32', shape, source: adapter.values.get(name)! }]),
  );
}

/** alpha / rank, or alpha / √rank. */
export function loraScale({ rank, alpha }: LoraLayer, rankStabilised: boolean): number {
  return alpha / (rankStabilised ? Math.sqrt(rank) : rank);
}

export interface LoraContextOptions {
  /** What computes W x + b. Default: in float32. */
  base?: ForwardContext;
  /** Default 1. */
  factor?: number;
}

/**
 * Linear layers with the adapter beside them; its matrices are parameters of the graph (`loraParameters`). In training the
 * input of A is dropped from at the adapter's own rate.
 */
export function loraContext(
  { layers, rankStabilised, dropout: rate }: Pick<LoraAdapter, 'layers' | 'rankStabilised' | 'dropout'>,
  { base = floatContext, factor = 1 }: LoraContextOptions = {},
): ForwardContext {
  const training: ForwardContext = base.dropout === undefined ? base : { ...base, dropout: { ...base.dropout, rate } };
  return {
    ...base,
    linear(x, parameters, name) {
      const y = base.linear(x, parameters, name);
      const layer = layers.get(name);
      if (layer === undefined) return y;
      const { out, width, rank } = layer;
      const inner = linear(dropped(x, training, nameOfA(name), rate), parameter(nameOfA(name), [rank, width])); // [tokens, rank]
      const scaled = multiply(inner, constant(factor * loraScale(layer, rankStabilised)));
      return add(y, linear(scaled, parameter(nameOfB(name), [out, rank])));
    },
  };
}

/** The weights W + factor · scale · B A of every layer that has an adapter, by parameter name; `weight` gives W. */
export async function mergedWeights(
  adapter: LoraAdapter,
  weight: (name: string) => Float32Array | Promise<Float32Array>,
  { factor = 1 }: { factor?: number } = {},
): Promise<Map<string, Float32Array>> {
  const merged = new Map<string, Float32Array>();
  for (const [name, layer] of adapter.layers) {
    const { out, width, rank } = layer;
    const scale = factor * loraScale(layer, adapter.rankStabilised);
    const [a, b] = [adapter.values.get(nameOfA(name))!, adapter.values.get(nameOfB(name))!];
    const old = await weight(`${name}.weight`);
    if (old.length !== out * width) throw new RangeError(`${name}: ${old.length} values for [${out}, ${width}]`);
    const result = new Float32Array(old.length);
    const row = new Float64Array(width); // summed in float64, rounded once
    for (let o = 0; o < out; o++) {
      row.fill(0);
      for (let k = 0; k < rank; k++) {
        const share = scale * b[o * rank + k]!;
        for (let i = 0; i < width; i++) row[i]! += share * a[k * width + i]!;
      }
      for (let i = 0; i < width; i++) result[o * width + i] = old[o * width + i]! + row[i]!;
    }
    merged.set(`${name}.weight`, result);
  }
  return merged;
}

/** Names and sizes of the linear layers among `specs`. */
export function linearLayers(specs: readonly ParameterSpec[]): Map<string, { out: number; width: number }> {
  return new Map(
    specs
      .filter((spec) => spec.kind === 'linear')
      .map(({ name, shape }) => [name.slice(0, -'.weight'.length), { out: shape[0]!, width: shape[1]! }]),
  );
}

function isTarget(name: string, targets: LoraOptions['targetModules']): boolean {
  if (targets === undefined) return true;
  if (targets instanceof RegExp)
    return new RegExp(`^(?:${targets.source})$`, targets.flags.replace(/[gy]/g, '')).test(name);
  return targets.some((target) => name === target || name.endsWith(`.${target}`));
}
