/**
 * The sentence-transformers files of a checkpoint folder: which modules follow the encoder (pooling, dense, normalise), how
 * text is cut and prompted. A folder without them is a plain Hugging Face checkpoint. Only data is read: a module of a
 * kind not known here is refused by name, never imported.
 */
import { z } from 'zod';
import { inputError, quoteFound } from '../base/errors.ts';
import type { Files } from '../base/platform.ts';
import { check, parseJsonFile } from './config.ts';
import { linearSpecs, type ParameterSpec } from './forward.ts';
import { poolingModes, type Similarity, similarities } from './registry.ts';
import type { PoolingMode } from './types.ts';

export type DenseActivation = 'identity' | 'tanh' | 'relu' | 'gelu' | 'sigmoid' | 'silu';

export interface DenseModule {
  readonly kind: 'dense';
  /** Folder within the checkpoint, with its own model.safetensors. */
  readonly path: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  readonly activation: DenseActivation;
  readonly residual: boolean;
}

export type TailModule = DenseModule | { readonly kind: 'normalize' };

/** A dense module's parameters, by their names in its own file. */
export function denseSpecs({ inFeatures, outFeatures, bias, residual }: DenseModule): ParameterSpec[] {
  return [
    ...linearSpecs('linear', outFeatures, inFeatures, { bias }),
    ...(residual && inFeatures !== outFeatures
      ? linearSpecs('residual', outFeatures, inFeatures, { bias: false })
      : []),
  ];
}

export interface SentenceFiles {
  /** Folder of config.json and weights within the checkpoint; empty for the checkpoint itself. */
  readonly encoderPath: string;
  readonly pooling?: { readonly modes: readonly PoolingMode[]; readonly includePrompt: boolean };
  /** Folder of the pooling module within the checkpoint. */
  readonly poolingPath?: string;
  /** After pooling, in order. */
  readonly tail: readonly TailModule[];
  /** Which file states how long a text may be and whether it is lower-cased, in the encoder's folder. */
  readonly sentenceConfig?: string;
  readonly maxLength?: number;
  readonly lowercase: boolean;
  readonly prompts?: Readonly<Record<string, string>>;
  readonly defaultPrompt?: string;
  readonly similarity?: Similarity;
  /** The tokenizer's own limit, where it states one. */
  readonly tokenizerMaxLength?: number;
  /** Every file read, relative to the folder. */
  readonly files: readonly string[];
}

const activations: Readonly<Record<string, DenseActivation>> = {
  Identity: 'identity',
  Tanh: 'tanh',
  ReLU: 'relu',
  GELU: 'gelu',
  Sigmoid: 'sigmoid',
  SiLU: 'silu',
};

/** The names under which older versions store the text settings. */
const sentenceConfigs = ['bert', 'roberta', 'xlm-roberta', 'distilbert', 'camembert', 'albert', 'xlnet'].map(
  (name) => `sentence_${name}_config.json`,
);

const modulesShape = z.array(z.object({ path: z.string(), type: z.string() })).min(1);
const size = z.number().int().positive();
const poolingShape = z.object({
  pooling_mode: z.union([z.enum(poolingModes), z.array(z.enum(poolingModes)).min(1)]).optional(),
  include_prompt: z.boolean().default(true),
});
const legacyModes = [
  ['pooling_mode_cls_token', 'cls'],
  ['pooling_mode_max_tokens', 'max'],
  ['pooling_mode_mean_tokens', 'mean'],
  ['pooling_mode_mean_sqrt_len_tokens', 'mean_sqrt_len_tokens'],
  ['pooling_mode_weightedmean_tokens', 'weightedmean'],
  ['pooling_mode_lasttoken', 'lasttoken'],
] as const satisfies readonly (readonly [string, PoolingMode])[];
const denseShape = z.object({
  in_features: size,
  out_features: size,
  bias: z.boolean().default(true),
  activation_function: z.string().default('torch.nn.modules.activation.Tanh'),
  module_input_name: z.literal('sentence_embedding').default('sentence_embedding'),
  module_output_name: z.literal('sentence_embedding').nullish(),
  use_residual: z.boolean().default(false),
});
const sentenceShape = z.object({ max_seq_length: size.nullish(), do_lower_case: z.boolean().default(false) });
const settingsShape = z.object({
  prompts: z.record(z.string(), z.string()).optional(),
  default_prompt_name: z.string().nullish(),
  similarity_fn_name: z
    .enum(similarities)
    .or(z.literal('dot_score').transform(() => 'dot' as const))
    .nullish(),
});
/** Very large numbers stand for "no limit" there. */
const tokenizerShape = z.object({ model_max_length: z.number().positive().optional() });

/** Reads what there is; every file is optional. */
export async function readSentenceFiles(files: Files, folder: string): Promise<SentenceFiles> {
  const read: string[] = [];
  const json = async (...parts: string[]): Promise<{ value: unknown; path: string } | undefined> => {
    const path = files.join(folder, ...parts);
    if ((await files.size(path)) === undefined) return undefined;
    read.push(parts.join('/'));
    return { value: parseJsonFile(await files.readText(path), path), path };
  };

  let encoderPath = '';
  let pooling: SentenceFiles['pooling'];
  let poolingPath: string | undefined;
  const tail: TailModule[] = [];
  const list = await json('modules.json');
  for (const [at, module] of (list ? check(modulesShape, list.value, list.path) : []).entries()) {
    const kind = module.type.slice(module.type.lastIndexOf('.') + 1);
    const wrong = (message: string, expected: string, found: string) =>
      inputError(message, {
        code: 'model.module',
        file: list!.path,
        field: `module ${at}`,
        expected,
        found: quoteFound(found),
      });
    if (module.path !== '' && !/^[\w-][\w.-]*\/?$/.test(module.path))
      throw wrong('the path of a module leads out of the checkpoint', 'a folder within it', module.path);
    const path = module.path.replace(/\/$/, '');
    if (!module.type.startsWith('sentence_transformers.'))
      throw wrong('a module is code of its own, which is never run', 'sentence_transformers.…', module.type);
    if ((kind === 'Transformer') !== (at === 0) || (kind === 'Pooling') !== (at === 1))
      throw wrong('the order of the modules is not supported', 'Transformer, Pooling, then Dense or Normalize', kind);
    if (kind === 'Transformer') encoderPath = path;
    else if (kind === 'Pooling') {
      pooling = readPooling(await need(json, files, folder, path));
      poolingPath = path;
    } else if (kind === 'Dense') tail.push(readDense(await need(json, files, folder, path), path));
    else if (kind === 'Normalize') tail.push({ kind: 'normalize' });
    else if (kind !== 'Dropout')
      throw wrong(
        'this kind of module is not supported',
        'Transformer, Pooling, Dense, Normalize, Dropout',
        module.type,
      );
  }

  const inEncoder = encoderPath === '' ? [] : [encoderPath];
  let sentence: z.output<typeof sentenceShape> | undefined;
  let sentenceConfig: string | undefined;
  for (const name of sentenceConfigs) {
    const found = await json(...inEncoder, name);
    if (found === undefined) continue;
    sentence = check(sentenceShape, found.value, found.path);
    sentenceConfig = name;
    break;
  }
  const settingsFile = await json('config_sentence_transformers.json');
  const settings = settingsFile && check(settingsShape, settingsFile.value, settingsFile.path);
  const tokenizerFile = await json(...inEncoder, 'tokenizer_config.json');
  const tokenizer = tokenizerFile && check(tokenizerShape, tokenizerFile.value, tokenizerFile.path);
  return {
    encoderPath,
    ...(pooling === undefined ? {} : { pooling }),
    ...(poolingPath === undefined ? {} : { poolingPath }),
    tail,
    ...(sentenceConfig === undefined ? {} : { sentenceConfig }),
    lowercase: sentence?.do_lower_case ?? false,
    ...(sentence?.max_seq_length ? { maxLength: sentence.max_seq_length } : {}),
    ...(settings?.prompts ? { prompts: settings.prompts } : {}),
    ...(settings?.default_prompt_name ? { defaultPrompt: settings.default_prompt_name } : {}),
    ...(settings?.similarity_fn_name ? { similarity: settings.similarity_fn_name } : {}),
    ...(tokenizer?.model_max_length ? { tokenizerMaxLength: Math.floor(tokenizer.model_max_length) } : {}),
    files: read,
  };
}

type JsonFile = { value: unknown; path: string };

async function need(
  json: (...parts: string[]) => Promise<JsonFile | undefined>,
  files: Files,
  folder: string,
  path: string,
): Promise<JsonFile> {
  const found = await json(path, 'config.json');
  if (found !== undefined) return found;
  throw inputError('a module that modules.json names has no configuration', {
    code: 'model.module',
    file: files.join(folder, path, 'config.json'),
    expected: 'a config.json',
    found: 'no such file',
    hint: 'the download is incomplete: get the model again',
  });
}

function readPooling({ value, path }: JsonFile): NonNullable<SentenceFiles['pooling']> {
  const raw = value as Record<string, unknown>;
  const { pooling_mode: named, include_prompt: includePrompt } = check(poolingShape, value, path, 'model.pooling');
  if (named !== undefined) return { modes: typeof named === 'string' ? [named] : named, includePrompt };
  const known = new Set<string>(legacyModes.map(([key]) => key));
  const unknown = Object.keys(raw).find(
    (key) => key.startsWith('pooling_mode') && !known.has(key) && raw[key] !== false,
  );
  if (unknown !== undefined) {
    throw inputError('this kind of pooling is not supported', {
      code: 'model.pooling',
      file: path,
      field: unknown,
      expected: poolingModes.join(', '),
      found: quoteFound(JSON.stringify(raw[unknown])),
    });
  }
  const modes = legacyModes.filter(([key]) => raw[key] === true).map(([, mode]) => mode);
  return { modes: modes.length > 0 ? modes : ['mean'], includePrompt };
}

function readDense({ value, path: file }: JsonFile, path: string): DenseModule {
  const raw = check(denseShape, value, file);
  const name = raw.activation_function.slice(raw.activation_function.lastIndexOf('.') + 1);
  const known = raw.activation_function.startsWith('torch.nn.') && Object.hasOwn(activations, name);
  if (!known) {
    throw inputError('the activation of this dense module is not supported', {
      code: 'model.module',
      file,
      field: 'activation_function',
      expected: Object.keys(activations)
        .map((key) => `torch.nn.…${key}`)
        .join(', '),
      found: quoteFound(raw.activation_function),
    });
  }
  return {
    kind: 'dense',
    path,
    inFeatures: raw.in_features,
    outFeatures: raw.out_features,
    bias: raw.bias,
    activation: activations[name]!,
    residual: raw.use_residual,
  };
}
