/** Two runs on one study at once: no cell is computed twice, both end with the same numbers, a dead run's lock is taken over. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { acquireLock } from '../../src/base/node/lock.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { silent } from '../../src/base/progress.ts';
import { evaluate, planEvaluation } from '../../src/study/evaluate.ts';
import type { EvaluateOptions } from '../../src/study/evaluate-options.ts';
import { cli } from '../support/cli.ts';
import { inventCorpus } from '../support/invent.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-at-once-'));
after(() => rmSync(home, { recursive: true, force: true }));
before(() => inventCorpus(home, 'devices', { patents: 120 }));

const options = (extra: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  platform: nodePlatform,
  home,
  corpora: ['devices'],
  models: ['bm25', 'lsa'],
  fuse: ['linear'],
  lsaDimensions: 16,
  depth: 40,
  resamples: 50,
  ...extra,
});

const locksOf = (study: string) =>
  readdirSync(join(home, 'runs', study, 'cells')).filter((name) => name.endsWith('.lock'));

test('two processes: each cell is computed once, and both print the same', async () => {
  const args = ['evaluate', 'devices', '--model', 'bm25,lsa', '--view', 'T,TA', '--fuse', 'linear'];
  const [a, b] = await Promise.all([1, 2].map(() => cli([...args, '--json', '--home', home])));
  assert.equal(a!.code, 0, a!.stderr);
  assert.equal(b!.code, 0, b!.stderr);
  const [first, second] = [JSON.parse(a!.stdout), JSON.parse(b!.stdout)];
  assert.equal(first.cells.length, 6);
  assert.deepEqual(
    second.cells,
    first.cells,
    'costs and starting times too: one of them read what the other had computed',
  );
  assert.deepEqual(locksOf('evaluate-devices'), []);
});

test('two calls in one process likewise', async () => {
  const runs = await Promise.all([1, 2].map(() => evaluate(options({ study: 'twice' }))));
  assert.equal(runs[0]!.computed + runs[1]!.computed, 3);
  assert.deepEqual(runs[1]!.results.cells, runs[0]!.results.cells);
});

test('whoever waits says for whom, once, and can be stopped; the lock of a process that is gone is taken over', async () => {
  const study = 'waiting';
  const { cells } = await planEvaluation(options({ study }));
  const path = join(home, 'runs', study, 'cells', `${cells[0]!.cell}.lock`);
  const lock = await acquireLock(path, 'the cell');
  const said: string[] = [];
  const abort = new AbortController();
  const progress = { ...silent, say: (text: string) => void said.push(text) };
  setTimeout(() => abort.abort(), 700);
  await assert.rejects(evaluate(options({ study, progress, signal: abort.signal })), { name: 'AbortError' });
  const waiting = said.filter((text) => text.includes('waiting for it'));
  assert.equal(waiting.length, 1);
  assert.match(waiting[0]!, new RegExp(`being computed by process ${process.pid} on this machine`));
  setTimeout(() => void lock.release(), 300);
  assert.equal((await evaluate(options({ study }))).computed, 3);
  rmSync(join(home, 'runs', study), { recursive: true });
  mkdirSync(join(home, 'runs', study, 'cells'), { recursive: true });
  writeFileSync(path, ''); // torn by a power cut
  assert.equal((await evaluate(options({ study }))).computed, 3);
  assert.deepEqual(locksOf(study), []);
});
