/** An engine may be closed at any moment of its start: the process goes on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

test('closed while its worker loads the native library, or just after', () => {
  const source = (path: string) =>
    JSON.stringify(pathToFileURL(join(import.meta.dirname, '..', '..', 'src', path)).href);
  const script = `
const { openEngine } = await import(${source('engine/index.ts')});
const { nodePlatform } = await import(${source('base/node/platform.ts')});
for (let wait = 0; wait <= 200; wait += 10) {
  const engine = await openEngine(nodePlatform, { threads: 1 });
  await new Promise((resolve) => setTimeout(resolve, wait));
  await engine.close();
}
console.log('alive');
`;
  // In a process of its own: what can go wrong here ends the whole process.
  const { stdout, stderr, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.deepEqual({ stdout, signal }, { stdout: 'alive\n', signal: null }, stderr);
});
