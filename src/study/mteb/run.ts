/** Runs MTEB's patent tasks with one model: finds the data, checks its counts, encodes, scores, writes the result. */
import { join } from 'node:path';
import { packageVersion } from '../../base/node/version.ts';
import type { Platform } from '../../base/platform.ts';
import { type Progress, silent } from '../../base/progress.ts';
import { openEngine } from '../../engine/index.ts';
import { openMatrixProduct } from '../../retrieve/matrix-product.ts';
import { stopwatch } from '../clock.ts';
import { evaluateClassification, loadClassification } from './classification.ts';
import { evaluateBootstraps, evaluateSets } from './clustering.ts';
import { type EncoderOptions, type MtebEncoder, openMtebEncoder } from './encoder.ts';
import { modelName, type TaskScores, taskResult, writeResult } from './result-file.ts';
import { evaluateRetrieval, loadRetrieval } from './retrieval.ts';
import { type DataOptions, locateData, type TaskData } from './tables.ts';
import type { MtebTask, MtebTasks } from './tasks.ts';

export interface MtebRunOptions extends EncoderOptions, Pick<DataOptions, 'data' | 'env'> {
  tasks: readonly MtebTask[];
  /** Where `results/` is written; default `<home>/runs/mteb`. */
  out?: string | undefined;
  /** Told of each task as it is done. */
  onTask?: (outcome: MtebOutcome) => void;
}

export interface MtebOutcome {
  task: string;
  type: MtebTask['type'];
  mainScore: string;
  value: number;
  scores: TaskScores;
  /** The result in MTEB's format. */
  file: string;
  seconds: number;
  /** Counts of what was read, and those of the definition where it has them. */
  counts: { what: string; found: number; expected?: number }[];
  inferred?: string;
}

/** The outcomes, in the order of the tasks. All tasks' data is found before the first is computed. */
export async function runMteb(
  platform: Platform,
  known: MtebTasks,
  options: MtebRunOptions,
): Promise<{ model: string; revision: string; outcomes: MtebOutcome[] }> {
  const { tasks, home, progress = silent, signal, threads, out = join(home, 'runs', 'mteb'), onTask } = options;
  const located: { task: MtebTask; data: TaskData }[] = [];
  for (const task of tasks) {
    const data = await locateData(task, known.datasetOf(task), { ...options, progress });
    located.push({ task, data });
  }
  const encoder = await openMtebEncoder(platform, options);
  try {
    const name = modelName(encoder.id);
    const outcomes: MtebOutcome[] = [];
    for (const { task, data } of located) {
      signal?.throwIfAborted();
      const timer = stopwatch();
      const { scores, found } = await evaluateTask(platform, task, data, encoder, { known, progress, signal, threads });
      const seconds = timer();
      const { path, revision } = known.datasetOf(task);
      const { instruction } = known.protocols[task.type];
      const result = taskResult({
        task,
        revision: data.commit ?? revision,
        mteb: known.mteb,
        scores,
        seconds,
        date: new Date(),
        origin: {
          version: packageVersion(),
          tasks: known.version,
          dataset: path,
          ...(data.commit === undefined ? { data: 'folder' } : { commit: data.commit }),
          counts: found,
          model: { hash: encoder.model.hash, dtype: encoder.model.dtype, device: encoder.model.device },
          length: options.length ?? encoder.model.maxLength,
          prompts: encoder.promptsOf(task, instruction),
        },
      });
      const file = await writeResult(out, { ...facts(encoder), name }, result);
      const outcome: MtebOutcome = {
        task: task.name,
        type: task.type,
        mainScore: task.mainScore,
        value: scores[task.mainScore] as number,
        scores,
        file,
        seconds,
        counts: Object.entries(found).map(([what, count]) => ({
          what,
          found: count,
          ...(task.expected[what] === undefined ? {} : { expected: task.expected[what] }),
        })),
        ...(task.inferred === undefined ? {} : { inferred: task.inferred }),
      };
      outcomes.push(outcome);
      onTask?.(outcome);
    }
    return { model: name, revision: encoder.revision, outcomes };
  } finally {
    await encoder.close();
  }
}

const facts = ({ revision, model: { parameters, maxLength, dimensions, similarity } }: MtebEncoder) => ({
  revision,
  parameters,
  maxLength,
  dimensions,
  similarity,
});

interface Context {
  known: MtebTasks;
  progress: Progress;
  signal: AbortSignal | undefined;
  threads: number | undefined;
}

async function evaluateTask(
  platform: Platform,
  task: MtebTask,
  data: TaskData,
  model: MtebEncoder,
  { known: { protocols }, progress, signal, threads }: Context,
): Promise<{ scores: TaskScores; found: Record<string, number> }> {
  const encoder = model.forTask(task, protocols[task.type].instruction);
  const engineOptions = threads === undefined ? {} : { threads };
  if (task.type === 'Classification') {
    const loaded = await loadClassification(task, data);
    const engine = await openEngine(platform, engineOptions);
    try {
      const scores = await evaluateClassification(task, loaded, encoder, { ...protocols[task.type], engine, signal });
      return { scores: scores as unknown as TaskScores, found: loaded.found };
    } finally {
      await engine.close();
    }
  }
  const product = await openMatrixProduct(platform, engineOptions);
  try {
    if (task.type === 'Retrieval') {
      const loaded = await loadRetrieval(task, data, progress);
      const { cuts } = protocols[task.type];
      return { scores: await evaluateRetrieval(loaded, encoder, { product, cuts, signal }), found: loaded.found };
    }
    const options = { product, seed: protocols[task.type].seed, signal };
    const { scores, found } =
      task.sets === undefined
        ? await evaluateBootstraps(task, data, encoder, { ...options, ...task.bootstraps! })
        : await evaluateSets(task, data, encoder, { ...options, ...task.sets });
    return { scores: { ...scores }, found };
  } finally {
    await product.close();
  }
}
