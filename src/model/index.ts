/** Text encoders: Hugging Face / sentence-transformers checkpoints run by our own graph code. */
export { loadAdapter, type SaveAdapterOptions, saveAdapter } from './adapter.ts';
export type { ModelCard } from './card.ts';
export { type EncoderConfig, readEncoderConfig } from './config.ts';
export { type ExportOptions, type ExportResult, type ExportTarget, exportModel, exportTargets } from './export.ts';
export { loadModel } from './load.ts';
export {
  createAdapter,
  type LoraAdapter,
  type LoraContextOptions,
  type LoraLayer,
  type LoraOptions,
  loraContext,
  loraParameters,
  loraSpecs,
  mergedWeights,
  withValues,
} from './lora.ts';
export { type KnownModel, loadRegistry, parseRegistry, type Registry } from './registry.ts';
export { type CheckpointSource, type NewWeights, type SaveOptions, saveCheckpoint } from './save.ts';
export { createTinyModel, type TinyModel, type TinyOptions } from './tiny.ts';
export type {
  LoadModelOptions,
  ModelDtype,
  Pooling,
  PoolingMode,
  Prompts,
  Role,
  TextModel,
  TokenStates,
} from './types.ts';
