/**
 * Finds a model by folder or id and puts its files, as real files, where ONNX Runtime can map them.
 *
 * Order: a folder that exists; patentlab's own models (`<home>/models/<owner>--<name>`); the Hugging Face cache (`HF_HUB_CACHE`, or `hub` under
 * `HF_HOME`), whose files are linked into patentlab's own folder because external data is refused through symbolic links;
 * the hub (`HF_ENDPOINT`), unless `offline`. A model folder holds `patentlab-model.json`, written last, with the SHA-256 of
 * every file: without it the folder is an unfinished download.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { inputError, PatentlabError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import { writeAtomic } from '../base/node/atomic.ts';
import { sha256File } from '../base/node/hash.ts';
import type { Progress } from '../base/progress.ts';
import { fetchRepository } from './fetch-repository.ts';
import { cacheOf, type Environment, findInCache, isFile, linkFiles } from './hugging-face-cache.ts';
import { neededFiles } from './repository.ts';

export interface HubOptions {
  home: string;
  offline?: boolean;
  /** Branch, tag or commit. Default `main`. */
  revision?: string;
  progress?: Progress;
  signal?: AbortSignal | undefined;
  /** Default `process.env`. */
  env?: Environment;
  /** Folder to put the files in, instead of the one under `home` (air-gapped copies). */
  to?: string;
  /** Ids of known models: those like an id that is not found are named. */
  known?: readonly string[];
  /** Waits between tries in ms, for tests. */
  pauseMs?: number;
}

export interface ModelFolder {
  id: string;
  folder: string;
  source: 'folder' | 'home' | 'hugging-face-cache' | 'hub';
  /** Commit of the repository, where known. */
  commit?: string;
}

interface ModelManifest {
  format: 1;
  id: string;
  commit?: string;
  /** Branch, tag or commit that was asked for; absent for the default. */
  revision?: string;
  files: Record<string, string>;
}

const manifestName = 'patentlab-model.json';
const idPattern = /^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)?$/;

/** The folder of a model given by path or id; downloads it where needed and allowed. */
export async function findModel(id: string, options: HubOptions): Promise<ModelFolder> {
  try {
    return await find(id, options);
  } catch (error) {
    throw withAdvice(error, id, options.known ?? []);
  }
}

/** Codes that a mistyped id ends in as well as what else their messages say. */
const ambiguous = ['model.unknown', 'model.offline', 'hub.missing', 'hub.forbidden', 'hub.unreachable'];

/** The error, with what to do if the id is wrong and if it is right: only for an id that is no known model's. */
function withAdvice(error: unknown, id: string, known: readonly string[]): unknown {
  if (!(error instanceof PatentlabError) || !ambiguous.includes(error.code)) return error;
  if (known.some((other) => other.toLowerCase() === id.toLowerCase())) return error;
  const similar = nearest(id, known);
  const mistyped =
    similar.length === 0
      ? 'no known model has a name like it; `patentlab models list` shows them'
      : `did you mean ${similar.join(', ')}?`;
  const { hint } = error.details;
  const right = hint === undefined ? '' : `\n            if it is right: ${hint}`;
  return new PatentlabError(error.message, { ...error.details, hint: `if the id is mistyped: ${mistyped}${right}` });
}

async function find(id: string, options: HubOptions): Promise<ModelFolder> {
  const { home, offline = false, env = process.env, to } = options;
  if (to === undefined && (await isFolder(id))) return { id, folder: id, source: 'folder' };
  if (!idPattern.test(id)) {
    throw inputError(`there is no folder ${id}, and it is not a model id either`, {
      code: 'model.unknown',
      expected:
        'a folder with config.json and model.safetensors, or an id such as sentence-transformers/all-MiniLM-L6-v2',
    });
  }
  const full = id.includes('/') ? id : `sentence-transformers/${id}`;
  const folder = to ?? modelFolder(home, full);
  const stored = await readManifest(folder);
  const { revision } = options;
  if (stored !== undefined && revision !== undefined && stored.commit !== revision && stored.revision !== revision) {
    throw inputError(`another revision of ${full} is stored`, {
      code: 'model.revision',
      file: folder,
      field: '--revision',
      expected: revision,
      found: stored.revision ?? stored.commit ?? 'unknown',
      hint: `remove ${folder}, or put this revision elsewhere: patentlab models get ${full} --revision ${revision} --to DIR`,
    });
  }
  if (stored !== undefined)
    return { id: full, folder, source: 'home', ...(stored.commit ? { commit: stored.commit } : {}) };
  const cache = cacheOf(full, env);
  const cached = await findInCache(cache, options.revision ?? 'main');
  if (cached !== undefined) {
    await linkFiles(cached.folder, folder);
    await writeManifest(folder, full, cached.commit, revision);
    return { id: full, folder, source: 'hugging-face-cache', commit: cached.commit };
  }
  if (offline || env.HF_HUB_OFFLINE === '1') {
    throw inputError(`the model ${full} is not on this machine, and the network is not to be used`, {
      code: 'model.offline',
      expected: `a folder ${folder}`,
      hint: `on a machine with a network: patentlab models get ${full} --to DIR; copy DIR here and name its path as the model`,
    });
  }
  const commit = await downloadModel(full, folder, options);
  return { id: full, folder, source: 'hub', commit };
}

/** Where a model of this id lies under `home`. */
function modelFolder(home: string, id: string): string {
  return join(home, 'models', id.replace('/', '--'));
}

/** The models under `home` whose download is complete. */
export async function listModels(home: string): Promise<{ id: string; folder: string; commit?: string }[]> {
  const root = join(home, 'models');
  const found: { id: string; folder: string; commit?: string }[] = [];
  for (const name of (await readdir(root).catch(() => [] as string[])).sort()) {
    const manifest = await readManifest(join(root, name));
    if (manifest)
      found.push({
        id: manifest.id,
        folder: join(root, name),
        ...(manifest.commit ? { commit: manifest.commit } : {}),
      });
  }
  return found;
}

interface FileCheck {
  file: string;
  expected: string;
  found: string | undefined;
}

/** Compares every file of a model folder with the hash stored at download; returns those that differ. */
export async function verifyFiles(folder: string): Promise<{ checked: number; damaged: FileCheck[] }> {
  const manifest = await readManifest(folder);
  if (manifest === undefined) {
    throw inputError('this folder was not made by patentlab, so there are no hashes to compare with', {
      code: 'model.no-manifest',
      file: join(folder, manifestName),
    });
  }
  const damaged: FileCheck[] = [];
  for (const [file, expected] of Object.entries(manifest.files)) {
    const found = await sha256File(join(folder, file)).catch(() => undefined);
    if (found !== expected) damaged.push({ file, expected, found });
  }
  return { checked: Object.keys(manifest.files).length, damaged };
}

async function downloadModel(id: string, folder: string, options: HubOptions): Promise<string> {
  const { env = process.env, revision = 'main', progress, signal, pauseMs } = options;
  const fetched = await fetchRepository(id, {
    kind: 'model',
    revision,
    folder,
    choose: neededFiles,
    env,
    progress,
    signal,
    pauseMs,
  });
  const manifest: ModelManifest = {
    format: 1,
    id,
    commit: fetched.commit,
    ...(options.revision === undefined ? {} : { revision: options.revision }),
    files: fetched.hashes,
  };
  await writeAtomic(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  return fetched.commit;
}

async function writeManifest(folder: string, id: string, commit: string, revision: string | undefined): Promise<void> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true })) {
    const path = join(folder, entry);
    if (await isFile(path)) files[relative(folder, path).split(sep).join('/')] = await sha256File(path);
  }
  await writeAtomic(
    join(folder, manifestName),
    `${JSON.stringify({ format: 1, id, commit, ...(revision === undefined ? {} : { revision }), files } satisfies ModelManifest, null, 2)}\n`,
  );
}

async function readManifest(folder: string): Promise<ModelManifest | undefined> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as ModelManifest | null;
    return manifest?.format === 1 && typeof manifest.files === 'object' ? manifest : undefined;
  } catch {
    return undefined; // torn: an unfinished download
  }
}

const isFolder = (path: string) =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
