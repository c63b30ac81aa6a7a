/**
 * One file from a hub to disk: resumed where an earlier try stopped, checked against the hash the hub states, then renamed.
 * The part already there is kept in `<name>.partial` and asked on with a `Range` header (`If-Range` is not needed: the
 * address names a commit, whose content never changes).
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { workError } from '../base/errors.ts';
import { explainWriteError } from '../base/node/atomic.ts';
import type { ProgressTask } from '../base/progress.ts';
import type { Network } from './network.ts';
import type { RemoteFile } from './repository.ts';

interface DownloadOptions {
  network: Network;
  url: string;
  headers: Record<string, string>;
  file: RemoteFile;
  path: string;
  task?: ProgressTask;
  signal?: AbortSignal | undefined;
  /** Broken connections that are taken up again before giving up. Default 8. */
  resumes?: number;
}

/** Downloads and verifies; returns the SHA-256 of the content. */
export async function downloadFile(options: DownloadOptions): Promise<string> {
  const { path, file, resumes = 8 } = options;
  const partial = `${path}.partial`;
  await mkdir(dirname(path), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const before = await sizeOf(partial);
    try {
      await fetchRest(options, partial, before);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      const explained = explainWriteError(error, path);
      if (explained !== error || (error as Error).name === 'PatentlabError' || attempt > resumes) throw explained;
      continue; // the connection broke: go on from what has arrived
    }
    const size = await sizeOf(partial);
    if (file.size !== undefined && size < file.size) {
      if (attempt > resumes) throw broken(file, `${size} bytes`, `${file.size} bytes`);
      continue;
    }
    const found = await hashesOf(partial, size);
    if (matches(file, found, size)) {
      await rename(partial, path);
      return found.sha256;
    }
    // What was kept from an earlier try may be wrong: once more from the start, then give up.
    await rm(partial, { force: true });
    if (before === 0 || attempt > resumes) {
      throw broken(file, found.sha256, file.sha256 ?? file.blobId ?? `${file.size} bytes`);
    }
  }
}

async function fetchRest(
  { network, url, headers, file, task, signal }: DownloadOptions,
  partial: string,
  start: number,
): Promise<void> {
  if (file.size !== undefined && start >= file.size) return;
  const range: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {};
  const response = await network.request(url, { ...headers, ...range, 'accept-encoding': 'identity' }, [416]);
  if (response.status === 416) {
    await response.body?.cancel();
    if (file.size === undefined) return; // complete: nothing after what is there
    await rm(partial, { force: true });
    throw new Error('range refused');
  }
  const appending = start > 0 && response.status === 206;
  const output = await open(partial, appending ? 'a' : 'w');
  try {
    if (appending) task?.advance(start);
    for await (const chunk of response.body ?? []) {
      signal?.throwIfAborted();
      await output.write(chunk as Uint8Array);
      task?.advance((chunk as Uint8Array).length);
    }
    await output.sync();
  } finally {
    await output.close();
  }
}

interface Hashes {
  sha256: string;
  blobId: string;
}

async function hashesOf(path: string, size: number): Promise<Hashes> {
  const sha256 = createHash('sha256');
  const blob = createHash('sha1').update(`blob ${size}\0`);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) for (const hash of [sha256, blob] satisfies Hash[]) hash.update(chunk);
  });
  return { sha256: sha256.digest('hex'), blobId: blob.digest('hex') };
}

function matches(file: RemoteFile, found: Hashes, size: number): boolean {
  if (file.sha256 !== undefined) return file.sha256 === found.sha256;
  if (file.blobId !== undefined) return file.blobId === found.blobId;
  return file.size === undefined || file.size === size;
}

function broken(file: RemoteFile, found: string, expected: string) {
  return workError('the file arrived damaged', {
    code: 'hub.damaged',
    file: file.name,
    expected,
    found,
    hint: 'run the command again; if it stays so, a proxy on the way changes files',
  });
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
