/** Retrieval cells on disk: metrics, values of each query (Parquet), rankings (two arrays); `cell-folders.ts` keeps them whole. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../base/node/atomic.ts';
import { readParquet, writeParquet } from '../base/node/parquet.ts';
import type { Estimate } from '../metrics/types.ts';
import { CellFolders, type KeyOf, revivedEstimates, type StoredEstimate } from './cell-folders.ts';
import { loadRankings, type Rankings, rankingFiles } from './rankings.ts';
import type { Cost, Manifest } from './results.ts';

export type CellKey = KeyOf<Manifest>;

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

export class CellStore extends CellFolders<Manifest> {
  /** Rankings used last: a fused system reads those of its two parts. */
  private readonly recent = new Map<string, Rankings>();

  constructor(home: string, study: string) {
    super(home, study, 'retrieval');
  }

  /** The finished cell, or undefined where there is none or its files are damaged. */
  async load(cell: string): Promise<FinishedCell | undefined> {
    const manifest = await this.whole(cell);
    if (manifest === undefined) return undefined;
    const folder = this.path(cell);
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
    return {
      manifest,
      metrics: revivedEstimates(metrics),
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

  async save(cell: FinishedCell, rankings: Rankings): Promise<void> {
    const { metrics, cost, chosen, recall, perQuery, queryIds, manifest } = cell;
    await this.seal(manifest, {
      'metrics.json': (path) => writeAtomic(path, `${JSON.stringify({ metrics, cost, chosen, recall }, null, 2)}\n`),
      'per-query.parquet': (path) =>
        writeParquet(path, [
          { name: 'query', type: 'VARCHAR', values: queryIds },
          ...Object.entries(perQuery).map(([name, values]) => ({ name, type: 'DOUBLE' as const, values })),
        ]),
      ...rankingFiles(rankings),
    });
    this.remember(manifest.cell, rankings);
  }
}
