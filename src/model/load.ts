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
  type Engine,
  gelu,
  l2Normalise,
  linear,
  openEngine,
  type ParameterValue,
  type Program,
  parameter,
  relu,
  sigmoid,
  silu,
  type Tensor,
  tanh,
} from '../engine/index.ts';
import { architectureOf } from './architectures.ts';
import { batchFeeds, batchInputs, startsOf } from './batch.ts';
import { matchTensors, openCheckpoint } from './checkpoint.ts';
import { type EncoderConfig, readEncoderConfig } from './config.ts';
import { floatContext, int8Context, linearSpecs, type ParameterSpec, symbolicParameters } from './forward.ts';
import { modelHash } from './hash.ts';
import { type DenseActivation, type DenseModule, readSentenceFiles, type SentenceFiles } from './modules.ts';
import { pool, poolFeeds } from './pooling.ts';
import { choosePrompts } from './prompts.ts';
import { int8Version, quantisedValues } from './quantise.ts';
import { type KnownModel, loadRegistry, parseRegistry } from './registry.ts';
import type { LoadModelOptions, ModelDtype, Pooling, TextModel } from './types.ts';

/**
 * Loads the checkpoint in `folder` (Hugging Face or sentence-transformers layout). The weights are mapped from the file
 * where they are float32, so a model takes little memory of its own until it runs.
 */
export async function loadModel(
  platform: Platform,
  folder: string,
  options: LoadModelOptions = {},
): Promise<TextModel> {
  const { files } = platform;
  const { dtype = 'fp32', backend = 'ort', device = 'cpu', threads } = options;
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
  const filesHash = await modelHash(files, folder, own.encoderPath, [
    ...own.files,
    inEncoder('config.json'),
    ...checkpoint.files.map(inEncoder),
    ...dense.flatMap((module) => module.files),
  ]);

  const hash = dtype === 'int8' ? await hashOf({ files: filesHash, int8: int8Version }) : filesHash;

  const values = await parameterValues(files, specs, tensors, dtype);
  for (const { specs: denseSpecs, tensors: stored } of dense)
    for (const [name, value] of await parameterValues(files, denseSpecs, stored, 'fp32')) values.set(name, value);

  const engine = await openEngine(platform, { backend, device, ...(threads === undefined ? {} : { threads }) });
  const programs = compileLazily(engine, values);
  const batch = batchInputs();
  const states = () =>
    architecture
      .forward(config, symbolicParameters(specs), batch, dtype === 'int8' ? int8Context(specs) : floatContext)
      .at(-1)!;
  const graphs = {
    vectors: () => applyTail(pool(states(), batch, pooling.modes, config.hidden), own),
    states,
  };

  return {
    id,
    folder,
    architecture: config.architecture,
    config,
    hash,
    dtype,
    device: engine.device,
    parameters: specs.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0),
    hiddenSize: config.hidden,
    dimensions,
    matryoshka: known?.matryoshka ?? [],
    maxLength,
    padId: config.padId,
    lowercase: own.lowercase,
    pooling,
    normalized: own.tail.at(-1)?.kind === 'normalize',
    similarity:
      (known?.override.includes('similarity') ? known.similarity : own.similarity) ?? known?.similarity ?? 'cosine',
    prompts,
    ignoredTensors: ignored,
    prompt(role) {
      return prompts[role];
    },
    async encode(sequences, { promptTokens = 0 } = {}) {
      const lengths = sequences.map((sequence) => sequence.length);
      const feeds = {
        ...batchFeeds(config, sequences, { maxLength }),
        ...poolFeeds(lengths, pooling.modes, pooling.includePrompt ? 0 : promptTokens),
      };
      const program = await programs.get('vectors', graphs.vectors);
      return (await program.run(feeds, { transfer: true })).vectors!.floats;
    },
    async tokenStates(sequences) {
      const feeds = batchFeeds(config, sequences, { maxLength });
      const program = await programs.get('states', graphs.states);
      const { states } = await program.run(feeds, { transfer: true });
      return { data: states!.floats, starts: startsOf(sequences), hidden: config.hidden };
    },
    close: () => engine.close(),
  };
}

/** Each graph is compiled when it is first asked for: few users want both vectors and token states. */
function compileLazily(engine: Engine, parameters: ReadonlyMap<string, ParameterValue>) {
  const compiled = new Map<string, Promise<Program>>();
  return {
    get(name: string, graph: () => Tensor): Promise<Program> {
      const found = compiled.get(name);
      if (found !== undefined) return found;
      const program = engine.compile({ [name]: graph() }, { parameters });
      compiled.set(name, program);
      return program;
    },
  };
}

/** Float weights stay in their file; with int8, linear weights are read, quantised by output row and kept in memory. */
async function parameterValues(
  files: Files,
  specs: readonly ParameterSpec[],
  tensors: ReadonlyMap<string, StoredTensor>,
  dtype: ModelDtype,
): Promise<Map<string, ParameterValue>> {
  const values = new Map<string, ParameterValue>();
  for (const spec of specs) {
    const { name, shape, kind } = spec;
    const tensor = tensors.get(name)!;
    if (dtype === 'int8' && kind === 'linear') {
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
  const { path, inFeatures, outFeatures, bias, residual } = module;
  const specs = [
    ...linearSpecs('linear', outFeatures, inFeatures, { bias }),
    ...(residual && inFeatures !== outFeatures
      ? linearSpecs('residual', outFeatures, inFeatures, { bias: false })
      : []),
  ];
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
