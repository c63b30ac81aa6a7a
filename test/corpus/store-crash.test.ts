/** The store under failure: a disk that fills at any write, a process killed at any moment, two writers, an interruption. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatentlabError } from '../../src/base/errors.ts';
import { acquireLock } from '../../src/base/node/lock.ts';
import { stream } from '../../src/base/random.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { openCorpus } from '../../src/corpus/store.ts';
import { nodeStoreFiles, type StoreFiles } from '../../src/corpus/store-files.ts';
import { scratch } from '../support/scratch.ts';
import { contents, importRows, jsonLines, row } from './store-support.ts';

const code = (wanted: string) => (error: unknown) => (error as PatentlabError).code === wanted;

/** Every file operation counts; from the n-th on the disk is full. */
function fullDisk(failAt: number): { files: StoreFiles; calls: () => number } {
  let calls = 0;
  const step = () => {
    if (++calls >= failAt) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const files: StoreFiles = {
    async makeFolder(path) {
      step();
      await nodeStoreFiles.makeFolder(path);
    },
    async create(path) {
      step();
      const file = await nodeStoreFiles.create(path);
      return {
        async write(data) {
          if (calls + 1 >= failAt) await file.write(data.subarray(0, data.length >> 1)); // half of it still fits
          step();
          await file.write(data);
        },
        async finish() {
          try {
            step();
          } catch (error) {
            await file.abandon();
            throw error;
          }
          await file.finish();
        },
        abandon: () => file.abandon(),
      };
    },
    async move(from, to) {
      step();
      await nodeStoreFiles.move(from, to);
    },
    remove: (path) => nodeStoreFiles.remove(path), // a full disk still lets go of files
  };
  return { files, calls: () => calls };
}

for (const [name, rows] of [
  ['new rows', [row('US4000003A')]],
  ['rows that merge', [{ id: 'US4000001A', abstract: 'x' }, row('US4000003A'), 'broken']],
] as const)
  test(`a disk that is full from the n-th write on loses nothing stored: ${name}`, async (t) => {
    const home = scratch(t);
    await importRows(home, [row('US4000001A'), row('US4000002A')]);
    const before = await contents(home);
    let failures = 0;
    for (let n = 1; ; n++) {
      assert.ok(n < 200, 'the import never gets through');
      const { files, calls } = fullDisk(n);
      const failed = await importRows(home, rows, { files, source: 'more.jsonl' }).then(
        () => false,
        (error: PatentlabError) => {
          assert.equal(error.code, 'disk.full', String(error.stack));
          return true;
        },
      );
      if (!failed) {
        assert.ok(calls() < n);
        break;
      }
      failures++;
      assert.deepEqual(await contents(home), before, `after failing at write ${n}`);
      assert.equal(readdirSync(join(home, 'corpora', 'mine')).length, 2, `leftovers after failing at write ${n}`);
      assert.deepEqual(readdirSync(join(home, 'corpora')), ['mine']);
    }
    assert.ok(failures > 10);
    assert.equal((await contents(home)).length, 3);
    const corpus = await openCorpus(home, 'mine');
    await corpus.verify();
    await corpus.close();
  });

test('a new corpus on a full disk leaves nothing behind', async (t) => {
  const home = scratch(t);
  for (let n = 1; n <= 12; n++) {
    await assert.rejects(importRows(home, [row('US4000001A')], { files: fullDisk(n).files }), code('disk.full'));
    assert.deepEqual(readdirSync(join(home, 'corpora')), []);
  }
});

const child = join(import.meta.dirname, 'import-child.ts');

test('a process killed at any moment leaves the old state, and the next import works', async (t) => {
  const home = scratch(t);
  await importRows(home, [row('US4000001A', { labels: ['old'] })], { source: 'first.jsonl' });
  const before = await contents(home);
  const big = join(home, 'big.jsonl');
  const many = Array.from({ length: 6000 }, (_, i) => row(`US${4000001 + i}A`, { abstract: 'word '.repeat(100) }));
  writeFileSync(big, jsonLines(many));
  const random = stream(11, 'kill');
  const timed = performance.now();
  spawnSync(process.execPath, [child, home, 'timing', big]);
  const whole = performance.now() - timed;
  let killed = 0;
  for (let i = 0; i < 8; i++) {
    const process_ = spawn(process.execPath, [child, home, 'mine', big], { stdio: 'ignore' });
    const left = new Promise<NodeJS.Signals | null>((resolve) => process_.on('exit', (_, signal) => resolve(signal)));
    // The first one early, so that at least one dies under way however uneven the machine's speed is.
    await sleep(whole * (i === 0 ? 0.2 : 0.3 + 0.7 * random.uniform()));
    process_.kill('SIGKILL');
    const signal = await left;
    const now = await contents(home);
    if (signal === null || now.length > 1) {
      assert.equal(now.length, many.length); // it had got through, or died after its commit
      break;
    }
    killed++;
    assert.deepEqual(now, before);
  }
  assert.ok(killed > 0);
  const summary = await importCorpus({ home, name: 'mine', paths: [big] });
  assert.equal(summary.stored, many.length);
  // The draft of a lock may stay behind where the kill met it; `clean` removes it.
  const left = readdirSync(join(home, 'corpora')).filter((name) => !name.endsWith('.partial'));
  assert.deepEqual(left.sort(), ['mine', 'timing']);
  assert.equal(readdirSync(join(home, 'corpora', 'mine')).length, 2);
});

test('two imports at once: the second is told, and the first goes on', async (t) => {
  const home = scratch(t);
  let release: () => void = () => {};
  const waiting = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow: StoreFiles = {
    ...nodeStoreFiles,
    async move(from, to) {
      await waiting;
      await nodeStoreFiles.move(from, to);
    },
  };
  const first = importRows(home, [row('US4000001A')], { files: slow });
  while (!existsSync(join(home, 'corpora', 'mine.lock'))) await sleep(5);
  const source = join(home, 'second.jsonl');
  writeFileSync(source, jsonLines([row('US4000002A')]));
  const other = spawnSync(process.execPath, [child, home, 'mine', source], { encoding: 'utf8' });
  assert.equal(other.status, 1);
  assert.match(other.stderr, /corpus "mine" is in use by another patentlab process[\s\S]*process \d+ on this machine/);
  await assert.rejects(importRows(home, [row('US4000002A')], { source: 'third.jsonl' }), code('lock.held'));
  release();
  assert.equal((await first).stored, 1);
  assert.equal((await contents(home)).length, 1);
});

test('locks of processes that are gone are taken over, others are respected', async (t) => {
  const path = join(scratch(t), 'x.lock');
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const write = (holder: object) => writeFileSync(path, JSON.stringify({ token: 'other', started: '', ...holder }));
  write({ pid: gone, host: hostname() });
  let lock = await acquireLock(path, 'it');
  await lock.assertHeld();
  await assert.rejects(acquireLock(path, 'it'), code('lock.held'));
  await lock.release();
  assert.ok(!existsSync(path));
  if (process.platform === 'linux') {
    write({ pid: process.pid, host: hostname(), started: '1' }); // the number was given to another process since
    lock = await acquireLock(path, 'it');
    await lock.release();
  }
  writeFileSync(path, 'torn');
  lock = await acquireLock(path, 'it');
  write({ pid: process.pid, host: hostname() }); // somebody took it over
  await assert.rejects(lock.assertHeld(), code('lock.lost'));
  await lock.release();
  assert.match(readFileSync(path, 'utf8'), /other/); // what is not ours stays
  write({ pid: 1, host: 'elsewhere' });
  await assert.rejects(acquireLock(path, 'it'), code('lock.held'));
});

test('many at once: one holds the lock at a time', async (t) => {
  const path = join(scratch(t), 'x.lock');
  let inside = 0;
  let entered = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      while (entered < 40) {
        const lock = await acquireLock(path, 'it').catch((error: PatentlabError) => {
          assert.ok(['lock.held', 'lock.busy'].includes(error.code), String(error.stack));
          return undefined;
        });
        if (lock === undefined) {
          await sleep(2);
          continue;
        }
        assert.equal(++inside, 1);
        entered++;
        await sleep(1);
        inside--;
        await lock.release();
      }
    }),
  );
});

test('an interruption stores nothing', async (t) => {
  const home = scratch(t);
  await importRows(home, [row('US4000001A')], { source: 'first.jsonl' });
  const before = await contents(home);
  const abort = new AbortController();
  const rows = Array.from({ length: 5000 }, (_, i) => row(`US${4100000 + i}A`));
  const progress = {
    begin: () => ({ advance: () => abort.abort(), total() {}, finish: () => abort.abort() }),
    say() {},
  };
  await assert.rejects(importRows(home, rows, { signal: abort.signal, progress }), { name: 'AbortError' });
  assert.deepEqual(await contents(home), before);
  assert.deepEqual(readdirSync(join(home, 'corpora')), ['mine']);
  assert.equal(readdirSync(join(home, 'corpora', 'mine')).length, 2);
});
