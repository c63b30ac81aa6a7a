/** What the tasks of an evaluation (retrieval, classification, clustering) share: corpora, views, systems, models, the run. */
import { inputError } from '../base/errors.ts';
import { loadRelations, type Relations } from '../corpus/relations.ts';
import { type Corpus, openCorpus } from '../corpus/store.ts';
import type { CellRun } from './cell-run.ts';
import type { EncoderPool } from './dense.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import { type Task, tasks } from './results.ts';
import type { SystemSpec, ViewSpec } from './systems.ts';

/** A corpus as every task needs it; a `CorpusUnderStudy` is one. */
export interface TaskCorpus {
  corpus: Corpus;
  /** Its families, among others. */
  relations: Relations;
}

export interface TaskContext {
  settings: EvaluateSettings;
  corpora: readonly TaskCorpus[];
  views: readonly ViewSpec[];
  /** All of them, fused ones too, which make sense for retrieval only. */
  systems: readonly SystemSpec[];
  encoders: EncoderPool;
  /** Of the report. */
  folder: string;
  run: CellRun;
}

/** What one cell is computed with. */
export type WorkContext = Pick<TaskContext, 'settings' | 'encoders'>;

/** Throws where one is not known. */
export function checkTasks(asked: readonly string[]): readonly Task[] {
  const unknown = asked.find((task) => !(tasks as readonly string[]).includes(task));
  if (unknown !== undefined || asked.length === 0)
    throw inputError(unknown === undefined ? 'no task is named' : `there is no task ${JSON.stringify(unknown)}`, {
      code: 'evaluate.task',
      field: '--task',
      expected: tasks.join(', '),
      found: unknown ?? 'nothing',
    });
  return tasks.filter((task) => asked.includes(task));
}

/** A corpus for tasks that need no citations. */
export async function openForTasks(home: string, name: string): Promise<TaskCorpus> {
  const corpus = await openCorpus(home, name);
  try {
    return { corpus, relations: await loadRelations(corpus) };
  } catch (error) {
    await corpus.close();
    throw error;
  }
}
