/**
 * `evaluate`: corpora x views x systems, one cell each, and everything the report shows of them.
 *
 * Cells run cheapest kind first (bm25, lsa, encoders, then fusions, which only combine finished rankings, and what is reranked
 * from any of them) and are kept by content hash, so that a second call, or one after Ctrl-C, does only what is missing. All
 * systems of a corpus answer the same queries; a query whose text is empty under a view stays and scores 0.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { explainWriteError, writeAtomic } from '../base/node/atomic.ts';
import { duration } from '../base/node/terminal.ts';
import { silent } from '../base/progress.ts';
import { assembleResults, type CorpusCells, withoutRetrieval } from './assemble.ts';
import { type CellKey, CellStore, type FinishedCell } from './cell.ts';
import { cellHash, reportPath } from './cell-folders.ts';
import { CellRun, estimateText } from './cell-run.ts';
import { evaluateClassification, planClassification } from './classification/evaluate.ts';
import { evaluateClustering, planClustering } from './clustering/evaluate.ts';
import { type CorpusUnderStudy, openForStudy } from './corpus-under-study.ts';
import { EncoderPool } from './dense.ts';
import { type CellToEstimate, estimateCells, type PlannedCell, worthEstimating } from './estimate.ts';
import { type EvaluateOptions, settingsOf } from './evaluate-options.ts';
import { writeTrecRun } from './rankings.ts';
import { nameOf, type RetrievalSystem, rerankedSystems } from './reranked.ts';
import { type CellResult, type EvaluationResults, systemName } from './results.ts';
import { type CellContext, keyOf, runCell } from './run-cell.ts';
import { parseSystems, parseViews, type ViewSpec, viewLabel } from './systems.ts';
import { openForTasks, type TaskContext, type TaskCorpus } from './tasks.ts';
import { expandSystems, hasVariants } from './variants.ts';
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

const kindOrder = { bm25: 0, lsa: 1, encoder: 2, fused: 3, reranked: 4 } as const;

interface Job {
  study: CorpusUnderStudy;
  view: ViewSpec;
  system: RetrievalSystem;
}

/** Runs what is missing and gathers everything; the report is written by the caller (`report/`). */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  return withStudies(options, async (studies) => {
    const { settings, folder, run } = studies.tasks;
    // A folder that is forbidden is told at once.
    await makeFolder(folder);
    const results = settings.tasks.includes('retrieval')
      ? await evaluateRetrieval(studies)
      : await withoutRetrieval(studies.tasks, studies.warnings);
    if (settings.tasks.includes('classification')) results.classification = await evaluateClassification(studies.tasks);
    if (settings.tasks.includes('clustering')) results.clustering = await evaluateClustering(studies.tasks);
    const statements = [results.relevanceStatement, results.classification?.statement, results.clustering?.statement];
    results.relevanceStatement = statements.filter(Boolean).join(' ');
    results.warnings.push(...run.warnings);
    return { results, folder, computed: run.computed };
  });
}

async function evaluateRetrieval({ jobs, contextOf, tasks, warnings }: Studies): Promise<EvaluationResults> {
  const { settings, folder, run } = tasks;
  const finished = new Map<CorpusUnderStudy, { view: ViewSpec; system: RetrievalSystem; cell: FinishedCell }[]>();
  // A model that cannot be had is better told now than after hours.
  const cells: (Job & { key: CellKey })[] = [];
  for (const job of jobs) {
    settings.signal?.throwIfAborted();
    cells.push({ ...job, key: await keyOf(job.system, job.view, contextOf(job.study)) });
  }
  await sayEstimate(cells, contextOf);
  for (const { study, view, system, key } of cells) {
    const context = contextOf(study);
    const name = `${study.corpus.name} ${viewLabel(view)} ${systemName(labelOf(system))}`;
    const compute = () => runCell(system, view, key, context);
    const cell = await run.cell(context.store, await cellHash(key), name, compute, lineOf);
    if (cell === undefined) continue;
    const list = finished.get(study) ?? [];
    list.push({ view, system, cell });
    finished.set(study, list);
  }
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
      result.files = {
        run,
        perQuery: reportPath(folder, contextOf(study).store.path(cell.manifest.cell), 'per-query.parquet'),
      };
      rows.push({ result, cell });
    }
    await writeQrels(join(folder, 'trec', `${fileName(study.corpus.name)}.qrels`), study);
    corpora.push({ study, store: contextOf(study).store, cells: rows });
  }
  return assembleResults(corpora, settings, warnings);
}

/** Before encoders and cross-encoders begin: how long they will take, and what they leave on disk. */
async function sayEstimate(
  cells: readonly (Job & { key: CellKey })[],
  contextOf: (study: CorpusUnderStudy) => CellContext,
): Promise<void> {
  const open: CellToEstimate[] = [];
  for (const { study, view, system, key } of cells) {
    const context = contextOf(study);
    if (
      (system.kind !== 'encoder' && system.kind !== 'reranked') ||
      study.corpus.size < worthEstimating ||
      context.settings.progress === silent
    )
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
  return withStudies(options, async ({ jobs, contextOf, tasks }) => {
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
    if (tasks.settings.tasks.includes('classification')) cells.push(...(await planClassification(tasks)));
    if (tasks.settings.tasks.includes('clustering')) cells.push(...(await planClustering(tasks)));
    const open = cells.filter(({ done }) => !done);
    return {
      cells,
      seconds: open.reduce((sum, { seconds }) => sum + seconds, 0),
      bytes: open.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}

interface Studies {
  /** Of retrieval; none where it is not asked for. */
  jobs: Job[];
  contextOf(study: CorpusUnderStudy): CellContext;
  tasks: TaskContext;
  /** What the report must say of views that some corpus has little text for. */
  warnings: string[];
}

async function withStudies<T>(options: EvaluateOptions, work: (studies: Studies) => Promise<T>): Promise<T> {
  const settings = settingsOf(options);
  const parsed = parseSystems(settings.models, settings.fuse, settings.dtype);
  const views = parseViews(settings.views, settings.maskCitations);
  const encoders = new EncoderPool(settings);
  const store = new CellStore(settings.home, settings.study);
  const studies: CorpusUnderStudy[] = [];
  const corpora: TaskCorpus[] = [];
  try {
    for (const name of settings.corpora) {
      if (settings.tasks.includes('retrieval')) {
        const relevance = { ...settings.relevance, seed: settings.seed };
        studies.push(await openForStudy(settings.home, name, relevance, settings.split));
        corpora.push(studies.at(-1)!);
      } else corpora.push(await openForTasks(settings.home, name));
    }
    const { systems, warnings } = hasVariants(settings)
      ? await expandSystems(parsed, settings, (system) => encoders.limitsOf(system))
      : { systems: parsed, warnings: [] };
    warnings.push(...corpora.flatMap(({ corpus }) => checkViews(corpus, views)));
    const searched = [...systems, ...rerankedSystems(systems, settings)];
    const jobs = studies
      .flatMap((study) => views.flatMap((view) => searched.map((system) => ({ study, view, system }))))
      .sort((a, b) => kindOrder[a.system.kind] - kindOrder[b.system.kind]);
    const folder = settings.out ?? join(settings.home, 'runs', settings.study);
    return await work({
      jobs,
      contextOf: (study) => ({ settings, study, store, encoders }),
      tasks: { settings, corpora, views, systems, encoders, folder, run: new CellRun(settings) },
      warnings,
    });
  } finally {
    await encoders.close();
    for (const { corpus } of corpora) await corpus.close();
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
  { corpus, relevance, split }: CorpusUnderStudy,
  view: ViewSpec,
  system: RetrievalSystem,
  cell: FinishedCell,
): CellResult {
  return {
    corpus: corpus.name,
    task: 'retrieval',
    ...labelOf(system),
    ...widthOf(system),
    view: viewLabel(view),
    queries: relevance.queries.length,
    // With a split its test part alone may be found.
    documents: split?.summary.patents.test ?? corpus.size,
    metrics: cell.metrics,
    cost: cell.cost,
    manifest: cell.manifest,
    files: {},
    ...(cell.chosen ? { chosen: cell.chosen } : {}),
  };
}

function labelOf(system: RetrievalSystem): Pick<CellResult, 'model' | 'fuse' | 'rerank'> {
  if (system.kind === 'fused') return { model: system.label, fuse: system.method };
  if (system.kind !== 'reranked') return { model: system.label };
  const { base, reranker, depth, label } = system;
  return { model: label, rerank: { base: nameOf(base), model: reranker.label, depth } };
}

function widthOf(system: RetrievalSystem): Pick<CellResult, 'width'> {
  const dense = system.kind === 'fused' ? system.dense : system;
  if (dense.kind === 'bm25' || dense.kind === 'reranked' || dense.widths === undefined) return {};
  const { of, full } = dense.widths;
  return {
    width: { of: system.kind === 'fused' ? `bm25+${of}` : of, dimensions: dense.dimensions ?? full, full },
  };
}

function lineOf({ metrics, cost }: FinishedCell): string {
  return `nDCG@10 ${estimateText(metrics['ndcg@10']!)}, ${cost.seconds.toFixed(1)} s`;
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw explainWriteError(error, folder);
  });
}

function fileName(text: string): string {
  return text.replaceAll(/[^\w.+-]+/g, '_');
}
