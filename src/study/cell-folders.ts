/**
 * Cells on disk: `runs/<study>/cells/<hash>/`. The hash is taken over everything that can change the result, so a finished
 * cell is never run twice and a killed study resumes; a lock beside the cell's folder keeps two runs from computing it at once.
 * `manifest.json` comes last and holds the SHA-256 of every other file; a cell without a manifest, or whose files do not match
 * it, does not exist for a reader. What files a cell has is its task's business.
 */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { arch, cpus, platform as os } from 'node:os';
import { join, relative, sep } from 'node:path';
import { hashOf } from '../base/hash.ts';
import { explainWriteError, writeAtomic } from '../base/node/atomic.ts';
import { sha256File } from '../base/node/hash.ts';
import type { Estimate } from '../metrics/types.ts';
import { LeasedFolders } from './lease.ts';
import type { TaskManifest } from './results.ts';

/** What a cell is told from others by: the manifest without what does not change the result. */
export type KeyOf<M extends TaskManifest> = Omit<M, 'cell' | 'environment' | 'format' | 'request'>;

/** Writes one file of a cell at the path it is given. */
export type WriteFile = (path: string) => Promise<void>;

type Stored<M> = M & { files: Record<string, string> };

export class CellFolders<M extends TaskManifest> extends LeasedFolders {
  private readonly task: M['task'];

  constructor(home: string, study: string, task: M['task']) {
    super(join(home, 'runs', study, 'cells'), 'cell');
    this.task = task;
  }

  /** The manifest of a finished cell of this task whose files are whole; undefined where there is none. */
  protected async whole(cell: string): Promise<M | undefined> {
    const folder = this.path(cell);
    const stored = await readManifest<M>(folder);
    if (stored?.task !== this.task) return undefined;
    const { files, ...manifest } = stored;
    for (const [file, hash] of Object.entries(files))
      if ((await sha256File(join(folder, file)).catch(() => undefined)) !== hash) return undefined;
    return manifest as unknown as M;
  }

  /** Writes a cell: data first, manifest last. */
  protected async seal(manifest: M, files: Readonly<Record<string, WriteFile>>): Promise<void> {
    const folder = this.path(manifest.cell);
    const hashes: Record<string, string> = {};
    try {
      await rm(join(folder, 'manifest.json'), { force: true });
      await mkdir(folder, { recursive: true });
      for (const [file, write] of Object.entries(files)) await write(join(folder, file));
    } catch (error) {
      throw explainWriteError(error, folder);
    }
    for (const file of Object.keys(files)) hashes[file] = await sha256File(join(folder, file));
    await writeAtomic(join(folder, 'manifest.json'), `${JSON.stringify({ ...manifest, files: hashes }, null, 2)}\n`);
  }
}

/** First 16 hex digits of the hash over the key. */
export async function cellHash(key: KeyOf<TaskManifest>): Promise<string> {
  return (await hashOf(key)).slice(0, 16);
}

/** When, where and on how many threads a cell was computed. */
export function environmentOf(started: string, threads: number): TaskManifest['environment'] {
  return {
    node: process.version,
    platform: `${os()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    threads,
    started,
  };
}

/** JSON has no NaN: the bounds of an interval that does not exist come back as null. */
export type StoredEstimate = { [K in keyof Estimate]: number | null };

export function revivedEstimates(stored: Record<string, StoredEstimate>): Record<string, Estimate> {
  const number = (value: number | null) => value ?? Number.NaN;
  return Object.fromEntries(
    Object.entries(stored).map(([name, { value, lower, upper }]) => [
      name,
      { value: number(value), lower: number(lower), upper: number(upper) },
    ]),
  );
}

/** The manifest of a finished cell; undefined where there is none, or one that is torn or of another format. */
async function readManifest<M extends TaskManifest>(folder: string): Promise<Stored<M> | undefined> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as Stored<M> | null;
    return manifest?.format === 1 && typeof manifest.files === 'object' ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** Path of a cell's file as a report in `folder` names it. */
export function reportPath(folder: string, cell: string, file: string): string {
  return relative(folder, join(cell, file)).split(sep).join('/');
}

export interface FoundCell {
  study: string;
  folder: string;
  manifest: TaskManifest;
}

/** Every finished cell under `home`, of whatever task, whose hash begins with `prefix`. */
export async function findCells(home: string, prefix = ''): Promise<FoundCell[]> {
  const runs = join(home, 'runs');
  const found: FoundCell[] = [];
  for (const study of (await readdir(runs).catch(() => [] as string[])).sort()) {
    const cells = join(runs, study, 'cells');
    for (const cell of (await readdir(cells).catch(() => [] as string[])).sort()) {
      if (!cell.startsWith(prefix)) continue;
      const folder = join(cells, cell);
      if (!(await stat(folder)).isDirectory()) continue;
      const stored = await readManifest(folder);
      if (stored === undefined) continue;
      const { files: _, ...manifest } = stored;
      found.push({ study, folder, manifest });
    }
  }
  return found;
}
