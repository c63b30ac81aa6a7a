/** Runs a cell's manifest again, from nothing, and says what differs: inputs, versions, values, rankings. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inputError } from '../base/errors.ts';
import { CellStore } from './cell.ts';
import { type FoundCell, findCells } from './cell-folders.ts';
import { evaluate } from './evaluate.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import type { Manifest } from './results.ts';

interface RepeatOutcome {
  cell: string;
  /** Fields of the manifest that are not what they were, with both values. */
  changed: { field: string; before: unknown; after: unknown }[];
  metrics: Record<string, { before: number; after: number; difference: number }>;
  /** Queries whose ranking is not the same list of documents. */
  rankingsDiffer: number;
  queries: number;
  /** True where every value is equal to the last bit. */
  identical: boolean;
}

type RepeatOptions = Pick<
  EvaluateOptions,
  'platform' | 'home' | 'threads' | 'offline' | 'progress' | 'signal' | 'packageVersion'
>;

/** `prefix`: the beginning of a cell's hash, long enough to name one. Default `threads`: those of the first time. */
export async function repeatCell(prefix: string, options: RepeatOptions): Promise<RepeatOutcome> {
  const found = await findOne(prefix, options.home);
  const manifest = retrievalManifest(found);
  const before = await new CellStore(options.home, found.study).load(manifest.cell);
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
    const name = manifest.fuse;
    const again = results.cells.find((cell) => cell.model === manifest.model && cell.fuse === name)!;
    const store = new CellStore(options.home, study);
    const after = (await store.load(again.manifest.cell))!;
    const [old, fresh] = [
      await new CellStore(options.home, found.study).rankings(manifest.cell),
      await store.rankings(again.manifest.cell),
    ];
    const rankingsDiffer = old.filter(({ rows }, query) => !equal(rows, fresh[query]?.rows ?? new Int32Array())).length;
    const metrics = Object.fromEntries(
      Object.entries(before.metrics).map(([metric, { value }]) => {
        const repeated = after.metrics[metric]?.value ?? Number.NaN;
        return [metric, { before: value, after: repeated, difference: repeated - value }];
      }),
    );
    const changed = differences(manifest, after.manifest);
    const identical = rankingsDiffer === 0 && Object.values(metrics).every(({ difference }) => difference === 0);
    return { cell: manifest.cell, changed, metrics, rankingsDiffer, queries: before.queryIds.length, identical };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function retrievalManifest({ manifest }: FoundCell): Manifest {
  if (manifest.task === 'retrieval') return manifest as Manifest;
  throw inputError(`a cell of ${manifest.task} cannot be repeated yet`, {
    code: 'repeat.task',
    field: 'CELL',
    expected: 'a cell of retrieval',
    found: manifest.cell,
  });
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
function differences(before: Manifest, after: Manifest): RepeatOutcome['changed'] {
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

function equal(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
