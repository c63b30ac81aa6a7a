// Builds dist/: types stripped and declarations by tsc, data files (YAML, Wasm, CSS) copied beside their modules.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
rmSync(join(root, 'dist'), { recursive: true, force: true });
const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
for (const file of globSync('src/**/*.{yaml,wasm,css,js,json,txt}', { cwd: root })) {
  const target = join(root, 'dist', relative('src', file));
  if (existsSync(target)) {
    console.error(`${file} would take the place of a compiled module: give it another name`);
    process.exit(1);
  }
  cpSync(join(root, file), target);
}
