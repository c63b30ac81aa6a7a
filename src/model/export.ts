/**
 * A checkpoint for other programs, proven before it is called done.
 *
 *   onnx                   onnx/model.onnx beside configuration, tokenizer and modules: for transformers.js, Python's
 *                          onnxruntime, optimum and sentence-transformers' ONNX backend. Inputs and outputs: export-graph.ts
 *   sentence-transformers  the folder as sentence-transformers loads it, whatever form it had: one model.safetensors in float32
 *
 * What is written is run (onnx) or loaded (sentence-transformers) from disk before the folder takes its name, and must give
 * the states and vectors that the original gives, within 1e-4 of the largest.
 */
import { workError } from '../base/errors.ts';
import type { Files, Platform } from '../base/platform.ts';
import { portableOpset, runOnnxFile, writeOnnxFile } from '../engine/onnx-file.ts';
import { parseJsonFile } from './config.ts';
import { exportGraph } from './export-graph.ts';
import { loadModel, type ModelParts, openModelParts } from './load.ts';
import { freeFolder, saveCheckpoint, writeJson } from './save.ts';

export const exportTargets = ['onnx', 'sentence-transformers'] as const;
export type ExportTarget = (typeof exportTargets)[number];

export interface ExportOptions {
  to: ExportTarget;
  /** Folder of the export: absent or empty. */
  out: string;
  /** Id by which the registry knows the model; default the folder's name. */
  id?: string;
  /** ONNX: most bytes of weights within `model.onnx`; more go to `model.onnx_data`. Default 1.9e9. */
  inline?: number;
}

export interface ExportResult {
  readonly folder: string;
  readonly to: ExportTarget;
  /** The model's file within the folder, and the bytes of its weights and graph. */
  readonly model: string;
  readonly bytes: number;
  /** ONNX: the version of its ops, and the names of its outputs. */
  readonly opset?: number;
  readonly outputs?: readonly string[];
  /** Largest differences between what was written and the original. */
  readonly checked: Differences;
}

/** `vectors` is absent where the written model gives none. */
interface Differences {
  readonly states: number;
  readonly vectors?: number;
}

export async function exportModel(platform: Platform, folder: string, options: ExportOptions): Promise<ExportResult> {
  const { files } = platform;
  const { to, out, inline, id = folder } = options;
  await freeFolder(files, out);
  const parts = await openModelParts(platform, folder, { id });
  const original = await probe(platform, folder, parts);
  const inside = (name: string) => (parts.own.encoderPath === '' ? name : `${parts.own.encoderPath}/${name}`);
  const model = inside(to === 'onnx' ? 'onnx/model.onnx' : 'model.safetensors');
  // Where a prompt's tokens are left out of the mean, a vector cannot be had from ids and mask alone.
  const withVectors = parts.pooling.includePrompt;
  let checked: Differences | undefined;
  let bytes = 0;
  await saveCheckpoint(files, out, parts, new Map(), {
    card: { baseModel: id, recipe: `Written from ${id}, its weights unchanged.` },
    async also(target) {
      const within = (name: string) => files.join(target, ...name.split('/'));
      const card = files.join(folder, 'README.md');
      if ((await files.size(card)) !== undefined) await files.writeAtomic(within('README.md'), await files.read(card));
      if (to === 'onnx') {
        await files.makeDirectory(within(inside('onnx')));
        const { external } = await writeOnnxFile(files, within(model), exportGraph(parts, { withVectors }), {
          parameters: await parts.values('fp32'),
          dimensions: { batch: 'batch_size', seq: 'sequence_length' },
          ...(inline === undefined ? {} : { inline }),
        });
        await files.remove(within(inside('model.safetensors')));
        if (external) await announceExternal(files, within(inside('config.json')));
        checked = compare(out, await probeOnnx(platform, within(model), parts), original);
      } else checked = compare(out, await probe(platform, target, parts), original);
      for (const name of [model, `${model}_data`]) bytes += (await files.size(within(name))) ?? 0;
    },
  });
  return {
    folder: out,
    to,
    model,
    bytes,
    ...(to === 'onnx'
      ? { opset: portableOpset, outputs: ['last_hidden_state', ...(withVectors ? ['sentence_embedding'] : [])] }
      : {}),
    checked: checked!,
  };
}

/** transformers.js fetches external data only where the configuration says so. */
async function announceExternal(files: Files, path: string): Promise<void> {
  const config = parseJsonFile(await files.readText(path), path) as Record<string, unknown>;
  await writeJson(files, path, { ...config, 'transformers.js_config': { use_external_data_format: true } });
}

// Proof ------------------------------------------------------------------------------------------------------------

/** States of all tokens [tokens, hidden], and vectors [sequences, dimensions]. */
interface Results {
  readonly states: Float32Array;
  readonly vectors?: Float32Array;
}

/** Sequences of ids of unequal lengths that show every layer; no text is needed to compare models. */
function probes({ config, maxLength }: ModelParts): Int32Array[] {
  return [60, 3, 17].map((length, at) =>
    Int32Array.from({ length: Math.min(length, maxLength) }, (_, i) => (7919 * (i + 1) * (at + 1)) % config.vocabulary),
  );
}

async function probe(platform: Platform, folder: string, parts: ModelParts): Promise<Results> {
  const model = await loadModel(platform, folder, { threads: 1, id: parts.id });
  try {
    const sequences = probes(parts);
    return { states: (await model.tokenStates(sequences)).data, vectors: await model.encode(sequences) };
  } finally {
    await model.close();
  }
}

/** The same of an ONNX file, as one padded batch. */
async function probeOnnx(platform: Platform, path: string, parts: ModelParts): Promise<Results> {
  const { hidden, padId } = parts.config;
  const sequences = probes(parts);
  const seq = Math.max(...sequences.map(({ length }) => length));
  const shape = [sequences.length, seq];
  const padded = (value: (sequence: Int32Array, at: number) => number) =>
    BigInt64Array.from(
      sequences.flatMap((sequence) => Array.from({ length: seq }, (_, at) => BigInt(value(sequence, at)))),
    );
  const feeds = {
    input_ids: padded((sequence, at) => sequence[at] ?? padId),
    attention_mask: padded((sequence, at) => (at < sequence.length ? 1 : 0)),
    token_type_ids: padded(() => 0),
  };
  const results = await runOnnxFile(
    platform,
    path,
    Object.entries(feeds).map(([name, data]) => ({ name, dtype: 'int64', shape, data })),
  );
  const states = results.get('last_hidden_state')!.data as Float32Array;
  const vectors = results.get('sentence_embedding')?.data as Float32Array | undefined;
  const kept = sequences.map(({ length }, at) => states.subarray(at * seq * hidden, (at * seq + length) * hidden));
  const flat = new Float32Array(kept.reduce((total, { length }) => total + length, 0));
  let start = 0;
  for (const rows of kept) {
    flat.set(rows, start);
    start += rows.length;
  }
  return { states: flat, ...(vectors === undefined ? {} : { vectors }) };
}

const tolerance = 1e-4;

function compare(file: string, found: Results, original: Results): Differences {
  const difference = (what: 'states' | 'vectors'): number => {
    const [a, b] = [found[what]!, original[what]!];
    let [worst, largest] = [a.length === b.length ? 0 : Number.NaN, 1];
    for (let i = 0; i < a.length; i++) {
      worst = Math.max(worst, Math.abs(a[i]! - b[i]!)); // NaN stays
      largest = Math.max(largest, Math.abs(b[i]!));
    }
    if (worst <= tolerance * largest) return worst;
    throw workError(`what was written does not give the ${what} of the original`, {
      code: 'export.check',
      file,
      expected: `a largest difference of at most ${tolerance * largest}`,
      found: String(worst),
    });
  };
  return { states: difference('states'), ...(found.vectors === undefined ? {} : { vectors: difference('vectors') }) };
}
