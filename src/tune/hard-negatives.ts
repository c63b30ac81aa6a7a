/**
 * Hard negatives of a fine-tuning: by BM25, or by the vectors of a model, over the train part alone. What was mined is kept
 * beside the training, so that a resumed run meets the same negatives whatever the machine.
 */
import { inputError } from '../base/errors.ts';
import { hashOf, sha256 } from '../base/hash.ts';
import { decodeNpy, encodeNpy } from '../base/npy.ts';
import type { Platform } from '../base/platform.ts';
import { type Progress, silent } from '../base/progress.ts';
import { type CorpusSplit, trainPart } from '../corpus/splits.ts';
import type { Corpus } from '../corpus/store.ts';
import type { TextPrints } from '../corpus/text-prints.ts';
import { type View, viewText } from '../corpus/views.ts';
import { encodeTexts } from '../encode/index.ts';
import type { Device } from '../engine/index.ts';
import { loadModel } from '../model/index.ts';
import { openMatrixProduct } from '../retrieve/matrix-product.ts';
import { bm25Ranker, type MinedNegatives, type MiningOptions, mineNegatives, vectorRanker } from './negatives.ts';
import type { PairTable } from './pairs.ts';
import type { Relatedness } from './related.ts';

export interface HardNegativeOptions extends Pick<MiningOptions, 'perPair' | 'skip' | 'take'> {
  /** `bm25`, `model` (the one that is trained, as it is before), or the folder of another. */
  by: string;
}

interface HardNegativeSources {
  corpus: Corpus;
  split: CorpusSplit;
  prints: TextPrints;
  related: Relatedness;
  /** What rankers read of a patent. */
  view: View;
  maskCitations: boolean;
  seed: number;
  /** The model that is trained: folder and most tokens of a text. */
  model: string;
  maxLength: number;
  /** Where mined negatives are kept. */
  folder: string;
  threads?: number;
  device?: Device | 'auto';
  progress?: Progress;
  signal?: AbortSignal;
}

/** The negatives of `pairs`. Throws `negatives.none` where not a single one is found. */
export async function hardNegatives(
  platform: Platform,
  pairs: PairTable,
  { by, ...counts }: HardNegativeOptions,
  sources: HardNegativeSources,
): Promise<MinedNegatives> {
  const { files } = platform;
  const { corpus, split, view, maskCitations, seed, folder, progress = silent } = sources;
  for (const [field, least] of [
    ['perPair', 1],
    ['skip', 0],
    ['take', 1],
  ] as const) {
    const value = counts[field];
    if (value !== undefined && !(Number.isInteger(value) && value >= least))
      throw inputError('hard negatives cannot be mined with this setting', {
        code: 'negatives.setting',
        field,
        expected: `a whole number from ${least}`,
        found: String(value),
      });
  }
  const identity = { by, counts, view, maskCitations, seed, corpus: corpus.hash, split: split.options };
  const path = files.join(
    folder,
    `negatives-${(await hashOf({ ...identity, pairs: await pairsHash(pairs) })).slice(0, 16)}.npy`,
  );
  const settings = { by, ...counts, view, maskCitations };
  if ((await files.size(path)) !== undefined) {
    const { data, shape } = decodeNpy(await files.read(path), path);
    const rows = Int32Array.from(data);
    return { perPair: shape[1]!, rows, lacking: rows.filter((row) => row < 0).length, settings };
  }
  const task = progress.begin(`hard negatives by ${by}`, { unit: 'pairs', total: pairs.length });
  const ranking =
    by === 'bm25'
      ? { ranker: await bm25Ranker(corpus, split, { view, maskCitations }) }
      : await byModel(platform, by, sources);
  try {
    const { related, prints, signal } = sources;
    const mined = await mineNegatives(pairs, {
      ...counts,
      ranker: ranking.ranker,
      related,
      split,
      prints,
      seed,
      ...(signal === undefined ? {} : { signal }),
    });
    if (mined.lacking === mined.rows.length)
      throw inputError('no hard negative was found for any pair', {
        code: 'negatives.none',
        field: 'hardNegatives',
        expected: 'patents of the train part that are near to an anchor and unrelated to it',
        found: `none after the first ${String(mined.settings.skip)} unrelated ones`,
        hint: 'Skip fewer, or train without hard negatives.',
      });
    await files.writeAtomic(path, encodeNpy(mined.rows, [pairs.length, mined.perPair]));
    task.finish(mined.lacking === 0 ? 'done' : `${mined.lacking} places left empty`);
    return { ...mined, settings };
  } finally {
    if ('close' in ranking) await ranking.close();
  }
}

/** Ranks by vectors of the train part, as documents. */
async function byModel(platform: Platform, by: string, sources: HardNegativeSources) {
  const { corpus, split, view, maskCitations, maxLength, threads, device, progress, signal } = sources;
  const machine = { ...(threads === undefined ? {} : { threads }), ...(device === undefined ? {} : { device }) };
  const model = await loadModel(platform, by === 'model' ? sources.model : by, machine);
  const rows = Int32Array.from(split.part.keys()).filter((row) => split.part[row] === trainPart);
  async function* texts() {
    for (const row of rows) yield viewText(await corpus.get(row), view, { maskCitations });
  }
  try {
    const encoded = await encodeTexts(platform, model, {
      texts: texts(),
      count: rows.length,
      maxLength: Math.min(maxLength, model.maxLength),
      label: 'encode for hard negatives',
      ...(progress === undefined ? {} : { progress }),
      ...(signal === undefined ? {} : { signal }),
    });
    const product = await openMatrixProduct(platform, threads === undefined ? {} : { threads });
    const ranker = vectorRanker({
      rows,
      vectors: await encoded.read(),
      dimensions: encoded.dimensions,
      product,
      settings: { model: model.id },
    });
    return { ranker, close: () => product.close() };
  } finally {
    await model.close();
  }
}

async function pairsHash({ kinds, anchor, positive, kind }: PairTable): Promise<string> {
  const bytes = ({ buffer, byteOffset, byteLength }: Int32Array | Uint8Array) =>
    sha256(new Uint8Array(buffer, byteOffset, byteLength));
  return hashOf({ kinds, anchor: await bytes(anchor), positive: await bytes(positive), kind: await bytes(kind) });
}
