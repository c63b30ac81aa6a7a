/**
 * MTEB's patent tasks, read from `tasks.yaml` (which says what each field means). A task names its data set, tables, columns
 * and score; what all tasks of a kind share stands in its protocol.
 */
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { inputError } from '../../base/errors.ts';
import { nearest } from '../../base/nearest.ts';
import type { Platform } from '../../base/platform.ts';
import { check } from '../../model/config.ts';

const count = z.number().int().positive();
const name = z.string().min(1);
const seed = z.number().int().nonnegative();

const dataset = z.strictObject({
  path: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'an id: owner/name'),
  revision: name,
  licence: name,
  size: name,
  tables: z.record(z.string(), z.array(name).min(1)),
});

const common = {
  name,
  data: name,
  split: name,
  mainScore: name,
  expected: z.record(z.string(), count).default({}),
  inferred: z.string().optional(),
};

const retrieval = z.strictObject({
  type: z.literal('Retrieval'),
  ...common,
  queries: z.strictObject({ id: name, text: z.array(name).min(1) }),
  corpus: z.strictObject({ id: name, title: name.optional(), text: z.array(name).min(1) }),
  relations: z.strictObject({
    query: name,
    document: name,
    score: name.optional(),
    where: z.record(z.string(), z.string()).default({}),
  }),
});

const classification = z.strictObject({ type: z.literal('Classification'), ...common, text: name, label: name });

const clustering = z
  .strictObject({
    type: z.literal('Clustering'),
    ...common,
    text: name,
    label: name,
    sets: z.strictObject({ batch: count }).optional(),
    bootstraps: z
      .strictObject({
        sample: count.optional(),
        fraction: z.number().positive().max(1),
        experiments: count,
        size: count,
        batch: count,
      })
      .optional(),
  })
  .refine(({ sets, bootstraps }) => (sets === undefined) !== (bootstraps === undefined), {
    error: 'either sets or bootstraps',
  });

const instruction = z.string().min(1);
const protocols = z.strictObject({
  Retrieval: z.strictObject({ instruction, cuts: z.array(count).min(1) }),
  Classification: z.strictObject({ instruction, samplesPerLabel: count, experiments: count, iterations: count, seed }),
  Clustering: z.strictObject({ instruction, seed }),
});

const shape = z.strictObject({
  version: name,
  mteb: name,
  protocols,
  datasets: z.record(z.string(), dataset),
  tasks: z.array(z.discriminatedUnion('type', [retrieval, classification, clustering])),
});

export type MtebDataset = z.output<typeof dataset>;
export type RetrievalTask = z.output<typeof retrieval>;
export type ClassificationTask = z.output<typeof classification>;
export type ClusteringTask = z.output<typeof clustering>;
export type MtebTask = RetrievalTask | ClassificationTask | ClusteringTask;
export type Protocols = z.output<typeof protocols>;

export interface MtebTasks {
  readonly version: string;
  /** The version of MTEB whose definitions these are. */
  readonly mteb: string;
  readonly protocols: Protocols;
  readonly tasks: readonly MtebTask[];
  datasetOf(task: MtebTask): MtebDataset;
  /** Throws `mteb.task` with the nearest names. Upper and lower case do not matter. */
  find(name: string): MtebTask;
}

/** The packaged tasks. */
export async function loadMtebTasks(platform: Platform): Promise<MtebTasks> {
  return parseMtebTasks(await platform.asset(new URL('./tasks.yaml', import.meta.url)), 'tasks.yaml');
}

/** Reads the YAML text of a file of tasks; `file` names it in errors. */
export function parseMtebTasks(text: string, file: string): MtebTasks {
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem !== undefined) {
    throw inputError('this is not valid YAML', {
      code: 'mteb.yaml',
      file,
      ...(problem.linePos === undefined ? {} : { line: problem.linePos[0].line }),
      found: problem.message.split('\n')[0]!,
    });
  }
  const { datasets, tasks, ...rest } = check(shape, document.toJS({ maxAliasCount: 100 }), file, 'mteb.field');
  const byName = new Map(tasks.map((task) => [task.name.toLowerCase(), task]));
  for (const task of tasks) {
    const tables = Object.keys(datasets[task.data]?.tables ?? {});
    for (const table of tablesOf(task)) {
      if (tables.includes(table)) continue;
      throw inputError('a task names a table that its data set has not', {
        code: 'mteb.field',
        file,
        field: `${task.name}: data`,
        expected: `one of ${Object.keys(datasets).join(', ')}, with a table ${table}`,
        found: task.data,
      });
    }
  }
  return {
    ...rest,
    tasks,
    datasetOf: (task) => datasets[task.data]!,
    find(wanted) {
      const task = byName.get(wanted.toLowerCase());
      if (task !== undefined) return task;
      const similar = nearest(
        wanted,
        tasks.map((known) => known.name),
      );
      throw inputError(`there is no task ${JSON.stringify(wanted)}`, {
        code: 'mteb.task',
        field: 'task',
        expected: 'a task of `patentlab mteb list`',
        found: wanted,
        ...(similar.length === 0 ? {} : { hint: `did you mean ${similar.join(', ')}?` }),
      });
    },
  };
}

/** The tables a task reads. */
export function tablesOf(task: MtebTask): string[] {
  if (task.type === 'Retrieval') return ['corpus', 'queries', 'relations'];
  return task.type === 'Classification' ? ['train', task.split] : [task.split];
}
