/** The batches and figures of test/oracle/training.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TrainingFixture {
  settings: { steps: number; warmup: number; learningRate: number; weightDecay: number; scale: number };
  /** Batches of [anchor, positive]. */
  batches: [number[], number[]][][];
  losses: number[];
  norms: number[];
  vectors: number[][];
}

export const trainingFixtures = ['roberta', 'mpnet', 'modernbert'] as const;

export function trainingFixture(name: string): TrainingFixture {
  const path = join(import.meta.dirname, '..', 'fixtures', 'training', `${name}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as TrainingFixture;
}

/** Anchors, then positives, with nothing masked. */
export function pairBatch(batch: readonly [number[], number[]][]) {
  return {
    sequences: [
      ...batch.map(([anchor]) => Int32Array.from(anchor)),
      ...batch.map(([, positive]) => Int32Array.from(positive)),
    ],
    promptTokens: new Array<number>(2 * batch.length).fill(0),
    mask: new Uint8Array(batch.length ** 2),
  };
}
