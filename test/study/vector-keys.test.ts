/**
 * No stored vector is ever taken for another: each thing that can change a vector, changed alone in a checkpoint or in a
 * request, makes the texts be computed anew, and the unchanged request is answered from what is stored.
 */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashOf } from '../../src/base/hash.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { encodeSafetensors } from '../../src/base/safetensors.ts';
import { type EncodeRequest, type EncoderOptions, openEncoder } from '../../src/encode/index.ts';
import { type LoadModelOptions, loadModel, type TextModel } from '../../src/model/index.ts';
import { int8Version } from '../../src/model/quantise.ts';
import { planEvaluation } from '../../src/study/evaluate.ts';
import type { EvaluateOptions } from '../../src/study/evaluate-options.ts';
import { inventCorpus } from '../support/invent.ts';
import { scratch } from '../support/scratch.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const texts = ['a lens', 'a hollow probe in said tissue', 'first transducer'];

interface Variant {
  /** Changes the checkpoint in `folder`. */
  files?(folder: string): void;
  model?: LoadModelOptions;
  /** Fields of the loaded model. */
  loaded?: Partial<TextModel>;
  encoder?: EncoderOptions;
  request?: Partial<EncodeRequest>;
}

/** Encodes with the checkpoint as the variant changes it; how many texts were computed, and the model's hash. */
async function encode(
  checkpoint: string,
  vectors: string,
  { files, model, loaded: fields, encoder, request }: Variant,
) {
  const folder = `${checkpoint}-changed`;
  cpSync(checkpoint, folder, { recursive: true });
  files?.(folder);
  const loaded = { ...(await loadModel(nodePlatform, folder, { backend: 'reference', ...model })), ...fields };
  const opened = await openEncoder(nodePlatform, loaded, { vectors, ...encoder });
  try {
    const encoded = await opened.encode({ texts, ...request });
    return { computed: encoded.summary.computed, hash: loaded.hash, values: await encoded.read() };
  } finally {
    await opened.close();
    await loaded.close();
    rmSync(folder, { recursive: true });
  }
}

/** Appends a blank: no other content, other bytes. */
const touch =
  (...path: string[]) =>
  (folder: string) =>
    appendFileSync(join(folder, ...path), ' ');

const write = (name: string, content: string) => (folder: string) => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
};

function flipLastBit(folder: string): void {
  const path = join(folder, 'model.safetensors');
  const bytes = readFileSync(path);
  bytes[bytes.length - 4]! ^= 1;
  writeFileSync(path, bytes);
}

const tokenizerFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'sentencepiece.bpe.model',
];

const variants: Record<string, Variant> = {
  'the configuration': { files: touch('config.json') },
  'one bit of the weights': { files: flipLastBit },
  'the list of modules': { files: touch('modules.json') },
  'the pooling file': { files: touch('1_Pooling', 'config.json') },
  'the length file': { files: write('sentence_bert_config.json', '{"max_seq_length":32}') },
  'lower case': { files: write('sentence_bert_config.json', '{"do_lower_case":true}') },
  'the prompt file': { files: write('config_sentence_transformers.json', '{"prompts":{}}') },
  ...Object.fromEntries(
    tokenizerFiles.map((name) => [`tokenizer file ${name}`, { files: touch(name) } satisfies Variant]),
  ),
  'the model’s prompt': {
    files: write('config_sentence_transformers.json', '{"prompts":{"document":"said "}}'),
  },
  'the request’s prompt': { request: { prompt: 'said ' } },
  'the role': { request: { role: 'query' } },
  'the length': { request: { maxLength: 8 } },
  'another length': { request: { maxLength: 9 } },
  'pooling by option': { model: { pooling: 'cls' } },
  'the precision': { model: { dtype: 'int8' } },
  'the device': { loaded: { device: 'webgpu' } },
  'the version of the library that computes': { loaded: { arithmetic: 'onnxruntime 1.0.0' } },
  'the levels of 8-bit activations': { loaded: { arithmetic: 'onnxruntime 1.0.0, 63 levels' } },
  'the size of batches': { encoder: { batchTokens: 512 } },
  'the view: other texts of the same patents': { request: { texts: texts.map((text) => `${text}.`) } },
};

test('each thing that can change a vector, changed alone, makes the texts be computed anew', async (t) => {
  const folder = scratch(t);
  const [checkpoint, vectors] = [join(folder, 'tiny'), join(folder, 'vectors')];
  tinyCheckpoint(checkpoint);
  const first = await encode(checkpoint, vectors, {});
  assert.equal(first.computed, texts.length);
  for (const [what, variant] of Object.entries(variants)) {
    const changed = await encode(checkpoint, vectors, variant);
    assert.equal(changed.computed, texts.length, `${what}: vectors of another were taken`);
    if (variant.files) assert.notEqual(changed.hash, first.hash, what);
  }
  for (const variant of [{}, variants['the role']!, variants['one bit of the weights']!])
    assert.equal((await encode(checkpoint, vectors, variant)).computed, 0, 'what is unchanged is found');
  const again = await encode(checkpoint, vectors, {});
  assert.deepEqual(again.values, first.values);
});

test('the same source name under another view, role or model is another source', async (t) => {
  const folder = scratch(t);
  const [checkpoint, vectors] = [join(folder, 'tiny'), join(folder, 'vectors')];
  tinyCheckpoint(checkpoint);
  const source = { corpus: 'c', view: 'T', masked: false, texts: 'documents' };
  const computed = async (request: Partial<EncodeRequest>, variant: Variant = {}) =>
    (await encode(checkpoint, vectors, { ...variant, request })).computed;
  const others = texts.map((text) => `${text} said`);
  assert.equal(await computed({ source }), 3);
  assert.equal(await computed({ source, texts: [] }), 0, 'its texts are not even read');
  assert.equal(await computed({ source: { ...source, view: 'TA' }, texts: others }), 3);
  assert.equal(await computed({ source: { ...source, masked: true }, texts: others.map((text) => `${text}!`) }), 3);
  assert.equal(await computed({ source, role: 'query' }), 3);
  assert.equal(await computed({ source }, { files: touch('tokenizer.json') }), 3);
});

test('a tokenizer in the folder itself counts where the weights lie in one of their own', async (t) => {
  const folder = scratch(t);
  const [checkpoint, vectors] = [join(folder, 'tiny'), join(folder, 'vectors')];
  tinyCheckpoint(checkpoint);
  const inner = join(checkpoint, '0_Transformer');
  mkdirSync(inner);
  for (const name of ['config.json', 'model.safetensors']) renameSync(join(checkpoint, name), join(inner, name));
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(checkpoint, name), join(inner, name));
  const modules = readFileSync(join(checkpoint, 'modules.json'), 'utf8');
  writeFileSync(join(checkpoint, 'modules.json'), modules.replace('"path":""', '"path":"0_Transformer"'));
  assert.equal((await encode(checkpoint, vectors, {})).computed, 3);
  for (const path of [['tokenizer.json'], ['0_Transformer', 'tokenizer.json'], ['0_Transformer', 'config.json']])
    assert.equal((await encode(checkpoint, vectors, { files: touch(...path) })).computed, 3, path.join('/'));
});

test('every shard of the weights counts, and their index', async (t) => {
  const folder = scratch(t);
  const [checkpoint, vectors] = [join(folder, 'tiny'), join(folder, 'vectors')];
  tinyCheckpoint(checkpoint);
  shard(checkpoint);
  assert.equal((await encode(checkpoint, vectors, {})).computed, 3);
  for (const name of ['a.safetensors', 'b.safetensors']) {
    const files = (changed: string) => {
      const bytes = readFileSync(join(changed, name));
      bytes[bytes.length - 4]! ^= 1;
      writeFileSync(join(changed, name), bytes);
    };
    assert.equal((await encode(checkpoint, vectors, { files })).computed, 3, name);
  }
  const index = touch('model.safetensors.index.json');
  assert.equal((await encode(checkpoint, vectors, { files: index })).computed, 3);
});

/** Cuts the weights into two shards. */
function shard(folder: string): void {
  const path = join(folder, 'model.safetensors');
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, end)) as Record<
    string,
    { dtype: 'F32'; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        return { name, dtype, shape, data: Uint8Array.from(bytes.subarray(end + from, end + to)) };
      },
    );
  const half = tensors.length >> 1;
  writeFileSync(join(folder, 'a.safetensors'), encodeSafetensors(tensors.slice(0, half)));
  writeFileSync(join(folder, 'b.safetensors'), encodeSafetensors(tensors.slice(half)));
  const map = Object.fromEntries(tensors.map(({ name }, i) => [name, i < half ? 'a.safetensors' : 'b.safetensors']));
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  rmSync(path);
}

test('the version of the 8-bit arithmetic is part of an 8-bit model’s hash', async (t) => {
  const checkpoint = join(scratch(t), 'tiny');
  tinyCheckpoint(checkpoint);
  const [fp32, int8] = await Promise.all(
    (['fp32', 'int8'] as const).map((dtype) => loadModel(nodePlatform, checkpoint, { dtype, backend: 'reference' })),
  );
  assert.equal(int8!.hash, await hashOf({ files: fp32!.hash, int8: int8Version }));
  assert.notEqual(int8!.hash, await hashOf({ files: fp32!.hash, int8: int8Version + 1 }));
  await Promise.all([fp32!.close(), int8!.close()]);
});

test('fewer dimensions are cut from the stored vectors, never taken for them; their cells are others', async (t) => {
  const folder = scratch(t);
  const [checkpoint, vectors] = [join(folder, 'tiny'), join(folder, 'vectors')];
  tinyCheckpoint(checkpoint);
  const whole = await encode(checkpoint, vectors, {});
  const short = await encode(checkpoint, vectors, { request: { dimensions: 4 } });
  assert.deepEqual([short.computed, short.values.length], [0, texts.length * 4]);
  for (let row = 0; row < texts.length; row++) {
    const lead = whole.values.subarray(row * 16, row * 16 + 4);
    const norm = Math.hypot(...lead);
    for (let i = 0; i < 4; i++) assert.ok(Math.abs(short.values[row * 4 + i]! - lead[i]! / norm) < 1e-6);
  }
  await inventCorpus(folder, 'devices', { patents: 40 });
  const seen = new Map<string, number>();
  const base = { platform: nodePlatform, home: folder, corpora: ['devices'], views: ['T'], threads: 1 };
  const others: Partial<EvaluateOptions>[] = [{}, { dimensions: 4 }, { length: 8 }, { dtype: ['int8'] }];
  for (const [i, other] of others.entries()) {
    for (const { cell } of (await planEvaluation({ ...base, models: [checkpoint], ...other })).cells) {
      assert.ok(
        !seen.has(cell),
        `${JSON.stringify(other)} and ${JSON.stringify(others[seen.get(cell)!])} share a cell`,
      );
      seen.set(cell, i);
    }
  }
  touch('tokenizer.json')(checkpoint);
  for (const { cell } of (await planEvaluation({ ...base, models: [checkpoint] })).cells) assert.ok(!seen.has(cell));
});
