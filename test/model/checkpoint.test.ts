/** Checkpoints that are wrong: every one is refused with one message that names the file and the field. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { encodeSafetensors, parseSafetensors, type TensorToStore } from '../../src/base/safetensors.ts';
import { loadModel } from '../../src/model/index.ts';
import { scratch } from '../support/scratch.ts';
import { expectedOf, fixtureFolder, largestDifference } from './fixtures.ts';

function copy(t: TestContext, name = 'bert'): string {
  const folder = join(scratch(t), name);
  cpSync(fixtureFolder(name), folder, { recursive: true });
  return folder;
}

const load = (folder: string, options: Parameters<typeof loadModel>[2] = {}) =>
  loadModel(nodePlatform, folder, { backend: 'reference', ...options });

function editJson(path: string, edit: (json: Record<string, unknown>) => unknown): void {
  const json = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(edit(json) ?? json));
}

function tensorsOf(path: string): TensorToStore[] {
  const bytes = readFileSync(path);
  return [...parseSafetensors(bytes, path).tensors.values()].map(({ name, dtype, shape, offset, bytes: length }) => ({
    name,
    dtype,
    shape,
    data: bytes.subarray(offset, offset + length),
  }));
}

async function refused(folder: string, code: string, ...words: string[]): Promise<void> {
  await assert.rejects(load(folder), (error) => {
    assert.ok(error instanceof PatentlabError, String(error));
    assert.equal(error.code, code, error.describe());
    assert.equal(error.exitCode, 2);
    for (const word of words) assert.ok(error.describe().includes(word), `${word} is not in: ${error.describe()}`);
    return true;
  });
}

describe('weights', () => {
  test('a missing tensor is named', async (t) => {
    const folder = copy(t);
    const path = join(folder, 'model.safetensors');
    const kept = tensorsOf(path).filter(({ name }) => name !== 'encoder.layer.1.output.dense.bias');
    writeFileSync(path, encodeSafetensors(kept));
    await refused(folder, 'model.tensors-missing', 'encoder.layer.1.output.dense.bias', '1 of');
  });

  test('a surplus tensor is named: another number of layers than the configuration says', async (t) => {
    const folder = copy(t);
    editJson(join(folder, 'config.json'), (json) => ({ ...json, num_hidden_layers: 2 }));
    await refused(folder, 'model.tensors-extra', '16 tensors', 'encoder.layer.2.');
  });

  test('a wrong shape is named', async (t) => {
    const folder = copy(t);
    editJson(join(folder, 'config.json'), (json) => ({ ...json, vocab_size: 91 }));
    await refused(folder, 'model.tensor-shape', 'embeddings.word_embeddings.weight', '[91, 32]', '[90, 32]');
  });

  test('weights of whole numbers are refused', async (t) => {
    const folder = copy(t);
    const path = join(folder, 'model.safetensors');
    const changed = tensorsOf(path).map((tensor) =>
      tensor.name === 'embeddings.LayerNorm.bias' ? { ...tensor, dtype: 'I32' as const } : tensor,
    );
    writeFileSync(path, encodeSafetensors(changed));
    await refused(folder, 'model.tensor-dtype', 'embeddings.LayerNorm.bias', 'I32');
  });

  test('a cut-off file, no file, a pickled file', async (t) => {
    const folder = copy(t);
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, readFileSync(path).subarray(0, 50_000));
    await refused(folder, 'safetensors.truncated', 'model.safetensors');
    rmSync(path);
    await refused(folder, 'model.weights-absent', 'model.safetensors.index.json');
    writeFileSync(join(folder, 'pytorch_model.bin'), 'x');
    await refused(folder, 'model.pickled', 'pytorch_model.bin');
  });

  test('norms called gamma and beta, and any prefix, are understood', async (t) => {
    const folder = copy(t);
    const path = join(folder, 'model.safetensors');
    const renamed = tensorsOf(path).map((tensor) => ({
      ...tensor,
      name: `bert.${tensor.name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')}`,
    }));
    writeFileSync(
      path,
      encodeSafetensors([
        ...renamed,
        { name: 'cls.predictions.bias', dtype: 'F32', shape: [1], data: new Float32Array(1) },
      ]),
    );
    const { sequences, vectors } = await expectedOf('bert');
    const model = await load(folder);
    assert.ok(largestDifference(await model.encode(sequences), vectors) < 1e-5);
    assert.ok(model.ignoredTensors.includes('cls.predictions.bias'));
  });
});

describe('shards', () => {
  function shard(t: TestContext): { folder: string; index: string } {
    const folder = copy(t, 'mpnet');
    const path = join(folder, 'model.safetensors');
    const tensors = tensorsOf(path);
    rmSync(path);
    const map: Record<string, string> = {};
    for (const part of [0, 1, 2]) {
      const file = `model-0000${part + 1}-of-00003.safetensors`;
      const own = tensors.filter((_, at) => at % 3 === part);
      for (const { name } of own) map[name] = file;
      writeFileSync(join(folder, file), encodeSafetensors(own));
    }
    const index = join(folder, 'model.safetensors.index.json');
    writeFileSync(index, JSON.stringify({ metadata: { total_size: 1.5e5 }, weight_map: map }));
    return { folder, index };
  }

  test('give the same vectors as one file', async (t) => {
    const { folder } = shard(t);
    const { sequences, vectors } = await expectedOf('mpnet');
    for (const backend of ['reference', 'ort'] as const) {
      const model = await load(folder, { backend, threads: 1 });
      assert.ok(largestDifference(await model.encode(sequences), vectors) < 1e-5);
      await model.close();
    }
  });

  test('an index that lies, leads elsewhere or names a tensor twice is refused', async (t) => {
    const { folder, index } = shard(t);
    const good = readFileSync(index, 'utf8');
    const change = (from: string | RegExp, to: string) => writeFileSync(index, good.replace(from, to));
    const name = 'embeddings.LayerNorm.bias';
    const own = /model-0000\d/.exec(good.slice(good.indexOf(`"${name}"`)))![0];
    change(`"${name}":"${own}`, `"${name}":"model-0000${own.endsWith('1') ? 2 : 1}`);
    await refused(folder, 'model.index', name);
    change(/"encoder.layer.0.output.dense.bias":"[^"]*",/, '');
    await refused(folder, 'model.index', 'encoder.layer.0.output.dense.bias', 'not listed');
    change(`"${name}"`, `"${name}":"model-00002-of-00003.safetensors","${name}"`);
    await refused(folder, 'model.index', 'stands twice');
    for (const path of ['../model.safetensors', '/etc/passwd', 'a/b.safetensors', '..\\\\x.safetensors']) {
      change(/model-00001-of-00003.safetensors/g, path);
      await refused(folder, 'model.index', 'plain file name');
    }
    change('"weight_map"', '"weights"');
    await refused(folder, 'model.index', 'weight_map');
    change('{', '');
    await refused(folder, 'model.index', 'JSON');
    writeFileSync(index, good);
    rmSync(join(folder, 'model-00002-of-00003.safetensors'));
    await refused(folder, 'safetensors.absent', 'model-00002-of-00003.safetensors');
  });
});

describe('configuration', () => {
  const cases: [name: string, change: object, code: string, ...words: string[]][] = [
    [
      'an unknown architecture',
      { model_type: 'nomic_bert' },
      'model.architecture',
      'nomic_bert',
      'bert, roberta',
      'never run',
    ],
    ['no architecture', { model_type: undefined }, 'model.architecture', 'model_type'],
    ['an unknown activation', { hidden_act: 'xielu' }, 'model.config', 'hidden_act', 'xielu', 'gelu'],
    ['relative positions', { position_embedding_type: 'relative_key' }, 'model.config', 'position_embedding_type'],
    ['a decoder', { is_decoder: true }, 'model.config', 'is_decoder'],
    ['heads that do not divide', { num_attention_heads: 5 }, 'model.config', 'num_attention_heads'],
    ['a size of nothing', { hidden_size: 0 }, 'model.config', 'hidden_size'],
    ['a size in words', { hidden_size: 'large' }, 'model.config', 'hidden_size', 'large'],
  ];
  for (const [name, change, code, ...words] of cases) {
    test(name, async (t) => {
      const folder = copy(t);
      editJson(join(folder, 'config.json'), (json) => ({ ...json, ...change }));
      await refused(folder, code, ...words);
    });
  }

  test('scaled rotary positions, and layer types that do not fit', async (t) => {
    const folder = copy(t, 'modernbert');
    const path = join(folder, 'config.json');
    const good = readFileSync(path, 'utf8');
    editJson(path, (json) => ({
      ...json,
      rope_parameters: { full_attention: { rope_type: 'yarn', rope_theta: 1e4 }, sliding_attention: null },
    }));
    await refused(folder, 'model.config', 'rope_type', 'yarn');
    writeFileSync(path, good);
    editJson(path, (json) => ({ ...json, layer_types: ['full_attention'] }));
    await refused(folder, 'model.config', 'layer_types');
  });

  test('no folder, no configuration, a broken one', async (t) => {
    const folder = copy(t);
    writeFileSync(join(folder, 'config.json'), '{"model_type": ');
    await refused(folder, 'model.json', 'config.json');
    rmSync(join(folder, 'config.json'));
    await refused(folder, 'model.absent', 'config.json');
    await refused(join(folder, 'nowhere'), 'model.absent');
  });
});

describe('modules', () => {
  const modules = (folder: string, edit: (list: { type: string; path: string }[]) => void) => {
    const path = join(folder, 'modules.json');
    const list = JSON.parse(readFileSync(path, 'utf8'));
    edit(list);
    writeFileSync(path, JSON.stringify(list));
  };

  test('code of a checkpoint’s own, unknown modules, another order, a path that leads out', async (t) => {
    const original = copy(t);
    const cases: [at: number, change: { type?: string; path?: string }, word: string][] = [
      [0, { type: 'custom_st.Transformer' }, 'never run'],
      [2, { type: 'sentence_transformers.models.LSTM' }, 'not supported'],
      [1, { type: 'sentence_transformers.models.Normalize' }, 'order'],
      [2, { path: '../2_Dense' }, 'leads out'],
      [2, { path: '/etc' }, 'leads out'],
    ];
    for (const [at, change, word] of cases) {
      const folder = join(scratch(t), 'bert');
      cpSync(original, folder, { recursive: true });
      modules(folder, (list) => Object.assign(list[at]!, change));
      await refused(folder, 'model.module', word, 'modules.json');
    }
    rmSync(join(original, '1_Pooling'), { recursive: true });
    await refused(original, 'model.module', '1_Pooling');
  });

  test('unknown pooling, an unknown activation, a dense module that does not fit', async (t) => {
    const folder = copy(t);
    const pooling = join(folder, '1_Pooling', 'config.json');
    const good = readFileSync(pooling, 'utf8');
    editJson(pooling, (json) => ({ ...json, pooling_mode_attention: true }));
    await refused(folder, 'model.pooling', 'pooling_mode_attention', 'lasttoken');
    writeFileSync(pooling, JSON.stringify({ pooling_mode: 'median' }));
    await refused(folder, 'model.pooling', 'median');
    writeFileSync(pooling, JSON.stringify({ pooling_mode: ['mean', 'max'] }));
    await refused(folder, 'model.module', '2_Dense', '64');
    writeFileSync(pooling, good);
    editJson(join(folder, '2_Dense', 'config.json'), (json) => ({ ...json, activation_function: 'os.system' }));
    await refused(folder, 'model.module', 'os.system', 'Tanh');
  });

  test('newer names of modules, and a folder of its own for the encoder', async (t) => {
    const folder = copy(t);
    modules(folder, (list) => {
      list[0]!.type = 'sentence_transformers.base.modules.transformer.Transformer';
      list[0]!.path = '0_Transformer';
      list[1]!.type = 'sentence_transformers.sentence_transformer.modules.pooling.Pooling';
    });
    for (const name of ['config.json', 'model.safetensors', 'sentence_bert_config.json']) {
      cpSync(join(folder, name), join(folder, '0_Transformer', name));
      rmSync(join(folder, name));
    }
    const { sequences, vectors } = await expectedOf('bert');
    const model = await load(folder);
    assert.equal(model.maxLength, 40);
    assert.ok(largestDifference(await model.encode(sequences), vectors) < 1e-5);
  });

  test('a plain checkpoint is pooled by its mean, and says that nobody decided it', async (t) => {
    const folder = copy(t, 'roberta');
    rmSync(join(folder, 'modules.json'));
    rmSync(join(folder, 'sentence_bert_config.json'));
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ model_max_length: 1e30 }));
    const model = await load(folder);
    assert.deepEqual(model.pooling, { modes: ['mean'], includePrompt: true, source: 'default' });
    assert.deepEqual([model.maxLength, model.normalized], [40, false]);
    const cls = await load(folder, { pooling: 'cls', maxLength: 7 });
    assert.deepEqual([cls.pooling.modes[0], cls.pooling.source, cls.maxLength], ['cls', 'option', 7]);
    await assert.rejects(load(folder, { maxLength: 41 }), { code: 'model.max-length' });
  });
});

test('batches that the model cannot take', async () => {
  const model = await load(fixtureFolder('bert'));
  await assert.rejects(model.encode([]), { code: 'model.batch-empty' });
  await assert.rejects(model.encode([new Int32Array(0)]), { code: 'model.sequence-length' });
  await assert.rejects(model.encode([new Int32Array(41)]), { code: 'model.sequence-length' });
  await assert.rejects(model.encode([Int32Array.of(90)]), { code: 'model.token-id' });
  await assert.rejects(model.encode([Int32Array.of(-1)]), { code: 'model.token-id' });
});
