/**
 * Cells on disk: `runs/<study>/cells/<hash>/`. The hash is taken over everything that can change the result, so a finished
 * cell is never run twice and a killed study resumes; a lock beside the cell's folder keeps two runs from computing it at once. `manifest.json` comes last and holds the SHA-256 of every other
 * file; a cell without a manifest, or whose files do not match it, does not exist for a reader.
 */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOf } from '../base/hash.ts';
import { explainWriteError, writeAtomic } from '../base/node/atomic.ts';
import { sha256File } from '../base/node/hash.ts';
import { readParquet, writeParquet } from '../base/node/parquet.ts';
import type { Estimate } from '../metrics/types.ts';
import { LeasedFolders } from './lease.ts';
import { loadRankings, type Rankings, saveRankings } from './rankings.ts';
import type { Cost, Manifest } from './results.ts';

/** What a cell is told from others by: the manifest without what does not change the result. */
export type CellKey = Omit<Manifest, 'cell' | 'environment' | 'format' | 'request'>;

export interface FinishedCell {
  manifest: Manifest;
  metrics: Record<string, Estimate>;
  cost: Cost;
  chosen?: Record<string, unknown>;
  /** metric -> value of each query, in the order of `queryIds`. */
  perQuery: Record<string, Float64Array>;
  queryIds: string[];
  /** Mean recall at rank cuts. */
  recall: { k: number; recall: number }[];
}

interface StoredManifest extends Manifest {
  files: Record<string, string>;
}

export class CellStore extends LeasedFolders {
  /** Rankings used last: a fused system reads those of its two parts. */
  private readonly recent = new Map<string, Rankings>();

  constructor(home: string, study: string) {
    super(join(home, 'runs', study, 'cells'), 'cell');
  }

  /** The finished cell, or undefined where there is none or its files are damaged. */
  async load(cell: string): Promise<FinishedCell | undefined> {
    const folder = this.path(cell);
    const manifest = await readManifest(folder);
    if (manifest === undefined) return undefined;
    for (const [file, hash] of Object.entries(manifest.files)) {
      if ((await sha256File(join(folder, file)).catch(() => undefined)) !== hash) return undefined;
    }
    const { metrics, cost, chosen, recall } = JSON.parse(await readFile(join(folder, 'metrics.json'), 'utf8')) as Pick<
      FinishedCell,
      'cost' | 'chosen' | 'recall'
    > & { metrics: Record<string, StoredEstimate> };
    const { query, ...columns } = await readParquet(join(folder, 'per-query.parquet'));
    const perQuery = Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [
        name,
        Float64Array.from(values as (number | null)[], (v) => v ?? Number.NaN),
      ]),
    );
    const { files: _, ...rest } = manifest;
    return {
      manifest: rest,
      metrics: Object.fromEntries(Object.entries(metrics).map(([name, estimate]) => [name, revived(estimate)])),
      cost,
      ...(chosen ? { chosen } : {}),
      recall,
      perQuery,
      queryIds: query as string[],
    };
  }

  /** The rankings of a finished cell. */
  async rankings(cell: string): Promise<Rankings> {
    const rankings = this.recent.get(cell) ?? (await loadRankings(this.path(cell)));
    this.remember(cell, rankings);
    return rankings;
  }

  /** What a finished cell cost. */
  async cost(cell: string): Promise<Cost> {
    return (JSON.parse(await readFile(join(this.path(cell), 'metrics.json'), 'utf8')) as { cost: Cost }).cost;
  }

  private remember(cell: string, rankings: Rankings): void {
    this.recent.delete(cell);
    this.recent.set(cell, rankings);
    if (this.recent.size > 3) this.recent.delete(this.recent.keys().next().value!);
  }

  /** Writes a cell: data first, manifest last. */
  async save(cell: FinishedCell, rankings: Rankings): Promise<void> {
    const folder = this.path(cell.manifest.cell);
    const { metrics, cost, chosen, recall, perQuery, queryIds, manifest } = cell;
    try {
      await rm(join(folder, 'manifest.json'), { force: true });
      await mkdir(folder, { recursive: true });
      await writeAtomic(
        join(folder, 'metrics.json'),
        `${JSON.stringify({ metrics, cost, chosen, recall }, null, 2)}\n`,
      );
      await writeParquet(join(folder, 'per-query.parquet'), [
        { name: 'query', type: 'VARCHAR', values: queryIds },
        ...Object.entries(perQuery).map(([name, values]) => ({ name, type: 'DOUBLE' as const, values })),
      ]);
      await saveRankings(folder, rankings);
    } catch (error) {
      throw explainWriteError(error, folder);
    }
    const files: Record<string, string> = {};
    for (const file of ['metrics.json', 'per-query.parquet', 'rows.npy', 'scores.npy']) {
      files[file] = await sha256File(join(folder, file));
    }
    await writeAtomic(join(folder, 'manifest.json'), `${JSON.stringify({ ...manifest, files }, null, 2)}\n`);
    this.remember(manifest.cell, rankings);
  }
}

/** First 16 hex digits of the hash over the key. */
export async function cellHash(key: CellKey): Promise<string> {
  return (await hashOf(key)).slice(0, 16);
}

/** JSON has no NaN: the bounds of an interval that does not exist (one query) come back as null. */
type StoredEstimate = { [K in keyof Estimate]: number | null };

function revived({ value, lower, upper }: StoredEstimate): Estimate {
  return { value: value ?? Number.NaN, lower: lower ?? Number.NaN, upper: upper ?? Number.NaN };
}

/** The manifest of a finished cell; undefined where there is none, or one that is torn or of another format. */
async function readManifest(folder: string): Promise<StoredManifest | undefined> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as StoredManifest | null;
    return manifest?.format === 1 && typeof manifest.files === 'object' ? manifest : undefined;
  } catch {
    return undefined;
  }
}

export interface FoundCell {
  study: string;
  folder: string;
  manifest: Manifest;
}

/** Every finished cell under `home` whose hash begins with `prefix`. */
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
