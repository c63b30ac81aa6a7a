/** Every command on tiny data, in the order a user meets them: exit code, one JSON document on stdout, its fields. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { decodeNpy } from '../../src/base/npy.ts';
import { type Json, type Lab, openLab } from '../support/lab.ts';
import { writePatentClassification } from '../support/mteb-data.ts';

const patents = 40;

describe('every command on tiny data', () => {
  let evaluated: Json;
  let lab: Lab;
  let folder = '';
  const json = (...args: string[]) => lab.json(...args);
  const text = (...args: string[]) => lab.text(...args);

  before(async () => {
    lab = await openLab({ patents });
    folder = lab.folder;
  });
  after(() => lab.close());

  test('import', async () => {
    const first = await json('import', 'assistive-devices.jsonl', '--as', 'tiny');
    for (const key of ['corpus', 'read', 'stored', 'duplicates', 'rejected', 'citationsInside', 'labels', 'fields']) {
      assert.ok(key in first, key);
    }
    assert.deepEqual([first.corpus, first.read, first.stored, first.rejected], ['tiny', patents, patents, 0]);
    assert.ok(first.citationsInside > 10);
    const again = await text('import', 'assistive-devices.jsonl', '--as', 'tiny', '--on-conflict', 'replace');
    assert.match(again, new RegExp(`${patents} of patents that were there already`));
    assert.match(again, /patentlab evaluate tiny --model bm25,lsa/);
  });

  test('corpus list, show, remove', async () => {
    await json('import', 'greenhouse-robots.jsonl', '--as', 'second');
    assert.deepEqual((await json('corpus', 'list')).corpora.map(({ name }: Json) => name).sort(), ['second', 'tiny']);
    const shown = await json('corpus', 'show', 'tiny');
    assert.equal(shown.size, patents);
    assert.equal(shown.invented, true);
    assert.match(await text('corpus', 'show', 'tiny'), /retrieval/);
    assert.deepEqual(await json('corpus', 'remove', 'second'), { removed: 'second' });
    assert.match(await text('corpus', 'list'), /tiny/);
  });

  test('models list, get, verify', async () => {
    const known = await json('models', 'list');
    assert.ok(known.models.some(({ id }: Json) => id === 'sentence-transformers/all-MiniLM-L6-v2'));
    const got = await json('models', 'get', 'lab/tiny');
    assert.equal(got.source, 'hub');
    assert.ok(got.files >= 5);
    const carried = await json('models', 'get', 'lab/tiny', '--to', 'stick');
    assert.ok(existsSync(resolve(folder, carried.folder, 'model.safetensors')));
    assert.deepEqual(
      (await json('models', 'list')).others.map(({ id }: Json) => id),
      ['lab/tiny'],
    );
    const checked = await json('models', 'verify', 'lab/tiny', '--offline');
    assert.ok(checked.maxDifference < 1e-4);
    assert.equal(checked.dimensions, 16);
  });

  test('embed', async () => {
    const made = await json('embed', 'tiny', '--model', 'lab/tiny', '--view', 'T', '--out', 'titles.npy', '--offline');
    assert.deepEqual([made.texts, made.dimensions], [patents, 16]);
    const { shape } = decodeNpy(readFileSync(join(folder, 'titles.npy')), 'titles.npy');
    assert.deepEqual(shape, [patents, 16]);
    const again = await json('embed', 'tiny', '--model', 'lab/tiny', '--view', 'T', '--out', 'again.npy', '--offline');
    assert.equal(again.computed, 0, 'stored vectors are found again');
  });

  test('evaluate', async () => {
    const request = [
      'evaluate',
      'tiny',
      '--model',
      'bm25,lsa,lab/tiny',
      '--view',
      'T',
      '--fuse',
      'linear',
      '--offline',
    ];
    const more = ['--mask-citations', '--lsa-dimensions', '16', '--depth', '50'];
    const plan = await json(...request, ...more, '--dry-run');
    assert.equal(plan.dryRun, true);
    assert.ok(plan.cells.length >= 3 && plan.seconds > 0 && plan.bytes > 0);
    assert.ok(!existsSync(join(folder, 'lab', 'runs', 'evaluate-tiny', 'report.html')));
    evaluated = await json(...request, ...more);
    assert.equal(evaluated.cells.length, 5);
    for (const cell of evaluated.cells) {
      assert.deepEqual([cell.corpus, cell.task, cell.view, cell.documents], ['tiny', 'retrieval', 'T-masked', patents]);
      const { value, lower, upper } = cell.metrics['ndcg@10'];
      assert.ok(0 <= lower && lower <= value && value <= upper && upper <= 1);
      assert.equal(cell.manifest.packageVersion, '0.1.0');
    }
    assert.deepEqual(evaluated.cells.map(({ fuse }: Json) => fuse).filter(Boolean), ['linear', 'linear']);
    const page = readFileSync(resolve(folder, evaluated.report), 'utf8');
    assert.match(page, /Invented data: says nothing about your patents/);
    const finished = await text(...request, ...more);
    assert.match(finished, /0 cells computed, 5 found finished/);
  });

  test('evaluate with judgements of one’s own', async () => {
    const ids = readFileSync(join(folder, 'assistive-devices.jsonl'), 'utf8')
      .split('\n')
      .slice(0, 3)
      .map((line) => JSON.parse(line).id as string);
    writeFileSync(join(folder, 'own.qrels'), `q1 0 ${ids[0]} 1\nq2 0 ${ids[1]} 1\nq2 0 ${ids[2]} 1\n`);
    writeFileSync(join(folder, 'own.tsv'), 'q1\twalking aid with brake\nq2\tdamper\n');
    const own = ['--relevance', 'qrels', '--qrels', 'own.qrels', '--queries', 'own.tsv'];
    const { cells } = await json('evaluate', 'tiny', '--model', 'bm25', '--view', 'TA', ...own, '--out', 'own');
    assert.deepEqual(
      cells.map(({ queries }: Json) => queries),
      [2],
    );
    assert.ok(existsSync(join(folder, 'own', 'report.html')));
  });

  test('mteb list, run', async () => {
    const { tasks } = await json('mteb', 'list');
    assert.ok(tasks.some(({ name }: Json) => name === 'PatentClassification'));
    await writePatentClassification(join(folder, 'classified'));
    const classified = ['PatentClassification', '--data', 'classified', '--model', 'lab/tiny', '--offline'];
    const { tasks: done } = await json('mteb', 'run', ...classified);
    assert.equal(done[0].counts.find(({ what }: Json) => what === 'test').found, 60);
    assert.equal(JSON.parse(readFileSync(resolve(folder, done[0].file), 'utf8')).task_name, 'PatentClassification');
  });

  test('score and compare', async () => {
    const runs = globSync('lab/runs/evaluate-tiny/trec/*T-masked_{bm25,lsa}.run.gz', { cwd: folder }).sort();
    assert.equal(runs.length, 2);
    const retrieved = gunzipSync(readFileSync(join(folder, runs[0]!)))
      .toString()
      .split('\n')
      .filter(Boolean);
    const qrels = new Map(
      retrieved
        .filter((_, i) => i % 7 === 0)
        .map((line) => line.split(' ').slice(0, 3).join(' '))
        .map((line) => [line, line]),
    );
    writeFileSync(
      join(folder, 'some.qrels'),
      [...qrels.keys()].map((line) => `${line.replace(' Q0 ', ' 0 ')} 1\n`).join(''),
    );
    const scores = await json(
      'score',
      '--qrels',
      'some.qrels',
      '--run',
      runs[0]!,
      '--metric',
      'ndcg@10,map',
      '--per-query',
    );
    assert.deepEqual(Object.keys(scores.measures), ['ndcg_cut_10', 'map']);
    assert.ok(Object.keys(scores.topics).length > 5);
    const { metric, pairs } = await json('compare', ...runs, '--qrels', 'some.qrels', '--metric', 'map');
    assert.equal(metric, 'map');
    for (const key of ['a', 'b', 'difference', 'lower', 'upper', 'p', 'pHolm', 'verdict'])
      assert.ok(key in pairs[0], key);
    assert.match(await text('score', '--qrels', 'some.qrels', '--run', runs[0]!), /^map\s+all\t0\.\d{4}$/m);
  });

  test('repeat', async () => {
    for (const { manifest } of evaluated.cells.filter((_: Json, i: number) => i === 0 || i === 4)) {
      const again = await json('repeat', manifest.cell, '--offline');
      assert.equal(again.identical, true);
      assert.equal(again.cell, manifest.cell);
    }
  });

  test('demo', async () => {
    // The demo imports its landscapes only where they are not there yet: here they are, cut to a few patents.
    for (const name of ['assistive-devices', 'greenhouse-robots'])
      await json('import', `${name}.jsonl`, '--as', `demo-${name}`);
    const { cells, report } = await json('demo');
    assert.equal(cells.length, 24);
    assert.match(readFileSync(resolve(folder, report), 'utf8'), /Invented data: says nothing about your patents/);
    const printed = await text('demo');
    assert.match(printed, /Invented data: says nothing about your patents/);
    assert.match(printed, / {2}(node .*patentlab\.js) import my-export\.csv --as mine\n {2}\1 evaluate mine/);
  });

  test('doctor and clean', async () => {
    const found = await json('doctor', '--verify');
    assert.deepEqual(found.findings, []);
    assert.equal(found.corpora, 3);
    assert.deepEqual(found.models, ['lab/tiny']);
    assert.match(await text('doctor'), /nothing wrong/);
    assert.ok(found.backends.includes('cpu') && !found.backends.includes('tensorrt'), 'named only where it computes');
    const would = await json('clean', '--runs', '--models', '--dry-run');
    assert.ok(would.dryRun && would.bytes > 0);
    assert.equal((await json('clean', '--runs', '--models')).bytes, would.bytes);
    const left = await json('doctor');
    assert.deepEqual([left.corpora, left.models], [3, []]);
    for (const { part, files } of left.stored) assert.equal(files > 0, part === 'corpora', part);
  });
});
