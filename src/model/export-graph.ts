/**
 * An encoder as other programs call it: padded batches of ids with a mask in, states and vectors out, from the same forward
 * pass that runs here.
 *
 *   input_ids, attention_mask, token_type_ids (BERT only)   int64 [batch_size, sequence_length]
 *   last_hidden_state     float32 [batch_size, sequence_length, hidden]
 *   sentence_embedding    float32 [batch_size, dimensions]: pooled, through the modules after pooling
 *
 * Names and types are those of optimum and transformers.js. Padding may stand on either side. Positions are counted as
 * transformers counts them: by place, or (RoBERTa, MPNet) over ids that are no padding.
 */
import {
  add,
  cast,
  concatenate,
  constant,
  divide,
  equal,
  gather,
  greater,
  input,
  multiply,
  reshape,
  sequenceInputs,
  sqrt,
  subtract,
  sum,
  type Tensor,
  where,
} from '../engine/index.ts';
import { distances, paddedGraph, places } from '../engine/padded.ts';
import { runningSum } from '../engine/running-sum.ts';
import type { EncoderConfig } from './config.ts';
import { floatContext } from './forward.ts';
import type { ModelParts } from './load.ts';
import { bucketInput, relativePositionBucket } from './mpnet.ts';
import { hiddenInput, weightInput } from './pooling.ts';
import type { PoolingMode } from './types.ts';

/** `withVectors`: `sentence_embedding` too. */
export function exportGraph(parts: ModelParts, { withVectors }: { withVectors: boolean }): Record<string, Tensor> {
  const { config, pooling } = parts;
  const ids = input('input_ids', 'int64', ['batch', 'seq']);
  const mask = input('attention_mask', 'int64', ['batch', 'seq']);
  const flat = (x: Tensor) => reshape(x, ['tokens']);
  const layout = sequenceInputs();
  const { states, vectors } = parts
    .graphs(floatContext, {
      ids: flat(ids),
      positions: flat(positionsOf(config, ids)),
      ...(config.modelType === 'bert' ? { segments: flat(input('token_type_ids', 'int64', ['batch', 'seq'])) } : {}),
      layout,
    })
    .encoder();
  const ragged = {
    last_hidden_state: reshape(states, ['batch', 'seq', config.hidden]),
    ...(withVectors ? { sentence_embedding: vectors } : {}),
  };
  return paddedGraph(ragged, {
    mask,
    layout,
    inputs: { ...poolingInputs(mask, pooling.modes), [bucketInput(layout.lengths)]: buckets(mask) },
  });
}

/** The same numbers as `batchFeeds` gives, for padded ids: int32 [batch, seq]. */
function positionsOf(config: EncoderConfig, ids: Tensor): Tensor {
  const padId = config.architecture === 'modernbert' ? undefined : config.positionPadId;
  if (padId === undefined) return cast(places(ids), 'int32');
  const counted = where(equal(ids, padId), constant(0, [], 'int64'), constant(1, [], 'int64'));
  return cast(add(multiply(runningSum(counted, 1), counted), padId), 'int32');
}

/** The same numbers as `poolFeeds` gives, from the mask. */
function poolingInputs(mask: Tensor, modes: readonly PoolingMode[]): Record<string, Tensor> {
  const kept = cast(mask, 'float32');
  const place = multiply(cast(runningSum(mask, 1), 'float32'), kept); // from 1 at tokens, 0 at padding
  const total = (x: Tensor) => {
    const found = sum(x, 1, { keepDimensions: true });
    return where(greater(found, 0), found, 1);
  };
  const weights: Record<Exclude<PoolingMode, 'max'>, () => Tensor> = {
    cls: () => cast(equal(place, 1), 'float32'),
    lasttoken: () => cast(equal(place, total(kept)), 'float32'),
    mean: () => divide(kept, total(kept)),
    mean_sqrt_len_tokens: () => divide(kept, sqrt(total(kept))),
    weightedmean: () => divide(place, total(place)),
  };
  const rows = modes.flatMap((mode) => (mode === 'max' ? [] : [reshape(weights[mode](), ['batch', 1, 'seq'])]));
  return {
    ...(rows.length === 0 ? {} : { [weightInput]: rows.length === 1 ? rows[0]! : concatenate(rows, 1) }),
    [hiddenInput]: reshape(where(greater(mask, 0), 0, -3e38), ['batch', 'seq', 1]),
  };
}

/** MPNet's bucket of every pair of places: a table of the distances up to 128, beyond which all fall into the last ones. */
function buckets(mask: Tensor): Tensor {
  const most = 128;
  const table = Array.from({ length: 2 * most + 1 }, (_, at) => relativePositionBucket(at - most));
  const limit = (value: number) => constant(value, [], 'int64');
  const distance = distances(mask);
  const low = where(greater(distance, most), limit(most), distance);
  const clipped = where(greater(subtract(limit(-most), low), 0), limit(-most), low);
  return gather(constant(table, [table.length], 'int32'), add(clipped, most));
}
