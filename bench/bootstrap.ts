/** 10,000 shared resamples of 1,247 queries (the size of a citation test set) against numpy and scipy. */
import { stream } from '../src/base/random.ts';
import { comparePairs, estimateMeans } from '../src/metrics/significance.ts';
import { compareSeconds, peerSeconds } from './support/measurement.ts';

const queries = 1247;
const rounds = 5;

function columns(systems: number): Float64Array[] {
  const random = stream(1, 'bootstrap benchmark');
  const difficulty = Float64Array.from({ length: queries }, () => random.uniform() ** 2);
  return Array.from({ length: systems }, () => difficulty.map((value) => value + 0.1 * random.normal()));
}

function seconds(work: () => unknown): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

for (const systems of [1, 6]) {
  const values = columns(systems);
  compareSeconds({
    bench: 'bootstrap',
    case: `intervals of ${systems} system${systems > 1 ? 's' : ''}, 10,000 resamples of ${queries} queries`,
    peerName: 'numpy, shared resamples in blocks, one thread',
    rounds,
    ours: () => seconds(() => estimateMeans(values)),
    peer: () => peerSeconds('bootstrap.py', ['means', String(systems), String(queries)], { OMP_NUM_THREADS: '1' }),
  });
}

const values = columns(6);
compareSeconds({
  bench: 'bootstrap',
  case: `15 pairs of 6 systems: intervals, p, Holm, verdicts; 10,000 resamples of ${queries} queries`,
  peerName: 'scipy bootstrap (BCa) and permutation_test, pair by pair',
  rounds: 3,
  ours: () => seconds(() => comparePairs({ systems: values.map((_, s) => `s${s}`), values, metric: 'ndcg@10' })),
  peer: () => peerSeconds('bootstrap.py', ['pairs', '6', String(queries)], { OMP_NUM_THREADS: '1' }),
});
