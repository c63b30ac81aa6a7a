/**
 * Full and mini-batch k-means against scikit-learn: 50,000 x 384 into 64 groups, from equal starting centres, with equal
 * iterations, tolerance and threads, in turn. Mini-batches are drawn by NumPy's stream on both sides: the steps are the same.
 * Two kinds of invented vectors of length 1: `groups` (200 blurred directions, as embeddings have) and `noise` (no structure
 * at all: the bounds that spare distances spare least).
 *
 *   npm run bench -- kmeans [rounds=5] [rows=50000] [clusters=64] [threads=all] [iterations=20]
 *
 * `memory`: 1 million x 384 into 64 groups, streamed from a file, in a process of its own; its peak memory, against the bound
 * of 3 GB (Linux). Writes a file of 1.5 GB beneath the temporary folder.
 *
 *   npm run bench -- kmeans memory [rows=1000000] [clusters=64] [threads=all] [iterations=5]
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePlatform } from '../src/base/node/platform.ts';
import { stream } from '../src/base/random.ts';
import { type Clustering, kMeans } from '../src/cluster/k-means.ts';
import { NumpyRandom } from '../src/cluster/mersenne-twister.ts';
import { miniBatchKMeans } from '../src/cluster/mini-batch.ts';
import { vectorFile } from '../src/retrieve/exact.ts';
import { openMatrixProduct } from '../src/retrieve/matrix-product.ts';
import { median, report } from './support/measurement.ts';
import { peakMemory, startPeer } from './support/peer.ts';

const mode = process.argv.slice(2).find((argument) => !argument.includes('=')) ?? 'speed';
const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const rows = Number(settings.rows ?? (mode === 'speed' ? 50_000 : 1_000_000));
const clusters = Number(settings.clusters ?? 64);
const threads = Number(settings.threads ?? nodePlatform.processors);
const iterations = Number(settings.iterations ?? (mode === 'speed' ? 20 : 5));
const dimensions = 384;

/** Vectors of length 1 in blocks: around one of 200 directions, or around none. */
function* invent(kind: 'groups' | 'noise', count: number, blockRows = 10_000): Generator<Float32Array> {
  const random = stream(1, 'k-means', kind);
  const directions = Float32Array.from({ length: 200 * dimensions }, () => random.normal());
  for (let from = 0; from < count; from += blockRows) {
    const vectors = new Float32Array(Math.min(blockRows, count - from) * dimensions);
    for (let at = 0; at < vectors.length; at += dimensions) {
      // The sum of three uniform numbers has the variance of a quarter of a normal one's, and costs less.
      const direction = random.integer(200) * dimensions;
      let squares = 0;
      for (let d = 0; d < dimensions; d++) {
        const blur = 2 * (random.uniform() + random.uniform() + random.uniform() - 1.5);
        const value = kind === 'noise' ? blur : 0.7 * directions[direction + d]! + blur;
        vectors[at + d] = value;
        squares += value * value;
      }
      for (let d = at, scale = 1 / Math.sqrt(squares); d < at + dimensions; d++) vectors[d]! *= scale;
    }
    yield vectors;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

if (mode === 'speed') await speed();
else if (mode === 'memory') memory();
else await streamed(mode);

async function speed(): Promise<void> {
  const rounds = Number(settings.rounds ?? 5);
  const product = await openMatrixProduct(nodePlatform, { threads });
  const peer = await startPeer('kmeans.py', [String(threads)]);
  for (const kind of ['groups', 'noise'] as const) {
    const vectors = new Float32Array(rows * dimensions);
    let filled = 0;
    for (const block of invent(kind, rows)) {
      vectors.set(block, filled);
      filled += block.length;
    }
    const start = vectors.slice(0, clusters * dimensions);
    const files = { vectors: join(folder, 'vectors'), start: join(folder, 'start'), labels: join(folder, 'labels') };
    writeFileSync(files.vectors, vectors);
    writeFileSync(files.start, start);
    const cases = {
      full: {
        name: `full, ${iterations} iterations`,
        ours: () => kMeans(vectors, { clusters, dimensions, product, start, maxIterations: iterations, tolerance: 0 }),
        options: { max_iter: iterations, tol: 0 },
      },
      'mini-batch': {
        name: 'mini-batch, 3 passes',
        ours: () =>
          miniBatchKMeans(vectors, {
            clusters,
            dimensions,
            product,
            start,
            random: drawnPast(),
            maxPasses: 3,
            maxNoImprovement: Number.POSITIVE_INFINITY,
          }),
        options: { random_state: 0, max_iter: 3, max_no_improvement: null },
      },
    };
    for (const [of, { name, ours, options }] of Object.entries(cases)) {
      const answer = join(folder, 'answer.json');
      const [mine, theirs]: [number[], number[]] = [[], []];
      for (let round = 0; round <= rounds; round++) {
        const started = performance.now();
        const found = await ours();
        const seconds = (performance.now() - started) / 1000;
        const peerSeconds = await peer.ask({ kind: of, ...files, answer, rows, dimensions, clusters, options });
        if (round === 0) {
          describe(`${kind}, ${name}`, found, answer, files.labels);
          continue; // warms up
        }
        mine.push(seconds);
        theirs.push(peerSeconds);
      }
      const [seconds, peerSeconds] = [median(mine), median(theirs)];
      report({
        bench: 'kmeans',
        part: 'speed',
        case: `${name}, ${kind}, ${rows} x ${dimensions} into ${clusters}, ${threads} threads`,
        ours: seconds,
        peer: peerSeconds,
        peerName: 'scikit-learn 1.9',
        ratio: peerSeconds / seconds,
        unit: 's',
      });
    }
  }
  peer.close();
  await product.close();
}

/** NumPy's stream after two samples that scikit-learn draws even where it is given the start and needs none. */
function drawnPast(): NumpyRandom {
  const random = new NumpyRandom(0);
  for (let i = 0; i < 2 * 3 * 1024; i++) random.integer(rows);
  return random;
}

/** Says how far both sides found the same. */
function describe(name: string, found: Clustering, answer: string, labels: string): void {
  const theirs = JSON.parse(readFileSync(answer, 'utf8')) as { inertia: number; iterations: number };
  const bytes = readFileSync(labels);
  const other = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let equal = 0;
  for (let row = 0; row < other.length; row++) if (other[row] === found.labels[row]) equal++;
  console.error(
    `${name}: ${found.iterations} and ${theirs.iterations} iterations, inertia ${found.inertia.toFixed(3)} and ` +
      `${theirs.inertia.toFixed(3)}, ${((100 * equal) / other.length).toFixed(2)} % of the labels equal`,
  );
}

function memory(): void {
  const path = join(folder, 'vectors');
  const file = openSync(path, 'w');
  for (const block of invent('groups', rows)) writeSync(file, block);
  closeSync(file);
  const args = [`rows=${rows}`, `clusters=${clusters}`, `threads=${threads}`, `iterations=${iterations}`];
  const run = spawnSync(process.execPath, [import.meta.filename, path, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error('the run failed');
  const { peak, seconds } = JSON.parse(run.stdout) as { peak: number; seconds: number };
  console.error(`${iterations} iterations with k-means++ in ${seconds.toFixed(1)} s`);
  report({
    bench: 'kmeans',
    part: 'memory',
    case: `full, ${iterations} iterations, ${rows} x ${dimensions} into ${clusters} from a file`,
    ours: peak / 1e9,
    peer: 3,
    peerName: 'the bound',
    ratio: 3e9 / peak,
    unit: 'GB at the peak',
  });
}

/** The process that is weighed. */
async function streamed(path: string): Promise<void> {
  const product = await openMatrixProduct(nodePlatform, { threads });
  const started = performance.now();
  await kMeans(vectorFile(nodePlatform, path, { dimensions, count: rows }), {
    clusters,
    product,
    seed: 1,
    maxIterations: iterations,
    tolerance: 0,
    onIteration: ({ iteration, inertia, changed }) =>
      console.error(`iteration ${iteration}: inertia ${inertia.toFixed(1)}, ${changed} labels changed`),
  });
  const seconds = (performance.now() - started) / 1000;
  await product.close();
  console.log(JSON.stringify({ peak: peakMemory(process.pid), seconds }));
}
