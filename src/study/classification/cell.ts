/**
 * Classification cells on disk: what was measured (JSON); the labels of every test document, true and predicted, as numbers
 * into `names` (Parquet); values of the compared metrics on resamples (Parquet), so that comparisons need nothing anew.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../base/node/atomic.ts';
import { readParquet, writeParquet } from '../../base/node/parquet.ts';
import { type LabelSets, labelSets } from '../../metrics/label-sets.ts';
import type { ReplicatedValue } from '../../metrics/replicates.ts';
import { CellFolders, type KeyOf, revivedEstimates, type StoredEstimate } from '../cell-folders.ts';
import type { Decided } from './measure.ts';
import type { ClassificationCell, ClassificationManifest, LevelScore } from './results.ts';

export type ClassificationKey = KeyOf<ClassificationManifest>;

/** What is measured, as the report has it. */
type Measures = Pick<
  ClassificationCell,
  | 'documents'
  | 'trained'
  | 'labels'
  | 'metrics'
  | 'cost'
  | 'perLabel'
  | 'levels'
  | 'reliability'
  | 'convergence'
  | 'sharedThresholds'
>;

export interface FinishedClassification {
  manifest: ClassificationManifest;
  measures: Measures;
  names: readonly string[];
  documentIds: string[];
  truth: LabelSets;
  decided: Decided;
  /** Compared metric -> value on resamples. */
  replicates: Record<string, ReplicatedValue>;
}

const files = {
  measures: 'metrics.json',
  predictions: 'predictions.parquet',
  replicates: 'replicates.parquet',
  jackknife: 'jackknife.parquet',
} as const;
export const predictionsFile = files.predictions;

interface Stored {
  measures: Omit<Measures, 'metrics' | 'levels'> & {
    metrics: Record<string, StoredEstimate>;
    levels: (Omit<LevelScore, 'microF1' | 'macroF1'> & Record<'microF1' | 'macroF1', StoredEstimate>)[];
  };
  names: string[];
  replicated: Record<string, Pick<ReplicatedValue, 'value' | 'clusters' | 'documents'>>;
}

export class ClassificationStore extends CellFolders<ClassificationManifest> {
  constructor(home: string, study: string) {
    super(home, study, 'classification');
  }

  /** The finished cell, or undefined where there is none or its files are damaged. */
  async load(cell: string): Promise<FinishedClassification | undefined> {
    const manifest = await this.whole(cell);
    if (manifest === undefined) return undefined;
    const folder = this.path(cell);
    const { measures, names, replicated } = JSON.parse(await readFile(join(folder, files.measures), 'utf8')) as Stored;
    const rows = await readParquet(join(folder, files.predictions));
    const [replicates, jackknife] = [
      await readParquet(join(folder, files.replicates)),
      await readParquet(join(folder, files.jackknife)),
    ];
    return {
      manifest,
      measures: {
        ...measures,
        metrics: revivedEstimates(measures.metrics),
        levels: measures.levels.map(({ microF1, macroF1, ...level }) => {
          const both = revivedEstimates({ microF1, macroF1 });
          return { ...level, microF1: both.microF1!, macroF1: both.macroF1! };
        }),
      },
      names,
      documentIds: rows.document as string[],
      truth: readSets(rows.truth),
      decided: {
        fixed: readSets(rows.fixed),
        ...(rows.shared === undefined ? {} : { shared: readSets(rows.shared) }),
        ...(rows.tuned === undefined ? {} : { tuned: readSets(rows.tuned) }),
      },
      replicates: Object.fromEntries(
        Object.entries(replicated).map(([metric, value]): [string, ReplicatedValue] => [
          metric,
          {
            ...value,
            replicates: Float64Array.from((replicates[metric] ?? []) as number[]),
            ...(jackknife[metric] === undefined ? {} : { jackknife: Float64Array.from(jackknife[metric] as number[]) }),
          },
        ]),
      ),
    };
  }

  async save(cell: FinishedClassification): Promise<void> {
    const { manifest, measures, names, documentIds, truth, decided, replicates } = cell;
    const compared = Object.entries(replicates);
    const replicated = Object.fromEntries(
      compared.map(([metric, { value, clusters, documents }]) => [metric, { value, clusters, documents }]),
    );
    const sets = { truth, ...decided };
    await this.seal(manifest, {
      [files.measures]: (path) => writeAtomic(path, `${JSON.stringify({ measures, names, replicated }, null, 1)}\n`),
      [files.predictions]: (path) =>
        writeParquet(path, [
          { name: 'document', type: 'VARCHAR', values: documentIds },
          ...Object.entries(sets).map(([name, own]) => ({ name, type: 'VARCHAR' as const, values: written(own) })),
        ]),
      [files.replicates]: (path) =>
        writeParquet(
          path,
          compared.map(([name, value]) => ({ name, type: 'DOUBLE' as const, values: value.replicates })),
        ),
      [files.jackknife]: (path) =>
        writeParquet(
          path,
          compared.map(([name, { jackknife = [] }]) => ({ name, type: 'DOUBLE' as const, values: jackknife })),
        ),
    });
  }
}

/** `3 17`: the label numbers of each document. */
function written({ offsets, codes }: LabelSets): string[] {
  return Array.from({ length: offsets.length - 1 }, (_, row) =>
    codes.subarray(offsets[row]!, offsets[row + 1]!).join(' '),
  );
}

function readSets(column: unknown[] | undefined): LabelSets {
  return labelSets((column as string[]).map((text) => (text === '' ? [] : text.split(' ').map(Number))));
}
