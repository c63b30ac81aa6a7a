/**
 * Weights on the way from a start to what was tuned from it, W = (1 - t) W_start + t W_tuned (WiSE-FT, Wortsman et al. 2022):
 * keeps part of what fine-tuning gained and part of what it lost elsewhere. Of a checkpoint with an adapter merged in,
 * W_tuned = W_start + scale · B A, so that t is the factor by which the adapter is scaled down.
 */
import type { Platform } from '../../base/platform.ts';
import { readFloat32 } from '../../base/safetensors.ts';
import type { ParameterValue } from '../../engine/index.ts';
import { type ModelParts, openModelParts } from '../../model/load.ts';
import { saveCheckpoint } from '../../model/save.ts';

interface InterpolateOptions {
  start: string;
  tuned: string;
  out: string;
  /** 0: the start, 1: as tuned. */
  weight: number;
}

/** Writes the checkpoint `out`. */
export async function interpolateCheckpoints(
  platform: Platform,
  { start, tuned, out, weight }: InterpolateOptions,
): Promise<void> {
  const { files } = platform;
  const [a, b] = [await openModelParts(platform, start), await openModelParts(platform, tuned)];
  const [from, to] = [await a.values('fp32'), await b.values('fp32')];
  const weights = new Map<string, Float32Array>();
  for (const { name } of [...b.specs, ...b.tailSpecs]) {
    const [x, y] = [from.get(name), to.get(name)];
    if (x === undefined || y === undefined) throw new RangeError(`${name} is not in both checkpoints`);
    const [old, fresh] = [await floats(platform, name, x, a), await floats(platform, name, y, b)];
    if (old.length !== fresh.length) throw new RangeError(`${name} has another shape in ${tuned}`);
    weights.set(
      name,
      old.map((value, i) => (1 - weight) * value + weight * fresh[i]!),
    );
  }
  await saveCheckpoint(files, out, b, weights, {
    replace: true,
    card: {
      recipe: `Weights between the model that training started from (weight ${round(1 - weight)}) and what it came to (weight ${round(weight)}).`,
      facts: { 'weight of the tuned model': weight },
    },
  });
}

async function floats(
  { files }: Platform,
  name: string,
  { dtype, shape, source }: ParameterValue,
  { folder }: ModelParts,
): Promise<Float32Array> {
  if (!('file' in source)) throw new RangeError(`${name} of ${folder} is not stored in a file`);
  const stored = ({ float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const)[dtype as 'float32'];
  return readFloat32(files, { name, dtype: stored, shape, ...source });
}

function round(value: number): number {
  return Number(value.toFixed(6));
}
