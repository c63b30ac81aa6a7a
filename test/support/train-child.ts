/**
 * Trains the fixture checkpoint argv[2], with dropout, for argv[4] steps in the folder argv[3], saving its state after every step: a process
 * of its own, to be killed. With argv[5], a step, the evaluation peaks there and the run stops early. Prints a line a step, and at the end the SHA-256 of weights and moments.
 */
import { createHash } from 'node:crypto';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openEngine } from '../../src/engine/index.ts';
import { openTrainable } from '../../src/model/trainable.ts';
import { train } from '../../src/train/loop.ts';
import { schedule } from '../../src/train/schedule.ts';
import { compileGradient } from '../../src/tune/contrastive.ts';
import { fixtureFolder } from '../model/fixtures.ts';
import { pairBatch, trainingFixture } from './pair-batches.ts';

const [name, folder, steps] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];
const peak = process.argv[5] === undefined ? undefined : Number(process.argv[5]);
const model = await openTrainable(nodePlatform, fixtureFolder(name), { pooling: 'mean' });
const engine = await openEngine(nodePlatform, { threads: 1 });
const training = await engine.openTraining(model.trained);
const gradient = await compileGradient(engine, training, model, { dropout: 0.1 }, true);
const { batches } = trainingFixture(name);
const result = await train(
  nodePlatform.files,
  training,
  {
    async accumulate(step) {
      const batch = pairBatch(batches[(step - 1) % batches.length]!);
      const draws = { seed: 3, step, samples: [...batch.sequences.keys()] };
      return { loss: await gradient({ ...batch, draws }, 5), examples: batch.sequences.length / 2, tokens: 0 };
    },
    ...(peak === undefined ? {} : { evaluate: async (step: number) => ({ score: -Math.abs(step - peak) }) }),
  },
  {
    steps,
    learningRate: 1e-3,
    maxNorm: 1,
    schedule: schedule({ kind: 'cosine', steps, warmupSteps: 2 }),
    folder,
    saveSeconds: 0,
    ...(peak === undefined ? {} : { evaluateEvery: 2, best: { score: 'score', patience: 2 } }),
    onStep: ({ step }) => process.stdout.write(`step ${step}\n`),
  },
);
const hash = createHash('sha256');
for (const part of ['weights', 'first', 'second'] as const)
  for (const { name: parameter } of model.trained)
    hash.update(new Uint8Array((await training.read(part, parameter)).buffer));
process.stdout.write(
  `${JSON.stringify({ sha256: hash.digest('hex'), losses: result.records.map(({ loss }) => loss), computed: result.computed, step: result.step })}\n`,
);
await engine.close();
