/**
 * A checkpoint to be trained: its parameters divided into those that change and those that stay, and its forward pass as a
 * graph over both. Which ones change: all of them (full fine-tuning), or those that a name pattern keeps.
 */
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { dropoutKeys, type Feeds, type ParameterValue, type Tensor, type TrainedParameter } from '../engine/index.ts';
import { dropoutInput, type ForwardContext, floatContext, type ParameterSpec } from './forward.ts';
import { type ModelParts, openModelParts } from './load.ts';
import type { LoadModelOptions } from './types.ts';

export interface TrainableModel {
  readonly parts: ModelParts;
  readonly trained: readonly TrainedParameter[];
  readonly frozen: ReadonlyMap<string, ParameterValue>;
  /** Vectors ['batch', dimensions] over the inputs that `feeds` fills. */
  vectors(context?: ForwardContext): Tensor;
  /**
   * The same, with the states between its layers: the `boundaries` of a program that computes activations again. What a first
   * layer takes is no boundary: embeddings are cheap to make.
   */
  encoder(context?: ForwardContext): { readonly vectors: Tensor; readonly boundaries: readonly Tensor[] };
  /** `draws` where the graph drops anything (forward.ts). */
  feeds(sequences: readonly Int32Array[], promptTokens?: number | readonly number[], draws?: Draws): Feeds;
}

/** What dropout depends on: the seed, the step and each sequence's own number, whatever batch it stands in. */
export interface Draws {
  readonly seed: number;
  readonly step: number;
  readonly samples: readonly number[];
}

export interface TrainableOptions extends Pick<LoadModelOptions, 'id' | 'pooling' | 'maxLength' | 'registry'> {
  /** Whether a parameter changes. Default: all. */
  isTrained?: (spec: ParameterSpec) => boolean;
}

export async function openTrainable(
  platform: Platform,
  folder: string,
  { isTrained = () => true, ...options }: TrainableOptions = {},
): Promise<TrainableModel> {
  const parts = await openModelParts(platform, folder, options);
  const values = await parts.values('fp32');
  const trained: TrainedParameter[] = [];
  const frozen = new Map<string, ParameterValue>();
  for (const spec of [...parts.specs, ...parts.tailSpecs]) {
    const value = values.get(spec.name)!;
    const { name, shape, kind } = spec;
    if (isTrained(spec))
      trained.push({ name, shape, decay: kind !== 'norm' && kind !== 'bias', rows: kind === 'embedding', value });
    else frozen.set(name, value);
  }
  if (trained.length === 0)
    throw inputError('nothing of the model would be trained', { code: 'model.trained', file: folder });
  return {
    parts,
    trained,
    frozen,
    vectors: (context = floatContext) => parts.graphs(context).vectors(),
    encoder(context = floatContext) {
      const { vectors, layers } = parts.graphs(context).encoder();
      return { vectors, boundaries: layers.slice(1) };
    },
    feeds(sequences, promptTokens, draws) {
      const feeds = parts.feeds(sequences, promptTokens);
      if (draws === undefined) return feeds;
      return { ...feeds, [dropoutInput]: dropoutKeys({ ...draws, lengths: sequences.map(({ length }) => length) }) };
    },
  };
}
