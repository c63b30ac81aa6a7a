/**
 * Contrastive fine-tuning of all-MiniLM-L6-v2 as `finetune` does it (tokenising, batches without duplicates, forward and
 * backward pass, clipping, AdamW) against sentence-transformers' own trainer, in turn, on the same pairs of real patents:
 * title and abstract of citing and cited ones, whose lengths differ. fp32 and scale 20 on both sides.
 *
 *   plain        the whole batch at once, with the checkpoint's own dropout (0.1)
 *   no-dropout   the same without it
 *   cached       the gradient of the batch from chunks of 16 texts (GradCache), what `finetune` does by default
 *
 * usage: npm run bench -- trainer [rounds=4] [threads=1,2] [batch=16] [steps=1] [length=256] [modes=plain,no-dropout,cached]
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2), the ultrasound data, and a Python with sentence-transformers,
 * datasets and accelerate (PATENTLAB_PYTHON).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePlatform } from '../src/base/node/platform.ts';
import { importCorpus } from '../src/corpus/import.ts';
import { loadRelations } from '../src/corpus/relations.ts';
import { splitCorpus } from '../src/corpus/splits.ts';
import { openCorpus } from '../src/corpus/store.ts';
import { loadTextPrints } from '../src/corpus/text-prints.ts';
import { openEngine } from '../src/engine/index.ts';
import { openTrainable } from '../src/model/trainable.ts';
import { train } from '../src/train/loop.ts';
import { contrastiveTask } from '../src/tune/contrastive.ts';
import { pairTexts } from '../src/tune/pairs.ts';
import { buildPairs } from '../src/tune/recipes.ts';
import { missing, realData } from '../test/support/data.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { median, report } from './support/measurement.ts';
import { startPeer } from './support/peer.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const modes = {
  plain: { chunk: 0, dropout: true },
  'no-dropout': { chunk: 0, dropout: false },
  cached: { chunk: 16, dropout: true },
};
const chosen = String(settings.modes ?? Object.keys(modes)).split(',') as (keyof typeof modes)[];
const rounds = Number(settings.rounds ?? 4);
const batch = Number(settings.batch ?? 16);
const steps = Number(settings.steps ?? 1);
const length = Number(settings.length ?? 256);
const absent = missingModel('all-MiniLM-L6-v2') || missing('ultrasound_us.jsonl.gz');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const folder = realModel('all-MiniLM-L6-v2');
const home = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
try {
  await importCorpus({ home, name: 'ultrasound', paths: [realData('ultrasound_us.jsonl.gz')] });
  const corpus = await openCorpus(home, 'ultrasound');
  const relations = await loadRelations(corpus);
  const prints = await loadTextPrints(corpus);
  const split = await splitCorpus(corpus, { by: 'family', seed: 1 }, { relations, prints });
  const { pairs } = await buildPairs(
    'R1',
    { corpus, relations, split, prints },
    { view: 'TA', pairs: batch * steps, seed: 1 },
  );
  const texts = await pairTexts(
    corpus,
    pairs,
    Int32Array.from({ length: pairs.length }, (_, at) => at),
    {
      maskCitations: false,
    },
  );
  const job = { pairs: texts.map(({ anchor, positive }) => [anchor, positive]), batch, steps, length };

  for (const threads of String(settings.threads ?? '1,2')
    .split(',')
    .map(Number))
    for (const mode of chosen) {
      const { chunk, dropout } = modes[mode];
      const args = [folder, threads, chunk, dropout ? 'dropout' : 'none'].map(String);
      const peer = await startPeer('sentence_transformers_train.py', args);
      const model = await openTrainable(nodePlatform, folder, { maxLength: length });
      const engine = await openEngine(nodePlatform, { threads });
      const training = await engine.openTraining(model.trained);
      const task = await contrastiveTask(nodePlatform, engine, training, model, {
        corpus,
        pairs,
        batchSize: batch,
        seed: 1,
        group: split.group,
        ...(chunk === 0 ? {} : { chunk }),
        ...(dropout ? {} : { dropout: 0 }),
      });
      let done = 0;
      /** Seconds and tokens of the next steps. */
      const ours = async () => {
        const before = done;
        const later = { ...task, accumulate: (step: number) => task.accumulate(before + step) };
        const started = performance.now();
        const { records } = await train(nodePlatform.files, training, later, { steps, learningRate: 2e-5, maxNorm: 1 });
        done += steps;
        return {
          seconds: (performance.now() - started) / 1000,
          tokens: records.reduce((sum, { tokens }) => sum + tokens, 0),
        };
      };
      const times: [number[], number[]] = [[], []];
      let tokens = 0;
      for (let round = 0; round <= rounds; round++) {
        const own = await ours();
        const theirs = await peer.ask(job);
        if (round === 0) continue; // both warm up
        tokens = own.tokens;
        times[0].push(own.seconds);
        times[1].push(theirs);
      }
      await task.close();
      await engine.close();
      peer.close();
      const [mine, theirs] = times.map(median) as [number, number];
      for (const [unit, count] of [
        ['pairs/s', batch * steps],
        ['tokens/s', tokens],
      ] as const)
        report({
          bench: 'trainer',
          case: `${mode}, batches of ${batch} pairs, up to ${length} tokens, ${threads} threads`,
          ours: count / mine,
          peer: count / theirs,
          peerName: `SentenceTransformerTrainer, ${chunk === 0 ? '' : 'Cached'}MultipleNegativesRankingLoss`,
          ratio: theirs / mine,
          unit,
        });
    }
  await corpus.close();
} finally {
  rmSync(home, { recursive: true, force: true });
}
