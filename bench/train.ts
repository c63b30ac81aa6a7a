/**
 * A training step of all-MiniLM-L6-v2 (forward, backward, clipping, AdamW; 16 pairs) against PyTorch with transformers on the
 * same cores, in turn: on sequences of one length, and on title and abstract of real patents, whose lengths differ.
 *
 * usage: npm run bench -- train [rounds=5] [threads=1,2] [pairs=16] [length=128] [profile=no]
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2) and the ultrasound data.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodePlatform } from '../src/base/node/platform.ts';
import { openEngine } from '../src/engine/index.ts';
import { openTrainable } from '../src/model/trainable.ts';
import { loadTokenizer } from '../src/tokenizer/index.ts';
import { compileGradient } from '../src/tune/contrastive.ts';
import { missing } from '../test/support/data.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { titleAbstract, ultrasound } from '../test/support/texts.ts';
import { median, report } from './support/measurement.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const rounds = Number(settings.rounds ?? 5);
const pairs = Number(settings.pairs ?? 16);
const length = Number(settings.length ?? 128);
const absent = missingModel('all-MiniLM-L6-v2') || missing('ultrasound_us.jsonl.gz');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const folder = realModel('all-MiniLM-L6-v2');

const tokenizer = await loadTokenizer(nodePlatform, folder);
const texts: Int32Array[] = [];
for await (const row of ultrasound())
  texts.push(Int32Array.from(tokenizer.encode(titleAbstract(row), { maxLength: 256 }).ids));
/** Every n-th text, so that all years are there. */
const spread = (count: number, from: readonly Int32Array[]) =>
  Array.from({ length: count }, (_, i) => from[Math.floor((i * from.length) / count)]!);
const long = texts.filter((ids) => ids.length >= length).map((ids) => ids.subarray(0, length));
const cases = {
  [`${2 * pairs} sequences of ${length} tokens`]: [spread(2 * pairs, long)],
  [`titles and abstracts of ${2 * pairs} patents, up to 256 tokens`]: [0, 1, 2].map((offset) =>
    spread(
      2 * pairs,
      texts.filter((_, i) => i % 3 === offset),
    ),
  ),
};

const scratch = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
try {
  for (const threads of String(settings.threads ?? '1,2')
    .split(',')
    .map(Number)) {
    const script = join(import.meta.dirname, 'peers', 'torch_step.py');
    const child = spawn(process.env.PATENTLAB_PYTHON ?? 'python3', [script, folder, String(threads)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const model = await openTrainable(nodePlatform, folder);
    const engine = await openEngine(nodePlatform, { threads });
    const training = await engine.openTraining(model.trained);
    const gradient = await compileGradient(engine, training, model, { dropout: 0 }, false);
    const ours = async (sequences: readonly Int32Array[]) => {
      const started = performance.now();
      await gradient(
        { sequences, promptTokens: sequences.map(() => 0), mask: new Uint8Array((sequences.length / 2) ** 2) },
        Number.POSITIVE_INFINITY,
      );
      await training.update({ learningRate: 2e-5, maxNorm: 1 });
      return (performance.now() - started) / 1000;
    };
    for (const [name, batches] of Object.entries(cases)) {
      const path = join(scratch, 'batches.json');
      writeFileSync(path, JSON.stringify({ batches: batches.map((batch) => batch.map((ids) => [...ids])) }));
      const times: [number[], number[]] = [[], []];
      for (let round = 0; round <= rounds; round++) {
        const own: number[] = [];
        for (const batch of batches) own.push(await ours(batch));
        child.stdin.write(`${path}\n`);
        const answer = await answers.next();
        if (answer.done) throw new Error('the peer did not answer: are its packages installed?');
        if (round === 0) continue; // both warm up
        times[0].push(median(own));
        times[1].push(Number(answer.value));
      }
      const tokens = batches[0]!.reduce((sum, ids) => sum + ids.length, 0);
      report({
        bench: 'train',
        case: `step on ${name}, ${tokens} tokens, ${threads} threads`,
        ours: median(times[0]),
        peer: median(times[1]),
        peerName: 'PyTorch with transformers',
        ratio: median(times[1]) / median(times[0]),
        unit: 's',
      });
    }
    await engine.close();
    child.stdin.end();
  }
} finally {
  rmSync(scratch, { recursive: true });
}
