/** A peer that stays: a Python script of `bench/peers` that prints "ready", then answers each job with a number. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Peer {
  /** Hands the job over as a JSON file; resolves to what the peer prints. */
  ask(job: unknown): Promise<number>;
  readonly pid: number;
  close(): void;
}

export async function startPeer(script: string, args: readonly string[]): Promise<Peer> {
  const scratch = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
  const file = join(import.meta.dirname, '..', 'peers', script);
  return lineServer(process.env.PATENTLAB_PYTHON ?? 'python3', [file, ...args], scratch);
}

/** The same of any program that speaks so. */
export async function lineServer(
  command: string,
  args: readonly string[],
  scratch = mkdtempSync(join(tmpdir(), 'patentlab-bench-')),
): Promise<Peer> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let last = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-2000);
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const close = () => {
    child.stdin.end();
    rmSync(scratch, { recursive: true, force: true });
  };
  const answer = async () => {
    const { done, value } = await answers.next();
    if (!done) return value;
    close();
    throw new Error(`${args[0]} did not answer: are its packages installed?\n${last}`);
  };
  await answer();
  return {
    async ask(job) {
      const path = join(scratch, 'job.json');
      writeFileSync(path, JSON.stringify(job));
      child.stdin.write(`${path}\n`);
      return Number(await answer());
    },
    pid: child.pid!,
    close,
  };
}

/** The most memory that a process has held at once, in bytes (Linux). */
export function peakMemory(pid: number): number {
  const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new Error('this system does not tell the peak memory of a process');
  return Number(found[1]) * 1024;
}
