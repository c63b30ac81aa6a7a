/**
 * A lock file: one holder at a time, found stale when its process is gone.
 *
 * The file holds process id, host, start time of the process and a token. It appears whole (written beside, then linked to
 * its name, which fails where the name exists). A lock is stale when it was made on this host and its process is gone or
 * began at another time (the id was given to a new process). A lock of another host cannot be judged: it is respected, and
 * the message says which file to delete. Taking over a stale lock moves it away first and checks by its token that the
 * moved file was the stale one; `assertHeld` before a commit closes what window remains.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { workError } from '../errors.ts';
import { explainWriteError } from './atomic.ts';

export interface Lock {
  /** Throws where another process has taken the lock over: nothing may be committed then. */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

interface Holder {
  pid: number;
  host: string;
  /** Start of the process as the system tells it; '' where it does not. */
  started: string;
  token: string;
}

/** Takes the lock at `path` or throws `lock.held`. `what` names the thing locked: `the corpus "mine"`. */
export async function acquireLock(path: string, what: string): Promise<Lock> {
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid) ?? '',
    token: randomBytes(8).toString('hex'),
  };
  const draft = `${path}.${own.token}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, JSON.stringify(own), { flag: 'wx', flush: true });
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined); // the reason is in `error`
    throw explainWriteError(error, path);
  }
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      if (await linked(draft, path)) return held(path, own, what);
      const other = await readHolder(path);
      if (other === 'gone') continue;
      if (other !== undefined && isAlive(other)) throw heldError(path, what, other);
      await takeAway(path, other, own.token);
    }
    throw workError(`${what} is being locked and unlocked by other processes`, {
      code: 'lock.busy',
      file: path,
      hint: 'Run the command again.',
    });
  } finally {
    await rm(draft, { force: true });
  }
}

function held(path: string, own: Holder, what: string): Lock {
  const isOwn = async () => {
    const holder = await readHolder(path);
    return typeof holder === 'object' && holder.token === own.token;
  };
  return {
    async assertHeld() {
      if (!(await isOwn()))
        throw workError(`another process has taken over ${what}; nothing was changed`, {
          code: 'lock.lost',
          file: path,
          hint: 'Run the command again when the other one has ended.',
        });
    },
    async release() {
      if (await isOwn()) await rm(path, { force: true });
    },
  };
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw explainWriteError(error, path);
  }
  // A file system without links (some network shares): created exclusively, its content a moment later.
  try {
    await writeFile(path, await readFile(draft), { flag: 'wx', flush: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw explainWriteError(error, path);
  }
}

/** The holder; undefined where the file is no lock of ours (empty or damaged), 'gone' where there is none. */
async function readHolder(path: string): Promise<Holder | undefined | 'gone'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw error;
  }
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    if (typeof value.pid === 'number' && typeof value.host === 'string' && typeof value.token === 'string')
      return { pid: value.pid, host: value.host, token: value.token, started: String(value.started ?? '') };
  } catch {
    // Damaged: treated as stale below.
  }
  return undefined;
}

async function takeAway(path: string, stale: Holder | undefined, token: string): Promise<void> {
  const aside = `${path}.${token}.stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // somebody else took it away
    throw error;
  }
  const moved = await readHolder(aside);
  const same = typeof moved === 'object' && stale !== undefined ? moved.token === stale.token : moved === stale;
  if (!same) await link(aside, path).catch(() => undefined); // a live lock was put there meanwhile: back with it
  await rm(aside, { force: true });
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  const started = startOf(holder.pid);
  if (started === undefined) return false;
  return started === '' || holder.started === '' || started === holder.started;
}

/** When a process began, as the system tells it; '' where the process lives but its start is not known; undefined: no such process. */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  if (process.platform === 'win32') return '';
  if (process.platform === 'linux') {
    try {
      // Field 22, counted after the command name, which may itself hold blanks and brackets.
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined; // dead, only not yet waited for
      return fields[19] ?? '';
    } catch {
      return '';
    }
  }
  const shown = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return shown.status === 0 ? shown.stdout.trim() : '';
}

function heldError(path: string, what: string, { pid, host }: Holder): Error {
  const here = host === hostname();
  return workError(`${what} is in use by another patentlab process`, {
    code: 'lock.held',
    file: path,
    found: `process ${pid} on ${here ? 'this machine' : host}`,
    hint: here
      ? 'Wait until it has ended, then run the command again.'
      : `Wait until it has ended; if that machine no longer runs it, delete ${path}.`,
  });
}

/** Whether a lock is there and its holder alive, without touching it. */
export async function lockState(path: string): Promise<'free' | 'held' | 'stale'> {
  const holder = await readHolder(path);
  if (holder === 'gone') return 'free';
  return holder !== undefined && isAlive(holder) ? 'held' : 'stale';
}
