/** Folders of work, `<folder>/<hash>/`, each with a lock beside it: who holds the lock is at that work, in this process or another. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PatentlabError } from '../base/errors.ts';
import { acquireLock, type Lock } from '../base/node/lock.ts';
import type { Progress } from '../base/progress.ts';

export interface Waiting {
  progress: Progress;
  signal?: AbortSignal | undefined;
}

export class LeasedFolders {
  readonly folder: string;
  /** What one is called in messages. */
  private readonly noun: string;

  constructor(folder: string, noun: string) {
    this.folder = folder;
    this.noun = noun;
  }

  path(hash: string): string {
    return join(this.folder, hash);
  }

  /**
   * Does `work` while no other run does, in this process or another: one that is at it already is waited for, and told of
   * once. A lock of a process that is gone is taken over.
   */
  async alone<T>(hash: string, work: () => Promise<T>, { progress, signal }: Waiting): Promise<T> {
    for (let told = false; ; ) {
      const outcome = await this.unlessHeld(hash, work);
      if ('result' in outcome) return outcome.result;
      if (!told)
        progress.say(
          `${this.noun} ${hash} is being computed by ${outcome.holder}: waiting for it (${this.path(hash)}.lock)`,
        );
      told = true;
      await pause(250, undefined, signal ? { signal } : {});
    }
  }

  /** Does `work` unless another run is at it: then says who is. */
  async unlessHeld<T>(hash: string, work: () => Promise<T>): Promise<{ result: T } | { holder: string }> {
    const lock = await acquireLock(`${this.path(hash)}.lock`, `${this.noun} ${hash}`).catch((error: unknown) => error);
    if (isLock(lock)) return { result: await work().finally(() => lock.release()) };
    if (!(lock instanceof PatentlabError) || !(lock.code === 'lock.held' || lock.code === 'lock.busy')) throw lock;
    return { holder: lock.details.found ?? 'another process' };
  }
}

function isLock(value: unknown): value is Lock {
  return typeof value === 'object' && value !== null && 'assertHeld' in value;
}
