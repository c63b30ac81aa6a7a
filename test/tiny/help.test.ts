/** Each command says what it does, with an example that names only options it has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { optionsOfLine } from '../support/command-lines.ts';
import { programHelp } from '../support/help.ts';

test('every command has a help with a working example and the options all commands share', async () => {
  const program = await programHelp();
  const commands = [...program.values()].filter(({ subcommands }) => subcommands.length === 0);
  assert.deepEqual(
    commands.map(({ path }) => path).sort(),
    [
      'clean', 'compare', 'corpus list', 'corpus remove', 'corpus show', 'demo', 'doctor', 'embed', 'evaluate', 'export', 'finetune', 'import',
      'models get', 'models list', 'models verify', 'mteb list', 'mteb run', 'repeat', 'score', 'study plan', 'study report', 'study run', 'study status',
    ], // biome-ignore format: one list
  );
  for (const { path, text, options } of commands) {
    assert.match(text, new RegExp(`^Usage: patentlab ${path}`));
    for (const option of ['--home', '--json', '--seed', '--threads', '--device', '--offline', '--debug']) {
      assert.ok(options.has(option), `${path} shows ${option}`);
    }
    const examples = text.split('\nExample:\n')[1]?.trimEnd().split('\n') ?? [];
    assert.ok(examples.length > 0, `${path} has an example`);
    for (const line of examples) {
      assert.ok(line.startsWith(`  $ patentlab ${path}`), line);
      for (const option of optionsOfLine(line)) assert.ok(options.has(option), `${line}: ${option} is no option`);
    }
  }
});

test('the program without a command, and its version', async () => {
  const [bare, version] = await Promise.all([cli([]), cli(['--version'])]);
  assert.match(bare.stdout + bare.stderr, /Usage: patentlab/);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(version.code, 0);
});
