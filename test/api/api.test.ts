/** The public API is what test/api/*.d.ts keep: a change of it is seen in a review, never an accident. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

test('the public declarations are those kept here (`npm run api` writes them anew)', async () => {
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'api.js');
  const { publicDeclarations } = (await import(script)) as { publicDeclarations(): Record<string, string> };
  const declared = publicDeclarations();
  assert.deepEqual(Object.keys(declared), ['patentlab', 'engine', 'metrics', 'retrieve']);
  for (const [name, text] of Object.entries(declared)) {
    assert.equal(text, readFileSync(join(import.meta.dirname, `${name}.d.ts`), 'utf8').replaceAll('\r\n', '\n'), name);
  }
});
