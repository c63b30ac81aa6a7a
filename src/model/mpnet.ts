/**
 * MPNet (Song et al. 2020): BERT without segments, positions counted from pad id + 1, and a bias on the attention scores by
 * relative position, one table of 32 buckets for all layers (T5's buckets, Raffel et al. 2020):
 *
 *   distance n = i − j (row minus column); 16 buckets for n ≥ 0, 16 for n < 0; |n| < 8 has a bucket each, beyond that they
 *   widen logarithmically up to |n| = 128, and the last holds all the rest.
 */
import { add, gather, input, type Tensor, transpose } from '../engine/index.ts';
import { type MpnetConfig, mpnetBuckets } from './config.ts';
import { type Architecture, embeddingSpec, normSpecs } from './forward.ts';
import { type PostNormNames, postNorm, postNormLayers, postNormSpecs } from './post-norm.ts';

const names: PostNormNames = {
  query: 'attention.attn.q',
  key: 'attention.attn.k',
  value: 'attention.attn.v',
  attentionOutput: 'attention.attn.o',
  attentionNorm: 'attention.LayerNorm',
};

export const mpnet: Architecture<MpnetConfig> = {
  prefixes: ['mpnet.'],

  parameters: (config) => [
    embeddingSpec('embeddings.word_embeddings', config.vocabulary, config.hidden),
    embeddingSpec('embeddings.position_embeddings', config.positionRows, config.hidden),
    ...normSpecs('embeddings.LayerNorm', config.hidden),
    embeddingSpec('encoder.relative_attention_bias', config.buckets, config.heads),
    ...postNormSpecs(config, names),
  ],

  forward(config, parameters, batch, context) {
    const words = gather(parameters.get('embeddings.word_embeddings.weight'), batch.ids); // [tokens, hidden]
    const positions = gather(parameters.get('embeddings.position_embeddings.weight'), batch.positions);
    const embedded = postNorm(config, parameters, add(words, positions), 'embeddings.LayerNorm');
    const values = gather(parameters.get('encoder.relative_attention_bias.weight'), buckets(batch.layout.lengths));
    const bias = transpose(values, [2, 0, 1]); // [seq, seq, heads] to [heads, seq, seq]
    return postNormLayers(config, parameters, embedded, batch, context, names, bias);
  },
};

/** The name of the buckets among the inputs. */
export function bucketInput(lengths: Tensor): string {
  return `${(lengths.attributes as { name: string }).name}.buckets`;
}

/** The bucket of every pair of positions, int32 [seq, seq], worked out from the longest sequence at each run. */
function buckets(lengths: Tensor): Tensor {
  const { name } = lengths.attributes as { name: string };
  return input(bucketInput(lengths), 'int32', ['seq', 'seq'], {
    derive(feed) {
      const seq = (feed(name) as Int32Array).reduce((a, b) => Math.max(a, b), 0);
      const byDistance = Int32Array.from({ length: 2 * seq - 1 }, (_, at) => relativePositionBucket(seq - 1 - at));
      const data = new Int32Array(seq * seq);
      // Row i reads distances i − 0 … i − (seq − 1): a window of `byDistance` that starts at seq − 1 − i.
      for (let i = 0; i < seq; i++) data.set(byDistance.subarray(seq - 1 - i, 2 * seq - 1 - i), i * seq);
      return { data, shape: [seq, seq] };
    },
  });
}

/** The bucket of distance n = row − column, in float32 as PyTorch works it out (n = 16, 32, 64 stand on a boundary). */
export function relativePositionBucket(n: number): number {
  const half = mpnetBuckets / 2;
  const exact = half / 2;
  const distance = Math.abs(n);
  const side = n < 0 ? half : 0;
  if (distance < exact) return side + distance;
  const ratio = Math.fround(Math.fround(Math.log(distance / exact)) / Math.fround(Math.log(128 / exact)));
  return side + Math.min(half - 1, exact + Math.trunc(Math.fround(ratio * (half - exact))));
}
