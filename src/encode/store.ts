/**
 * Where vectors are kept: on disk under a key, or in memory. A shard is found by the hash of its texts; everything else
 * that can change a vector is in the key of the folder:
 *
 *   <vectors>/<key>/settings.json          what the key stands for
 *   <vectors>/<key>/shards/<texts>.vec     vectors of one window (`shard.ts`), by SHA-256 of its texts
 *   <vectors>/<key>/shards/<texts>.part    the same of a window under way
 *   <vectors>/<key>/sources/<id>.json      manifest of one list of texts: its shards with their SHA-256; written last
 *
 * All files are written atomically, and equal names mean equal bytes: two processes may work on one key.
 */
import { canonicalJson, hashOf } from '../base/hash.ts';
import type { Files } from '../base/platform.ts';
import { allBatches, decodeShard, encodeShard, floatsOf, type Shard, shardHeader } from './shard.ts';

export interface StoredShard {
  /** SHA-256 of the window's texts: the shard's name. */
  hash: string;
  /** SHA-256 of the shard's content. */
  sha256: string;
  texts: number;
  /** Passages of each text, where texts were cut. */
  passages?: number[];
  tokens: number;
  truncated: number;
  empty: number;
}

/** Manifest of one list of texts. */
interface VectorManifest {
  format: 1;
  settings: Record<string, unknown>;
  /** What the texts are, as far as whoever asked knew it (corpus, its hash and revision, view, masking). */
  source: Record<string, unknown>;
  texts: number;
  dimensions: number;
  tokens: number;
  truncated: number;
  empty: number;
  shards: StoredShard[];
}

export interface VectorStore {
  /** The finished shard of these texts, checked. */
  find(hash: string): Promise<StoredShard | undefined>;
  /** The unfinished one. */
  findPart(hash: string): Promise<Shard | undefined>;
  save(hash: string, shard: Shard): Promise<StoredShard>;
  savePart(hash: string, shard: Shard): Promise<void>;
  /** Values [from, to) of the shard, counted in float32 values. */
  values(hash: string, from: number, to: number): Promise<Float32Array>;
  findManifest(source: Record<string, unknown>): Promise<VectorManifest | undefined>;
  /** Writes the manifest; its path, or undefined where nothing is on disk. */
  saveManifest(manifest: VectorManifest): Promise<string | undefined>;
}

const describe = (hash: string, sha256: string, { rows, passages, tokens, truncated, empty }: Shard): StoredShard => ({
  hash,
  sha256,
  texts: passages?.length ?? rows,
  ...(passages === undefined ? {} : { passages: Array.from(passages) }),
  tokens,
  truncated,
  empty,
});

/** A store on disk in `<folder>/<key>`. */
export async function openVectorStore(
  files: Files,
  folder: string,
  settings: Record<string, unknown>,
): Promise<VectorStore> {
  const root = files.join(folder, (await hashOf(settings)).slice(0, 32));
  const shardFile = (hash: string, ending: string) => files.join(root, 'shards', `${hash}.${ending}`);
  const sourceFile = async (source: Record<string, unknown>) =>
    files.join(root, 'sources', `${(await hashOf(source)).slice(0, 32)}.json`);
  const settingsFile = files.join(root, 'settings.json');
  if ((await files.size(settingsFile)) === undefined)
    await files.writeAtomic(settingsFile, `${JSON.stringify(settings, null, 2)}\n`);

  const read = async (path: string) =>
    (await files.size(path)) === undefined ? undefined : decodeShard(await files.read(path));
  return {
    async find(hash) {
      const shard = await read(shardFile(hash, 'vec'));
      return shard?.batches === allBatches ? describe(hash, shard.sha256, shard) : undefined;
    },
    findPart: (hash) => read(shardFile(hash, 'part')),
    async save(hash, shard) {
      const { bytes, sha256 } = await encodeShard(shard);
      await files.writeAtomic(shardFile(hash, 'vec'), bytes);
      await files.remove(shardFile(hash, 'part'));
      return describe(hash, sha256, shard);
    },
    async savePart(hash, shard) {
      await files.writeAtomic(shardFile(hash, 'part'), (await encodeShard(shard)).bytes);
    },
    async values(hash, from, to) {
      return floatsOf(await files.readRange(shardFile(hash, 'vec'), shardHeader + from * 4, (to - from) * 4));
    },
    async findManifest(source) {
      const path = await sourceFile(source);
      if ((await files.size(path)) === undefined) return undefined;
      const manifest = parseManifest(await files.readText(path));
      return manifest && canonicalJson(manifest.source) === canonicalJson(source) ? manifest : undefined;
    },
    async saveManifest(manifest) {
      const path = await sourceFile(manifest.source);
      await files.writeAtomic(path, `${JSON.stringify(manifest, null, 2)}\n`);
      return path;
    },
  };
}

function parseManifest(text: string): VectorManifest | undefined {
  try {
    const manifest = JSON.parse(text) as VectorManifest;
    return manifest.format === 1 && Array.isArray(manifest.shards) ? manifest : undefined;
  } catch {
    return undefined; // a damaged manifest is written anew
  }
}

/** A store in memory, for queries and other small lists. */
export function memoryVectorStore(): VectorStore {
  const shards = new Map<string, { stored: StoredShard; vectors: Float32Array }>();
  return {
    find: async (hash) => shards.get(hash)?.stored,
    findPart: async () => undefined,
    async save(hash, shard) {
      const stored = describe(hash, '', shard);
      shards.set(hash, { stored, vectors: shard.vectors });
      return stored;
    },
    savePart: async () => {},
    values: async (hash, from, to) => shards.get(hash)!.vectors.slice(from, to),
    findManifest: async () => undefined,
    saveManifest: async () => undefined,
  };
}
