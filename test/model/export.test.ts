/**
 * Exported models, run by onnxruntime on the written file alone: states and vectors must be those that transformers computed
 * from the original (fixtures of test/oracle/models.py), in padded batches.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openSafetensors } from '../../src/base/safetensors.ts';
import { exportModel, loadModel } from '../../src/model/index.ts';
import { scratch } from '../support/scratch.ts';
import { expectedOf, fixtureFolder, largestDifference, names } from './fixtures.ts';

const open = (path: string) => ort.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 });

interface Batch {
  sequences: readonly Int32Array[];
  segments?: readonly Int32Array[] | undefined;
  padId: number;
  side?: 'left' | 'right';
}

/** One padded batch through a session: states of the real tokens, and vectors. */
async function run(session: ort.InferenceSession, { sequences, segments, padId, side = 'right' }: Batch) {
  const seq = Math.max(...sequences.map(({ length }) => length));
  const tensor = (rows: readonly Int32Array[], filler: number) => {
    const data = new BigInt64Array(rows.length * seq).fill(BigInt(filler));
    rows.forEach((row, at) => {
      data.set(Array.from(row, BigInt), at * seq + (side === 'right' ? 0 : seq - row.length));
    });
    return new ort.Tensor('int64', data, [rows.length, seq]);
  };
  const feeds: Record<string, ort.Tensor> = {
    input_ids: tensor(sequences, padId),
    attention_mask: tensor(
      sequences.map((ids) => new Int32Array(ids.length).fill(1)),
      0,
    ),
  };
  if (session.inputNames.includes('token_type_ids'))
    feeds.token_type_ids = tensor(segments ?? sequences.map((ids) => new Int32Array(ids.length)), 0);
  const results = await session.run(feeds);
  const { data, dims } = results.last_hidden_state!;
  assert.deepEqual(dims.slice(0, 2), [sequences.length, seq]);
  const hidden = dims[2]!;
  const states = sequences.flatMap((ids, at) => {
    const start = (at * seq + (side === 'right' ? 0 : seq - ids.length)) * hidden;
    return [...(data as Float32Array).subarray(start, start + ids.length * hidden)];
  });
  return { states, vectors: results.sentence_embedding?.data as Float32Array | undefined };
}

describe('ONNX export', () => {
  for (const name of names)
    test(`${name}: padded batches give what transformers gives`, async (t) => {
      const out = join(scratch(t), 'exported');
      const result = await exportModel(nodePlatform, fixtureFolder(name), { to: 'onnx', out });
      assert.ok(result.checked.states < 1e-5 && result.checked.vectors! < 1e-5, JSON.stringify(result));
      assert.ok(!existsSync(join(out, 'model.safetensors')));
      const session = await open(join(out, result.model));
      const inputs = ['attention_mask', 'input_ids', ...(name === 'bert' ? ['token_type_ids'] : [])];
      assert.deepEqual([...session.inputNames].sort(), inputs);
      assert.deepEqual(session.outputNames, ['last_hidden_state', 'sentence_embedding']);

      const { sequences, segments, hidden, vectors } = await expectedOf(name);
      const original = await loadModel(nodePlatform, fixtureFolder(name), { threads: 1 });
      const { padId } = original.config;
      const found = await run(session, { sequences, segments, padId });
      assert.ok(largestDifference(found.states, hidden.at(-1)!) < 1e-5);
      if (segments === undefined) assert.ok(largestDifference(found.vectors!, vectors) < 1e-5);

      // Alone, with others, padded or not: a vector is the same.
      const own = await original.encode(sequences);
      await original.close();
      const together = (await run(session, { sequences, padId })).vectors!;
      assert.ok(largestDifference(together, own) < 1e-5);
      const width = own.length / sequences.length;
      for (const [at, ids] of sequences.entries()) {
        const alone = (await run(session, { sequences: [ids], padId })).vectors!;
        assert.ok(largestDifference(alone, own.subarray(at * width, (at + 1) * width)) < 1e-5);
      }
      // BERT counts positions from the first slot, padding or not; the others do not mind on which side it stands.
      if (name !== 'bert') {
        const left = (await run(session, { sequences, padId, side: 'left' })).vectors!;
        assert.ok(largestDifference(left, own) < 1e-5);
      }
      await session.release();
    });

  /** A copy of a fixture with another pooling and nothing after it. */
  function withPooling(t: TestContext, config: object): string {
    const folder = join(scratch(t), 'checkpoint');
    cpSync(fixtureFolder('roberta'), folder, { recursive: true });
    mkdirSync(join(folder, '1_Pooling'), { recursive: true });
    const kinds = ['Transformer', 'Pooling'].map((kind, idx) => ({
      idx,
      name: `${idx}`,
      path: idx === 0 ? '' : '1_Pooling',
      type: `sentence_transformers.models.${kind}`,
    }));
    writeFileSync(join(folder, 'modules.json'), JSON.stringify(kinds));
    writeFileSync(
      join(folder, '1_Pooling', 'config.json'),
      JSON.stringify({ word_embedding_dimension: 32, ...config }),
    );
    return folder;
  }

  test('every way of pooling, joined', async (t) => {
    const pooling_mode = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'];
    const folder = withPooling(t, { pooling_mode });
    const out = join(scratch(t), 'exported');
    const { model } = await exportModel(nodePlatform, folder, { to: 'onnx', out });
    const { sequences } = await expectedOf('roberta');
    const original = await loadModel(nodePlatform, folder, { threads: 1 });
    const own = await original.encode(sequences);
    const { padId, hidden } = original.config;
    await original.close();
    assert.equal(own.length, sequences.length * 6 * hidden);
    const session = await open(join(out, model));
    for (const side of ['left', 'right'] as const)
      assert.ok(largestDifference((await run(session, { sequences, padId, side })).vectors!, own) < 1e-5);
    await session.release();
  });

  test('no vector where the prompt would have to be left out of it', async (t) => {
    const folder = withPooling(t, { pooling_mode: 'mean', include_prompt: false });
    const out = join(scratch(t), 'exported');
    const { model, outputs, checked } = await exportModel(nodePlatform, folder, { to: 'onnx', out });
    assert.deepEqual([outputs, checked.vectors], [['last_hidden_state'], undefined]);
    const session = await open(join(out, model));
    assert.deepEqual(session.outputNames, ['last_hidden_state']);
    await session.release();
  });

  test('weights too large for the model stand beside it', async (t) => {
    const out = join(scratch(t), 'exported');
    const { model, bytes } = await exportModel(nodePlatform, fixtureFolder('bert'), { to: 'onnx', out, inline: 1000 });
    const data = statSync(join(out, `${model}_data`)).size;
    assert.equal(bytes, statSync(join(out, model)).size + data);
    const weights = await openSafetensors(nodePlatform.files, join(fixtureFolder('bert'), 'model.safetensors'));
    const unused = /position_ids|pooler|cls\./;
    const stored = [...weights.tensors.values()].filter((tensor) => !unused.test(tensor.name));
    assert.ok(data >= stored.reduce((sum, tensor) => sum + tensor.bytes, 0));
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
    assert.deepEqual(config['transformers.js_config'], { use_external_data_format: true });
  });
});

describe('export as a checkpoint', () => {
  test('half precision becomes a folder in float32 that gives the same vectors', async (t) => {
    const folder = join(scratch(t), 'half');
    cpSync(fixtureFolder('bert'), folder, { recursive: true });
    cpSync(join(folder, 'half.safetensors'), join(folder, 'model.safetensors'));
    writeFileSync(join(folder, 'README.md'), '# A card of its own\n');
    const out = join(scratch(t), 'exported');
    const result = await exportModel(nodePlatform, folder, { to: 'sentence-transformers', out });
    assert.deepEqual([result.model, result.checked], ['model.safetensors', { states: 0, vectors: 0 }]);
    const { tensors } = await openSafetensors(nodePlatform.files, join(out, 'model.safetensors'));
    assert.deepEqual(
      new Set([...tensors.values()].filter(({ dtype }) => dtype !== 'I64').map(({ dtype }) => dtype)),
      new Set(['F32']),
    );
    assert.equal(readFileSync(join(out, 'README.md'), 'utf8'), '# A card of its own\n');
    assert.ok(existsSync(join(out, 'modules.json')));
  });

  test('a folder that is not empty is left as it is', async (t) => {
    const out = scratch(t);
    writeFileSync(join(out, 'mine.txt'), 'mine');
    await assert.rejects(
      exportModel(nodePlatform, fixtureFolder('bert'), { to: 'onnx', out }),
      (error) => error instanceof PatentlabError && error.exitCode === 2 && error.code === 'model.folder-exists',
    );
    assert.deepEqual(readdirSync(out), ['mine.txt']);
  });
});
