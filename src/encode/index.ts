/** Texts to vectors: batch plan, tokenising ahead of the engine, stored and resumable. */
import type { Platform } from '../base/platform.ts';
import type { TextModel } from '../model/types.ts';
import { type EncodeRequest, type EncoderOptions, openEncoder } from './encoder.ts';
import type { TextVectors } from './vectors.ts';

export { type EncodeEstimate, type EncodeRequest, Encoder, type EncoderOptions, openEncoder } from './encoder.ts';
export {
  checkPassages,
  type PassageAggregate,
  type PassageOptions,
  passageAggregates,
  passageBlocks,
  passageMeans,
} from './passages.ts';
export { planBatches, windowsOf } from './plan.ts';
export { cutDimensions, TextVectors, type VectorsSummary } from './vectors.ts';

/** One list of texts to vectors, for callers that encode once; `openEncoder` serves those that encode more. */
export async function encodeTexts(
  platform: Platform,
  model: TextModel,
  { vectors, batchTokens, progress, ...request }: EncodeRequest & EncoderOptions,
): Promise<TextVectors> {
  const encoder = await openEncoder(platform, model, {
    ...(vectors === undefined ? {} : { vectors }),
    ...(batchTokens === undefined ? {} : { batchTokens }),
    ...(progress === undefined ? {} : { progress }),
  });
  try {
    return await encoder.encode(request);
  } finally {
    await encoder.close();
  }
}
