/**
 * Classifiers on frozen vectors against scikit-learn on the same rows, in turn: 5 nearest neighbours of 5,000 rows among
 * 50,000, and one-vs-rest logistic regression of 16 labels on 50,000 rows of 384 dimensions (fit on float32 rows in both, as many
 * threads in both). Logistic regression to scikit-learn's default tolerance, and for as many iterations
 * in both. scikit-learn solves one label after another, we all at once: more labels make the ratio larger.
 *
 *   npm run bench -- probes [rounds=2] [rows=50000] [queries=5000] [labels=16] [threads=all] [only=knn|logistic]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePlatform } from '../src/base/node/platform.ts';
import { stream } from '../src/base/random.ts';
import { knnClassify } from '../src/classify/knn.ts';
import { trainLogistic } from '../src/classify/logistic.ts';
import { nearestNeighbours } from '../src/classify/neighbours.ts';
import { indicatorScores } from '../src/classify/predictions.ts';
import { openEngine } from '../src/engine/index.ts';
import { type LabelSets, labelSets } from '../src/metrics/label-sets.ts';
import { median, report } from './support/measurement.ts';
import { startPeer } from './support/peer.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const rounds = Number(settings.rounds ?? 2);
const rows = Number(settings.rows ?? 50_000);
const queries = Number(settings.queries ?? 5000);
const labels = Number(settings.labels ?? 16);
const threads = Number(settings.threads ?? nodePlatform.processors);
const dimensions = 384;

/**
 * Unit vectors as encoders make them: a direction that all share, a topic for each label (frequent ones and rare ones, one to
 * three a document), and noise that is larger in some directions than in others.
 */
function invent(name: string, count: number): { vectors: Float32Array; truth: LabelSets } {
  const shape = stream(1, 'shape');
  const shared = Float64Array.from({ length: dimensions }, () => shape.normal());
  const spread = Float64Array.from({ length: dimensions }, (_, i) => 1.5 * Math.exp((-3 * i) / dimensions));
  const topics = Array.from({ length: labels }, () => Float64Array.from(spread, (s) => 1.5 * s * shape.normal()));
  const random = stream(1, name);
  const vectors = new Float32Array(count * dimensions);
  const sets: number[][] = [];
  for (let row = 0; row < count; row++) {
    const own = Array.from({ length: 1 + random.integer(3) }, () => Math.floor(labels * random.uniform() ** 2));
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    let squares = 0;
    for (let i = 0; i < dimensions; i++) {
      vector[i] = shared[i]! + spread[i]! * random.normal() + own.reduce((sum, label) => sum + topics[label]![i]!, 0);
      squares += vector[i]! ** 2;
    }
    for (let i = 0; i < dimensions; i++) vector[i]! /= Math.sqrt(squares);
    sets.push(own);
  }
  return { vectors, truth: labelSets(sets) };
}

const folder = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
const file = (name: string, data: Float32Array | Uint8Array) => {
  writeFileSync(join(folder, name), data);
  return join(folder, name);
};
const { vectors, truth } = invent('rows', rows);
const train = { vectors, dimensions };
const test = { vectors: invent('queries', queries).vectors, dimensions };
const data = {
  rows: file('rows.bin', vectors),
  labels: file('labels.bin', Uint8Array.from(indicatorScores(truth, labels))),
  queries: file('queries.bin', test.vectors),
  dimensions,
};

const engine = await openEngine(nodePlatform, { threads });
process.env.OMP_NUM_THREADS = process.env.OPENBLAS_NUM_THREADS = String(threads);
const peer = await startPeer('probes.py', []);
const logistic = (tolerance: number, maxIterations: number) => async () => {
  const { convergence, passes } = await trainLogistic(train, truth, { engine, labels, tolerance, maxIterations });
  const iterations = convergence.map((label) => label.iterations);
  const mean = iterations.reduce((sum, value) => sum + value, 0) / iterations.length;
  console.error(`ours: ${mean.toFixed(0)} iterations a label, at most ${Math.max(...iterations)}, ${passes} passes`);
};
const cases: { name: string; ours: () => Promise<unknown>; job: Record<string, unknown> }[] = [
  {
    name: `5 neighbours of ${queries} rows among ${rows}`,
    ours: () => nearestNeighbours(train, test, { engine }),
    job: { what: 'knn', neighbours: true },
  },
  {
    name: `k-NN of ${queries} rows among ${rows}, ${labels} labels`,
    ours: () => knnClassify(train, truth, test, { engine, labels }),
    job: { what: 'knn', neighbours: false },
  },
  {
    name: `logistic regression of ${labels} labels on ${rows} rows, tolerance 1e-4`,
    ours: logistic(1e-4, 100),
    job: { what: 'logistic', tolerance: 1e-4, iterations: 100 },
  },
  {
    name: `logistic regression of ${labels} labels on ${rows} rows, 10 iterations`,
    ours: logistic(1e-12, 10),
    job: { what: 'logistic', tolerance: 1e-12, iterations: 10 },
  },
];
const version = spawnSync(process.env.PATENTLAB_PYTHON ?? 'python3', [
  '-c',
  'import sklearn; print(sklearn.__version__)',
]);
console.log(
  JSON.stringify({
    bench: 'probes',
    title: 'Classifiers on frozen vectors',
    about: `${rows} invented vectors of ${dimensions} dimensions and ${labels} labels, the same float32 rows and ${threads} threads for both. scikit-learn solves one label after another, patentlab all at once.`,
  }),
);
for (const { name, ours, job } of cases) {
  if (settings.only !== undefined && settings.only !== job.what) continue;
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await ours();
    mine.push((performance.now() - started) / 1000);
    theirs.push(await peer.ask({ ...data, ...job }));
  }
  const [own, other] = [median(mine), median(theirs)];
  const peerName = `scikit-learn ${version.stdout.toString().trim()}`;
  report({ bench: 'probes', case: name, ours: own, peer: other, peerName, ratio: other / own, unit: 's' });
}
peer.close();
await engine.close();
rmSync(folder, { recursive: true, force: true });
