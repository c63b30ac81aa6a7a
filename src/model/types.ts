/**
 * What a loaded text model is to the code that uses it (encode, tune, report). A model takes token ids, never text:
 * tokenising is the tokenizer's work, done with `maxLength`, `lowercase` and the prompt that the model names.
 */
import type { Device } from '../engine/index.ts';
import type { EncoderConfig } from './config.ts';
import type { poolingModes, Similarity } from './registry.ts';

/** sentence-transformers' names. Several modes are concatenated in this order. */
export type PoolingMode = (typeof poolingModes)[number];

/** `fp32`: as trained. `int8`: linear weights quantised per output channel, activations per token. */
export type ModelDtype = 'fp32' | 'int8';

export type Role = 'query' | 'document';

export interface Pooling {
  modes: readonly PoolingMode[];
  /** False: the prompt's tokens are left out of the pooled mean (`promptTokens` of `encode`). */
  includePrompt: boolean;
  /** Who decided; `default` is the mean, where nobody says anything. */
  source: 'option' | 'checkpoint' | 'registry' | 'default';
}

export interface Prompts {
  query: string;
  document: string;
  /** Every prompt the checkpoint or the registry names, by name. */
  named: Readonly<Record<string, string>>;
  /** Where they come from: the checkpoint's own file, the registry, or nowhere. */
  source: 'checkpoint' | 'registry' | 'none';
}

export interface LoadModelOptions {
  /** Default `fp32`. */
  dtype?: ModelDtype;
  /** Threads of all runs together. Default: the platform's processors. */
  threads?: number;
  /** What computes; `auto` takes CUDA where this installation has it, else the CPU. Default `cpu`. */
  device?: Device | 'auto';
  /** Default `ort`; `reference` is the float64 interpreter of the tests. */
  backend?: 'ort' | 'reference';
  /** Id by which the registry knows the model; default the folder's name. */
  id?: string;
  /** Instead of the pooling that the checkpoint or the registry names. */
  pooling?: PoolingMode;
  /** Instead of the checkpoint's own limit; never beyond what its positions hold. */
  maxLength?: number;
  /** An adapter in PEFT's format beside the weights; `factor` weakens it (0: as without it, 1, the default: as trained). */
  adapter?: { folder: string; factor?: number };
  /** Text of the registry file; default the packaged `registry.yaml`. */
  registry?: string;
}

/** States of every token, sequence after sequence: sequence i has rows starts[i] … starts[i + 1] - 1. */
export interface TokenStates {
  /** [tokens, hidden] */
  data: Float32Array;
  /** sequences + 1 row numbers */
  starts: Int32Array;
  hidden: number;
}

export interface TextModel {
  readonly id: string;
  readonly folder: string;
  readonly architecture: EncoderConfig['architecture'];
  readonly config: EncoderConfig;
  /** SHA-256 over every file that can change a vector, with names. */
  readonly hash: string;
  readonly dtype: ModelDtype;
  /** What computes, `auto` decided. */
  readonly device: Device;
  /** Batches that it computes at the same time: so many calls of `encode` are worth having under way. */
  readonly lanes: number;
  /** What computes, as far as vectors depend on it: the library's version, and in 8 bits what the processor can multiply. */
  readonly arithmetic: string;
  readonly parameters: number;
  readonly hiddenSize: number;
  /** Length of a vector that `encode` gives (after the Dense modules). */
  readonly dimensions: number;
  /** Lengths to which a vector may be cut and normalised again, if the model was trained so. */
  readonly matryoshka: readonly number[];
  /** The most tokens a sequence may have, special tokens counted. */
  readonly maxLength: number;
  readonly padId: number;
  /** True: the text is lower-cased before it is tokenised (sentence_bert_config.json). */
  readonly lowercase: boolean;
  readonly pooling: Pooling;
  /** True: the vectors have length 1. */
  readonly normalized: boolean;
  readonly similarity: Similarity;
  readonly prompts: Prompts;
  /** Tensors of the checkpoint that the forward pass does not need (poolers, heads, buffers). */
  readonly ignoredTensors: readonly string[];
  /** The prompt to set before a text of that role; empty where there is none. */
  prompt(role: Role): string;
  /**
   * Vectors [sequences, dimensions] of token id sequences of unequal length (special tokens included, nothing padded).
   * `promptTokens`: leading tokens of each sequence to leave out of the mean where pooling says so.
   */
  encode(sequences: readonly Int32Array[], options?: { promptTokens?: number }): Promise<Float32Array>;
  /** The last layer's token states, unpooled. */
  tokenStates(sequences: readonly Int32Array[]): Promise<TokenStates>;
  /** Frees the sessions and the worker; may be called more than once. */
  close(): Promise<void>;
}
