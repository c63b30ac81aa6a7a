// Runs one benchmark, `npm run bench -- <name> [arguments]`, or lists them. Each prints JSON lines (docs/results.md says how to read them).
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...rest] = process.argv.slice(2);
const file = join(root, 'bench', `${name}.ts`);
if (name === undefined || !existsSync(file)) {
  const names = globSync('bench/*.ts', { cwd: root }).map((path) => basename(path, '.ts'));
  console.error(`usage: npm run bench -- NAME; there are: ${names.sort().join(', ')}`);
  process.exit(2);
}
process.exit(spawnSync(process.execPath, [file, ...rest], { cwd: root, stdio: 'inherit' }).status ?? 1);
