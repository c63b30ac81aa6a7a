/** A folder with two cut landscapes, a home and a local hub with a tiny checkpoint: where the tiny tier runs commands. */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHub } from '../hub/local-hub.ts';
import { cli } from './cli.ts';
import { tinyCheckpoint } from './tiny-checkpoint.ts';

const samples = join(import.meta.dirname, '..', '..', 'samples');

// biome-ignore lint/suspicious/noExplicitAny: JSON as another program gets it
export type Json = any;

export interface Lab {
  readonly folder: string;
  /** Runs a command with `--json`; stdout must be one document. */
  json(...args: string[]): Promise<Json>;
  /** Runs a command with `--quiet`; gives what it prints. */
  text(...args: string[]): Promise<string>;
  close(): void;
}

export async function openLab({ patents }: { patents: number }): Promise<Lab> {
  // A blank in the path: what splits it wrongly is found.
  const folder = join(tmpdir(), `patentlab tiny ${process.pid}`);
  mkdirSync(folder);
  for (const name of ['assistive-devices', 'greenhouse-robots']) {
    const lines = readFileSync(join(samples, `${name}.jsonl`), 'utf8')
      .split('\n')
      .slice(0, patents);
    writeFileSync(join(folder, `${name}.jsonl`), `${lines.join('\n')}\n`);
  }
  const checkpoint = join(folder, 'tiny');
  tinyCheckpoint(checkpoint);
  const files = globSync('**/*', { cwd: checkpoint, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const named = files.map((path) => [path.slice(checkpoint.length + 1).replaceAll('\\', '/'), readFileSync(path)]);
  const cleanups: (() => void)[] = [];
  const closing = { after: (cleanup: () => void) => cleanups.push(cleanup) };
  const hub = (await localHub(closing as never, 'lab/tiny', Object.fromEntries(named))).endpoint;
  return {
    folder,
    async json(...args) {
      const { code, stdout, stderr } = await cli([...args, '--home', 'lab', '--json'], {
        cwd: folder,
        env: { HF_ENDPOINT: hub, HF_HOME: join(folder, 'none') },
      });
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
      for (const line of stderr.split('\n').filter(Boolean)) JSON.parse(line); // progress, as JSON lines
      return JSON.parse(stdout);
    },
    async text(...args) {
      const { code, stdout, stderr } = await cli([...args, '--home', 'lab', '--quiet'], { cwd: folder });
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
      assert.equal(stderr, '', `${args.join(' ')} --quiet is quiet`);
      return stdout;
    },
    close() {
      for (const cleanup of cleanups) cleanup();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
