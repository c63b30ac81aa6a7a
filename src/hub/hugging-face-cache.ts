/**
 * The cache of Python's huggingface_hub, read and never written: a model that is there is not downloaded again. Its files are
 * symbolic links to blobs, which ONNX Runtime refuses for external data, so what stands behind them is linked as real files.
 */
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RepositoryKind } from './repository.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export function huggingFaceHome(env: Environment): string {
  return env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface');
}

/** Where the Hugging Face cache keeps a repository: `blobs` by hash, `snapshots` by commit, `refs` by branch. */
export function cacheOf(id: string, env: Environment, kind: RepositoryKind = 'model'): string {
  const hub = env.HF_HUB_CACHE ?? join(huggingFaceHome(env), 'hub');
  return join(hub, `${kind}s--${id.replace('/', '--')}`);
}

/** Where the files of a revision lie, if they do, and its commit. */
export async function snapshotOf(root: string, revision: string): Promise<{ folder: string; commit: string }> {
  const commit = (await readFile(join(root, 'refs', revision), 'utf8').catch(() => revision)).trim();
  return { folder: join(root, 'snapshots', commit), commit };
}

/** The snapshot of a revision, where all its weights are there, in one file or in shards. */
export async function findInCache(root: string, revision: string) {
  const { folder, commit } = await snapshotOf(root, revision);
  const complete = (await isFile(join(folder, 'config.json'))) && (await hasWeights(folder));
  return complete ? { folder, commit } : undefined;
}

async function hasWeights(folder: string): Promise<boolean> {
  if (await isFile(join(folder, 'model.safetensors'))) return true;
  const text = await readFile(join(folder, 'model.safetensors.index.json'), 'utf8').catch(() => '{}');
  const shards = shardsOf(text);
  for (const shard of shards) if (!(await isFile(join(folder, shard)))) return false;
  return shards.length > 0;
}

/** The files that an index of shards names; none where it is no such index. */
function shardsOf(text: string): string[] {
  try {
    const index = JSON.parse(text) as { weight_map?: Record<string, unknown> } | null;
    return [...new Set(Object.values(index?.weight_map ?? {}).map(String))];
  } catch {
    return [];
  }
}

/** Hard links (or copies, across file systems) of the real files behind a folder of symbolic links. */
export async function linkFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true })) {
    const source = await realpath(join(from, entry));
    if (!(await isFile(source)) || !/\.(?:json|txt|safetensors|model)$/.test(entry)) continue;
    const target = join(to, entry);
    await rm(target, { force: true });
    await linkFile(source, target);
  }
}

export async function linkFile(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
}

export const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
