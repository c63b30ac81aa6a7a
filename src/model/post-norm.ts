/**
 * The layer that BERT (Devlin et al. 2019), RoBERTa and MPNet share, normalised after each residual:
 *
 *   x ← norm(x + drop(attention(x)))
 *   x ← norm(x + drop(W₂ activation(W₁ x)))
 *
 * In training the embeddings, the probabilities of attention and both outputs are dropped from, as transformers does.
 * They differ in the names of its parameters and in what is added to the attention scores.
 */
import { add, attention, layerNorm, type Tensor } from '../engine/index.ts';
import type { BertConfig, MpnetConfig } from './config.ts';
import {
  activate,
  attentionDropout,
  dropped,
  type EncoderBatch,
  type EncoderParameters,
  type ForwardContext,
  linearSpecs,
  normSpecs,
  type ParameterSpec,
} from './forward.ts';

type Config = BertConfig | MpnetConfig;

/** Names within `encoder.layer.N.`. */
export interface PostNormNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionNorm: string;
}

export function postNormSpecs(config: Config, names: PostNormNames): ParameterSpec[] {
  const { hidden, intermediate } = config;
  return Array.from({ length: config.layers }, (_, layer) => {
    const at = `encoder.layer.${layer}.`;
    return [
      ...linearSpecs(at + names.query, hidden, hidden),
      ...linearSpecs(at + names.key, hidden, hidden),
      ...linearSpecs(at + names.value, hidden, hidden, { int8: { exact: true } }),
      ...linearSpecs(at + names.attentionOutput, hidden, hidden),
      ...normSpecs(at + names.attentionNorm, hidden),
      ...linearSpecs(`${at}intermediate.dense`, intermediate, hidden, { int8: { after: at + names.attentionNorm } }),
      ...linearSpecs(`${at}output.dense`, hidden, intermediate, { int8: { apart: 8 } }),
      ...normSpecs(`${at}output.LayerNorm`, hidden),
    ];
  }).flat();
}

/** Embeddings [tokens, hidden] through all layers; `bias` [heads, seq, seq] is added to every layer's scores. */
export function postNormLayers(
  config: Config,
  parameters: EncoderParameters,
  embedded: Tensor,
  batch: EncoderBatch,
  context: ForwardContext,
  names: PostNormNames,
  bias?: Tensor,
): Tensor[] {
  const { hidden, attention: probabilities } = config.dropout;
  const states = [dropped(embedded, context, 'embeddings', hidden)];
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `encoder.layer.${layer}.`;
    const linear = (x: Tensor, name: string) => context.linear(x, parameters, at + name);
    const output = (x: Tensor, name: string) => dropped(linear(x, name), context, at + name, hidden);
    const norm = (x: Tensor, name: string) => postNorm(config, parameters, x, at + name);
    const x = states[layer]!; // [tokens, hidden]
    const attended = attention(linear(x, names.query), linear(x, names.key), linear(x, names.value), batch.layout, {
      heads: config.heads,
      ...(bias === undefined ? {} : { bias }),
      ...attentionDropout(context, `${at}attention`, probabilities),
    });
    const middle = norm(add(output(attended, names.attentionOutput), x), names.attentionNorm);
    const wide = activate(linear(middle, 'intermediate.dense'), config.activation); // [tokens, intermediate]
    states.push(norm(add(output(wide, 'output.dense'), middle), 'output.LayerNorm'));
  }
  return states;
}

export function postNorm(config: Config, parameters: EncoderParameters, x: Tensor, name: string): Tensor {
  return layerNorm(x, parameters.get(`${name}.weight`), parameters.get(`${name}.bias`), {
    epsilon: config.normEpsilon,
  });
}
