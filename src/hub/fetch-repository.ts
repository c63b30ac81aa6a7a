/** Downloads chosen files of a repository on a hub: what is there already is kept, everything is checked against the hub's hashes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256File } from '../base/node/hash.ts';
import { type Progress, silent } from '../base/progress.ts';
import { downloadFile } from './download.ts';
import { cacheOf, type Environment, huggingFaceHome, isFile, linkFile } from './hugging-face-cache.ts';
import { Network } from './network.ts';
import { describeRepository, type RemoteFile, type Repository, type RepositoryKind } from './repository.ts';

interface FetchOptions {
  kind: RepositoryKind;
  revision: string;
  folder: string;
  /** Which of the repository's files to get. */
  choose: (repository: Repository) => RemoteFile[];
  env: Environment;
  progress?: Progress | undefined;
  signal?: AbortSignal | undefined;
  pauseMs?: number | undefined;
}

/** The commit that was fetched, and the SHA-256 of every chosen file by name. */
export async function fetchRepository(
  id: string,
  { kind, revision, folder, choose, env, progress = silent, signal, pauseMs }: FetchOptions,
): Promise<{ commit: string; hashes: Record<string, string> }> {
  const endpoint = (env.HF_ENDPOINT ?? 'https://huggingface.co').replace(/\/+$/, '');
  const token = await findToken(env);
  const headers: Record<string, string> = {
    'user-agent': 'patentlab',
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
  const network = new Network({ env, signal, ...(pauseMs === undefined ? {} : { pauseMs }) });
  try {
    const repository = await describeRepository(network, endpoint, id, revision, headers, kind);
    const files = choose(repository);
    const total = files.reduce((sum, { size = 0 }) => sum + size, 0);
    progress.say(`${id}: downloading ${files.length} files, ${(total / 1e6).toFixed(0)} MB, to ${folder}`);
    const task = progress.begin(`download ${id}`, { total, unit: 'bytes' });
    const hashes: Record<string, string> = {};
    for (const file of files) {
      signal?.throwIfAborted();
      const path = join(folder, ...file.name.split('/'));
      // An earlier, interrupted run may have finished this file, or the Hugging Face cache may hold it in a part of the repository.
      if (file.sha256 !== undefined && !(await isFile(path)))
        await linkFile(join(cacheOf(id, env, kind), 'blobs', file.sha256), path).catch(() => undefined);
      if (file.sha256 !== undefined && (await sha256File(path).catch(() => undefined)) === file.sha256) {
        hashes[file.name] = file.sha256;
        task.advance(file.size ?? 0);
        continue;
      }
      const place = `${kind === 'model' ? '' : `${kind}s/`}${id}/resolve/${repository.commit}`;
      const url = `${endpoint}/${place}/${file.name.split('/').map(encodeURIComponent).join('/')}`;
      hashes[file.name] = await downloadFile({ network, url, headers, file, path, task, signal });
    }
    task.finish();
    return { commit: repository.commit, hashes };
  } finally {
    await network.close();
  }
}

async function findToken(env: Environment): Promise<string | undefined> {
  if (env.HF_TOKEN) return env.HF_TOKEN.trim();
  const file = env.HF_TOKEN_PATH ?? join(huggingFaceHome(env), 'token');
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim() || undefined;
}
