/** Runs several command lines one after the other in one process of their own: a process start costs more than most of them. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { CliOutcome } from './cli.ts';

const child = join(import.meta.dirname, 'cli-series-child.ts');

export function cliSeries(commands: readonly string[][], options: { cwd?: string } = {}): Promise<CliOutcome[]> {
  return new Promise((resolve, reject) => {
    const { cwd } = options;
    const runner = spawn(process.execPath, [child], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    runner.on('error', reject);
    runner.on('message', (outcomes) => resolve(outcomes as CliOutcome[]));
    runner.on('close', (code) => reject(new Error(`the commands' process ended with ${code} and without an answer`)));
    runner.send(commands);
  });
}
