/** Every command that trains or takes a checkpoint, on tiny data: exit code, one JSON document on stdout, its fields. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cli } from '../support/cli.ts';
import { type Json, type Lab, openLab } from '../support/lab.ts';

const patents = 40;

describe('every command that trains, on tiny data', () => {
  let lab: Lab;
  let folder = '';
  const json = (...args: string[]) => lab.json(...args);
  const text = (...args: string[]) => lab.text(...args);

  before(async () => {
    lab = await openLab({ patents });
    folder = lab.folder;
    await json('import', 'assistive-devices.jsonl', '--as', 'tiny');
    await json('models', 'get', 'lab/tiny');
  });
  after(() => lab.close());

  test('finetune, from a small encoder of its own and from a checkpoint', async () => {
    const options = ['--recipe', 'R1+R3', '--batch-size', '4', '--max-steps', '2', '--length', '24'];
    const made = await json('finetune', 'tiny', '--model', 'tiny', ...options, '--out', 'tuned');
    assert.equal(made.recipe, 'R1+R3');
    assert.equal(made.steps, 2);
    assert.ok(made.reloaded.maxDifference <= 1e-4);
    assert.ok(made.audit.clean);
    const again = await json(
      'finetune',
      'tiny',
      '--model',
      './tuned',
      ...options,
      '--out',
      'tuned-twice',
      '--shuffled',
    );
    assert.ok(Number.isFinite(again.loss.last));
    const { code, stderr } = await cli(
      ['finetune', 'tiny', '--model', './tuned', ...options, '--out', 'tuned', '--home', 'lab', '--quiet'],
      { cwd: folder },
    );
    assert.equal(code, 2, 'a folder that is full is not written over');
    assert.match(stderr, /tuned/);
  });

  test('export', async () => {
    const onnx = await json('export', 'tuned', '--to', 'onnx', '--out', 'tuned-onnx');
    assert.deepEqual([onnx.to, onnx.model, onnx.opset], ['onnx', 'onnx/model.onnx', 18]);
    assert.deepEqual(onnx.outputs, ['last_hidden_state', 'sentence_embedding']);
    assert.ok(onnx.checked.vectors <= 1e-4);
    assert.ok(existsSync(join(folder, 'tuned-onnx', 'onnx', 'model.onnx')));
    const printed = await text(
      'export',
      'lab/tiny',
      '--to',
      'sentence-transformers',
      '--out',
      'sentences',
      '--offline',
    );
    assert.match(printed, /model\.safetensors, [\d.]+ MB\nIt was read back/);
    const full = ['export', 'tuned', '--to', 'onnx', '--out', 'tuned-onnx', '--home', 'lab', '--quiet'];
    assert.equal((await cli(full, { cwd: folder })).code, 2, 'a folder that is full is not written over');
  });

  test('study run, status', async () => {
    const study = [
      'kind: embedding',
      'corpora: [tiny]',
      'models: [{ model: tiny, tiny: { layers: 1, hidden: 16, heads: 2, vocabulary: 300 } }]',
      'views: [T]',
      'recipes: [R3]',
      'seeds: [1]',
      'training: { steps: 2, batch: 4, maxLength: 16 }',
      'baselines: [bm25, zero-shot]',
      'resamples: 100',
    ];
    writeFileSync(join(folder, 'study.yaml'), `${study.join('\n')}\n`);
    const ran = await json('study', 'run', 'study.yaml');
    assert.deepEqual(
      [ran.computed, ran.cells],
      [
        { checkpoints: 1, cells: 3 },
        { done: 3, total: 3 },
      ],
    );
    assert.equal(ran.transfer[0].comparison.tentative, true);
    assert.match(readFileSync(resolve(folder, ran.report), 'utf8'), /Invented data: says nothing about your patents/);
    assert.match(await text('study', 'status', 'study.yaml'), /trainings: 1 of 1\nevaluations: 3 of 3\nfinished/);
    const trained = ran.rows.find(({ system }: Json) => system === 'tiny R3 on tiny');
    const again = await json('repeat', trained.seeds[0].cell);
    assert.equal(again.identical, true, 'the split is part of what is repeated');
  });
});
