/** The documents are true: their examples run, their commands name options that exist, their links lead somewhere. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { commandsIn, optionsOfLine, wordsOf } from '../support/command-lines.ts';
import { programHelp } from '../support/help.ts';
import { examplesOf, runExamples } from '../support/run-examples.ts';
import { scratch } from '../support/scratch.ts';

const root = join(import.meta.dirname, '..', '..');
const pages = ['README.md', ...globSync('docs/*.md', { cwd: root })].map((page) => page.replaceAll('\\', '/')).sort();
const textOf = (page: string) => readFileSync(join(root, page), 'utf8').replaceAll('\r\n', '\n');

describe('examples', { skip: process.platform === 'win32' && 'the examples are written for a POSIX shell' }, () => {
  for (const page of pages.filter((name) => examplesOf(name) !== '')) {
    test(`${page} runs as it stands`, async (t) => {
      const { code, output } = await runExamples(page, scratch(t));
      assert.equal(code, 0, output);
    });
  }
});

test('commands in the documents name commands and options that exist', async () => {
  const program = await programHelp();
  const wrong: string[] = [];
  let checked = 0;
  for (const page of pages) {
    const blocks = [...textOf(page).matchAll(/^```sh(?: run)?\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
    for (const line of blocks.flatMap(commandsIn)) {
      const words = wordsOf(line);
      const at = words.indexOf('patentlab');
      if (at < 0 || words.slice(0, at).some((word) => !['npx', 'node', '$'].includes(word))) continue;
      const [first = '', second = ''] = words.slice(at + 1);
      const help = program.get(`${first} ${second}`) ?? program.get(first);
      if (help === undefined) wrong.push(`${page}: ${line}: no such command`);
      for (const option of optionsOfLine(line)) {
        checked++;
        if (help !== undefined && !help.options.has(option)) wrong.push(`${page}: ${line}: ${option}`);
      }
    }
    // Options named in running text belong to some command.
    const known = new Set([...program.values()].flatMap(({ options }) => [...options]));
    const prose = textOf(page).replace(/^```[\s\S]*?^```$/gm, '');
    for (const [, option] of prose.matchAll(/`(--[a-z][\w-]*)/g)) {
      if (!known.has(option!) && !foreign.has(option!)) wrong.push(`${page}: ${option}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(checked > 20);
});

/** Options of npm scripts, not of the program. */
const foreign = new Set(['--save']);

test('links between the pages lead somewhere, and the README leads to every page', () => {
  const broken: string[] = [];
  const linked = new Set<string>();
  for (const page of pages) {
    for (const [, target] of textOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path = '', anchor] = target!.split('#');
      const file = path === '' ? join(root, page) : join(root, dirname(page), path);
      if (!existsSync(file)) broken.push(`${page}: ${target}`);
      else if (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor))
        broken.push(`${page}: ${target}`);
      if (page === 'README.md') linked.add(relative(root, file).replaceAll('\\', '/'));
    }
  }
  assert.deepEqual(broken, []);
  assert.deepEqual(
    pages.filter((page) => page !== 'README.md' && !linked.has(page)),
    [],
  );
});

function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((match) => match[1]!);
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
