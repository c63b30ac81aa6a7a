/**
 * The few file operations by which the store writes, behind an interface so that tests can make any one of them fail.
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../base/node/atomic.ts';

export interface StoreFiles {
  makeFolder(path: string): Promise<void>;
  create(path: string): Promise<StoreFile>;
  /** Replaces `to` by `from` and flushes the folder. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file or a whole folder; silent where there is none. */
  remove(path: string): Promise<void>;
}

export interface StoreFile {
  write(data: Uint8Array): Promise<void>;
  /** Flushes to disk and closes. */
  finish(): Promise<void>;
  /** Closes without flushing. */
  abandon(): Promise<void>;
}

export const nodeStoreFiles: StoreFiles = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  async create(path) {
    const file = await open(path, 'wx');
    return { write: (data) => writeAll(file, data), finish: () => finish(file), abandon: () => file.close() };
  },
  async move(from, to) {
    await rename(from, to);
    await syncFolder(dirname(to));
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};

async function writeAll(file: FileHandle, data: Uint8Array): Promise<void> {
  for (let done = 0; done < data.length; ) done += (await file.write(data, done)).bytesWritten;
}

async function finish(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
