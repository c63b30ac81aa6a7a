/**
 * A disk that is too small, at every stage of an evaluation: a file system in memory of a few hundred kilobytes holds
 * `--home`; it grows a little whenever a run has failed, until one ends. Needs Linux with user namespaces.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readParquet } from '../../src/base/node/parquet.ts';
import { cli } from '../support/cli.ts';
import { inventCorpus } from '../support/invent.ts';
import { scratch } from '../support/scratch.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const inNamespace = (script: string, args: string[]) =>
  spawnSync('unshare', ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
const possible =
  process.platform === 'linux' && inNamespace('mount -t tmpfs -o size=64k tmpfs /mnt && test -w /mnt', []).status === 0;
const skip = !possible && 'no file system of its own can be mounted here';

/** Arguments: corpus home to copy, disk, folder of what was printed, first size and step in KiB, then the command. */
const script = `
from=$1 disk=$2 out=$3 size=$4 step=$5; shift 5
mkdir -p $disk && mount -t tmpfs -o size=\${size}k tmpfs $disk && cp -r $from/. $disk || exit 9
n=0
while [ $n -lt 40 ]; do
  n=$((n + 1))
  "$@" > $out/$n.out 2> $out/$n.err
  code=$?
  echo $code > $out/$n.code
  find $disk -name '*.partial' > $out/$n.left
  find $disk -name manifest.json -path '*/cells/*' | sort > $out/$n.cells
  [ $code -eq 1 ] || break
  size=$((size + step))
  mount -o remount,size=\${size}k $disk
done
cp -r $disk $out/disk
`;

interface Growing {
  /** Names of the places where a run met the full disk. */
  stages: string[];
  runs: number;
  /** What the last run, which succeeded, printed. */
  printed: string;
  /** The disk as it was left. */
  disk: string;
}

/** Runs a command on a copy of `home`, with `spare` KiB of room at first and `step` more each time; checks each failure. */
function runOnGrowingDisk(
  folder: string,
  home: string,
  { spare, step }: { spare: number; step: number },
  args: (disk: string) => string[],
): Growing {
  const [disk, out] = [join(folder, 'disk'), join(folder, 'printed')];
  mkdirSync(out);
  const bin = join(import.meta.dirname, '..', '..', 'bin', 'patentlab.js');
  const command = [process.execPath, bin, ...args(disk), '--json', '--home', disk];
  const done = inNamespace(script, [home, disk, out, String(sizeOf(home) + spare), String(step), ...command]);
  assert.equal(done.status, 0, done.stderr);
  const runs = readdirSync(out).filter((name) => name.endsWith('.code')).length;
  const read = (run: number, what: string) => readFileSync(join(out, `${run}.${what}`), 'utf8');
  const stages = new Set<string>();
  let cells = 0;
  for (let run = 1; run < runs; run++) {
    const error = read(run, 'err')
      .split('\n')
      .filter((line) => !line.startsWith('{'));
    assert.match(error[0]!, /: the disk is full; nothing already stored was changed$/);
    assert.match(error[1]!, /to do: +free some space/);
    assert.equal(error.length, 3, error.join('\n'));
    assert.equal(read(run, 'out'), '');
    assert.equal(read(run, 'left'), '', 'no half-written file takes room');
    stages.add(/vectors|cells|trec|report|out\.parquet/.exec(error[0]!)?.[0] ?? error[0]!);
    const now = read(run, 'cells').trim().split('\n').filter(Boolean).length;
    assert.ok(now >= cells, 'a finished cell stays');
    cells = now;
  }
  assert.equal(read(runs, 'code'), '0\n', read(runs, 'err'));
  return { stages: [...stages], runs, printed: read(runs, 'out'), disk: join(out, 'disk') };
}

/** A home with a corpus, and a model outside it. */
async function prepare(folder: string): Promise<{ home: string; model: string }> {
  const [home, model] = [join(folder, 'home'), join(folder, 'tiny')];
  mkdirSync(home);
  await inventCorpus(home, 'devices', { patents: 100 });
  tinyCheckpoint(model, { hidden: 64 });
  return { home, model };
}

test('evaluate: every failure is the one message and loses nothing, every next run goes on', { skip }, async (t) => {
  const folder = scratch(t);
  const { home, model } = await prepare(folder);
  const args = ['evaluate', 'devices', '--model', `bm25,${model}`, '--fuse', 'rrf', '--view', 'T'];
  const { stages, printed } = runOnGrowingDisk(folder, home, { spare: 24, step: 160 }, () => args);
  assert.deepEqual(stages, ['cells', 'trec', 'report']);
  const undisturbed = await cli([...args, '--json', '--home', home]);
  const numbers = ({ cells }: { cells: { model: string; metrics: unknown }[] }) =>
    cells.map(({ model, metrics }) => ({ model, metrics }));
  assert.deepEqual(numbers(JSON.parse(printed)), numbers(JSON.parse(undisturbed.stdout)));
});

test('embed likewise: the output comes whole or not at all', { skip }, async (t) => {
  const folder = scratch(t);
  const { home, model } = await prepare(folder);
  const args = (disk: string) => ['embed', 'devices', '--model', model, '--out', join(disk, 'out.parquet')];
  const { stages, disk, printed } = runOnGrowingDisk(folder, home, { spare: 12, step: 48 }, args);
  assert.deepEqual(stages, ['vectors', 'out.parquet']);
  assert.equal(JSON.parse(printed).texts, 100);
  const { id, vector } = await readParquet(join(disk, 'out.parquet'));
  assert.deepEqual([id!.length, (vector![0] as number[]).length], [100, 64]);
});

/** KiB of whole pages, as a file system in memory gives them out, its own entries included. */
function sizeOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.reduce(
    (sum, entry) =>
      sum + (entry.isFile() ? 4 * Math.ceil(statSync(join(entry.parentPath, entry.name)).size / 4096) : 0),
    4,
  );
}
