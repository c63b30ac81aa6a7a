/**
 * Adapters on disk, in PEFT's format: `adapter_config.json` and `adapter_model.safetensors` with tensors called
 *
 *   base_model.model.<layer>.lora_A.weight, base_model.model.<layer>.lora_B.weight
 *
 * PEFT writes the names of whatever model it wrapped: what stands before the layer's own name (`bert.`, `0.auto_model.`)
 * is skipped. Variants of LoRA that compute something else (DoRA, trained biases, whole modules saved beside it) are refused by name.
 */
import { z } from 'zod';
import { inputError, quoteFound } from '../base/errors.ts';
import { hashOf, sha256 } from '../base/hash.ts';
import type { Files } from '../base/platform.ts';
import { openSafetensors, readFloat32, type StoredTensor, safetensorsPieces } from '../base/safetensors.ts';
import { unneeded } from './checkpoint.ts';
import { check, parseJsonFile } from './config.ts';
import type { ParameterSpec } from './forward.ts';
import { type LoraAdapter, type LoraLayer, linearLayers, loraSpecs, nameOfA, nameOfB } from './lora.ts';
import { writeFolder, writeJson } from './save.ts';

const configFile = 'adapter_config.json';
const weightsFile = 'adapter_model.safetensors';
const prefix = 'base_model.model.';

const patterns = z.record(z.string(), z.number().positive()).nullish();
const configShape = z.object({
  peft_type: z.literal('LORA'),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).lt(1).default(0),
  use_rslora: z.boolean().nullish(),
  bias: z.literal('none').default('none'),
  alpha_pattern: patterns,
});

/** Fields that say nothing about what is computed, or whose meaning the tensors carry. Any other must be off. */
const harmless = new Set([
  ...Object.keys(configShape.shape),
  ...['auto_mapping', 'base_model_name_or_path', 'revision', 'task_type', 'inference_mode', 'peft_version'],
  ...['rank_pattern', 'target_modules', 'exclude_modules', 'layers_to_transform', 'layers_pattern'],
  ...['init_lora_weights', 'megatron_core', 'qalora_group_size', 'runtime_config', 'loftq_config'],
]);

export interface SaveAdapterOptions {
  /** Id or folder of the model the adapter belongs to. */
  baseModel?: string;
  /** True: a folder that is there already is replaced. Default false. */
  replace?: boolean;
}

/** Writes the adapter to `folder`, as PEFT loads it. */
export async function saveAdapter(
  files: Files,
  folder: string,
  adapter: LoraAdapter,
  { baseModel, replace = false }: SaveAdapterOptions = {},
): Promise<void> {
  const { rank, alpha, dropout, rankStabilised, layers, values } = adapter;
  const others = (field: 'rank' | 'alpha', usual: number) =>
    Object.fromEntries(
      [...layers].filter(([, layer]) => layer[field] !== usual).map(([name, layer]) => [name, layer[field]]),
    );
  await writeFolder(files, folder, { replace }, async (target) => {
    const tensors = loraSpecs(adapter).map(({ name, shape }) => ({
      name: prefix + name,
      dtype: 'F32' as const,
      shape,
      data: () => values.get(name)!,
    }));
    await files.writeAtomic(files.join(target, weightsFile), safetensorsPieces(tensors, { format: 'pt' }));
    await writeJson(files, files.join(target, configFile), {
      peft_type: 'LORA',
      task_type: 'FEATURE_EXTRACTION',
      base_model_name_or_path: baseModel ?? null,
      inference_mode: true,
      r: rank,
      lora_alpha: alpha,
      lora_dropout: dropout,
      use_rslora: rankStabilised,
      target_modules: [...layers.keys()],
      rank_pattern: others('rank', rank),
      alpha_pattern: others('alpha', alpha),
      bias: 'none',
      fan_in_fan_out: false,
      init_lora_weights: true,
      modules_to_save: null,
      use_dora: false,
    });
  });
}

/** Reads the adapter in `folder` for a model with the parameters `specs`; checks every tensor against them. */
export async function loadAdapter(files: Files, folder: string, specs: readonly ParameterSpec[]): Promise<LoraAdapter> {
  const path = files.join(folder, configFile);
  if ((await files.size(path)) === undefined) {
    throw inputError('this folder holds no adapter', {
      code: 'model.adapter-absent',
      file: folder,
      expected: `${configFile} and ${weightsFile}, as PEFT saves them`,
      found: `no ${configFile}`,
    });
  }
  const json = parseJsonFile(await files.readText(path), path);
  const config = check(configShape, json, path, 'model.adapter');
  for (const [field, value] of Object.entries(json as object)) {
    if (harmless.has(field) || isOff(value)) continue;
    throw inputError('this adapter computes something that is not supported', {
      code: 'model.adapter',
      file: path,
      field,
      expected: 'plain LoRA on linear layers: this field absent, null or false',
      found: quoteFound(JSON.stringify(value)),
      hint: 'merge it with PEFT (merge_and_unload) and load the merged checkpoint',
    });
  }
  const { tensors, file } = await openSafetensors(files, files.join(folder, weightsFile));
  const known = linearLayers(specs);
  const found = new Map<string, { a?: StoredTensor; b?: StoredTensor }>();
  const wrong = (message: string, tensor: string, expected: string, is: string) =>
    inputError(message, {
      code: 'model.adapter-tensor',
      file,
      field: `tensor ${quoteFound(tensor)}`,
      expected,
      found: is,
    });
  for (const [name, tensor] of tensors) {
    const [, module, side] = /^(.*)\.lora_([AB])\.(?:default\.)?weight$/.exec(name) ?? [];
    const bare = (module ?? name).startsWith(prefix) ? (module ?? name).slice(prefix.length) : (module ?? name);
    if (module === undefined || side === undefined)
      throw wrong(
        'the adapter holds a tensor that is no part of LoRA on linear layers',
        name,
        '….lora_A.weight or ….lora_B.weight',
        name,
      );
    const layer = ends(bare).find((end) => known.has(end));
    if (layer === undefined) {
      if (ends(bare).some((end) => unneeded.test(end))) continue; // a pooler's or head's adapter: no vector passes through it
      throw wrong('the adapter belongs to another model', name, 'a linear layer of this model', bare);
    }
    found.set(layer, { ...found.get(layer), [side === 'A' ? 'a' : 'b']: tensor });
  }
  const layers = new Map<string, LoraLayer>();
  const values = new Map<string, Float32Array>();
  for (const [name, { out, width }] of known) {
    const pair = found.get(name);
    if (pair === undefined) continue;
    const { a, b } = pair;
    if (a === undefined || b === undefined)
      throw wrong(
        'one of the two matrices of a layer is missing',
        name,
        'lora_A and lora_B',
        a === undefined ? 'lora_B' : 'lora_A',
      );
    const rank = a.shape[0] ?? 0;
    for (const [tensor, shape] of [
      [a, [rank, width]],
      [b, [out, rank]],
    ] as const)
      if (rank === 0 || tensor.shape.join() !== shape.join())
        throw wrong(
          'a matrix of the adapter has another shape',
          tensor.name,
          `[${shape.join(', ')}]`,
          `[${tensor.shape.join(', ')}]`,
        );
    layers.set(name, { out, width, rank, alpha: alphaOf(name, config.alpha_pattern ?? {}, config.lora_alpha, path) });
    values.set(nameOfA(name), await readFloat32(files, a));
    values.set(nameOfB(name), await readFloat32(files, b));
  }
  if (layers.size === 0)
    throw inputError('the adapter changes no layer of this model', {
      code: 'model.adapter',
      file,
      found: `${tensors.size} tensors`,
    });
  return {
    rank: config.r,
    alpha: config.lora_alpha,
    dropout: config.lora_dropout,
    rankStabilised: config.use_rslora ?? false,
    layers,
    values,
  };
}

/** Identity of an adapter: everything that can change a vector. */
export async function adapterHash({ layers, rankStabilised, values }: LoraAdapter): Promise<string> {
  const digests: Record<string, string> = {};
  for (const [name, { buffer, byteOffset, byteLength }] of values)
    digests[name] = await sha256(new Uint8Array(buffer, byteOffset, byteLength));
  return hashOf({ layers: Object.fromEntries(layers), rankStabilised, digests });
}

/** a.b.c, b.c, c */
function ends(name: string): string[] {
  const parts = name.split('.');
  return parts.map((_, from) => parts.slice(from).join('.'));
}

/** The first pattern that matches the end of the name decides, as in PEFT. */
function alphaOf(name: string, alphas: Record<string, number>, usual: number, file: string): number {
  for (const [pattern, alpha] of Object.entries(alphas)) {
    try {
      if (new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(name)) return alpha;
    } catch (error) {
      throw inputError('a pattern of this adapter cannot be read', {
        code: 'model.adapter',
        file,
        field: `alpha_pattern ${quoteFound(pattern)}`,
        expected: 'a regular expression',
        found: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return usual;
}

function isOff(value: unknown): boolean {
  if (value === null || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
