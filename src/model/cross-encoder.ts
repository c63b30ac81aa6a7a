/**
 * A cross-encoder: both texts of a pair read together, one number out. A Hugging Face checkpoint for sequence
 * classification with one output, run by the same graph code as the encoders, on flat tokens without padding.
 *
 * The number is the raw score (logit), which ranks; `activation` is what sentence-transformers' `predict` applies to it:
 * what the checkpoint names, by default a sigmoid. Neither changes an order.
 */
import { z } from 'zod';
import { inputError, quoteFound } from '../base/errors.ts';
import { hashOf } from '../base/hash.ts';
import type { Files, Platform } from '../base/platform.ts';
import type { Device } from '../engine/index.ts';
import { architectureOf } from './architectures.ts';
import { batchFeeds, batchInputs } from './batch.ts';
import { openCheckpoint } from './checkpoint.ts';
import { classificationHead, headTensors } from './classification-head.ts';
import { check, type EncoderConfig, parseJsonFile } from './config.ts';
import { floatContext, int8Context, symbolicParameters } from './forward.ts';
import { openLanes } from './lanes.ts';
import { linearBytes, openModelParts, parameterValues } from './load.ts';
import { int8Version } from './quantise.ts';
import type { LoadModelOptions, ModelDtype } from './types.ts';

type ScoreActivation = 'identity' | 'sigmoid';

/** Token ids of a pair with the segment of each, special tokens included, nothing padded. */
export interface TokenPair {
  ids: Int32Array;
  segments: Int32Array;
}

export interface CrossEncoder {
  readonly id: string;
  /** SHA-256 over every file that can change a score, with names; in 8 bits also the way of quantising. */
  readonly hash: string;
  readonly dtype: ModelDtype;
  readonly device: Device;
  /** Batches that it computes at the same time. */
  readonly lanes: number;
  /** What computes, as far as scores depend on it. */
  readonly arithmetic: string;
  /** The most tokens a pair may have, special tokens counted. */
  readonly maxLength: number;
  /** True: the texts are lower-cased before they are tokenised. */
  readonly lowercase: boolean;
  /** What sentence-transformers applies to a score. */
  readonly activation: ScoreActivation;
  /** Raw scores of the pairs, in order. */
  score(pairs: readonly TokenPair[]): Promise<Float32Array>;
  /** Frees the sessions and the worker; may be called more than once. */
  close(): Promise<void>;
}

type CrossEncoderOptions = Pick<LoadModelOptions, 'dtype' | 'threads' | 'device' | 'backend' | 'id' | 'maxLength'>;

/**
 * Loads the cross-encoder in `folder`. Throws where the checkpoint has no classification head (an encoder of single texts),
 * or one with several outputs.
 */
export async function loadCrossEncoder(
  platform: Platform,
  folder: string,
  options: CrossEncoderOptions = {},
): Promise<CrossEncoder> {
  const { dtype = 'fp32', backend = 'ort', device = 'cpu', threads } = options;
  const { files } = platform;
  const parts = await openModelParts(platform, folder, options);
  const { config, own } = parts;
  const encoderFolder = own.encoderPath === '' ? folder : files.join(folder, own.encoderPath);
  const configPath = files.join(encoderFolder, 'config.json');
  const json = parseJsonFile(await files.readText(configPath), configPath);
  const head = classificationHead(config, json, configPath);
  const tensors = headTensors(await openCheckpoint(files, encoderFolder), head.specs, architectureOf(config).prefixes);
  const settings = await readSettings(files, folder, encoderFolder, json, configPath);

  const specs = [...parts.specs, ...head.specs];
  const context = dtype === 'int8' ? int8Context(specs) : floatContext;
  const batch = batchInputs({ segments: usesSegments(config) });
  const graph = () =>
    head.forward(parts.graphs(context, batch).states(), batch.layout, symbolicParameters(specs), context);
  const lanes = await openLanes(platform, {
    backend,
    device,
    ...(threads === undefined ? {} : { threads }),
    parameters: new Map([
      ...(await parts.values(dtype)),
      ...(await parameterValues(files, head.specs, tensors, 'fp32')),
    ]),
    weightBytes: linearBytes(specs, dtype),
    quantised: dtype === 'int8',
  });
  return {
    id: parts.id,
    hash: dtype === 'int8' ? await hashOf({ files: parts.hash, int8: int8Version }) : parts.hash,
    dtype,
    device: lanes.device,
    lanes: lanes.count,
    arithmetic: lanes.arithmetic,
    maxLength: parts.maxLength,
    lowercase: own.lowercase,
    activation: settings.activation,
    async score(pairs) {
      const sequences = pairs.map(({ ids }) => ids);
      const segments = pairs.map((pair) => (settings.segments ? pair.segments : new Int32Array(pair.ids.length)));
      const feeds = batchFeeds(config, sequences, {
        maxLength: parts.maxLength,
        ...(usesSegments(config) ? { segments } : {}),
      });
      return (await lanes.run('scores', graph, feeds)).floats;
    },
    close: () => lanes.close(),
  };
}

/** The RoBERTa family has a table of segments too, and its tokenizers name none. */
const usesSegments = (config: EncoderConfig) => config.modelType === 'bert' && config.segments > 1;

// What the checkpoint says beside its weights ------------------------------------------------------------------------

const name = z.string().nullish();
const configShape = z.object({
  sentence_transformers: z.object({ activation_fn: name }).nullish(),
  sbert_ce_default_activation_function: name,
});
const settingsShape = z.object({ activation_fn: name, default_prompt_name: name });
const tokenizerShape = z.object({ model_input_names: z.array(z.string()).optional() });

interface Settings {
  activation: ScoreActivation;
  /** False: the tokenizer gives no segments, and every token is of segment 0. */
  segments: boolean;
}

async function readSettings(
  files: Files,
  folder: string,
  encoderFolder: string,
  config: unknown,
  configPath: string,
): Promise<Settings> {
  const read = async <T extends z.ZodType>(path: string, shape: T): Promise<z.output<T> | undefined> =>
    (await files.size(path)) === undefined
      ? undefined
      : check(shape, parseJsonFile(await files.readText(path), path), path);
  const settingsPath = files.join(folder, 'config_sentence_transformers.json');
  const settings = await read(settingsPath, settingsShape);
  const tokenizer = await read(files.join(encoderFolder, 'tokenizer_config.json'), tokenizerShape);
  if (settings?.default_prompt_name) {
    throw inputError('cross-encoders with a prompt are not supported', {
      code: 'cross-encoder.prompt',
      file: settingsPath,
      field: 'default_prompt_name',
      expected: 'null',
      found: quoteFound(settings.default_prompt_name),
    });
  }
  const own = check(configShape, config, configPath);
  const activation =
    settings?.activation_fn ?? own.sentence_transformers?.activation_fn ?? own.sbert_ce_default_activation_function;
  return {
    activation: readActivation(activation, settings?.activation_fn ? settingsPath : configPath),
    segments: tokenizer?.model_input_names?.includes('token_type_ids') ?? true,
  };
}

/** As sentence-transformers: no function of anybody else's is ever called; without one it is the sigmoid. */
function readActivation(path: string | null | undefined, file: string): ScoreActivation {
  if (!path?.startsWith('torch.')) return 'sigmoid';
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (name === 'Identity') return 'identity';
  if (name === 'Sigmoid') return 'sigmoid';
  throw inputError('the activation of this cross-encoder is not supported', {
    code: 'cross-encoder.activation',
    file,
    field: 'activation_fn',
    expected: 'torch.nn.…Identity or torch.nn.…Sigmoid',
    found: quoteFound(path),
  });
}
