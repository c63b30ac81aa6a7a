/**
 * Accumulates and applies gradients of a BERT encoder of random weights in a process of its own, as argv[2] says, and prints its
 * memory before the first step and at its peak, the losses, and the SHA-256 of the gradient of the first step.
 */
import { createHash } from 'node:crypto';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { input, multiply, openEngine, sum } from '../../src/engine/index.ts';
import { openTrainable } from '../../src/model/trainable.ts';

export interface RecomputeTask {
  folder: string;
  recompute: boolean;
  /** Lengths of the sequences of each step. */
  batches: number[][];
  threads: number;
}

export interface RecomputeResult {
  /** MB, before the first step and the most that ever was. */
  loaded: number;
  peak: number;
  seconds: number;
  losses: number[];
  gradient: string;
}

const { folder, recompute, batches, threads } = JSON.parse(process.argv[2]!) as RecomputeTask;
const model = await openTrainable(nodePlatform, folder);
const engine = await openEngine(nodePlatform, { threads });
const training = await engine.openTraining(model.trained);
const { vectors, boundaries } = model.encoder();
const cotangents = input('cotangents', 'float32', ['batch', model.parts.dimensions]);
const program = await training.compile(
  { loss: sum(sum(multiply(vectors, cotangents), 1), 0) },
  { loss: 'loss', parameters: model.frozen, ...(recompute ? { boundaries } : {}) },
);
// Every page of weights, gradients and moments is touched before the measurement: they belong to the model, not to its activations.
await program.accumulate(feeds([4, 4]));
await training.update({ learningRate: 0 });
const loaded = process.memoryUsage.rss() / 2 ** 20;
const losses: number[] = [];
const gradient = createHash('sha256');
const started = performance.now();
for (const [step, lengths] of batches.entries()) {
  losses.push((await program.accumulate(feeds(lengths))).loss!.floats[0]!);
  if (step === 0)
    for (const { name } of model.trained) gradient.update(new Uint8Array((await training.readGradient(name)).buffer));
  await training.update({ learningRate: 1e-4, maxNorm: 1 });
}
const result: RecomputeResult = {
  loaded,
  peak: peakMegabytes(),
  seconds: (performance.now() - started) / 1000,
  losses,
  gradient: gradient.digest('hex'),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
await engine.close();

function feeds(lengths: readonly number[]) {
  const { vocabulary } = model.parts.config;
  const sequences = lengths.map((length, at) =>
    Int32Array.from({ length }, (_, i) => (7919 * (i + 1) * (at + 1)) % vocabulary),
  );
  const { dimensions } = model.parts;
  const data = Float32Array.from({ length: lengths.length * dimensions }, (_, i) => Math.sin(1 + i));
  return { ...model.feeds(sequences), cotangents: { data, shape: [lengths.length, dimensions] } };
}

/** The process's high-water mark, from the kernel. */
function peakMegabytes(): number {
  return process.resourceUsage().maxRSS / 1024;
}
