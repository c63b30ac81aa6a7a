/** `score` and `compare` as a user runs them: files in, JSON and text out, errors with file and line. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { stream } from '../../src/base/random.ts';
import { cli } from '../support/cli.ts';
import { missing, realData } from '../support/data.ts';
import { scratch } from '../support/scratch.ts';

/** Judgements of 40 topics and two runs, the second worse. */
function collection(folder: string) {
  const random = stream(1, 'collection');
  let [qrels, good, poor] = ['', '', ''];
  for (let topic = 1; topic <= 40; topic++) {
    for (let d = 0; d < 10; d++) {
      qrels += `${topic} 0 D${d} ${d < 3 ? 1 : 0}\n`;
      good += `${topic} Q0 D${d} 1 ${(d < 3 ? 0.5 : 0) + random.uniform()} good\n`;
      poor += `${topic} Q0 D${d} 1 ${random.uniform()} poor\n`;
    }
  }
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  return {
    file,
    qrels: file('judged.qrels', qrels),
    good: file('good.run', good),
    poor: file('poor.run.gz', gzipSync(poor)),
  };
}

test('score prints what trec_eval prints', { skip: missing('trec_eval/out.test.a') }, async () => {
  const data = (name: string) => realData(`trec_eval/${name}`);
  const { stdout, code } = await cli(['score', '--qrels', data('qrels.test'), '--run', data('results.test')]);
  assert.equal(code, 0);
  assert.equal(stdout, readFileSync(data('out.test.a'), 'utf8'));
  const switches = ['--complete', '--max-docs', '100', '--per-query'];
  const more = await cli(['score', '--qrels', data('qrels.test'), '--run', data('results.trunc'), ...switches]);
  assert.equal(more.stdout, readFileSync(data('out.test.aqcM'), 'utf8'));
});

test('score --json and compare --json agree on the means, whatever is gzipped', async (t) => {
  const { qrels, good, poor } = collection(scratch(t));
  const score = async (run: string) =>
    JSON.parse(
      (await cli(['score', '--qrels', qrels, '--run', run, '--metric', 'ndcg@10,mrr', '--per-query', '--json'])).stdout,
    );
  const [a, b] = [await score(good), await score(poor)];
  assert.deepEqual(Object.keys(a.measures), ['ndcg_cut_10', 'recip_rank']);
  assert.equal(Object.keys(a.topics).length, 40);
  const outcome = await cli(['compare', good, poor, '--qrels', qrels, '--json']);
  assert.equal(outcome.code, 0, outcome.stderr);
  const { metric, pairs, systems } = JSON.parse(outcome.stdout);
  assert.equal(metric, 'ndcg@10');
  assert.deepEqual([pairs[0].a, pairs[0].b, pairs[0].verdict], ['good', 'poor', 'better']);
  for (const key of ['difference', 'lower', 'upper', 'p', 'pHolm']) assert.equal(typeof pairs[0][key], 'number');
  assert.ok(Math.abs(systems[0].value - a.measures.ndcg_cut_10) < 1e-12);
  assert.ok(Math.abs(pairs[0].difference - (a.measures.ndcg_cut_10 - b.measures.ndcg_cut_10)) < 1e-12);
  const table = await cli(['compare', good, poor, '--qrels', qrels, '--metric', 'map']);
  assert.match(table.stdout, /good - poor {2}\+0\.\d{4} {2,}\[.*\] .*better/);
});

test('compare resamples families as a whole', async (t) => {
  const { qrels, good, poor, file } = collection(scratch(t));
  const families = file('families.txt', Array.from({ length: 40 }, (_, i) => `${i + 1} f${i >> 2}\n`).join(''));
  const run = async (...more: string[]) =>
    JSON.parse((await cli(['compare', good, poor, '--qrels', qrels, '--json', ...more])).stdout).pairs[0];
  const [alone, together] = [await run(), await run('--families', families)];
  assert.equal(alone.difference, together.difference);
  assert.notEqual(alone.lower, together.lower);
  assert.equal(together.p, 2 / 1024);
});

test('errors name file and line and exit with 2', async (t) => {
  const { qrels, good, poor, file } = collection(scratch(t));
  const fails = async (args: string[], ...patterns: RegExp[]) => {
    const { code, stderr, stdout } = await cli(args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    for (const pattern of patterns) assert.match(stderr, pattern);
  };
  let made = 0;
  const run = (text: string) => file(`bad${++made}.run`, text);
  const cut = file('cut.run.gz', readFileSync(poor).subarray(0, 200));
  await Promise.all([
    fails(['score', '--qrels', qrels, '--run', run('1 Q0 D1 1 0.5 x\n1 Q0 D2 2 NaN x\n')], /bad\d\.run:2, field score/),
    fails(['score', '--qrels', qrels, '--run', join('no', 'such.run')], /such\.run: there is no such file/),
    fails(['score', '--qrels', qrels, '--run', good, '--metric', 'ndgc@10'], /did you mean ndcg@10/),
    fails(['score', '--qrels', qrels, '--run', cut], /cut\.run\.gz: the gzip file is damaged or cut off/),
    fails(['compare', good, '--qrels', qrels], /needs two runs/),
    fails(['compare', good, poor, '--qrels', qrels, '--metric', 'gm_map'], /no value per query/),
  ]);
});
