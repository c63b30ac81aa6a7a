/**
 * `evaluate`: corpora x views x systems, one cell each, and everything the report shows of them.
 *
 * Cells run cheapest kind first (bm25, lsa, encoders, then fusions, which only combine finished rankings) and are kept by
 * content hash, so that a second call, or one after Ctrl-C, does only what is missing. All systems of a corpus answer the
 * same queries; a query whose text is empty under a view stays and scores 0.
 */
import { mkdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { explainWriteError, writeAtomic } from '../base/node/atomic.ts';
import { duration } from '../base/node/terminal.ts';
import { silent } from '../base/progress.ts';
import { assembleResults, type CorpusCells } from './assemble.ts';
import { type CellKey, CellStore, type FinishedCell } from './cell.ts';
import { cellHash } from './cell-folders.ts';
import { type CorpusUnderStudy, openForStudy } from './corpus-under-study.ts';
import { EncoderPool } from './dense.ts';
import { type CellToEstimate, estimateCells, type PlannedCell } from './estimate.ts';
import { type EvaluateOptions, settingsOf } from './evaluate-options.ts';
import { writeTrecRun } from './rankings.ts';
import { type CellResult, type EvaluationResults, systemName } from './results.ts';
import { type CellContext, keyOf, runCell } from './run-cell.ts';
import { parseSystems, parseViews, type SystemSpec, type ViewSpec, viewLabel } from './systems.ts';
import { checkViews } from './view-check.ts';

export interface Evaluation {
  results: EvaluationResults;
  /** Folder of the report and the runs. */
  folder: string;
  /** Cells computed now; the others were found finished. */
  computed: number;
}

/** What `--dry-run` tells. */
export interface EvaluationPlan {
  cells: PlannedCell[];
  seconds: number;
  bytes: number;
}

const kindOrder = { bm25: 0, lsa: 1, encoder: 2, fused: 3 } as const;

interface Job {
  study: CorpusUnderStudy;
  view: ViewSpec;
  system: SystemSpec;
}

/** Runs what is missing and gathers everything; the report is written by the caller (`report/`). */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  return withStudies(options, async ({ jobs, contextOf, settings, folder, warnings: ofViews }) => {
    const warnings = [...ofViews];
    const finished = new Map<CorpusUnderStudy, { view: ViewSpec; system: SystemSpec; cell: FinishedCell }[]>();
    let computed = 0;
    // A folder that is forbidden or a model that cannot be had is better told now than after hours.
    await makeFolder(folder);
    const cells: (Job & { key: CellKey })[] = [];
    for (const job of jobs) {
      settings.signal?.throwIfAborted();
      cells.push({ ...job, key: await keyOf(job.system, job.view, contextOf(job.study)) });
    }
    await sayEstimate(cells, contextOf);
    const started = performance.now();
    const late: string[] = [];
    for (const { study, view, system, key } of cells) {
      settings.signal?.throwIfAborted();
      const context = contextOf(study);
      const name = `${study.corpus.name} ${viewLabel(view)} ${systemName(labelOf(system))}`;
      const hash = await cellHash(key);
      let cell = await context.store.load(hash);
      if (cell === undefined) {
        if (settings.maxTime !== undefined && (performance.now() - started) / 1000 > settings.maxTime) {
          late.push(name);
          continue;
        }
        cell = await context.store.alone(
          hash,
          async () => {
            const meanwhile = await context.store.load(hash);
            if (meanwhile !== undefined) return meanwhile;
            computed++;
            return runCell(system, view, key, context);
          },
          settings,
        );
      }
      settings.onCell?.(lineOf(name, cell));
      const list = finished.get(study) ?? [];
      list.push({ view, system, cell });
      finished.set(study, list);
    }
    if (late.length > 0)
      warnings.push(`--max-time ended the run before: ${late.join('; ')}. The same command goes on from here.`);
    const corpora: CorpusCells[] = [];
    for (const [study, cells] of finished) {
      const rows: CorpusCells['cells'] = [];
      for (const { view, system, cell } of cells) {
        const result = resultOf(study, view, system, cell);
        const run = join('trec', `${fileName(`${result.corpus} ${result.view} ${systemName(result)}`)}.run.gz`);
        await writeTrecRun(join(folder, run), await contextOf(study).store.rankings(cell.manifest.cell), {
          queryIds: study.shared.ids,
          documentId: (row) => study.corpus.id(row),
          tag: systemName(result),
        });
        result.files = { run, perQuery: fromFolder(folder, contextOf(study).store.path(cell.manifest.cell)) };
        rows.push({ result, cell });
      }
      await writeQrels(join(folder, 'trec', `${fileName(study.corpus.name)}.qrels`), study);
      corpora.push({ study, store: contextOf(study).store, cells: rows });
    }
    return { results: await assembleResults(corpora, settings, warnings), folder, computed };
  });
}

/** Corpora below this are encoded sooner than it is foretold. */
const worthEstimating = 500;

/** Before encoders begin: how long they will take, and what they leave on disk. */
async function sayEstimate(
  cells: readonly (Job & { key: CellKey })[],
  contextOf: (study: CorpusUnderStudy) => CellContext,
): Promise<void> {
  const open: CellToEstimate[] = [];
  for (const { study, view, system, key } of cells) {
    const context = contextOf(study);
    if (system.kind !== 'encoder' || study.corpus.size < worthEstimating || context.settings.progress === silent)
      continue;
    const cell = await cellHash(key);
    if ((await context.store.load(cell)) === undefined) open.push({ study, view, system, context, cell, done: false });
  }
  for (const { corpus, view, system, seconds, bytes } of await estimateCells(open))
    open[0]!.context.settings.progress.say(
      `${corpus} ${view} ${system}: about ${duration(seconds)}, less what is stored already; ${(bytes / 1e6).toFixed(0)} MB on disk`,
    );
}

/** What `evaluate` would do, with times from a short measurement; computes no cell. */
export async function planEvaluation(options: EvaluateOptions): Promise<EvaluationPlan> {
  return withStudies(options, async ({ jobs, contextOf }) => {
    const cells = await estimateCells(
      await Promise.all(
        jobs.map(async ({ study, view, system }) => {
          const context = contextOf(study);
          const cell = await cellHash(await keyOf(system, view, context));
          const done = (await context.store.load(cell)) !== undefined;
          return { study, view, system, context, cell, done };
        }),
      ),
    );
    const open = cells.filter(({ done }) => !done);
    return {
      cells,
      seconds: open.reduce((sum, { seconds }) => sum + seconds, 0),
      bytes: open.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}

interface Studies {
  settings: ReturnType<typeof settingsOf>;
  jobs: Job[];
  contextOf(study: CorpusUnderStudy): CellContext;
  folder: string;
  /** What the report must say of views that some corpus has little text for. */
  warnings: string[];
}

async function withStudies<T>(options: EvaluateOptions, work: (studies: Studies) => Promise<T>): Promise<T> {
  const settings = settingsOf(options);
  const systems = parseSystems(settings.models, settings.fuse, settings.dtype);
  const views = parseViews(settings.views, settings.maskCitations);
  const encoders = new EncoderPool(settings);
  const store = new CellStore(settings.home, settings.study);
  const studies: CorpusUnderStudy[] = [];
  try {
    for (const name of settings.corpora) {
      studies.push(
        await openForStudy(settings.home, name, { ...settings.relevance, seed: settings.seed }, settings.split),
      );
    }
    const warnings = studies.flatMap(({ corpus }) => checkViews(corpus, views));
    const jobs = studies
      .flatMap((study) => views.flatMap((view) => systems.map((system) => ({ study, view, system }))))
      .sort((a, b) => kindOrder[a.system.kind] - kindOrder[b.system.kind]);
    return await work({
      settings,
      jobs,
      contextOf: (study) => ({ settings, study, store, encoders }),
      warnings,
      folder: settings.out ?? join(settings.home, 'runs', settings.study),
    });
  } finally {
    await encoders.close();
    for (const { corpus } of studies) await corpus.close();
  }
}

/** What the runs were judged by, for `score` and other tools. */
async function writeQrels(path: string, { corpus, relevance }: CorpusUnderStudy): Promise<void> {
  const lines = relevance.queries.flatMap(({ id }, query) => {
    const { rows, gains } = relevance.judged[query]!;
    return Array.from(rows, (row, i) => `${id} 0 ${corpus.id(row)} ${gains[i]}\n`);
  });
  await writeAtomic(path, lines.join(''));
}

function resultOf(
  { corpus, relevance }: CorpusUnderStudy,
  view: ViewSpec,
  system: SystemSpec,
  cell: FinishedCell,
): CellResult {
  return {
    corpus: corpus.name,
    task: 'retrieval',
    ...labelOf(system),
    view: viewLabel(view),
    queries: relevance.queries.length,
    documents: corpus.size,
    metrics: cell.metrics,
    cost: cell.cost,
    manifest: cell.manifest,
    files: {},
    ...(cell.chosen ? { chosen: cell.chosen } : {}),
  };
}

function labelOf(system: SystemSpec): { model: string; fuse?: string } {
  return system.kind === 'fused' ? { model: system.label, fuse: system.method } : { model: system.label };
}

function lineOf(name: string, { metrics, cost }: FinishedCell): string {
  const { value, lower, upper } = metrics['ndcg@10']!;
  const interval = Number.isNaN(lower) ? '' : ` [${lower.toFixed(4)}, ${upper.toFixed(4)}]`;
  return `${name}: nDCG@10 ${value.toFixed(4)}${interval}, ${cost.seconds.toFixed(1)} s`;
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw explainWriteError(error, folder);
  });
}

/** Path of a cell's per-query values, as written in a report in `folder`. */
function fromFolder(folder: string, cell: string): string {
  return relative(folder, join(cell, 'per-query.parquet')).split(sep).join('/');
}

function fileName(text: string): string {
  return text.replaceAll(/[^\w.+-]+/g, '_');
}
