/**
 * Training steps as `finetune` makes them, on token ids: what bench/train.ts times, and, as a program of its own, what
 * bench/memory.ts weighs. Dropout 0.
 *
 *   node training-step.ts MODEL_FOLDER THREADS CHUNK      the protocol of torch_step.py; CHUNK 0: the whole batch at once
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openEngine } from '../../src/engine/index.ts';
import { openTrainable } from '../../src/model/trainable.ts';
import { compileGradient } from '../../src/tune/contrastive.ts';
import { median } from './measurement.ts';

export interface TrainingStep {
  /** Gradient, clipping and AdamW on anchors, then positives; resolves to its seconds. */
  seconds(sequences: readonly Int32Array[]): Promise<number>;
  close(): Promise<void>;
}

export async function openTrainingStep(folder: string, threads: number, chunk = 0): Promise<TrainingStep> {
  const model = await openTrainable(nodePlatform, folder);
  const engine = await openEngine(nodePlatform, { threads });
  const training = await engine.openTraining(model.trained);
  const gradient = await compileGradient(engine, training, model, { dropout: 0 }, chunk > 0);
  return {
    async seconds(sequences) {
      const batch = {
        sequences,
        promptTokens: sequences.map(() => 0),
        mask: new Uint8Array((sequences.length / 2) ** 2),
      };
      const started = performance.now();
      await gradient(batch, chunk > 0 ? chunk : Number.POSITIVE_INFINITY);
      await training.update({ learningRate: 2e-5, maxNorm: 1 });
      return (performance.now() - started) / 1000;
    },
    close: () => engine.close(),
  };
}

if (import.meta.main) {
  const [folder, threads, chunk] = process.argv.slice(2);
  const step = await openTrainingStep(folder!, Number(threads), Number(chunk));
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const { batches } = JSON.parse(readFileSync(line, 'utf8')) as { batches: number[][][] };
    const times: number[] = [];
    for (const batch of batches) times.push(await step.seconds(batch.map((ids) => Int32Array.from(ids))));
    console.log(median(times));
  }
  await step.close();
}
