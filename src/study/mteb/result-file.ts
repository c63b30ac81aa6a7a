/**
 * Results in MTEB's format and layout, so that MTEB's own tools read them beside others: below a folder,
 * `results/<owner>__<model>/<revision>/<task>.json` (a `TaskResult`) and `model_meta.json` (a `ModelMeta`). Scores are rounded to
 * six decimals as MTEB writes them; one that is not a number is null. `patentlab` in a result says who computed it from what.
 */
import { basename, join, resolve } from 'node:path';
import { writeAtomic } from '../../base/node/atomic.ts';
import type { TextModel } from '../../model/index.ts';
import { pythonRound } from './python-round.ts';
import type { MtebTask } from './tasks.ts';

export type ScoreValue = number | null | readonly ScoreValue[] | { readonly [name: string]: ScoreValue };
export type TaskScores = Readonly<Record<string, ScoreValue>>;

export interface ResultFacts {
  task: MtebTask;
  /** Of the data set. */
  revision: string;
  /** The version of MTEB whose definitions were followed. */
  mteb: string;
  scores: TaskScores;
  seconds: number;
  date: Date;
  /** What the result was computed from, beyond what MTEB's format says. */
  origin: Record<string, unknown>;
}

/** The content of a result file. */
export function taskResult({
  task,
  revision,
  mteb,
  scores,
  seconds,
  date,
  origin,
}: ResultFacts): Record<string, unknown> {
  const entry = {
    ...(rounded(scores) as TaskScores),
    main_score: rounded(scores[task.mainScore]!),
    hf_subset: 'default',
    languages: ['eng-Latn'],
    mteb_version: mteb,
  };
  return {
    dataset_revision: revision,
    task_name: task.name,
    mteb_version: mteb,
    scores: { [task.split]: [entry] },
    evaluation_time: seconds,
    kg_co2_emissions: null,
    date: date.getTime() / 1000,
    evaluation_phases: null,
    patentlab: origin,
  };
}

function rounded(value: ScoreValue): ScoreValue {
  if (typeof value === 'number') return Number.isFinite(value) ? pythonRound(value, 6) : null;
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(rounded);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, rounded(item)]));
}

/** A model's name as MTEB wants it, `owner/name`: that of a folder is `local/<last part>`. */
export function modelName(id: string): string {
  return /^[\w.-]+\/[\w.-]+$/.test(id) && !id.startsWith('.')
    ? id
    : `local/${basename(resolve(id)).replaceAll(' ', '_')}`;
}

/** Where the results of a model lie below `out`. */
export function resultFolder(out: string, name: string, revision: string): string {
  return join(out, 'results', name.replaceAll('/', '__').replaceAll(' ', '_'), revision);
}

/** Writes the result and what is known of the model; returns the result's path. */
export async function writeResult(
  out: string,
  model: { name: string; revision: string } & Pick<TextModel, 'parameters' | 'maxLength' | 'dimensions' | 'similarity'>,
  result: Record<string, unknown>,
): Promise<string> {
  const folder = resultFolder(out, model.name, model.revision);
  const path = join(folder, `${result.task_name}.json`);
  await writeAtomic(path, `${JSON.stringify(result, null, 2)}\n`);
  await writeAtomic(join(folder, 'model_meta.json'), `${JSON.stringify(modelMeta(model), null, 4)}\n`);
  return path;
}

/** MTEB's fields; what patentlab does not know of a model is null. */
function modelMeta({
  name,
  revision,
  parameters,
  maxLength,
  dimensions,
  similarity,
}: Parameters<typeof writeResult>[1]) {
  return {
    loader: null,
    name,
    revision,
    release_date: null,
    languages: null,
    n_parameters: parameters,
    memory_usage_mb: null,
    max_tokens: maxLength,
    embed_dim: dimensions,
    license: null,
    open_weights: null,
    public_training_code: null,
    public_training_data: null,
    framework: ['ONNX'],
    similarity_fn_name: similarity === 'maxsim' ? 'MaxSim' : similarity,
    use_instructions: null,
    training_datasets: null,
  };
}
