import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readParquet } from '../../src/base/node/parquet.ts';
import { decodeNpy } from '../../src/base/npy.ts';
import { cli } from '../support/cli.ts';
import { scratch } from '../support/scratch.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const texts = [
  'the transducer drives a lens',
  'a hollow probe',
  '',
  'said catheter comprises an array of pumps '.repeat(30),
];

function setUp(folder: string): { model: string; home: string; env: Record<string, string> } {
  const model = join(folder, 'tiny');
  tinyCheckpoint(model);
  const home = join(folder, 'home');
  return { model, home, env: { PATENTLAB_HOME: home } };
}

const npy = (path: string) => decodeNpy(readFileSync(path), path);

test('embed: lines, JSON lines and stdin give the same vectors; .npy, .jsonl and .parquet hold the same', async (t) => {
  const folder = scratch(t);
  const { model, env } = setUp(folder);
  writeFileSync(join(folder, 'texts.txt'), `\ufeff${texts.join('\r\n')}\n`);
  writeFileSync(
    join(folder, 'texts.jsonl.gz'),
    gzipSync(texts.map((body, i) => `${JSON.stringify({ id: `P${i}`, body })}\n`).join('\n')),
  );
  const run = async (source: string, out: string, more: string[] = [], input = '') => {
    const outcome = await cli(
      ['embed', source, '--model', model, '--out', join(folder, out), '--json', '--quiet', ...more],
      { env, input },
    );
    assert.equal(outcome.code, 0, outcome.stderr);
    return JSON.parse(outcome.stdout) as Record<string, unknown>;
  };
  const first = await run(join(folder, 'texts.txt'), 'a.npy');
  assert.deepEqual(
    {
      texts: first.texts,
      dimensions: first.dimensions,
      truncated: first.truncated,
      empty: first.empty,
      computed: first.computed,
      role: first.role,
    },
    { texts: 4, dimensions: 16, truncated: 1, empty: 1, computed: 4, role: 'document' },
  );
  const expected = npy(join(folder, 'a.npy'));
  assert.deepEqual(expected.shape, [4, 16]);
  const again = await run(join(folder, 'texts.jsonl.gz'), 'b.jsonl', ['--field', 'body']);
  assert.equal(again.computed, 0);
  const lines = readFileSync(join(folder, 'b.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; vector: number[] });
  assert.deepEqual(
    lines.map(({ id }) => id),
    ['P0', 'P1', 'P2', 'P3'],
  );
  assert.deepEqual(new Float32Array(lines.flatMap(({ vector }) => vector)), expected.data);
  await run('-', 'c.parquet', [], texts.join('\n'));
  const table = await readParquet(join(folder, 'c.parquet'));
  assert.deepEqual(table.id, ['0', '1', '2', '3']);
  const vectors = (table.vector as { items: number[] }[]).map(
    (value) => (Array.isArray(value) ? value : value.items) as number[],
  );
  assert.deepEqual(new Float32Array(vectors.flat()), expected.data);
  assert.deepEqual(globSync('**/*.partial*', { cwd: folder }), []);
});

test('embed: a view of a corpus, in row order', async (t) => {
  const folder = scratch(t);
  const { model, env } = setUp(folder);
  const patents = texts.map((abstract, i) => ({ id: `US100${i}B2`, title: `lens ${i}`, abstract }));
  writeFileSync(join(folder, 'patents.jsonl'), patents.map((patent) => JSON.stringify(patent)).join('\n'));
  const imported = await cli(['import', join(folder, 'patents.jsonl'), '--as', 'lenses', '--quiet'], { env });
  assert.equal(imported.code, 0, imported.stderr);
  const out = join(folder, 'lenses.jsonl');
  const outcome = await cli(['embed', 'lenses', '--model', model, '--view', 'T', '--out', out], { env });
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, /4 vectors of 16 values/);
  const ids = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
  assert.deepEqual(
    ids,
    patents.map(({ id }) => id),
  );
});

test('embed: one clear message for wrong input', async (t) => {
  const folder = scratch(t);
  const { model, env } = setUp(folder);
  const file = join(folder, 'texts.jsonl');
  writeFileSync(file, '{"text": "a lens"}\n{"text": \n');
  const fails = async (args: string[], message: RegExp) => {
    const { code, stderr, stdout } = await cli(['embed', ...args, '--quiet'], { env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.equal(stdout, '');
  };
  const out = join(folder, 'x.npy');
  await fails([file, '--model', model, '--out', out], /texts\.jsonl:2/);
  await fails(['nothing', '--model', model, '--out', out], /neither a corpus nor a file/);
  await fails([file, '--model', model, '--out', join(folder, 'x.csv')], /\.npy, \.parquet or \.jsonl/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('x.')),
    [],
  );
});
