/** Text encoders: Hugging Face / sentence-transformers checkpoints run by our own graph code. */
export { type EncoderConfig, readEncoderConfig } from './config.ts';
export { loadModel } from './load.ts';
export { type KnownModel, loadRegistry, parseRegistry, type Registry } from './registry.ts';
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
