/** Ctrl-C leaves a state from which the same command goes on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { cli } from '../support/cli.ts';
import { scratch } from '../support/scratch.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const root = join(import.meta.dirname, '..', '..');
const sample = readFileSync(join(root, 'samples', 'assistive-devices.jsonl'), 'utf8')
  .trimEnd()
  .split('\n');
const skip = process.platform === 'win32' && 'Windows has no SIGINT for a child';

/** Starts a command and sends it SIGINT as soon as `begun` says that its work is under way. */
async function interrupted(args: string[], folder: string, begun: (stderr: string) => boolean) {
  const child = spawn(process.execPath, [join(root, 'bin', 'patentlab.js'), ...args], { cwd: folder });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  while (child.exitCode === null && !begun(stderr)) await pause(2);
  child.kill('SIGINT');
  return { code: await closed, stdout, stderr };
}

function saysSo({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): void {
  assert.equal(code, 130, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /stopping after the step under way/);
  assert.match(stderr, /stopped; run the same command again to go on from here/);
  assert.doesNotMatch(stderr, / {4}at /);
}

test('evaluate goes on with the cells that are left', { skip }, async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'a.jsonl'), `${sample.slice(0, 120).join('\n')}\n`);
  assert.equal((await cli(['import', 'a.jsonl', '--as', 'a', '--home', 'lab'], { cwd: folder })).code, 0);
  const args = ['evaluate', 'a', '--model', 'bm25,lsa', '--view', 'T,A,TA,TAC', '--home', 'lab', '--json'];
  const cells = () => globSync('lab/runs/*/cells/*/manifest.json', { cwd: folder }).length;
  saysSo(await interrupted(args, folder, () => cells() > 0));
  const before = cells();
  assert.ok(before >= 1 && before < 8, `${before} cells`);
  const { code, stdout, stderr } = await cli(args, { cwd: folder });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).cells.length, 8);
  const again = await cli(
    args.filter((arg) => arg !== '--json'),
    { cwd: folder },
  );
  assert.match(again.stdout, /0 cells computed, 8 found finished/);
});

test('import leaves nothing half done', { skip }, async (t) => {
  const folder = scratch(t);
  const many = Array.from({ length: 20 }, (_, copy) =>
    sample.map((line) => line.replace(/"id":"([A-Z]+)/, `"id":"$1${copy + 1}0`)),
  );
  writeFileSync(join(folder, 'many.jsonl'), `${many.flat().join('\n')}\n`);
  const args = ['import', 'many.jsonl', '--as', 'many', '--home', 'lab'];
  saysSo(await interrupted(args, folder, () => globSync('lab/corpora/many/*/records*', { cwd: folder }).length > 0));
  assert.ok(!existsSync(join(folder, 'lab', 'corpora', 'many', 'manifest.json')));
  const { code, stdout, stderr } = await cli([...args, '--json'], { cwd: folder });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).stored, new Set(many.flat().map((line) => JSON.parse(line).id)).size);
});

test('embed goes on with the texts that are left', { skip }, async (t) => {
  const folder = scratch(t);
  tinyCheckpoint(join(folder, 'tiny'), { layers: 2, hidden: 64 });
  const lines = Array.from(
    { length: 12_000 },
    (_, i) => `claim ${i}: a transducer array drives lens ${i % 97} and a hollow probe`,
  );
  writeFileSync(join(folder, 'texts.txt'), `${lines.join('\n')}\n`);
  const args = ['embed', 'texts.txt', '--model', './tiny', '--out', 'vectors.npy', '--home', 'lab'];
  const stored = () => globSync('lab/vectors/**/*', { cwd: folder }).length;
  saysSo(await interrupted(args, folder, () => stored() > 2));
  assert.ok(!existsSync(join(folder, 'vectors.npy')));
  const { code, stdout, stderr } = await cli([...args, '--json'], { cwd: folder });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).texts, lines.length);
});
