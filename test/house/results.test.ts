/** docs/results.md is what the saved benchmark lines give: no figure is written by hand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

test('docs/results.md is written from bench/results', async () => {
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'results.js');
  const { renderResults } = (await import(script)) as { renderResults(): string };
  assert.equal(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'results.md'), 'utf8'), renderResults());
});
