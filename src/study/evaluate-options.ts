/** What `evaluate` takes, with its defaults. */
import { inputError } from '../base/errors.ts';
import { packageVersion } from '../base/node/version.ts';
import type { Platform } from '../base/platform.ts';
import { type Progress, silent } from '../base/progress.ts';
import type { LabelField, SymbolLevel } from '../corpus/labels.ts';
import type { RelevanceOptions } from '../corpus/relevance.ts';
import type { SplitOptions } from '../corpus/splits.ts';
import { checkPassages, type PassageOptions } from '../encode/index.ts';
import { defaultMargin, defaultResamples } from '../metrics/significance.ts';
import type { ModelDtype } from '../model/index.ts';
import type { Bm25Options } from '../retrieve/bm25-scoring.ts';
import type { AnalyserOptions } from '../tokenizer/words.ts';
import { defaultProbes, type Probe, probes } from './classification/options.ts';
import { type ClusteringOptions, checkClustering } from './clustering/options.ts';
import type { Task } from './results.ts';
import type { FusionMethod } from './systems.ts';
import { checkTasks } from './tasks.ts';

/** What is evaluated where nobody names a model: both need no weights. */
export const defaultModels: readonly string[] = ['bm25', 'lsa'];

/** Which labels documents have in classification and clustering. */
export interface LabelRule {
  /** Default: the user's own labels, else CPC, else IPC, whichever the corpus has. */
  field?: LabelField;
  /** Depth to which classification symbols are cut. Default subclass. */
  level?: SymbolLevel;
  /** Labels with fewer documents (of classification: to learn from) are left out. Default 5. */
  least?: number;
}

export interface EvaluateOptions {
  platform: Platform;
  home: string;
  /** Names of imported corpora. */
  corpora: readonly string[];
  /** Default retrieval. */
  tasks?: readonly Task[];
  /** `bm25`, `lsa`, model folders or ids, `bm25+MODEL`. Default bm25 and lsa. */
  models?: readonly string[];
  /** Text views, `-masked` for texts without patent numbers. Default TA. */
  views?: readonly string[];
  maskCitations?: boolean;
  /** Fuses bm25 with every dense model. */
  fuse?: readonly FusionMethod[];
  /** Cross-encoders: folders or ids. Each puts the first documents of other systems' rankings in order. */
  rerank?: readonly string[];
  /** The systems whose rankings they put in order, by name (`bm25`, `bm25+MODEL (linear)`). Default: all. */
  rerankOf?: readonly string[];
  /** How many documents of each ranking; no more than `depth`. Default 100, or `depth` where that is less. */
  rerankDepth?: number;
  /** Most tokens of a pair, special ones counted. Default: the cross-encoder's own limit. */
  rerankLength?: number;
  /** Default: the cited documents are relevant. */
  relevance?: Omit<RelevanceOptions, 'seed'>;
  /** Of classification and clustering. */
  labels?: LabelRule;
  /** Of classification. Default knn and logistic. */
  probes?: readonly Probe[];
  clustering?: ClusteringOptions;
  /**
   * Queries and candidates are patents of the test part of this split (default: all patents); classifiers learn from its
   * training part and are scored on its test part (default: families stratified by label); that part alone is clustered.
   */
  split?: SplitOptions;
  /** Documents kept for each query. Default 1000. */
  depth?: number;
  bm25?: Bm25Options;
  analyser?: AnalyserOptions;
  lsaDimensions?: number;
  /** Precisions of encoders: each in every one. Default fp32. */
  dtype?: readonly ModelDtype[];
  /** Most tokens an encoder reads; default the model's own limit. Of several, each model with each (`variants.ts`). */
  length?: number | readonly number[];
  /** Leading dimensions kept. Of several, each model and `lsa` with each and with all. */
  dimensions?: number | readonly number[];
  /** Encoders that read whole texts in passages, beside those that read their beginning. */
  passages?: readonly PassageOptions[];
  /** Only those that read in passages. Default false. */
  passagesOnly?: boolean;
  /** Smallest difference of nDCG that matters. Default 0.01. */
  margin?: number;
  resamples?: number;
  seed?: number;
  threads?: number;
  device?: 'cpu' | 'webgpu' | 'cuda' | 'auto';
  offline?: boolean;
  /** Folder of stored vectors. Default `<home>/vectors`. */
  vectors?: string;
  /** Name of the study: `runs/<study>`. Default `evaluate-<corpora>`. */
  study?: string;
  /** Folder of the report. Default `runs/<study>`. */
  out?: string;
  title?: string;
  /** As the user typed it: printed in the report. */
  command?: string;
  /** Seconds after which no further cell is begun. */
  maxTime?: number;
  /** Measure only: what would be done, and about how long it takes. */
  dryRun?: boolean;
  progress?: Progress;
  signal?: AbortSignal | undefined;
  /** Called after each cell, in the order they finish. */
  onCell?: (line: string) => void;
  /** Kept in every manifest. Default: this package's own. */
  packageVersion?: string;
}

export type EvaluateSettings = Required<
  Pick<
    EvaluateOptions,
    | 'tasks'
    | 'models'
    | 'views'
    | 'maskCitations'
    | 'fuse'
    | 'rerank'
    | 'relevance'
    | 'labels'
    | 'probes'
    | 'clustering'
    | 'depth'
    | 'bm25'
    | 'analyser'
    | 'lsaDimensions'
    | 'dtype'
    | 'margin'
    | 'resamples'
    | 'seed'
    | 'threads'
    | 'device'
    | 'offline'
    | 'study'
    | 'title'
    | 'command'
    | 'packageVersion'
    | 'progress'
  >
> &
  EvaluateOptions;

export function settingsOf(options: EvaluateOptions): EvaluateSettings {
  const corpora = [...new Set(options.corpora)];
  const tasks = checkTasks(options.tasks ?? ['retrieval']);
  if (options.passagesOnly && !options.passages?.length)
    throw inputError('there are no passages to read only', {
      code: 'evaluate.passages',
      field: '--passages-only',
      expected: 'with --passages size=256,overlap=64,aggregate=max',
      found: 'no --passages',
    });
  return {
    ...options,
    corpora,
    tasks,
    models: options.models ?? [...defaultModels],
    views: options.views ?? ['TA'],
    maskCitations: options.maskCitations ?? false,
    fuse: options.fuse ?? [],
    rerank: options.rerank ?? [],
    relevance: options.relevance ?? { relevance: 'cites' },
    ...(options.passages === undefined ? {} : { passages: options.passages.map(checkPassages) }),
    labels: options.labels ?? {},
    probes: probes.filter((probe) => (options.probes ?? defaultProbes).includes(probe)),
    clustering: checkClustering(options.clustering ?? {}),
    depth: options.depth ?? 1000,
    bm25: options.bm25 ?? {},
    analyser: options.analyser ?? {},
    lsaDimensions: options.lsaDimensions ?? 256,
    dtype: options.dtype ?? ['fp32'],
    margin: options.margin ?? defaultMargin,
    resamples: options.resamples ?? defaultResamples,
    seed: options.seed ?? 1,
    threads: options.threads ?? options.platform.processors,
    device: options.device ?? 'auto',
    offline: options.offline ?? false,
    study: options.study ?? `evaluate-${corpora.join('-')}`.slice(0, 200),
    title: options.title ?? `${titleOf(tasks)} on ${corpora.join(', ')}`,
    command: options.command ?? '',
    packageVersion: options.packageVersion ?? packageVersion(),
    progress: options.progress ?? silent,
  };
}

/** `Retrieval, classification`. */
function titleOf(tasks: readonly Task[]): string {
  const text = tasks.join(', ');
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}
