/**
 * From a checkpoint folder to a model that encodes: reads configuration and modules, matches the weights, compiles the
 * graph, and offers batches of token ids in and vectors out. Only data is read; a checkpoint's own code is never run.
 */
import { inputError } from '../base/errors.ts';
import { hashOf } from '../base/hash.ts';
import type { Files, Platform } from '../base/platform.ts';
import type { StoredTensor } from '../base/safetensors.ts';
import {
  add,
  type Feeds,
  gelu,
  l2Normalise,
  linear,
  type ParameterValue,
  parameter,
  relu,
  sigmoid,
  silu,
  type Tensor,
  tanh,
} from '../engine/index.ts';
import { adapterHash, loadAdapter } from './adapter.ts';
import { architectureOf } from './architectures.ts';
import { batchFeeds, batchInputs, startsOf } from './batch.ts';
import { matchTensors, openCheckpoint } from './checkpoint.ts';
import { type EncoderConfig, readEncoderConfig } from './config.ts';
import {
  type EncoderBatch,
  type ForwardContext,
  floatContext,
  int8Context,
  type ParameterSpec,
  symbolicParameters,
} from './forward.ts';
import { modelHash } from './hash.ts';
import { openLanes } from './lanes.ts';
import { loraContext, loraParameters } from './lora.ts';
import {
  type DenseActivation,
  type DenseModule,
  denseSpecs,
  readSentenceFiles,
  type SentenceFiles,
} from './modules.ts';
import { pool, poolFeeds } from './pooling.ts';
import { choosePrompts } from './prompts.ts';
import { int8Version, quantisedValues } from './quantise.ts';
import { type KnownModel, loadRegistry, parseRegistry } from './registry.ts';
import type { LoadModelOptions, ModelDtype, Pooling, Prompts, TextModel } from './types.ts';

/**
 * Loads the checkpoint in `folder` (Hugging Face or sentence-transformers layout). The weights are mapped from the file
 * where they are float32, so a model takes little memory of its own until it runs.
 */
export async function loadModel(
  platform: Platform,
  folder: string,
  options: LoadModelOptions = {},
): Promise<TextModel> {
  const { dtype = 'fp32', backend = 'ort', device = 'cpu', threads } = options;
  const parts = await openModelParts(platform, folder, options);
  const { config, specs, pooling, own, known, prompts } = parts;
  const adapter = options.adapter && (await loadAdapter(platform.files, options.adapter.folder, specs));
  const factor = options.adapter?.factor ?? 1;
  const base = dtype === 'int8' ? int8Context(specs) : floatContext;
  const lanes = await openLanes(platform, {
    backend,
    device,
    ...(threads === undefined ? {} : { threads }),
    parameters: new Map([...(await parts.values(dtype)), ...(adapter === undefined ? [] : loraParameters(adapter))]),
    weightBytes: linearBytes(specs, dtype),
    quantised: dtype === 'int8',
  });
  const graphs = parts.graphs(adapter === undefined ? base : loraContext(adapter, { base, factor }));
  const adapted = adapter === undefined ? {} : { adapter: await adapterHash(adapter), factor };
  const quantised = dtype === 'int8' ? { int8: int8Version } : {};
  const changes = { ...quantised, ...adapted };

  return {
    id: parts.id,
    folder,
    architecture: config.architecture,
    config,
    hash: Object.keys(changes).length > 0 ? await hashOf({ files: parts.hash, ...changes }) : parts.hash,
    dtype,
    device: lanes.device,
    lanes: lanes.count,
    arithmetic: lanes.arithmetic,
    parameters: parameterCount(specs),
    hiddenSize: config.hidden,
    dimensions: parts.dimensions,
    matryoshka: known?.matryoshka ?? [],
    maxLength: parts.maxLength,
    padId: config.padId,
    lowercase: own.lowercase,
    pooling,
    normalized: own.tail.at(-1)?.kind === 'normalize',
    similarity:
      (known?.override.includes('similarity') ? known.similarity : own.similarity) ?? known?.similarity ?? 'cosine',
    prompts,
    ignoredTensors: parts.ignored,
    prompt(role) {
      return prompts[role];
    },
    async encode(sequences, { promptTokens = 0 } = {}) {
      return (await lanes.run('vectors', graphs.vectors, parts.feeds(sequences, promptTokens))).floats;
    },
    async tokenStates(sequences) {
      const feeds = batchFeeds(config, sequences, { maxLength: parts.maxLength });
      const { floats } = await lanes.run('states', graphs.states, feeds);
      return { data: floats, starts: startsOf(sequences), hidden: config.hidden };
    },
    close: () => lanes.close(),
  };
}

/** A checkpoint, read and checked: what inference and training make their programs of. */
export interface ModelParts {
  readonly id: string;
  readonly folder: string;
  readonly config: EncoderConfig;
  /** The encoder's parameters, by Hugging Face's names without the model's own prefix. */
  readonly specs: readonly ParameterSpec[];
  /** Where the encoder's weights are stored. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Tensors of the checkpoint that the forward pass does not need. */
  readonly ignored: readonly string[];
  readonly own: SentenceFiles;
  readonly known: KnownModel | undefined;
  readonly pooling: Pooling;
  readonly prompts: Prompts;
  readonly maxLength: number;
  readonly dimensions: number;
  /** SHA-256 over every file that can change a vector, with names. */
  readonly hash: string;
  /** Parameters of the modules after pooling, by the names that the graphs ask for. */
  readonly tailSpecs: readonly ParameterSpec[];
  /** Values of all parameters, encoder and modules after it. */
  values(dtype: ModelDtype): Promise<Map<string, ParameterValue>>;
  /**
   * Symbolic graphs over the inputs that `feeds` fills, or over a batch of one's own: states [tokens, hidden] and vectors
   * ['batch', dimensions].
   */
  graphs(
    context: ForwardContext,
    batch?: EncoderBatch,
  ): { states(): Tensor; vectors(): Tensor; encoder(): EncoderGraph };
  /** `promptTokens`: leading tokens of every sequence, or of each, to leave out of the mean where pooling says so. */
  feeds(sequences: readonly Int32Array[], promptTokens?: number | readonly number[]): Feeds;
}

/** One forward pass: the vectors ['batch', dimensions], and the states [tokens, hidden] that each layer takes. */
interface EncoderGraph {
  readonly vectors: Tensor;
  /** The last layer's, [tokens, hidden]. */
  readonly states: Tensor;
  readonly layers: readonly Tensor[];
}

export async function openModelParts(
  platform: Platform,
  folder: string,
  options: Pick<LoadModelOptions, 'id' | 'pooling' | 'maxLength' | 'registry'> = {},
): Promise<ModelParts> {
  const { files } = platform;
  const registry =
    options.registry === undefined ? await loadRegistry(platform) : parseRegistry(options.registry, 'registry');
  const own = await readSentenceFiles(files, folder);
  const encoderFolder = own.encoderPath === '' ? folder : files.join(folder, own.encoderPath);
  const configPath = files.join(encoderFolder, 'config.json');
  if ((await files.size(configPath)) === undefined) {
    throw inputError('this folder holds no model', {
      code: 'model.absent',
      file: folder,
      expected: 'config.json, model.safetensors and tokenizer.json',
      found: 'no config.json',
      hint: 'name the folder of a checkpoint, or get a model with `patentlab models get ID`',
    });
  }
  const config = readEncoderConfig(await files.readText(configPath), configPath);
  const id = options.id ?? folder.split(/[\\/]/).filter(Boolean).at(-1) ?? folder;
  const known = registry.find(id);

  const architecture = architectureOf(config);
  const specs = architecture.parameters(config);
  const checkpoint = await openCheckpoint(files, encoderFolder);
  const { tensors, ignored } = matchTensors(checkpoint, specs, architecture.prefixes);
  const dense = await Promise.all(
    own.tail.filter((module) => module.kind === 'dense').map((module) => openDense(files, folder, module)),
  );
  const pooling = choosePooling(options, own, known);
  const maxLength = chooseMaxLength(options, own, known, config, folder);
  const dimensions = checkDimensions(own, config.hidden * pooling.modes.length, folder);
  const inEncoder = (name: string) => (own.encoderPath === '' ? name : `${own.encoderPath}/${name}`);
  const prompts = choosePrompts(own, known);
  const hash = await modelHash(files, folder, own.encoderPath, [
    ...own.files,
    inEncoder('config.json'),
    ...checkpoint.files.map(inEncoder),
    ...dense.flatMap((module) => module.files),
  ]);
  return {
    id,
    folder,
    config,
    specs,
    tensors,
    ignored,
    own,
    known,
    pooling,
    prompts,
    maxLength,
    dimensions,
    hash,
    tailSpecs: dense.flatMap((module) => module.specs),
    async values(dtype) {
      const values = await parameterValues(files, specs, tensors, dtype);
      for (const { specs: specsOfDense, tensors: stored } of dense)
        for (const [name, value] of await parameterValues(files, specsOfDense, stored, 'fp32')) values.set(name, value);
      return values;
    },
    graphs(context, batch = batchInputs()) {
      const forward = () => architecture.forward(config, symbolicParameters(specs), batch, context);
      const encoder = () => {
        const states = forward();
        const vectors = applyTail(pool(states.at(-1)!, batch, pooling.modes, config.hidden), own);
        return { vectors, states: states.at(-1)!, layers: states.slice(0, -1) };
      };
      return { states: () => forward().at(-1)!, vectors: () => encoder().vectors, encoder };
    },
    feeds: (sequences, promptTokens = 0) => ({
      ...batchFeeds(config, sequences, { maxLength }),
      ...poolFeeds(
        sequences.map((sequence) => sequence.length),
        pooling.modes,
        pooling.includePrompt ? 0 : promptTokens,
      ),
    }),
  };
}

/** Numbers in all parameters. */
export function parameterCount(specs: readonly ParameterSpec[]): number {
  return specs.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
}

/** What the weights of linear layers take in memory. */
export function linearBytes(specs: readonly ParameterSpec[], dtype: ModelDtype): number {
  return parameterCount(specs.filter(({ kind }) => kind === 'linear')) * (dtype === 'int8' ? 1 : 4);
}

/** Float weights stay in their file; with int8, linear weights are read, quantised by output row and kept in memory. */
export async function parameterValues(
  files: Files,
  specs: readonly ParameterSpec[],
  tensors: ReadonlyMap<string, StoredTensor>,
  dtype: ModelDtype,
): Promise<Map<string, ParameterValue>> {
  const values = new Map<string, ParameterValue>();
  for (const spec of specs) {
    const { name, shape, kind } = spec;
    const tensor = tensors.get(name)!;
    if (dtype === 'int8' && kind === 'linear' && !spec.int8?.exact) {
      for (const [part, value] of await quantisedValues(files, spec, tensors)) values.set(part, value);
    } else {
      const stored = ({ F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const)[tensor.dtype as 'F32'];
      const { file, offset, bytes } = tensor;
      values.set(name, { dtype: stored, shape, source: { file, offset, bytes } });
    }
  }
  return values;
}

function choosePooling(options: LoadModelOptions, own: SentenceFiles, known: KnownModel | undefined): Pooling {
  if (options.pooling !== undefined) return { modes: [options.pooling], includePrompt: true, source: 'option' };
  if (known?.pooling !== undefined && (own.pooling === undefined || known.override.includes('pooling')))
    return { modes: [known.pooling], includePrompt: true, source: 'registry' };
  if (own.pooling !== undefined) return { ...own.pooling, source: 'checkpoint' };
  return { modes: ['mean'], includePrompt: true, source: 'default' };
}

/** The least of the limits that are stated, never beyond what positions exist for. */
function chooseMaxLength(
  options: LoadModelOptions,
  own: SentenceFiles,
  known: KnownModel | undefined,
  config: EncoderConfig,
  folder: string,
): number {
  if (options.maxLength !== undefined) {
    const fits =
      Number.isInteger(options.maxLength) && options.maxLength >= 1 && options.maxLength <= config.maxPositions;
    if (fits) return options.maxLength;
    throw inputError('the model cannot take texts of this length', {
      code: 'model.max-length',
      file: folder,
      field: 'length',
      expected: `1 to ${config.maxPositions} tokens`,
      found: String(options.maxLength),
    });
  }
  const registered = known?.maxLength;
  const stated = known?.override.includes('maxLength')
    ? registered
    : (own.maxLength ?? registered ?? own.tokenizerMaxLength);
  return Math.min(stated ?? config.maxPositions, config.maxPositions);
}

// Modules after pooling --------------------------------------------------------------------------------------------

async function openDense(files: Files, folder: string, module: DenseModule) {
  const { path } = module;
  const specs = denseSpecs(module);
  const checkpoint = await openCheckpoint(files, files.join(folder, path));
  const { tensors } = matchTensors(checkpoint, specs, []);
  return {
    specs: specs.map((spec) => ({ ...spec, name: `${path}.${spec.name}` })),
    tensors: new Map([...tensors].map(([name, tensor]) => [`${path}.${name}`, tensor])),
    files: checkpoint.files.map((name) => `${path}/${name}`),
  };
}

const denseActivations: Readonly<Record<DenseActivation, (x: Tensor) => Tensor>> = {
  identity: (x) => x,
  tanh,
  relu,
  gelu: (x) => gelu(x),
  sigmoid,
  silu,
};

/** vectors [batch, width] through the modules after pooling. */
function applyTail(vectors: Tensor, own: SentenceFiles): Tensor {
  let x = vectors;
  for (const module of own.tail) {
    if (module.kind === 'normalize') {
      x = l2Normalise(x);
      continue;
    }
    const { path, inFeatures, outFeatures } = module;
    const weight = (name: string) => parameter(`${path}.${name}.weight`, [outFeatures, inFeatures]);
    const bias = module.bias ? parameter(`${path}.linear.bias`, [outFeatures]) : undefined;
    const y = denseActivations[module.activation](linear(x, weight('linear'), bias));
    const shortcut = inFeatures === outFeatures ? x : module.residual ? linear(x, weight('residual')) : undefined;
    x = module.residual && shortcut !== undefined ? add(y, shortcut) : y;
  }
  return x;
}

/** The length of the final vector; every dense module must take what comes before it. */
function checkDimensions(own: SentenceFiles, pooled: number, folder: string): number {
  let width = pooled;
  for (const module of own.tail) {
    if (module.kind !== 'dense') continue;
    if (module.inFeatures !== width)
      throw inputError('a dense module takes vectors of another length than it is given', {
        code: 'model.module',
        file: folder,
        field: `${module.path}: in_features`,
        expected: `${width}`,
        found: `${module.inFeatures}`,
      });
    width = module.outFeatures;
  }
  return width;
}
