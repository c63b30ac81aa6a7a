// Runs one benchmark, `npm run bench -- <name> [--save] [arguments]`, or lists them. A benchmark prints JSON lines; with
// --save they replace what bench/results/<name>.jsonl has of the same hardware and part, and docs/results.md is written anew.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeLines } from './results.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...rest] = process.argv.slice(2);
const file = join(root, 'bench', `${name}.ts`);
if (name === undefined || !existsSync(file)) {
  const names = globSync('bench/*.ts', { cwd: root }).map((path) => basename(path, '.ts'));
  console.error(`usage: npm run bench -- NAME [--save]; there are: ${names.sort().join(', ')}`);
  process.exit(2);
}
const save = rest.includes('--save');
const args = rest.filter((argument) => argument !== '--save');
const env = {
  ...process.env,
  PATENTLAB_TEST_DATA: process.env.PATENTLAB_TEST_DATA ?? join(root, '..', 'shared', 'data'),
};
const run = spawnSync(process.execPath, [file, ...args], {
  cwd: root,
  env,
  stdio: ['inherit', save ? 'pipe' : 'inherit', 'inherit'],
  maxBuffer: 1 << 28,
});
if (save && run.status === 0) {
  const lines = run.stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  process.stdout.write(run.stdout);
  mkdirSync(join(root, 'bench', 'results'), { recursive: true });
  const path = join(root, 'bench', 'results', `${name}.jsonl`);
  const before = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  writeFileSync(
    path,
    mergeLines(before, lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
  spawnSync(process.execPath, [join(root, 'scripts', 'results.js')], { cwd: root, stdio: 'inherit' });
}
process.exit(run.status ?? 1);
