/** Runs a cell's manifest again, from nothing, and says what differs: inputs, versions, values, rankings. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inputError } from '../base/errors.ts';
import type { LabelSets } from '../metrics/label-sets.ts';
import type { Estimate } from '../metrics/types.ts';
import { CellStore } from './cell.ts';
import { type FoundCell, findCells } from './cell-folders.ts';
import { ClassificationStore } from './classification/cell.ts';
import { ClusteringStore } from './clustering/cell.ts';
import { evaluate } from './evaluate.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import type { EvaluationResults, Manifest, Task, TaskManifest } from './results.ts';

interface RepeatOutcome {
  cell: string;
  /** Fields of the manifest that are not what they were, with both values. */
  changed: { field: string; before: unknown; after: unknown }[];
  metrics: Record<string, { before: number; after: number; difference: number }>;
  task: Task;
  /** Rankings of queries (classification: predictions for documents, by every rule of thresholds; clustering: clusters of documents) that are not the same. */
  rankingsDiffer: number;
  queries: number;
  /** True where every value is equal to the last bit. */
  identical: boolean;
}

/** A finished cell as repeating looks at it: what was measured, and the answer to each query (for each document). */
interface Answers {
  metrics: Record<string, Estimate>;
  answers: ArrayLike<number>[];
}

/** How the cells of each task are read. */
const readers: Partial<Record<Task, (home: string, study: string, cell: string) => Promise<Answers | undefined>>> = {
  async retrieval(home, study, cell) {
    const store = new CellStore(home, study);
    const metrics = (await store.load(cell))?.metrics;
    return metrics && { metrics, answers: (await store.rankings(cell)).map(({ rows }) => rows) };
  },
  async classification(home, study, cell) {
    const found = await new ClassificationStore(home, study).load(cell);
    return found && { metrics: found.measures.metrics, answers: Object.values(found.decided).flatMap(answersOf) };
  },
  async clustering(home, study, cell) {
    const found = await new ClusteringStore(home, study).load(cell);
    if (found === undefined) return undefined;
    const { metrics, bootstraps, map } = found.measures;
    const alone = (value: number): Estimate => ({ value, lower: Number.NaN, upper: Number.NaN });
    return {
      metrics: {
        ...metrics,
        'bootstrapped v-measure': alone(bootstraps.mean),
        ...(map === undefined ? {} : { trustworthiness: alone(map.trustworthiness) }),
      },
      answers: found.documentIds.map((_, document) => found.assigned.map((clusters) => clusters[document]!)),
    };
  },
};

function answersOf(sets: LabelSets | undefined): Int32Array[] {
  if (sets === undefined) return [];
  const { offsets, codes } = sets;
  return Array.from({ length: offsets.length - 1 }, (_, row) => codes.subarray(offsets[row]!, offsets[row + 1]!));
}

type RepeatOptions = Pick<
  EvaluateOptions,
  'platform' | 'home' | 'threads' | 'offline' | 'progress' | 'signal' | 'packageVersion'
>;

/** `prefix`: the beginning of a cell's hash, long enough to name one. Default `threads`: those of the first time. */
export async function repeatCell(prefix: string, options: RepeatOptions): Promise<RepeatOutcome> {
  const found = await findOne(prefix, options.home);
  const { manifest } = found;
  const read = readerOf(manifest);
  const before = await read(options.home, found.study, manifest.cell);
  if (before === undefined) {
    throw inputError('the files of this cell are damaged, so there is nothing to compare with', {
      code: 'repeat.damaged',
      file: found.folder,
      hint: 'run the evaluation again: it computes the cell anew',
    });
  }
  const study = `repeat-${manifest.cell}`;
  const folder = join(options.home, 'runs', study);
  await rm(folder, { recursive: true, force: true });
  try {
    const { results } = await evaluate({
      // The same device gives the same bits, on whatever number of threads; as many as then make seconds comparable.
      device: manifest.device,
      threads: manifest.environment.threads,
      ...options,
      ...manifest.request,
      study,
      out: folder,
      vectors: join(folder, 'vectors'),
    });
    const again = sameCell(manifest, results);
    const after = (await read(options.home, study, again.cell))!;
    const rankingsDiffer = before.answers.filter((answer, i) => !equal(answer, after.answers[i] ?? [])).length;
    const metrics = Object.fromEntries(
      Object.entries(before.metrics).map(([metric, { value }]) => {
        const repeated = after.metrics[metric]?.value ?? Number.NaN;
        return [metric, { before: value, after: repeated, difference: repeated - value }];
      }),
    );
    const changed = differences(manifest, again);
    const identical = rankingsDiffer === 0 && Object.values(metrics).every(({ difference }) => difference === 0);
    const { cell, task } = manifest;
    return { cell, task, changed, metrics, rankingsDiffer, queries: before.answers.length, identical };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readerOf({ task, cell }: TaskManifest) {
  const reader = readers[task];
  if (reader !== undefined) return reader;
  throw inputError(`a cell of ${task} cannot be repeated yet`, {
    code: 'repeat.task',
    field: 'CELL',
    expected: `a cell of ${Object.keys(readers).join(' or ')}`,
    found: cell,
  });
}

/** The manifest of the same system's cell; beside a fused one stand its parts. */
function sameCell(manifest: TaskManifest, results: EvaluationResults): TaskManifest {
  const { fuse } = manifest as Partial<Manifest>;
  if (manifest.task === 'classification') return results.classification!.cells[0]!.manifest;
  if (manifest.task === 'clustering') return results.clustering!.cells[0]!.manifest;
  return results.cells.find(({ model, fuse: other }) => model === manifest.model && other === fuse)!.manifest;
}

async function findOne(prefix: string, home: string): Promise<FoundCell> {
  const cells = await findCells(home, prefix);
  const distinct = [...new Map(cells.map((cell) => [cell.manifest.cell, cell])).values()];
  if (distinct.length === 1) return distinct[0]!;
  throw inputError(distinct.length === 0 ? 'there is no such cell' : 'more than one cell begins so', {
    code: 'repeat.cell',
    field: 'CELL',
    expected: 'the hash of one cell, as the report shows it',
    found: distinct.length === 0 ? prefix : distinct.map(({ manifest }) => manifest.cell).join(', '),
    hint: 'copy the line `patentlab repeat ...` from the report, and use the same --home',
  });
}

/** Fields of the manifests that differ, except those that name the run itself. */
function differences(before: TaskManifest, after: TaskManifest): RepeatOutcome['changed'] {
  const changed: RepeatOutcome['changed'] = [];
  const visit = (field: string, a: unknown, b: unknown) => {
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    if (isObject(a) && isObject(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
        visit(field ? `${field}.${key}` : key, a[key], b[key]);
    } else changed.push({ field, before: a, after: b });
  };
  visit('', before, after);
  return changed.filter(({ field }) => field !== 'environment.started');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equal(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((value, i) => value === b[i]);
}
