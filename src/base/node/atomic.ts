/**
 * Atomic files: a file is written beside its target, flushed to disk, renamed over it, and the folder is flushed too, so
 * that after a crash the target is the old content or the new, never a torn one. Temporary names end in `.partial`.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { workError } from '../errors.ts';

/** Writes `data`, whole or in pieces, to `path` atomically; missing folders are made. */
export async function writeAtomic(path: string, data: Uint8Array | string | AsyncIterable<Uint8Array>): Promise<void> {
  await writeAtomicWith(path, (file) => file.writeFile(data));
}

/** As `writeAtomic`, for content that is produced in pieces. */
export async function writeAtomicWith(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const partial = partialPath(path);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(partial, 'wx');
    try {
      await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined); // the reason is in `error`
    throw explainWriteError(error, path);
  }
}

/** Cuts the file at `path` to its first `length` bytes, writes `data` after them and flushes it: for logs that only grow. */
export async function writeAfter(path: string, length: number, data: Uint8Array): Promise<void> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o666);
    try {
      await file.truncate(length);
      for (let done = 0; done < data.length; )
        done += (await file.write(data, done, data.length - done, length + done)).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explainWriteError(error, path);
  }
}

/** Gives `from` the name `to`, on the same disk, and flushes both folders. */
export async function renameFlushed(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
    await syncFolder(dirname(to));
    if (dirname(from) !== dirname(to)) await syncFolder(dirname(from));
  } catch (error) {
    throw explainWriteError(error, to);
  }
}

/** A name beside `path` that no other writer takes, in this process or another. */
export function partialPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.partial`);
}

/** Flushes a folder's entries, where the system can (Windows cannot, and needs not). */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Turns the system's word for a full disk or a forbidden folder into one clear message. */
export function explainWriteError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const { message = '' } = (error ?? {}) as Error;
  if (code === 'ENOSPC' || code === 'EDQUOT' || message.includes('No space left on device')) {
    return workError('the disk is full; nothing already stored was changed', {
      code: 'disk.full',
      file: path,
      hint: 'free some space (`patentlab doctor` shows what is large, `patentlab clean` frees caches) and run the command again',
      cause: error,
    });
  }
  const { syscall } = (error ?? {}) as NodeJS.ErrnoException;
  // A folder that cannot be made on a read-only file system is reported as missing (ENOENT) by a recursive mkdir.
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || (code === 'ENOENT' && syscall === 'mkdir')) {
    return workError('this place may not be written to', {
      code: 'disk.forbidden',
      file: path,
      hint: 'choose another place with --home DIR or --out DIR',
      cause: error,
    });
  }
  if (code === 'ENOTDIR' || code === 'EISDIR' || (code === 'EEXIST' && syscall === 'mkdir')) {
    return workError('a file stands where a folder is needed, or a folder where a file is needed', {
      code: 'disk.kind',
      file: path,
      hint: 'choose another place with --home DIR or --out DIR',
      cause: error,
    });
  }
  return error;
}
