/**
 * BERT (Devlin et al. 2019), RoBERTa (Liu et al. 2019) and XLM-RoBERTa (Conneau et al. 2020): the sum of word, position and
 * segment embeddings, normalised, then post-norm layers. The RoBERTa family counts positions from its pad id + 1
 * (`positionsOf` in batch.ts); all else is the same graph.
 */
import { add, gather, slice, type Tensor } from '../engine/index.ts';
import type { BertConfig } from './config.ts';
import { type Architecture, embeddingSpec, normSpecs } from './forward.ts';
import { type PostNormNames, postNorm, postNormLayers, postNormSpecs } from './post-norm.ts';

const names: PostNormNames = {
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  attentionOutput: 'attention.output.dense',
  attentionNorm: 'attention.output.LayerNorm',
};

export const bert: Architecture<BertConfig> = {
  prefixes: ['bert.', 'roberta.', 'model.'],

  parameters: (config) => [
    embeddingSpec('embeddings.word_embeddings', config.vocabulary, config.hidden),
    embeddingSpec('embeddings.position_embeddings', config.positionRows, config.hidden),
    embeddingSpec('embeddings.token_type_embeddings', config.segments, config.hidden),
    ...normSpecs('embeddings.LayerNorm', config.hidden),
    ...postNormSpecs(config, names),
  ],

  forward(config, parameters, batch, context) {
    const table = (name: string) => parameters.get(`embeddings.${name}_embeddings.weight`);
    const words = gather(table('word'), batch.ids); // [tokens, hidden]
    const positions = gather(table('position'), batch.positions);
    const segments: Tensor =
      batch.segments === undefined ? slice(table('token_type'), 0, 0, 1) : gather(table('token_type'), batch.segments);
    const embedded = postNorm(config, parameters, add(add(words, segments), positions), 'embeddings.LayerNorm');
    return postNormLayers(config, parameters, embedded, batch, context, names);
  },
};
