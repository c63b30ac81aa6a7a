/** The house rule: a folder imports only from folders below it; portable folders reach no `node:` module. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { test } from 'node:test';

const source = join(import.meta.dirname, '..', '..', 'src');
/** From the top of the house to its base. */
const floors = [
  'cli', 'serve', 'report', 'study', 'generate', 'forward-forward', 'tune', 'pretrain', 'classify', 'cluster', 'retrieve',
  'metrics', 'encode', 'train', 'model', 'tokenizer', 'corpus', 'hub', 'engine', 'base',
]; // biome-ignore format: one list, read from top to bottom
const portable = ['engine', 'model', 'tokenizer', 'encode', 'metrics'];
const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s*'([^']+)'/g;

/** Names of imported modules; type-only imports leave no trace at run time and do not count for portability. */
function importsOf(file: string, withTypes = true): string[] {
  return [...readFileSync(file, 'utf8').matchAll(importPattern)]
    .filter((match) => withTypes || !/^\s*(?:import|export)\s+type\b/.test(match[0]))
    .map((match) => (match[1] ?? match[2] ?? match[3])!);
}

const files = globSync('**/*.ts', { cwd: source }).map((name) => join(source, name));
const floorOf = (file: string) => relative(source, file).split(sep)[0]!;

test('every folder is one of the house', () => {
  for (const file of files) {
    const floor = floorOf(file);
    if (relative(source, file).includes(sep))
      assert.ok(floors.includes(floor), `${floor} is not a folder of the house`);
  }
});

test('a folder imports only from folders below it', () => {
  const wrong: string[] = [];
  for (const file of files) {
    if (!relative(source, file).includes(sep)) continue; // src/index.ts is the package's front door
    for (const name of importsOf(file)) {
      if (!name.startsWith('.')) continue;
      const target = normalize(join(dirname(file), name));
      const [from, to] = [floorOf(file), floorOf(target)];
      if (from !== to && floors.indexOf(to) < floors.indexOf(from))
        wrong.push(`${relative(source, file)} imports ${name}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('portable folders reach no node: module, directly or through another file', () => {
  const wrong: string[] = [];
  for (const start of files.filter((file) => portable.includes(floorOf(file)))) {
    const seen = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const name of importsOf(file, false)) {
        if (name.startsWith('node:')) wrong.push([...path, name].join(' -> '));
        else if (name.startsWith('.')) {
          const target = normalize(join(dirname(file), name));
          if (target.endsWith('.ts')) visit(target, [...path, relative(source, target)]);
        }
      }
    };
    // A worker's entry is the platform's side of the door: it may name node:worker_threads.
    if (!start.endsWith('.worker.ts')) visit(start, [relative(source, start)]);
  }
  assert.deepEqual(wrong, []);
});
