/**
 * From fine-tuning to other people's software: the checkpoint and both of its exports in sentence-transformers, Python's
 * onnxruntime (PATENTLAB_PYTHON) and transformers.js (installed for the test where npm's registry can be reached).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { exportModel, loadModel } from '../../src/model/index.ts';
import { loadTokenizer } from '../../src/tokenizer/index.ts';
import { cli } from '../support/cli.ts';
import { missingModel, realModel } from '../support/models.ts';
import { missingPython, python } from '../support/python.ts';
import { scratch } from '../support/scratch.ts';
import { expectedOf, fixtureFolder, largestDifference, names } from './fixtures.ts';

const oracle = join(import.meta.dirname, '..', 'oracle');
const samples = join(import.meta.dirname, '..', '..', 'samples');
const texts = [
  'Walking frame',
  'A walking frame with a brake that a hand on either handle releases, and a seat that folds away between its legs.',
  'naïve — Ångström, 10⁻⁶ m; 歩行器 (walker)',
  'a',
];

interface Found {
  ids: number[][];
  vectors: number[][];
  pooled?: number[][];
}

async function own(folder: string): Promise<Found> {
  const model = await loadModel(nodePlatform, folder, { threads: 1 });
  const tokenizer = await loadTokenizer(nodePlatform, folder);
  const sequences = texts.map((text) => tokenizer.encode(text, { maxLength: model.maxLength }).ids);
  const flat = await model.encode(sequences);
  await model.close();
  const width = flat.length / texts.length;
  return {
    ids: sequences.map((ids) => [...ids]),
    vectors: texts.map((_, at) => [...flat.subarray(at * width, (at + 1) * width)]),
  };
}

function output<T>(command: string, args: string[], out: string): T {
  const run = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(readFileSync(out, 'utf8')) as T;
}

function agree(found: Found, expected: Found, tolerance: number): number {
  assert.deepEqual(found.ids, expected.ids);
  const worst = largestDifference(found.vectors.flat(), expected.vectors.flat());
  assert.ok(worst < tolerance, `largest difference ${worst}`);
  return worst;
}

describe('a fine-tuned checkpoint in other software', () => {
  let work = '';
  let tuned = '';
  let expected: Found;
  const paths = () => ({ tuned, onnx: join(work, 'onnx'), checkpoint: join(work, 'checkpoint') });
  before(async () => {
    work = mkdtempSync(join(tmpdir(), 'patentlab-export-'));
    tuned = join(work, 'tuned');
    const home = ['--home', join(work, 'lab'), '--quiet'];
    for (const args of [
      ['import', join(samples, 'assistive-devices.jsonl'), '--as', 'devices'],
      [
        'finetune',
        'devices',
        '--model',
        'tiny',
        '--recipe',
        'R1',
        '--batch-size',
        '8',
        '--max-steps',
        '4',
        '--out',
        tuned,
      ],
      ['export', tuned, '--to', 'onnx', '--out', paths().onnx],
      ['export', tuned, '--to', 'sentence-transformers', '--out', paths().checkpoint],
    ]) {
      const { code, stderr } = await cli([...args, ...home]);
      assert.equal(code, 0, stderr);
    }
    expected = await own(tuned);
    writeFileSync(join(work, 'texts.json'), JSON.stringify(texts));
    writeFileSync(join(work, 'batch.json'), JSON.stringify({ texts }));
  });
  after(() => rmSync(work, { recursive: true, force: true }));

  const noSentences = missingPython('transformers', 'sentence_transformers');
  test('sentence-transformers loads the checkpoint, and its export', { skip: noSentences }, (t) => {
    const out = join(work, 'loaded.json');
    for (const folder of [paths().tuned, paths().checkpoint]) {
      const args = [join(oracle, 'load_checkpoint.py'), folder, join(work, 'texts.json'), out];
      const found = output<Found & { missing: string[] }>(python, args, out);
      assert.deepEqual(found.missing, []);
      t.diagnostic(`largest difference ${agree(found, expected, 1e-5)}`);
    }
  });

  const noRuntime = missingPython('onnx', 'onnxruntime', 'transformers');
  test("Python's onnxruntime gives the same vectors", { skip: noRuntime }, (t) => {
    const out = join(work, 'python.json');
    const args = [join(oracle, 'run_onnx.py'), paths().onnx, join(work, 'batch.json'), out];
    t.diagnostic(`largest difference ${agree(output(python, args, out), expected, 1e-5)}`);
  });

  test('transformers.js gives the same vectors', (t) => {
    const packages = installTransformersJs(work);
    if (packages === undefined) return t.skip('@huggingface/transformers cannot be installed here');
    const out = join(work, 'js.json');
    const args = [join(oracle, 'run_transformers_js.mjs'), packages, paths().onnx, join(work, 'texts.json'), out];
    t.diagnostic(`largest difference ${agree(output(process.execPath, args, out), expected, 1e-5)}`);
  });

  const noModel = missingModel('all-MiniLM-L6-v2');
  test('all-MiniLM-L6-v2, in Python and JavaScript', { skip: noModel || noRuntime }, async (t) => {
    const folder = realModel('all-MiniLM-L6-v2');
    const exported = join(work, 'minilm');
    await exportModel(nodePlatform, folder, { to: 'onnx', out: exported });
    const vectors = await own(folder);
    const out = join(work, 'minilm.json');
    const inPython = output<Found>(python, [join(oracle, 'run_onnx.py'), exported, join(work, 'batch.json'), out], out);
    t.diagnostic(`Python: largest difference ${agree(inPython, vectors, 1e-5)}`);
    const packages = installTransformersJs(work);
    if (packages === undefined) return;
    const inJs = output<Found>(
      process.execPath,
      [join(oracle, 'run_transformers_js.mjs'), packages, exported, join(work, 'texts.json'), out],
      out,
    );
    t.diagnostic(`JavaScript: largest difference ${agree(inJs, vectors, 1e-5)}`);
    assert.ok(largestDifference(inJs.pooled!.flat(), vectors.vectors.flat()) < 1e-5); // by its own pooling
  });
});

const noRuntime = missingPython('onnx', 'onnxruntime');
for (const name of names)
  test(`${name} in Python's onnxruntime`, { skip: noRuntime }, async (t) => {
    const work = scratch(t);
    const folder = join(work, 'exported');
    await exportModel(nodePlatform, fixtureFolder(name), {
      to: 'onnx',
      out: folder,
      inline: name === 'bert' ? 0 : 1e9,
    });
    const { sequences } = await expectedOf(name);
    const model = await loadModel(nodePlatform, fixtureFolder(name), { threads: 1 });
    const vectors = await model.encode(sequences);
    await model.close();
    const [batch, out] = [join(work, 'batch.json'), join(work, 'out.json')];
    writeFileSync(batch, JSON.stringify({ ids: sequences.map((ids) => [...ids]), pad: model.config.padId }));
    const found = output<Found>(python, [join(oracle, 'run_onnx.py'), folder, batch, out], out);
    assert.ok(largestDifference(found.vectors.flat(), vectors) < 1e-5);
  });

/** The folder it was installed in; undefined where that is not possible. */
function installTransformersJs(work: string): string | undefined {
  const folder = join(work, 'js');
  if (existsSync(join(folder, 'node_modules', '@huggingface', 'transformers'))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  const run = spawnSync(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '@huggingface/transformers@4'],
    {
      cwd: folder,
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
      timeout: 180_000,
      shell: process.platform === 'win32',
    },
  );
  return run.status === 0 ? folder : undefined;
}
