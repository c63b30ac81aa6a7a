/**
 * Reranking real patents on the CPU against sentence-transformers' CrossEncoder with the same weights, in turn, tokenising
 * included: titles alone, and titles with abstracts. The model is as large as all-MiniLM-L6-v2, whose weights it has, with a
 * classifier drawn at random; what it gives is compared, and says nothing of how well it ranks.
 *
 * usage: npm run bench -- rerank [queries=4] [depth=40] [rounds=3] [threads=all] [dtype=fp32,int8] [view=T,TA]
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2), the ultrasound data, and Python's sentence-transformers.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePlatform } from '../src/base/node/platform.ts';
import { loadCrossEncoder } from '../src/model/cross-encoder.ts';
import type { ModelDtype } from '../src/model/index.ts';
import { Reranker } from '../src/study/rerankers.ts';
import { loadTokenizer } from '../src/tokenizer/index.ts';
import { PairEncoder } from '../src/tokenizer/pair.ts';
import { missing } from '../test/support/data.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { titleAbstract, ultrasound } from '../test/support/texts.ts';
import { median, report } from './support/measurement.ts';
import { startPeer } from './support/peer.ts';
import { randomCrossEncoder } from './support/random-cross-encoder.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const queries = Number(settings.queries ?? 4);
const depth = Number(settings.depth ?? 40);
const rounds = Number(settings.rounds ?? 3);
const threads = Number(settings.threads ?? nodePlatform.processors);
const dtypes = String(settings.dtype ?? 'fp32,int8').split(',') as ModelDtype[];
const views = String(settings.view ?? 'T,TA').split(',');

const absent = missingModel('all-MiniLM-L6-v2') || missing('ultrasound_us.jsonl.gz');
if (absent) {
  console.error(absent);
  process.exit(1);
}

interface Job {
  query: string;
  documents: string[];
}

/** Queries spread over the years, each with `depth` other patents spread likewise. */
async function jobs(view: string): Promise<Job[]> {
  const texts: string[] = [];
  for await (const row of ultrasound()) texts.push(view === 'T' ? (row.title ?? '') : titleAbstract(row));
  const spread = (count: number, offset: number) =>
    Array.from({ length: count }, (_, i) => texts[(Math.floor((i * texts.length) / count) + offset) % texts.length]!);
  return spread(queries, 0).map((query, at) => ({ query, documents: spread(depth, 1 + at) }));
}

const unkept = { read: async () => ({ scores: new Map<string, number>(), seconds: 0 }), write: async () => {} };
const scratch = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
const folder = join(scratch, 'cross-encoder');
mkdirSync(folder);
await randomCrossEncoder(realModel('all-MiniLM-L6-v2'), folder);
const peer = await startPeer('cross_encoder_predict.py', [folder, String(threads)]);
const ours = await Promise.all(
  dtypes.map(async (dtype) => {
    const model = await loadCrossEncoder(nodePlatform, folder, { dtype, threads });
    const tokenizer = await loadTokenizer(nodePlatform, folder);
    return { dtype, reranker: new Reranker(model, new PairEncoder(tokenizer, model.maxLength), unkept) };
  }),
);
try {
  console.log(
    JSON.stringify({
      bench: 'rerank',
      title: 'Reranking by a cross-encoder',
      about:
        'The weights of all-MiniLM-L6-v2 with a classifier drawn at random: as fast as a trained one of its size, of no use for ranking. Scores are compared too. Real patents, tokenising included.',
    }),
  );
  for (const view of views) {
    const work = await jobs(view);
    const pairs = work.flatMap(({ query, documents }) => documents.map((document) => [query, document]));
    const seconds = new Map<ModelDtype | 'peer', number[]>();
    const scores = new Map<ModelDtype, number[]>();
    const spend = (who: ModelDtype | 'peer', time: number) => seconds.set(who, [...(seconds.get(who) ?? []), time]);
    for (let round = -1; round < rounds; round++) {
      // The first round warms all of them.
      for (const { dtype, reranker } of ours) {
        const started = performance.now();
        const found: number[] = [];
        for (const { query, documents } of work) {
          const texts = documents.map((document) => reranker.read(document));
          found.push(...(await reranker.score(reranker.read(query), texts)).scores);
        }
        if (round >= 0) spend(dtype, (performance.now() - started) / 1000);
        scores.set(dtype, found);
      }
      const time = await peer.ask({ pairs, scores: join(scratch, 'scores.json') });
      if (round >= 0) spend('peer', time);
    }
    const theirs = JSON.parse(readFileSync(join(scratch, 'scores.json'), 'utf8')) as number[];
    for (const { dtype } of ours) {
      const time = median(seconds.get(dtype)!);
      const reference = median(seconds.get('peer')!);
      const worst = Math.max(...scores.get(dtype)!.map((score, i) => Math.abs(score - theirs[i]!)));
      report({
        bench: 'rerank',
        case: `${view}, ${dtype}, ${pairs.length} pairs, ${threads} threads; scores differ by at most ${worst.toExponential(0)}`,
        ours: time,
        peer: reference,
        peerName: "sentence-transformers' CrossEncoder fp32, batches of 32",
        ratio: reference / time,
        unit: 's',
      });
    }
  }
} finally {
  peer.close();
  for (const { reranker } of ours) await reranker.model.close();
  rmSync(scratch, { recursive: true, force: true });
}
