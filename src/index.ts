/**
 * patentlab as a library: import patents, open corpora, load models, encode texts, evaluate and compare.
 * `patentlab/engine`, `patentlab/metrics` and `patentlab/retrieve` are the other public modules.
 */
export { PatentlabError } from './base/errors.ts';
export { nodePlatform } from './base/node/platform.ts';
export type { Platform } from './base/platform.ts';
export { type ImportOptions, type ImportSummary, importCorpus } from './corpus/import.ts';
export type { Citation, Patent, PatentDates } from './corpus/record.ts';
export { type Corpus, listCorpora, openCorpus } from './corpus/store.ts';
export { type View, views, viewText } from './corpus/views.ts';
export { type EncodeRequest, encodeTexts as encode, type TextVectors } from './encode/index.ts';
export { findModel, type HubOptions, type ModelFolder } from './hub/models.ts';
export { comparePairs as compare } from './metrics/index.ts';
export {
  type ExportOptions,
  type ExportResult,
  exportModel,
  type LoadModelOptions,
  loadModel,
  type TextModel,
} from './model/index.ts';
export { type WrittenReport, writeReport, writeStudyReport } from './report/index.ts';
export type { StudyOptions } from './study/embedding/options.ts';
export type { EmbeddingResults } from './study/embedding/results.ts';
export type { StudyRun } from './study/embedding/run.ts';
export { type Evaluation, evaluate } from './study/evaluate.ts';
export type { EvaluateOptions } from './study/evaluate-options.ts';
export type { CellResult, EvaluationResults, Manifest } from './study/results.ts';
export { runStudy } from './study/study.ts';
export { type FinetuneOptions, type FinetuneResult, finetune } from './tune/finetune.ts';
