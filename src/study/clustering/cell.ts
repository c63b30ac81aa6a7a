/**
 * Clustering cells on disk: what was measured (JSON); the cluster of every document with each seed (Parquet); the map
 * (Parquet); values of the compared metrics on resamples (Parquet), so that comparisons need nothing anew.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../base/node/atomic.ts';
import { readParquet, writeParquet } from '../../base/node/parquet.ts';
import type { ReplicatedValue } from '../../metrics/replicates.ts';
import { CellFolders, type KeyOf, revivedEstimates, type StoredEstimate } from '../cell-folders.ts';
import type { ClusteringCell, ClusteringManifest } from './results.ts';

export type ClusteringKey = KeyOf<ClusteringManifest>;

/** What is measured, as the report has it. */
type Measures = Omit<ClusteringCell, 'corpus' | 'task' | 'model' | 'view' | 'manifest' | 'files'>;

export interface FinishedClustering {
  manifest: ClusteringManifest;
  measures: Measures;
  documentIds: string[];
  /** Label of each document, by name. */
  truth: string[];
  /** A seed: the cluster of each document. */
  assigned: Int32Array[];
  /** Compared metric -> one value with its resamples a seed. */
  replicates: Record<string, ReplicatedValue[]>;
  /** Documents on the map, as places in `documentIds`, and where they lie: [places, 2]. */
  map?: { places: Int32Array; points: Float32Array };
}

const files = {
  measures: 'metrics.json',
  assignments: 'assignments.parquet',
  replicates: 'replicates.parquet',
  jackknife: 'jackknife.parquet',
  map: 'map.parquet',
} as const;
export const { assignments: assignmentsFile, map: mapFile } = files;

interface Stored {
  measures: Omit<Measures, 'metrics'> & { metrics: Record<string, StoredEstimate> };
  /** Without resamples. */
  replicated: Record<string, Pick<ReplicatedValue, 'value' | 'clusters' | 'documents'>[]>;
}

export class ClusteringStore extends CellFolders<ClusteringManifest> {
  constructor(home: string, study: string) {
    super(home, study, 'clustering');
  }

  /** The finished cell, or undefined where there is none or its files are damaged. */
  async load(cell: string): Promise<FinishedClustering | undefined> {
    const manifest = await this.whole(cell);
    if (manifest === undefined) return undefined;
    const folder = this.path(cell);
    const { measures, replicated } = JSON.parse(await readFile(join(folder, files.measures), 'utf8')) as Stored;
    const rows = await readParquet(join(folder, files.assignments));
    const replicates = await readParquet(join(folder, files.replicates));
    const jackknife = await readParquet(join(folder, files.jackknife));
    const map = measures.map === undefined ? undefined : await readParquet(join(folder, files.map));
    const numbers = (columns: typeof rows, name: string) => (columns[name] ?? []) as number[];
    return {
      manifest,
      measures: { ...measures, metrics: revivedEstimates(measures.metrics) },
      documentIds: rows.document as string[],
      truth: rows.label as string[],
      assigned: measures.runs.map(({ seed }) => Int32Array.from(numbers(rows, `seed ${seed}`))),
      replicates: Object.fromEntries(
        Object.entries(replicated).map(([metric, seeds]) => [
          metric,
          seeds.map((value, i): ReplicatedValue => {
            const left = numbers(jackknife, column(metric, i));
            return {
              ...value,
              replicates: Float64Array.from(numbers(replicates, column(metric, i))),
              ...(left.length === 0 ? {} : { jackknife: Float64Array.from(left) }),
            };
          }),
        ]),
      ),
      ...(map === undefined
        ? {}
        : {
            map: {
              places: Int32Array.from(numbers(map, 'place')),
              points: Float32Array.from(numbers(map, 'x').flatMap((x, i) => [x, numbers(map, 'y')[i]!])),
            },
          }),
    };
  }

  async save(cell: FinishedClustering): Promise<void> {
    const { manifest, measures, documentIds, truth, assigned, replicates, map } = cell;
    const compared = Object.entries(replicates);
    const replicated = Object.fromEntries(
      compared.map(([metric, seeds]) => [
        metric,
        seeds.map(({ value, clusters, documents }) => ({ value, clusters, documents })),
      ]),
    );
    const columns = (pick: (value: ReplicatedValue) => ArrayLike<number>) =>
      compared.flatMap(([metric, seeds]) =>
        seeds.map((value, i) => ({ name: column(metric, i), type: 'DOUBLE' as const, values: pick(value) })),
      );
    await this.seal(manifest, {
      [files.measures]: (path) => writeAtomic(path, `${JSON.stringify({ measures, replicated }, null, 1)}\n`),
      [files.assignments]: (path) =>
        writeParquet(path, [
          { name: 'document', type: 'VARCHAR', values: documentIds },
          { name: 'label', type: 'VARCHAR', values: truth },
          ...measures.runs.map(({ seed }, i) => ({
            name: `seed ${seed}`,
            type: 'INTEGER' as const,
            values: assigned[i]!,
          })),
        ]),
      [files.replicates]: (path) =>
        writeParquet(
          path,
          columns(({ replicates: values }) => values),
        ),
      [files.jackknife]: (path) =>
        writeParquet(
          path,
          columns(({ jackknife = [] }) => jackknife),
        ),
      ...(map === undefined
        ? {}
        : {
            [files.map]: (path: string) =>
              writeParquet(path, [
                {
                  name: 'document',
                  type: 'VARCHAR',
                  values: Array.from(map.places, (place) => documentIds[place]!),
                },
                { name: 'place', type: 'INTEGER', values: map.places },
                { name: 'x', type: 'DOUBLE', values: map.points.filter((_, i) => i % 2 === 0) },
                { name: 'y', type: 'DOUBLE', values: map.points.filter((_, i) => i % 2 === 1) },
              ]),
          }),
    });
  }
}

function column(metric: string, seed: number): string {
  return `${metric} ${seed}`;
}
