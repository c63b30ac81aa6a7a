/**
 * From trained weights to a checkpoint that is proven: it is written, read back from disk, and must give the vectors that the
 * weights in training give, within 1e-4. With LoRA the checkpoint holds the merged weights, so that it loads everywhere, and
 * `adapter/` in it the adapter in PEFT's format; both are read back and must agree within 1e-5.
 */
import { workError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { readFloat32 } from '../base/safetensors.ts';
import type { Training } from '../engine/index.ts';
import type { LoraAdapter, ModelCard, NewWeights } from '../model/index.ts';
import { loadModel, mergedWeights, saveAdapter, saveCheckpoint, withValues } from '../model/index.ts';
import type { TrainableModel } from '../model/trainable.ts';

export interface Reloaded {
  /** Largest difference between vectors of the checkpoint on disk and of the weights in training. */
  readonly maxDifference: number;
  /** LoRA: the same between the merged checkpoint and the adapter beside the model it was trained on, both from disk. */
  readonly adapter?: number;
}

interface TrainedWeights {
  readonly training: Training;
  readonly model: TrainableModel;
  /** What was trained in place of the model's own parameters. */
  readonly adapter?: LoraAdapter;
  /** What an adapter names as its base. */
  readonly baseModel: string;
}

const reloadTolerance = 1e-4;
const mergeTolerance = 1e-5;

/** The folder of the adapter within a checkpoint. */
const adapterFolder = 'adapter';

/** Writes the checkpoint `folder`, replacing what is there, and proves it. `record` is stored beside it as JSON. */
export async function writeProven(
  platform: Platform,
  folder: string,
  trained: TrainedWeights,
  { card, record }: { card: ModelCard; record: unknown },
): Promise<Reloaded> {
  const { files } = platform;
  const { training, model, baseModel } = trained;
  const { parts } = model;
  const values = new Map<string, Float32Array>();
  for (const { name } of model.trained) values.set(name, await training.read('weights', name));
  const adapter = trained.adapter && withValues(trained.adapter, values);
  const weights: NewWeights =
    adapter === undefined
      ? values
      : await mergedWeights(adapter, (name) => readFloat32(files, parts.tensors.get(name)!));
  await saveCheckpoint(files, folder, parts, weights, {
    card,
    replace: true,
    async also(target) {
      if (adapter !== undefined) await saveAdapter(files, files.join(target, adapterFolder), adapter, { baseModel });
      await files.writeAtomic(files.join(target, 'training.json'), `${JSON.stringify(record, null, 2)}\n`);
    },
  });

  const sequences = probes(model);
  const program = await training.compile({ vectors: model.vectors() }, { parameters: model.frozen });
  const inTraining = (await program.run(model.feeds(sequences))).vectors!.floats;
  await program.close();
  const reload = async (source: string, options: { id?: string; adapter?: { folder: string } } = {}) => {
    const reloaded = await loadModel(platform, source, { threads: 1, ...options });
    try {
      return await reloaded.encode(sequences);
    } finally {
      await reloaded.close();
    }
  };
  const merged = await reload(folder);
  const maxDifference = required(folder, 'of the trained weights', reloadTolerance, merged, inTraining);
  if (adapter === undefined) return { maxDifference };
  const apart = await reload(parts.folder, { id: parts.id, adapter: { folder: files.join(folder, adapterFolder) } });
  return { maxDifference, adapter: required(folder, 'of its adapter', mergeTolerance, merged, apart) };
}

/** The largest difference of two lists of vectors; throws where it is above the tolerance. */
function required(file: string, whose: string, tolerance: number, found: Float32Array, expected: Float32Array): number {
  const difference =
    found.length === expected.length
      ? found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0)
      : Number.POSITIVE_INFINITY;
  if (difference <= tolerance) return difference;
  throw workError(`the checkpoint on disk does not give the vectors ${whose}`, {
    code: 'finetune.reload',
    file,
    expected: `a largest difference of at most ${tolerance}`,
    found: String(difference),
  });
}

/** Sequences of ids that show every layer, of unequal lengths; no text is needed to compare weights. */
function probes({ parts }: TrainableModel): Int32Array[] {
  const { vocabulary } = parts.config;
  return [3, 17, 60].map((length, at) =>
    Int32Array.from({ length: Math.min(length, parts.maxLength) }, (_, i) => (7919 * (i + 1) * (at + 1)) % vocabulary),
  );
}
