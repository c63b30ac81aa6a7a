/**
 * A text model whose vectors are plain arithmetic on the ids, in which, as with a real engine, the last bits depend on the
 * batch: it shows whether a vector ever comes from another plan.
 */
import { join } from 'node:path';
import type { TextModel } from '../../src/model/types.ts';

export interface FakeModel extends TextModel {
  /** Sequences encoded so far. */
  encoded: number;
  /** Batches encoded so far: sizes and longest lengths. */
  batches: { texts: number; longest: number }[];
}

export function fakeModel(
  change: Partial<TextModel> & { kind?: string; beforeBatch?(batch: number): Promise<void> | void } = {},
): FakeModel {
  const { kind = 'wordpiece', beforeBatch, ...fields } = change;
  const model: FakeModel = {
    id: 'fake',
    folder: join(import.meta.dirname, '..', 'fixtures', 'tokenizers', kind),
    architecture: 'bert',
    config: {} as TextModel['config'],
    hash: 'fake-hash',
    dtype: 'fp32',
    device: 'cpu',
    lanes: 2,
    arithmetic: 'plain',
    parameters: 0,
    hiddenSize: 8,
    dimensions: 8,
    matryoshka: [],
    maxLength: 64,
    padId: 0,
    lowercase: false,
    pooling: { modes: ['mean'], includePrompt: true, source: 'checkpoint' },
    normalized: true,
    similarity: 'cosine',
    prompts: { query: '', document: '', named: {}, source: 'none' },
    ignoredTensors: [],
    encoded: 0,
    batches: [],
    prompt: (role) => model.prompts[role],
    async encode(sequences) {
      await beforeBatch?.(model.batches.length);
      const longest = Math.max(...sequences.map((ids) => ids.length));
      model.encoded += sequences.length;
      model.batches.push({ texts: sequences.length, longest });
      const vectors = new Float32Array(sequences.length * 8);
      for (const [row, ids] of sequences.entries()) {
        for (const [place, id] of ids.entries()) vectors[row * 8 + (place % 8)]! += Math.sin(id * 0.37 + place);
        for (let i = 0; i < 8; i++) vectors[row * 8 + i]! += 1 + longest * 1e-4 + sequences.length * 1e-5;
        const norm = Math.hypot(...vectors.subarray(row * 8, row * 8 + 8));
        for (let i = 0; i < 8; i++) vectors[row * 8 + i]! /= norm;
      }
      return vectors;
    },
    tokenStates: () => Promise.reject(new Error('not needed')),
    close: async () => {},
    ...fields,
  };
  return model;
}
