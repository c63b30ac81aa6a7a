/** The whole command `score`, process start included, on a million judgements and a million ranked documents; pytrec_eval. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stream } from '../src/base/random.ts';
import { parseMetric } from '../src/metrics/measure.ts';
import { RankingScorer } from '../src/metrics/ranking.ts';
import { compareSeconds, peerSeconds, report } from './support/measurement.ts';

const [topics, depth] = [1000, 1000];
const folder = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
try {
  const qrels = join(folder, 'judged.qrels');
  const run = join(folder, 'ranked.run');
  writeInputs(qrels, run);
  const entry = join(import.meta.dirname, '..', 'bin', 'patentlab.js');
  const measures = 'ndcg_cut_10,map,recip_rank,P_10,recall_100';
  compareSeconds({
    bench: 'score',
    case: '1 M judgements, 1 M ranked documents, 5 measures, whole command',
    peerName: 'pytrec_eval, reading and scoring, without start and imports',
    rounds: 3,
    ours() {
      const started = performance.now();
      const args = [entry, 'score', '--qrels', qrels, '--run', run, '--metric', measures, '--json'];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return (performance.now() - started) / 1000;
    },
    peer: () => peerSeconds('score.py', [qrels, run, measures]),
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
kernel();

/** Half of a topic's ranked documents are judged; scores fall with noise, so that lines are not in rank order. */
function writeInputs(qrels: string, run: string): void {
  const random = stream(1, 'score benchmark');
  const [judged, ranked]: [string[], string[]] = [[], []];
  for (let topic = 1; topic <= topics; topic++) {
    for (let i = 0; i < depth; i++) {
      judged.push(`${topic} 0 US${7_000_000 + 2 * i + (topic % 7)}B2 ${random.uniform() < 0.05 ? 1 : 0}\n`);
      const score = (depth - i + 20 * random.uniform()).toFixed(4);
      ranked.push(`${topic} Q0 US${7_000_000 + i + (topic % 7)}B2 ${i + 1} ${score} bench\n`);
    }
  }
  writeFileSync(qrels, judged.join(''));
  writeFileSync(run, ranked.join(''));
}

/** Rankings already in memory, as `evaluate` has them. */
function kernel(): void {
  const queries = 46_069;
  const names = [
    'ndcg@10', 'ndcg@100', 'map@100', 'mrr', 'p@10', 'recall@10', 'recall@100', 'recall@1000', 'r-precision', 'success@1',
    'success@5', 'unjudged@10', 'ndcg', 'map', 'bpref',
  ]; // biome-ignore format: one list
  const scorer = new RankingScorer(names.map(parseMetric));
  const random = stream(2, 'kernel benchmark');
  const rankings = Array.from({ length: 64 }, () =>
    Float32Array.from({ length: 1000 }, () => (random.uniform() < 0.01 ? 1 : -1)),
  );
  const judged = new Float32Array(14).fill(1);
  const out = new Float64Array(queries * names.length);
  const started = performance.now();
  for (let q = 0; q < queries; q++) scorer.score(rankings[q % 64]!, 1000, judged, out, q * names.length);
  report({
    bench: 'score',
    case: `${queries} queries x depth 1000 x ${names.length} measures, in memory`,
    ours: (performance.now() - started) / 1000,
    peer: null,
    peerName: null,
    ratio: null,
    unit: 's',
  });
}
