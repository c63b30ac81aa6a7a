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

test('a saved run replaces its own part on its own hardware, and nothing else', async () => {
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'results.js');
  const { mergeLines } = (await import(script)) as { mergeLines(before: string[], lines: string[]): string[] };
  const line = (part: string | undefined, hardware: string | undefined, at: string) => JSON.stringify({ part, hardware, case: at }); // biome-ignore format: one line
  const before = [
    line('one', undefined, 'head of one'),
    line('one', 'small', '1'),
    line('one', 'large', '2'),
    line('two', undefined, 'head of two'),
    line('two', 'small', '3'),
    line(undefined, 'small', 'of a benchmark without parts'),
  ];
  const run = [line('one', undefined, 'new head'), line('one', 'small', 'new')];
  assert.deepEqual(mergeLines(before, run), [...run, ...before.slice(2)]);
  const whole = [line(undefined, 'small', 'new')];
  assert.deepEqual(mergeLines(before, whole), [...whole, ...before.slice(0, 5)]);
  assert.deepEqual(mergeLines([], run), run);
});

test('each part of a benchmark has its own words, command and table', async () => {
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'results.js');
  const { renderSection } = (await import(script)) as { renderSection(name: string, lines: object[]): string };
  const text = renderSection('recipes', [
    { part: 'two', about: 'About two.', command: 'run two', title: 'Recipes' },
    { part: 'two', case: 'b', value: 2, hardware: 'small' },
    { part: 'one', about: 'About one.', command: 'run one', title: 'Recipes' },
    { part: 'one', case: 'a', queries: 1, hardware: 'small' },
  ]);
  const [head, one, two] = text.split('### ');
  assert.equal(head!.trim(), '## Recipes');
  assert.match(
    one!,
    /^one\n\nAbout one\.\n\n```sh\nrun one\n```\n\n\| case \| queries \|\n\| --- \| --- \|\n\| a \| 1 \|\n/,
  );
  assert.match(
    two!,
    /^two\n\nAbout two\.\n\n```sh\nrun two\n```\n\n\| case \| value \|\n\| --- \| --- \|\n\| b \| 2 \|\n/,
  );
});
