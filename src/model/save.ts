/**
 * A checkpoint out: the folder a model was loaded from, with other weights, as sentence-transformers and transformers load it.
 *
 *   model.safetensors                      the stored tensors under their stored names; float weights in float32
 *   config.json, tokenizer files           as they were (`dtype` says float32; what refers to the checkpoint's own code goes)
 *   modules.json, 1_Pooling/, N_Dense/     as they were, or made where the folder was a plain transformers one
 *   sentence_bert_config.json              the length limit the model was used with
 *   config_sentence_transformers.json      the prompts and the similarity the model was used with
 *   README.md                              a model card: what it came from, how it was trained, under which licence
 *
 * Everything is written and flushed under a temporary name beside the target, which then gets its name in one move: after a
 * crash there is the whole folder or none. Leftovers end in `.partial`.
 */
import { inputError, workError } from '../base/errors.ts';
import type { Files } from '../base/platform.ts';
import { readFloat32, readTensorBytes, type StoredTensor, safetensorsPieces } from '../base/safetensors.ts';
import { architectureOf } from './architectures.ts';
import { type ModelCard, modelCard } from './card.ts';
import { matchTensors, openCheckpoint } from './checkpoint.ts';
import { parseJsonFile } from './config.ts';
import type { ParameterSpec } from './forward.ts';
import { tokenizerFiles } from './hash.ts';
import { denseSpecs, readSentenceFiles, type SentenceFiles } from './modules.ts';
import type { Similarity } from './registry.ts';
import type { Pooling, PoolingMode, TextModel } from './types.ts';

/** What of a loaded model decides the files; every `TextModel` is one. */
export interface CheckpointSource extends Pick<TextModel, 'folder' | 'config' | 'pooling' | 'maxLength' | 'prompts'> {
  /** Default: as the folder says. */
  readonly similarity?: Similarity;
}

/** By the architecture's names; those of a dense module as `<path>.linear.weight`. */
export type NewWeights = ReadonlyMap<string, Float32Array>;

export interface SaveOptions {
  card: ModelCard;
  /** True: a folder that is there already is replaced. Default false: it must be absent or empty. */
  replace?: boolean;
  /** Puts more into the folder before it takes its name. */
  also?: (folder: string) => Promise<void>;
}

/** Writes `source`'s checkpoint with `weights` to `folder`; tensors that `weights` lacks stay as they were. */
export async function saveCheckpoint(
  files: Files,
  folder: string,
  source: CheckpointSource,
  weights: NewWeights,
  { card, replace = false, also }: SaveOptions,
): Promise<void> {
  await writeFolder(files, folder, { replace }, async (target) => {
    const own = await readSentenceFiles(files, source.folder);
    const inside = own.encoderPath === '' ? [] : [own.encoderPath];
    await copySettings(files, source, own, target);
    const configPath = files.join(source.folder, ...inside, 'config.json');
    await writeJson(files, files.join(target, ...inside, 'config.json'), await float32Config(files, configPath));

    const architecture = architectureOf(source.config);
    const used = new Set<string>();
    await writeWeights(files, {
      from: files.join(source.folder, ...inside),
      to: files.join(target, ...inside),
      specs: architecture.parameters(source.config),
      prefixes: architecture.prefixes,
      take: taker(weights, '', used),
    });
    for (const module of own.tail) {
      if (module.kind !== 'dense') continue;
      await copy(files, source.folder, target, `${module.path}/config.json`);
      await writeWeights(files, {
        from: files.join(source.folder, module.path),
        to: files.join(target, module.path),
        specs: denseSpecs(module),
        prefixes: [],
        take: taker(weights, `${module.path}.`, used),
      });
    }
    const unknown = [...weights.keys()].filter((name) => !used.has(name));
    if (unknown.length > 0)
      throw inputError('there are weights that the checkpoint has no place for', {
        code: 'model.weights-unknown',
        file: source.folder,
        field: unknown.slice(0, 5).join(', '),
        hint: 'an adapter is merged into the weights first, or saved as an adapter',
      });
    await files.writeAtomic(files.join(target, 'README.md'), modelCard(card));
    await also?.(target);
  });
}

/**
 * Makes `folder` by filling a folder beside it, which takes its name when `fill` has returned. The folder must be absent or
 * empty, unless it may be replaced.
 */
export async function writeFolder(
  files: Files,
  folder: string,
  { replace = false }: { replace?: boolean },
  fill: (target: string) => Promise<void>,
): Promise<void> {
  const { name, there } = await freeFolder(files, folder, replace);
  const beside = (what: string) => files.join(folder, '..', `.${name}.${crypto.randomUUID()}.${what}`);
  const target = beside('partial');
  try {
    await files.makeDirectory(target);
    await fill(target);
    if (!there) return await files.rename(target, folder);
    const old = beside('old.partial');
    await files.rename(folder, old);
    await files.rename(target, folder);
    await files.remove(old);
  } catch (error) {
    await files.remove(target).catch(() => undefined); // the reason is in `error`
    throw error;
  }
}

/** Whether `folder` is there, and its own name. Throws unless it is absent, empty or may be replaced. */
export async function freeFolder(
  files: Files,
  folder: string,
  replace = false,
): Promise<{ name: string; there: boolean }> {
  const name = folder.split(/[\\/]/).filter(Boolean).at(-1) ?? '';
  if (['', '.', '..'].includes(name))
    throw inputError('a checkpoint needs a folder with a name of its own', { code: 'model.folder', file: folder });
  const entries = await files.list(folder).catch(() => undefined);
  if (entries === undefined && (await files.size(folder)) !== undefined)
    throw inputError('a file stands where a folder is needed', {
      code: 'model.folder-exists',
      file: folder,
      expected: 'a new or an empty folder',
      found: 'a file',
      hint: 'name another folder',
    });
  if (entries !== undefined && entries.length > 0 && !replace)
    throw inputError('this folder is not empty', {
      code: 'model.folder-exists',
      file: folder,
      expected: 'a new or an empty folder',
      found: `${entries.length} entries`,
      hint: 'name another folder, or remove this one',
    });
  return { name, there: entries !== undefined };
}

// Weights ----------------------------------------------------------------------------------------------------------

type Take = (spec: ParameterSpec) => Float32Array | undefined;

function taker(weights: NewWeights, prefix: string, used: Set<string>): Take {
  return ({ name, shape }) => {
    const values = weights.get(prefix + name);
    if (values === undefined) return undefined;
    used.add(prefix + name);
    const size = shape.reduce((a, b) => a * b, 1);
    if (values.length !== size) throw new RangeError(`${name}: ${values.length} values for [${shape.join(', ')}]`);
    for (const value of values) {
      if (!Number.isFinite(value))
        throw workError('a weight is no finite number', {
          code: 'model.weights-not-finite',
          field: prefix + name,
          found: String(value),
          hint: 'the training diverged: take the last good state, and a lower learning rate',
        });
    }
    return values;
  };
}

interface WeightsToWrite {
  from: string;
  to: string;
  specs: readonly ParameterSpec[];
  prefixes: readonly string[];
  take: Take;
}

/** One `model.safetensors` with every tensor of the folder `from`, shards gathered. */
async function writeWeights(files: Files, { from, to, specs, prefixes, take }: WeightsToWrite): Promise<void> {
  const checkpoint = await openCheckpoint(files, from);
  const { tensors } = matchTensors(checkpoint, specs, prefixes);
  const replaced = new Map<StoredTensor, Float32Array>();
  for (const spec of specs) {
    const values = take(spec);
    if (values !== undefined) replaced.set(tensors.get(spec.name)!, values);
  }
  const pieces = [...checkpoint.tensors.values()].map((tensor) => {
    const { name, shape } = tensor;
    const float = ['F32', 'F16', 'BF16'].includes(tensor.dtype);
    if (!float) return { name, shape, dtype: tensor.dtype, data: () => readTensorBytes(files, tensor) };
    return { name, shape, dtype: 'F32' as const, data: () => replaced.get(tensor) ?? readFloat32(files, tensor) };
  });
  await files.writeAtomic(files.join(to, 'model.safetensors'), safetensorsPieces(pieces, { format: 'pt' }));
}

// Settings ---------------------------------------------------------------------------------------------------------

/** Terms under which the original was given travel with it. */
const legalFiles = ['LICENSE', 'LICENSE.txt', 'LICENSE.md', 'NOTICE'];

async function copySettings(files: Files, source: CheckpointSource, own: SentenceFiles, target: string): Promise<void> {
  const places = own.encoderPath === '' ? [''] : ['', `${own.encoderPath}/`];
  for (const place of places) for (const name of tokenizerFiles) await copy(files, source.folder, target, place + name);
  for (const name of legalFiles) await copy(files, source.folder, target, name);

  // As they were, where they say what the model does; made anew where they are absent or were overruled.
  if (own.pooling !== undefined) await copy(files, source.folder, target, 'modules.json');
  else await writeJson(files, files.join(target, 'modules.json'), plainModules);
  const poolingPath = own.poolingPath ?? '1_Pooling';
  if (source.pooling.source === 'checkpoint') await copy(files, source.folder, target, `${poolingPath}/config.json`);
  else
    await writeJson(
      files,
      files.join(target, poolingPath, 'config.json'),
      poolingConfig(source.pooling, source.config.hidden),
    );

  const inside = own.encoderPath === '' ? [] : [own.encoderPath];
  const stated = own.sentenceConfig ?? 'sentence_bert_config.json';
  await writeJson(files, files.join(target, ...inside, stated), {
    ...(await readJson(files, files.join(source.folder, ...inside, stated))),
    max_seq_length: source.maxLength,
    do_lower_case: own.lowercase,
  });
  const settings = await readJson(files, files.join(source.folder, 'config_sentence_transformers.json'));
  const { query, document, named } = source.prompts;
  await writeJson(files, files.join(target, 'config_sentence_transformers.json'), {
    ...settings,
    // A checkpoint's own prompts stay as it names them; `named` holds those of the registry under query and document.
    ...(source.prompts.source === 'checkpoint' ? {} : { prompts: { ...named, query, document } }),
    ...(source.similarity === undefined || source.similarity === 'maxsim'
      ? {}
      : { similarity_fn_name: source.similarity }),
  });
}

/** modules.json under the names that every version of sentence-transformers knows. */
export const plainModules = [
  { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
  { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
];

/** Names that every version of sentence-transformers reads, in the order in which it joins several. */
const poolingNames = [
  ['cls', 'pooling_mode_cls_token'],
  ['max', 'pooling_mode_max_tokens'],
  ['mean', 'pooling_mode_mean_tokens'],
  ['mean_sqrt_len_tokens', 'pooling_mode_mean_sqrt_len_tokens'],
  ['weightedmean', 'pooling_mode_weightedmean_tokens'],
  ['lasttoken', 'pooling_mode_lasttoken'],
] as const satisfies readonly (readonly [PoolingMode, string])[];

/** 1_Pooling/config.json. */
export function poolingConfig(pooling: Pick<Pooling, 'modes' | 'includePrompt'>, hidden: number): object {
  return {
    word_embedding_dimension: hidden,
    ...Object.fromEntries(poolingNames.map(([mode, name]) => [name, pooling.modes.includes(mode)])),
    include_prompt: pooling.includePrompt,
  };
}

/** The configuration with what no longer holds taken out: another element type, code of the checkpoint's own. */
async function float32Config(files: Files, path: string): Promise<object> {
  const { auto_map: _, ...config } = parseJsonFile(await files.readText(path), path) as Record<string, unknown>;
  for (const key of ['dtype', 'torch_dtype']) if (key in config) config[key] = 'float32';
  return config;
}

async function readJson(files: Files, path: string): Promise<Record<string, unknown>> {
  if ((await files.size(path)) === undefined) return {};
  return parseJsonFile(await files.readText(path), path) as Record<string, unknown>;
}

export function writeJson(files: Files, path: string, value: unknown): Promise<void> {
  return files.writeAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** Copies a file where there is one; `name` is relative, with `/`. */
async function copy(files: Files, from: string, to: string, name: string): Promise<void> {
  const path = files.join(from, ...name.split('/'));
  if ((await files.size(path)) === undefined) return;
  await files.writeAtomic(files.join(to, ...name.split('/')), await files.read(path));
}
