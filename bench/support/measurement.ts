/** What benchmarks share: medians, the hardware line, a peer's process that reports its own seconds. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Measurement {
  bench: string;
  /** Of a benchmark that is run in parts, each of which is saved for itself. */
  part?: string;
  case: string;
  ours: number;
  peer: number | null;
  peerName: string | null;
  /** Above 1: we are faster. */
  ratio: number | null;
  unit: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function hardware(): string {
  const processors = cpus();
  return `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown'}${instructions()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
}

/** The widest instructions that matter to matrix products: times of two processors of one name differ by them. */
function instructions(): string {
  try {
    const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' '));
    const widest = ['amx_int8', 'avx512_vnni', 'avx512f', 'avx_vnni', 'avx2'].find((flag) => flags.has(flag));
    return widest === undefined ? '' : ` (${widest})`;
  } catch {
    return ''; // no Linux
  }
}

/** Prints one line of a benchmark, numbers to four digits. */
export function report(measurement: Measurement): void {
  const short = (value: number | null) => (value === null ? null : Number(value.toPrecision(4)));
  const { ours, peer, ratio, ...rest } = measurement;
  console.log(
    JSON.stringify({ ...rest, ours: short(ours), peer: short(peer), ratio: short(ratio), hardware: hardware() }),
  );
}

/** Runs ours and the peer in turn and reports both medians in seconds; a peer that cannot run is left out with a note. */
export function compareSeconds(options: {
  bench: string;
  case: string;
  peerName: string;
  rounds: number;
  ours: () => number;
  peer: () => number | undefined;
}): void {
  const { bench, peerName, rounds } = options;
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    mine.push(options.ours());
    const seconds = options.peer();
    if (seconds !== undefined) theirs.push(seconds);
  }
  const ours = median(mine);
  const peer = theirs.length > 0 ? median(theirs) : null;
  report({ bench, case: options.case, ours, peer, peerName, ratio: peer === null ? null : peer / ours, unit: 's' });
}

/** Seconds that a script of `bench/peers` prints as its last line; undefined, with the reason on stderr, where it fails. */
export function peerSeconds(script: string, args: string[], env: Record<string, string> = {}): number | undefined {
  const python = process.env.PATENTLAB_PYTHON ?? 'python3';
  const run = spawnSync(python, [join(import.meta.dirname, '..', 'peers', script), ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  const seconds = Number(run.stdout?.trim().split('\n').at(-1));
  if (run.status === 0 && Number.isFinite(seconds)) return seconds;
  console.error(`peer ${script} did not run: ${run.stderr?.trim().split('\n').at(-1) ?? run.error?.message}`);
  return undefined;
}
