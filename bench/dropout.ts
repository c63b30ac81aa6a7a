/**
 * What dropout costs: the same training step of all-MiniLM-L6-v2 with the checkpoint's own rates (0.1 everywhere) and without,
 * in turn; the ratio of a round's two steps is what counts. Masks are drawn in the graph, forward and again for the gradient.
 *
 * usage: npm run bench -- dropout [rounds=7] [threads=1,2] [lengths=60,128,256] [tokens=2048]
 * Needs PATENTLAB_TEST_MODELS, a folder with all-MiniLM-L6-v2.
 */
import { nodePlatform } from '../src/base/node/platform.ts';
import { openEngine } from '../src/engine/index.ts';
import { openTrainable } from '../src/model/trainable.ts';
import { compileGradient } from '../src/tune/contrastive.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { median, report } from './support/measurement.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const list = (text: string) => text.split(',').map(Number);
const rounds = Number(settings.rounds ?? 7);
const tokens = Number(settings.tokens ?? 2048);
const absent = missingModel('all-MiniLM-L6-v2');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const model = await openTrainable(nodePlatform, realModel('all-MiniLM-L6-v2'));

async function openStep(threads: number, options: { dropout?: number }) {
  const engine = await openEngine(nodePlatform, { threads });
  const training = await engine.openTraining(model.trained);
  const gradient = await compileGradient(engine, training, model, options, false);
  return {
    async seconds(sequences: readonly Int32Array[], step: number) {
      const batch = {
        sequences,
        promptTokens: sequences.map(() => 0),
        mask: new Uint8Array((sequences.length / 2) ** 2),
        draws: { seed: 1, step, samples: [...sequences.keys()] },
      };
      const started = performance.now();
      await gradient(batch, Number.POSITIVE_INFINITY);
      await training.update({ learningRate: 2e-5, maxNorm: 1 });
      return (performance.now() - started) / 1000;
    },
    close: () => engine.close(),
  };
}

for (const threads of list(settings.threads ?? '1,2')) {
  const [without, own] = [await openStep(threads, { dropout: 0 }), await openStep(threads, {})];
  for (const length of list(settings.lengths ?? '60,128,256')) {
    const count = 2 * Math.ceil(tokens / length / 2);
    const sequences = Array.from({ length: count }, (_, i) =>
      Int32Array.from({ length }, (__, j) => 1000 + ((i * 131 + j * 17) % 20000)),
    );
    const times: [number, number][] = [];
    for (let round = 0; round <= rounds; round++) {
      const pair: [number, number] = [await without.seconds(sequences, round), await own.seconds(sequences, round)];
      if (round > 0) times.push(pair); // the first warms up
    }
    report({
      bench: 'dropout',
      case: `${count} sequences of ${length} tokens, ${threads} threads`,
      ours: median(times.map(([, dropping]) => dropping)),
      peer: median(times.map(([plain]) => plain)),
      peerName: 'the same step without dropout',
      ratio: median(times.map(([plain, dropping]) => plain / dropping)),
      unit: 's',
    });
  }
  await without.close();
  await own.close();
}
