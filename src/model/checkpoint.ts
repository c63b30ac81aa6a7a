/**
 * The weights of a checkpoint folder: one `model.safetensors`, or shards named by `model.safetensors.index.json`. Pickled
 * weights are never opened, since unpickling runs code. The tensors are matched with what the architecture needs before
 * anything is computed: a missing, surplus or wrongly shaped one is named.
 */
import { inputError, quoteFound } from '../base/errors.ts';
import type { Files } from '../base/platform.ts';
import { openSafetensors, type StoredTensor } from '../base/safetensors.ts';
import { type Json, parseStrictJson, StrictJsonError } from '../base/strict-json.ts';
import type { ParameterSpec } from './forward.ts';

export interface Checkpoint {
  /** `model.safetensors`, or the index file. */
  readonly file: string;
  /** Every file, the index included, relative to the folder. */
  readonly files: readonly string[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

const single = 'model.safetensors';
const index = 'model.safetensors.index.json';

/** Opens the checkpoint in `folder` and checks every header; no tensor is read. */
export async function openCheckpoint(files: Files, folder: string): Promise<Checkpoint> {
  const path = files.join(folder, single);
  if ((await files.size(path)) !== undefined) {
    return { file: path, files: [single], tensors: (await openSafetensors(files, path)).tensors };
  }
  const indexPath = files.join(folder, index);
  if ((await files.size(indexPath)) !== undefined) return openShards(files, folder, indexPath);
  const pickled = (await files.size(files.join(folder, 'pytorch_model.bin'))) !== undefined;
  throw inputError(pickled ? 'the weights are pickled, which can run code' : 'there are no weights in this folder', {
    code: pickled ? 'model.pickled' : 'model.weights-absent',
    file: folder,
    expected: `${single} or ${index}`,
    found: pickled ? 'pytorch_model.bin' : 'neither',
    hint: pickled
      ? 'convert them with Python: AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True)'
      : 'name the folder of a checkpoint, or get the model again with `patentlab models get`',
  });
}

async function openShards(files: Files, folder: string, indexPath: string): Promise<Checkpoint> {
  const map = await readWeightMap(files, indexPath);
  const shards = [...new Set(Object.values(map))].sort();
  const tensors = new Map<string, StoredTensor>();
  for (const shard of shards) {
    const { file, tensors: inShard } = await openSafetensors(files, files.join(folder, shard));
    for (const [name, tensor] of inShard) {
      if (map[name] !== shard) {
        throw inputError('the index and a shard disagree about where a tensor is', {
          code: 'model.index',
          file,
          field: `tensor ${quoteFound(name)}`,
          expected: map[name] === undefined ? 'not listed by the index' : `in ${map[name]}`,
          found: `in ${shard}`,
        });
      }
      tensors.set(name, tensor);
    }
  }
  for (const [name, shard] of Object.entries(map)) {
    if (!tensors.has(name))
      throw inputError('a tensor that the index names is not in its shard', {
        code: 'model.index',
        file: indexPath,
        field: `tensor ${quoteFound(name)}`,
        expected: `in ${shard}`,
        found: 'nothing',
      });
  }
  return { file: indexPath, files: [index, ...shards], tensors };
}

async function readWeightMap(files: Files, path: string): Promise<Record<string, string>> {
  const wrong = (message: string, found: string, line?: number) =>
    inputError(message, {
      code: 'model.index',
      file: path,
      expected: '{"weight_map": {"tensor": "file.safetensors", ...}}',
      found,
      ...(line === undefined ? {} : { line }),
    });
  let json: Json;
  try {
    json = parseStrictJson(await files.readText(path));
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw wrong('the index of the shards is not acceptable JSON', error.message, error.line);
  }
  const map = (json as { weight_map?: Json } | null)?.weight_map;
  if (map === null || typeof map !== 'object' || Array.isArray(map))
    throw wrong('the index has no map', 'no weight_map');
  for (const shard of Object.values(map)) {
    // A plain name in the same folder: a path could lead anywhere.
    if (typeof shard !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
      throw wrong('a shard is not a plain file name', quoteFound(JSON.stringify(shard)));
  }
  return map as Record<string, string>;
}

// Matching ---------------------------------------------------------------------------------------------------------

export interface MatchedTensors {
  /** By the architecture's own names. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Stored tensors that the forward pass does not need. */
  readonly ignored: readonly string[];
}

/** Buffers, poolers and heads of the training objectives: known to be of no use for token states. */
export const unneeded =
  /(^|\.)(position_ids|token_type_ids|inv_freq)$|^(pooler|cls|lm_head|head|decoder|classifier|score|qa_outputs|predictions)\./;

/** Finds the tensor of every parameter, whatever prefix the checkpoint was saved with; throws naming what does not fit. */
export function matchTensors(
  checkpoint: Checkpoint,
  specs: readonly ParameterSpec[],
  prefixes: readonly string[],
): MatchedTensors {
  const stored = new Map([...checkpoint.tensors].map(([name, tensor]) => [modernName(name), tensor]));
  const count = (prefix: string) => specs.filter((spec) => stored.has(prefix + spec.name)).length;
  const prefix = ['', ...prefixes].reduce((best, next) => (count(next) > count(best) ? next : best));
  const wanted = new Map(specs.map((spec) => [prefix + spec.name, spec]));

  const missing = [...wanted.keys()].filter((name) => !stored.has(name));
  if (missing.length > 0) {
    throw inputError(`the checkpoint lacks ${missing.length} of ${specs.length} tensors`, {
      code: 'model.tensors-missing',
      file: checkpoint.file,
      field: some(missing),
      expected: 'every tensor that config.json implies',
      found: `${checkpoint.tensors.size} tensors${stored.size > 0 ? `, such as ${[...checkpoint.tensors.keys()][0]}` : ''}`,
      hint: 'config.json and the weights do not belong together, or the download is incomplete: get the model again',
    });
  }
  const bare = (name: string) => (prefix !== '' && name.startsWith(prefix) ? name.slice(prefix.length) : name);
  const surplus = [...stored.keys()].filter((name) => !wanted.has(name));
  const extra = surplus.filter((name) => !unneeded.test(bare(name)));
  if (extra.length > 0) {
    throw inputError(`the checkpoint holds ${extra.length} tensors that its architecture does not have`, {
      code: 'model.tensors-extra',
      file: checkpoint.file,
      field: some(extra),
      expected: `the ${specs.length} tensors that config.json implies`,
      found: `${checkpoint.tensors.size} tensors`,
      hint: 'config.json and the weights do not belong together (another number of layers, or an adapter not merged)',
    });
  }
  for (const [name, spec] of wanted) checkShape(stored.get(name)!, spec);
  return {
    tensors: new Map([...wanted].map(([name, spec]) => [spec.name, stored.get(name)!])),
    ignored: surplus,
  };
}

function checkShape(tensor: StoredTensor, spec: ParameterSpec): void {
  const place = { file: tensor.file, field: `tensor ${tensor.name}` };
  if (tensor.shape.length !== spec.shape.length || tensor.shape.some((size, axis) => size !== spec.shape[axis])) {
    throw inputError('a tensor has another shape than config.json implies', {
      code: 'model.tensor-shape',
      ...place,
      expected: `[${spec.shape.join(', ')}]`,
      found: `[${tensor.shape.join(', ')}]`,
    });
  }
  if (!['F32', 'F16', 'BF16'].includes(tensor.dtype)) {
    throw inputError('a weight is stored in a type that is not supported', {
      code: 'model.tensor-dtype',
      ...place,
      expected: 'F32, F16 or BF16',
      found: tensor.dtype,
    });
  }
}

/** The first BERT checkpoints call a norm's parameters gamma and beta. */
function modernName(name: string): string {
  return name.replace(/\bLayerNorm\.gamma$/, 'LayerNorm.weight').replace(/\bLayerNorm\.beta$/, 'LayerNorm.bias');
}

function some(names: readonly string[]): string {
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}
