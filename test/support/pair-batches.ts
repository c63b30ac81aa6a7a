/** The batches and figures of test/oracle/training.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TrainingFixture {
  settings: { steps: number; warmup: number; learningRate: number; weightDecay: number; scale: number };
  /** Batches of [anchor, positive], or of these with a hard negative. */
  batches: number[][][][];
  losses: number[];
  norms: number[];
  vectors: number[][];
}

export const trainingFolder = join(import.meta.dirname, '..', 'fixtures', 'training');
export const trainingFixtures = ['roberta', 'mpnet', 'modernbert'] as const;

export function trainingFixture(name: string): TrainingFixture {
  const path = join(trainingFolder, `${name}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as TrainingFixture;
}

/** Anchors, then positives, then negatives if there are any, with nothing masked. */
export function pairBatch(batch: readonly (readonly number[][])[]) {
  const columns = batch[0]!.length;
  const negatives = (columns - 2) * batch.length;
  return {
    sequences: Array.from({ length: columns }, (_, column) =>
      batch.map((example) => Int32Array.from(example[column]!)),
    ).flat(),
    promptTokens: new Array<number>(columns * batch.length).fill(0),
    mask: new Uint8Array(batch.length * (batch.length + negatives)),
    negatives,
  };
}
