/** Finds and runs the examples of the documents: code blocks marked ```sh run, in order, in one folder a page. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** The commands of a page, blocks joined. */
export function examplesOf(page: string): string {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```sh run\n([\s\S]*?)^```$/gm)].map((match) => match[1]).join('\n');
}

/** Runs the page's examples by `bash -e` in `folder`, with `patentlab` on the path and the samples beside it. */
export function runExamples(page: string, folder: string): Promise<{ code: number | null; output: string }> {
  const bin = join(folder, '.bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, 'patentlab'),
    `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin', 'patentlab.js')}" "$@"\n`,
    { mode: 0o755 },
  );
  symlinkSync(join(root, 'samples'), join(folder, 'samples'));
  return new Promise((resolve) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', examplesOf(page)], {
      cwd: folder,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('close', (code) => resolve({ code, output }));
  });
}
