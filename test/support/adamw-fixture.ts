/** torch.optim.AdamW's own numbers (test/oracle/adamw.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainedTensor } from '../../src/engine/adamw.ts';

interface AdamwFixture {
  options: { learningRate: number; beta1: number; beta2: number; epsilon: number; weightDecay: number };
  tensors: TrainedTensor[];
  start: Record<string, number[]>;
  gradients: Record<string, number[]>[];
  norms: number[];
  after: Record<string, Record<string, { weights: number[]; first: number[]; second: number[] }>>;
}

export const adamwFixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'adamw', 'torch.json'), 'utf8'),
) as AdamwFixture;
