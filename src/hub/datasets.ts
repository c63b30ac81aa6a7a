/**
 * Finds a data set by folder or id and makes the files that are asked for readable.
 *
 * Order: patentlab's own data sets (`<home>/datasets/<owner>--<name>/<revision>`); the Hugging Face cache; the hub, unless
 * `offline`. A data set's folder holds `patentlab-dataset.json`, written last, with the SHA-256 of every file that has been
 * fetched whole; a later call may fetch more.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { inputError } from '../base/errors.ts';
import { writeAtomic } from '../base/node/atomic.ts';
import type { Progress } from '../base/progress.ts';
import { fetchRepository } from './fetch-repository.ts';
import { cacheOf, type Environment, snapshotOf } from './hugging-face-cache.ts';

export interface DatasetOptions {
  home: string;
  /** Branch, tag or commit. */
  revision: string;
  /** Of the names that there are, those that are needed; undefined where one is missing. */
  choose: (names: readonly string[]) => readonly string[] | undefined;
  offline?: boolean;
  progress?: Progress;
  signal?: AbortSignal | undefined;
  /** Default `process.env`. */
  env?: Environment;
  /** Waits between tries in ms, for tests. */
  pauseMs?: number;
}

export interface DatasetFolder {
  folder: string;
  source: 'home' | 'hugging-face-cache' | 'hub';
  /** Of the files in `folder`, those that `choose` named. */
  files: readonly string[];
  commit?: string;
}

interface DatasetManifest {
  format: 1;
  id: string;
  commit: string;
  files: Record<string, string>;
}

const manifestName = 'patentlab-dataset.json';

/** The folder that holds the chosen files of a data set; downloads them where needed and allowed. */
export async function findDataset(id: string, options: DatasetOptions): Promise<DatasetFolder> {
  const { home, revision, choose, offline = false, env = process.env, progress, signal, pauseMs } = options;
  const folder = join(home, 'datasets', id.replace('/', '--'), revision.replaceAll('/', '--'));
  const stored = await readManifest(folder);
  const known = stored && choose(Object.keys(stored.files));
  if (stored !== undefined && known !== undefined) {
    return { folder, source: 'home', files: known, commit: stored.commit };
  }
  const cached = await snapshotOf(cacheOf(id, env, 'dataset'), revision);
  const inCache = choose(await filesIn(cached.folder));
  if (inCache !== undefined) {
    return { folder: cached.folder, source: 'hugging-face-cache', files: inCache, commit: cached.commit };
  }
  if (offline || env.HF_HUB_OFFLINE === '1') {
    throw inputError(`the data set ${id} is not on this machine, and the network is not to be used`, {
      code: 'dataset.offline',
      expected: `its files in ${folder}`,
      hint: 'get its files on a machine with a network, copy them here as they lie in the repository, and name their folder: --data FOLDER',
    });
  }
  let chosen: readonly string[] = [];
  const { commit, hashes } = await fetchRepository(id, {
    kind: 'dataset',
    revision,
    folder,
    choose(repository) {
      const names = repository.files.map(({ name }) => name).filter(staysInside);
      chosen = choose(names) ?? [];
      if (chosen.length === 0) {
        throw inputError(`the data set ${id} has not the files that the task reads`, {
          code: 'dataset.files',
          field: 'data',
          found: names.slice(0, 12).join(', ') || 'no file',
          hint: 'the repository may have changed since the task was written: --data FOLDER names a copy of it as it was',
        });
      }
      return repository.files.filter(({ name }) => chosen.includes(name));
    },
    env,
    progress,
    signal,
    pauseMs,
  });
  const files = stored?.commit === commit ? { ...stored.files, ...hashes } : hashes;
  const manifest: DatasetManifest = { format: 1, id, commit, files };
  await writeAtomic(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  return { folder, source: 'hub', files: chosen, commit };
}

/** Names of the files under a folder, with `/` between the parts, in byte order; none where there is no such folder. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

const staysInside = (name: string) => !/(?:^|[\\/])\.\.(?:[\\/]|$)|^[\\/]|^[A-Za-z]:/.test(name);

async function readManifest(folder: string): Promise<DatasetManifest | undefined> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as DatasetManifest | null;
    return manifest?.format === 1 && typeof manifest.files === 'object' ? manifest : undefined;
  } catch {
    return undefined; // torn: an unfinished download
  }
}
