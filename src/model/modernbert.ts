/**
 * ModernBERT (Warner et al. 2024): pre-norm layers with rotary positions and gated linear units.
 *
 *   x ← norm(words);  per layer: x ← x + Wo attention(rope(Wqkv norm x));  x ← x + Wo(activation(u) · g), [u, g] = Wi norm x
 *   output = norm(x)
 *
 * Global layers see the whole sequence, local ones a window on both sides; each kind has its own RoPE base. The first
 * layer has no attention norm, since the embeddings are normalised already. No biases unless the configuration says so.
 *
 * In training transformers drops from the embeddings, the probabilities and the output of attention, and activation(u) · g.
 */
import { add, attention, gather, layerNorm, multiply, rotary, split, type Tensor } from '../engine/index.ts';
import type { ModernBertConfig } from './config.ts';
import {
  type Architecture,
  activate,
  attentionDropout,
  dropped,
  embeddingSpec,
  linearSpecs,
  normSpecs,
  type ParameterSpec,
} from './forward.ts';

export const modernBert: Architecture<ModernBertConfig> = {
  prefixes: ['model.'],

  parameters(config) {
    const { hidden, intermediate, normBias, attentionBias, mlpBias } = config;
    const layers = Array.from({ length: config.layers }, (_, layer): ParameterSpec[] => [
      ...(layer === 0 ? [] : normSpecs(`layers.${layer}.attn_norm`, hidden, normBias)),
      ...linearSpecs(`layers.${layer}.attn.Wqkv`, 3 * hidden, hidden, { bias: attentionBias }),
      ...linearSpecs(`layers.${layer}.attn.Wo`, hidden, hidden, { bias: attentionBias }),
      ...normSpecs(`layers.${layer}.mlp_norm`, hidden, normBias),
      ...linearSpecs(`layers.${layer}.mlp.Wi`, 2 * intermediate, hidden, {
        bias: mlpBias,
        int8: { after: `layers.${layer}.mlp_norm` },
      }),
      ...linearSpecs(`layers.${layer}.mlp.Wo`, hidden, intermediate, { bias: mlpBias, int8: { apart: 8 } }),
    ]);
    return [
      embeddingSpec('embeddings.tok_embeddings', config.vocabulary, hidden),
      ...normSpecs('embeddings.norm', hidden, normBias),
      ...layers.flat(),
      ...normSpecs('final_norm', hidden, normBias),
    ];
  },

  forward(config, parameters, batch, context) {
    const { hidden, heads, intermediate, dropout: rates } = config;
    const norm = (x: Tensor, name: string) =>
      layerNorm(
        x,
        parameters.get(`${name}.weight`),
        parameters.has(`${name}.bias`) ? parameters.get(`${name}.bias`) : undefined,
        { epsilon: config.normEpsilon },
      );
    const words = gather(parameters.get('embeddings.tok_embeddings.weight'), batch.ids); // [tokens, hidden]
    const states = [dropped(norm(words, 'embeddings.norm'), context, 'embeddings', rates.embedding)];
    for (let layer = 0; layer < config.layers; layer++) {
      const at = `layers.${layer}.`;
      const linear = (x: Tensor, name: string) => context.linear(x, parameters, at + name);
      const global = config.layerTypes[layer] === 'global';
      const turn = (x: Tensor) =>
        rotary(x, batch.positions, { heads, base: global ? config.globalTheta : config.localTheta });

      const x = states[layer]!;
      const [query, key, value] = split(linear(layer === 0 ? x : norm(x, `${at}attn_norm`), 'attn.Wqkv'), 1, [
        hidden,
        hidden,
        hidden,
      ]) as [Tensor, Tensor, Tensor];
      const attended = attention(turn(query), turn(key), value, batch.layout, {
        heads,
        ...(global ? {} : { window: config.window }),
        ...attentionDropout(context, `${at}attn`, rates.attention),
      });
      const middle = add(x, dropped(linear(attended, 'attn.Wo'), context, `${at}attn.Wo`, rates.attention));
      const [inner, gate] = split(linear(norm(middle, `${at}mlp_norm`), 'mlp.Wi'), 1, [intermediate, intermediate]) as [
        Tensor,
        Tensor,
      ];
      const gated = multiply(activate(inner, config.activation), gate);
      states.push(add(middle, linear(dropped(gated, context, `${at}mlp`, rates.mlp), 'mlp.Wo')));
    }
    states.push(norm(states.pop()!, 'final_norm')); // as transformers: the last state is the normalised one
    return states;
  },
};
