/** The platform interface on Node: files by `node:fs`, workers by `node:worker_threads`. */
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Files, Platform, WorkerPort } from '../platform.ts';
import { explainWriteError, renameFlushed, writeAfter, writeAtomic } from './atomic.ts';

const files: Files = {
  join,
  read: (path) => readFile(path),
  readText: (path) => readFile(path, 'utf8'),
  async readRange(path, offset, length) {
    const file = await open(path, constants.O_RDONLY);
    try {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done === length ? bytes : bytes.subarray(0, done);
    } finally {
      await file.close();
    }
  },
  async size(path) {
    const info = await stat(path).catch(() => undefined);
    return info?.isFile() ? info.size : undefined;
  },
  list: (directory) => readdir(directory),
  writeAtomic,
  writeAfter,
  rename: renameFlushed,
  async makeDirectory(path) {
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw explainWriteError(error, path);
    }
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};

export const nodePlatform: Platform = {
  name: 'node',
  files,
  spawn,
  asset: (url) => readFile(url, 'utf8'),
  processors: availableParallelism(),
};

function spawn(url: URL, options: { name?: string; data?: unknown } = {}): WorkerPort {
  const worker = new Worker(url, {
    // Left alone, V8 doubles a worker's space for short-lived objects in a long stream of messages, though no more is alive.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
    workerData: options.data,
    ...(options.name ? { name: options.name } : {}),
  });
  let asked = false;
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    onMessage: (listener) => void worker.on('message', listener),
    onFailure(listener) {
      worker.once('error', (error) => listener(error as Error));
      worker.once('exit', (code) => {
        if (!asked) listener(new Error(`worker ${options.name ?? url.pathname} left with code ${code}`));
      });
    },
    async terminate() {
      asked = true;
      await worker.terminate();
    },
  };
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
