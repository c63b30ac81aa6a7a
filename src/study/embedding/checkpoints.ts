/**
 * Checkpoints of a study: `runs/<study>/checkpoints/<hash>/`, with the model under `checkpoint/` and `manifest.json`, which comes
 * last and holds the SHA-256 of every file. The hash is taken over everything that can change the weights, so what is finished
 * is never made twice; what a killed training goes on from lies in `checkpoint.training/`.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { hashOf } from '../../base/hash.ts';
import { writeAtomic } from '../../base/node/atomic.ts';
import { sha256File } from '../../base/node/hash.ts';
import type { LeakageAudit } from '../../tune/leakage.ts';
import type { TrainingPlan } from '../../tune/plan.ts';
import { LeasedFolders } from '../lease.ts';

/** What a training left to tell. */
export interface TrainingFacts {
  plan: TrainingPlan;
  split: string;
  steps: number;
  loss: { first: number; last: number };
  /** Mean loss of stretches of steps, at most 50. */
  curve: { step: number; loss: number }[];
  seconds: number;
  reloaded: number;
  audit: LeakageAudit;
}

export interface CheckpointManifest {
  format: 1;
  hash: string;
  /** Everything that can change the weights. */
  key: Record<string, unknown>;
  /** Identity of the checkpoint as a model. */
  modelHash: string;
  /** Numbers in all weights. */
  parameters: number;
  training?: TrainingFacts;
  seconds: number;
  files: Record<string, string>;
}

export class CheckpointStore extends LeasedFolders {
  /** Manifests whose files were checked. */
  private readonly checked = new Map<string, CheckpointManifest>();

  constructor(home: string, study: string) {
    super(join(home, 'runs', study, 'checkpoints'), 'checkpoint');
  }

  /** Folder of the model itself. */
  model(hash: string): string {
    return join(this.path(hash), 'checkpoint');
  }

  /** The finished checkpoint's manifest; undefined where there is none or its files are damaged. */
  async load(hash: string): Promise<CheckpointManifest | undefined> {
    const known = this.checked.get(hash);
    if (known !== undefined) return known;
    const folder = this.path(hash);
    let manifest: CheckpointManifest;
    try {
      manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as CheckpointManifest;
    } catch {
      return undefined;
    }
    if (manifest.format !== 1 || manifest.hash !== hash) return undefined;
    for (const [file, sha256] of Object.entries(manifest.files))
      if ((await sha256File(join(folder, file)).catch(() => undefined)) !== sha256) return undefined;
    this.checked.set(hash, manifest);
    return manifest;
  }

  /** Writes the manifest of a checkpoint that lies in `model(hash)`. */
  async finish(manifest: Omit<CheckpointManifest, 'format' | 'files'>): Promise<CheckpointManifest> {
    const folder = this.path(manifest.hash);
    const files: Record<string, string> = {};
    const entries = await readdir(this.model(manifest.hash), { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((one) => one.isFile())) {
      const path = join(entry.parentPath, entry.name);
      files[relative(folder, path).split(sep).join('/')] = await sha256File(path);
    }
    const whole: CheckpointManifest = { ...manifest, format: 1, files };
    await writeAtomic(join(folder, 'manifest.json'), `${JSON.stringify(whole, null, 2)}\n`);
    this.checked.set(manifest.hash, whole);
    return whole;
  }
}

/** First 16 hex digits of the hash over the key. */
export async function checkpointHash(key: Record<string, unknown>): Promise<string> {
  return (await hashOf(key)).slice(0, 16);
}
