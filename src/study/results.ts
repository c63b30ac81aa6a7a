/**
 * What an evaluation leaves behind: the contract between the study that computes and the report that shows.
 * Everything here is plain data (JSON); per-query values and runs lie in Parquet and TREC files beside it.
 */
import type { PassageOptions } from '../encode/index.ts';
import type { Comparison, Estimate } from '../metrics/types.ts';
import type { ClassificationResults } from './classification/results.ts';
import type { ClusteringResults } from './clustering/results.ts';
import type { EvaluateOptions } from './evaluate-options.ts';

/** What made a number, whatever the task: enough to make it again (`patentlab repeat`). */
export interface TaskManifest {
  /** Version of this format. */
  format: 1;
  /** Content hash of everything that can change the result; names the cell's folder. */
  cell: string;
  task: Task;
  corpus: { name: string; hash: string; revision: string; invented: boolean };
  model: string;
  /** SHA-256 over the model's files; for `bm25` and `lsa` over their settings. */
  modelHash?: string;
  view: string;
  maskCitations: boolean;
  prompt?: { query?: string; document?: string };
  pooling?: string;
  dimensions?: number;
  length?: number;
  /** Of encoders that read in passages; `length` is then their size. */
  passages?: PassageOptions;
  dtype?: string;
  device: 'cpu' | 'webgpu' | 'cuda';
  /** Of text encoders: what computed, as far as vectors depend on it (the library's version, levels of 8-bit activations). */
  arithmetic?: string;
  settings: Record<string, unknown>;
  seeds: number[];
  packageVersion: string;
  /** Version of the metric and statistics definitions. */
  definitions: string;
  /** Not part of the hash: the options that make this cell again. */
  request: EvaluationRequest;
  /** Not part of the hash: when, where, how long. */
  environment: { node: string; platform: string; processor: string; threads: number; started: string };
}

/** Of a retrieval cell. */
export interface Manifest extends TaskManifest {
  task: 'retrieval';
  fuse?: string;
  relevance: string;
  onlyEarlier: boolean;
  citationFilter?: { category?: readonly string[]; origin?: readonly string[] };
}

export const tasks = ['retrieval', 'classification', 'clustering'] as const;
export type Task = (typeof tasks)[number];

/** Plain data that `evaluate` takes to make one cell. */
export type EvaluationRequest = Pick<
  EvaluateOptions,
  | 'corpora'
  | 'tasks'
  | 'models'
  | 'views'
  | 'maskCitations'
  | 'fuse'
  | 'relevance'
  | 'labels'
  | 'probes'
  | 'clustering'
  | 'split'
  | 'depth'
  | 'bm25'
  | 'analyser'
  | 'lsaDimensions'
  | 'dtype'
  | 'length'
  | 'dimensions'
  | 'passages'
  | 'passagesOnly'
  | 'margin'
  | 'resamples'
  | 'seed'
  | 'rerank'
  | 'rerankOf'
  | 'rerankDepth'
  | 'rerankLength'
>;

/** What one system cost on one cell. A fused system needs its two parts, so what they cost is in its numbers. */
export interface Cost {
  seconds: number;
  encodeSeconds?: number;
  searchSeconds: number;
  /** Of a fused system: fusing the lists of all queries, once; `searchSeconds` holds it and the searches of both parts. */
  fusionSeconds?: number;
  /** Of a fused system: choosing its setting by cross-fitting; in `seconds` alone. */
  tuningSeconds?: number;
  /** Of a reranked system: scoring the pairs of all queries; `searchSeconds` holds it and the search of its base. */
  rerankSeconds?: number;
  documentsPerSecond?: number;
  queriesPerSecond?: number;
  peakMemoryBytes: number;
  /** Share of texts cut at the length limit, 0..1. */
  truncated?: number;
  /** Vectors or index on disk or in memory. */
  indexBytes?: number;
}

/** What a reranked system was made of. */
export interface RerankedFrom {
  /** The system whose rankings were put in order anew, as `systemName` writes it. */
  base: string;
  /** The cross-encoder. */
  model: string;
  /** Documents of each ranking that it put in order. */
  depth: number;
}

/** One row of the leaderboard: a system (model, optionally fused) on one corpus and view. */
export interface CellResult {
  corpus: string;
  task: 'retrieval';
  model: string;
  view: string;
  fuse?: string;
  rerank?: RerankedFrom;
  /** Where several widths of one model are compared: the name they share, the dimensions kept, and all there are. */
  width?: { of: string; dimensions: number; full: number };
  queries: number;
  documents: number;
  /** Keys as `ndcg@10`, `recall@100`, `map`, `mrr`, `unjudged@10`. */
  metrics: Record<string, Estimate>;
  cost: Cost;
  manifest: Manifest;
  /** Files of the cell, relative to the report's folder. */
  files: { run?: string; perQuery?: string };
  /** Chosen by cross-fitting, e.g. the interpolation weight of each fold. */
  chosen?: Record<string, unknown>;
}

/** A row's system as comparisons, curves, strata, wins and losses name it: the model and how it was fused. */
export function systemName(cell: { model: string; fuse?: string | undefined }): string {
  return cell.fuse === undefined ? cell.model : `${cell.model} (${cell.fuse})`;
}

/** All systems of one corpus x task x view compared on one metric. */
export interface ComparisonTable {
  corpus: string;
  view: string;
  metric: string;
  margin: number;
  /** As `systemName` writes them; `a` and `b` of the pairs likewise. */
  systems: string[];
  pairs: Comparison[];
}

/** The views of one system against one another on one metric. */
export interface ViewComparison {
  corpus: string;
  /** The system's name, fused ones as in the leaderboard. */
  model: string;
  metric: string;
  margin: number;
  views: string[];
  estimates: Record<string, Estimate>;
  pairs: Comparison[];
}

export interface DataCard {
  corpus: string;
  invented: boolean;
  sources: { file: string; sha256: string; bytes: number; rows: number; rejected: number }[];
  documents: number;
  years: { year: string; documents: number }[];
  countries: { country: string; documents: number }[];
  languages: { language: string; documents: number }[];
  lengths: { field: string; present: number; median: number; p90: number }[];
  citations: {
    total: number;
    resolved: number;
    unresolved: number;
    ambiguous: number;
    /** Share of all citations of the queries whose target is in the corpus: nobody can find the rest. */
    recallCeiling?: number;
  };
  /** Where there was retrieval, as are the judgements and the recall ceiling. */
  queries?: { candidates: number; used: number; dropped: { reason: string; count: number }[] };
  judgements?: { relevant: number; medianPerQuery: number; maxPerQuery: number };
  families: { known: number; inferred: boolean };
}

/** Of a corpus that is searched. */
export type SearchedDataCard = DataCard &
  Required<Pick<DataCard, 'queries' | 'judgements'>> & { citations: { recallCeiling: number } };

/** The queries where two systems differ most. */
export interface WinLoss {
  corpus: string;
  view: string;
  metric: string;
  a: string;
  b: string;
  wins: WinLossRow[];
  losses: WinLossRow[];
}

export interface WinLossRow {
  query: string;
  title: string;
  a: number;
  b: number;
  /** Best rank of a relevant document under each system; undefined where none was found. */
  rankA?: number;
  rankB?: number;
  /** A relevant document that the two systems rank most differently. */
  document?: { id: string; title: string; rankA?: number; rankB?: number };
}

export interface Stratum {
  corpus: string;
  view: string;
  metric: string;
  by: 'year' | 'country' | 'language' | 'length' | 'family' | 'relevant';
  stratum: string;
  queries: number;
  /** system -> estimate. */
  systems: Record<string, Estimate>;
}

/** One model with its vectors cut, over the same queries (`retention.ts`). */
export interface Retention {
  corpus: string;
  view: string;
  metric: string;
  /** The name its widths share. */
  model: string;
  full: { system: string; dimensions: number };
  /** Widest first; `kept` is the mean over that at full width. */
  cut: { system: string; dimensions: number; kept: Estimate }[];
}

/** A stratification or a measure by domain that a corpus gives no ground for. */
export interface AbsentStrata {
  corpus: string;
  by: Stratum['by'] | 'domain';
  reason: string;
}

/** One corpus and view measured over relevant documents IN and OUT of the query's domain (`domain-strata.ts`). */
export interface DomainResult {
  corpus: string;
  view: string;
  metric: string;
  margin: number;
  /** Relevant judgements; `unknown` where query or document has no code. */
  judgements: { in: number; out: number; unknown: number };
  /** Queries and relevant documents by the codes that place them. */
  patents: { ipc: number; cpc: number; none: number };
  queries: { in: number; out: number; both: number };
  systems: Record<string, DomainEstimates>;
  /** All systems against one another over OUT judgements, Holm-corrected over these pairs. */
  outPairs: Comparison[];
  fusions: FusionAcrossDomains[];
}

export interface DomainEstimates {
  in: Estimate;
  out: Estimate;
  /** (IN - OUT) / IN, each mean over its own queries. */
  drop: Estimate;
  /** The same over the queries that have relevant documents in both. */
  dropOfBoth?: Estimate;
}

/** Does fusing close the gap? The verdicts are in `outPairs`. */
export interface FusionAcrossDomains {
  fused: string;
  dense: string;
  bm25?: string;
  /** Drop of the fused system minus drop of its dense part. */
  dropDifference: Estimate;
}

export interface RecallCurve {
  corpus: string;
  view: string;
  system: string;
  /** Rank cut -> mean recall. */
  points: { k: number; recall: number }[];
}

/** Per-query differences of a pair, summarised so that 46,069 queries stay readable: a histogram and quantiles. */
export interface DifferenceShape {
  corpus: string;
  view: string;
  metric: string;
  a: string;
  b: string;
  bins: { from: number; to: number; count: number }[];
  wins: number;
  ties: number;
  losses: number;
  quantiles: { q: number; value: number }[];
}

/** The whole of `results.json`. */
export interface EvaluationResults {
  format: 1;
  title: string;
  /** First line of every report: what counts as relevant and who may be found; without retrieval, what is predicted. */
  relevanceStatement: string;
  invented: boolean;
  created: string;
  packageVersion: string;
  definitions: string;
  command: string;
  cells: CellResult[];
  comparisons: ComparisonTable[];
  viewComparisons: ViewComparison[];
  dataCards: DataCard[];
  recallCurves: RecallCurve[];
  differences: DifferenceShape[];
  winsLosses: WinLoss[];
  strata: Stratum[];
  absentStrata: AbsentStrata[];
  domains: DomainResult[];
  retentions: Retention[];
  /** Fusion sweeps: mean metric for each alpha, for the plot. */
  alphaSweeps: {
    corpus: string;
    view: string;
    dense: string;
    metric: string;
    points: { alpha: number; value: number }[];
  }[];
  /** Where the task was asked for. */
  classification?: ClassificationResults;
  clustering?: ClusteringResults;
  warnings: string[];
}
