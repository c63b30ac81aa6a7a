/** The data and the fixture of test/oracle/probes.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DenseRows } from '../../src/classify/features.ts';
import { type LabelSets, labelSets } from '../../src/metrics/label-sets.ts';

interface Solved {
  coefficients: number[];
  intercept: number;
  probabilities: number[];
}

interface Fixture {
  sizes: { rows: number; test: number; dimensions: number; labels: number };
  check: [number, number];
  logistic: { classWeight: 'none' | 'balanced'; C: number; labels: Record<string, Solved> }[];
  softmax: {
    classes: number[];
    classWeight: 'none' | 'balanced';
    coefficients: number[][];
    intercepts: number[];
    probabilities: number[][];
  }[];
  neighbours: {
    distance: 'euclidean' | 'cosine';
    k: number;
    rows: number[][];
    distances: number[][];
    predicted: number[][];
    one: number[];
  }[];
  mteb: {
    samplesPerLabel: number;
    order: number[];
    rows: number[];
    predicted: number[][];
    accuracy: number;
    lrap: number;
    f1: number;
  }[];
  texts: string[];
  tfidf: { sublinear: boolean; terms: number; rows: Record<string, number>[] }[];
  stratified: { seed: number; rows: number; labels: number; shares: number[]; theirs: [number, number] }[];
}

const path = join(import.meta.dirname, '..', 'fixtures', 'classify', 'probes.json');
export const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;

/** Vectors with a topic for each label; label 0 on all rows, the last one on none. */
export function invent(
  seed: number,
  rows: number,
  dimensions: number,
  labels: number,
): { features: DenseRows; truth: LabelSets; sets: number[][] } {
  let state = seed;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const topics = Array.from({ length: labels }, () => Array.from({ length: dimensions }, () => draw() - 0.5));
  const vectors = new Float32Array(rows * dimensions);
  const sets: number[][] = [];
  for (let row = 0; row < rows; row++) {
    const two = [0, 1].map(() => 1 + Math.floor(draw() ** 2 * (labels - 2)));
    const own = [...new Set([0, ...two])].sort((a, b) => a - b);
    for (let i = 0; i < dimensions; i++) {
      let value = (0.3 * i) / dimensions + draw();
      for (const label of own) value += topics[label]![i]! / 2;
      vectors[row * dimensions + i] = value;
    }
    sets.push(own);
  }
  return { features: { vectors, dimensions }, truth: labelSets(sets), sets };
}

/** Codes of each row. */
export const listed = ({ offsets, codes }: LabelSets): number[][] =>
  Array.from({ length: offsets.length - 1 }, (_, row) => [...codes.subarray(offsets[row], offsets[row + 1])]);

/** Largest absolute difference. */
export const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - b[i]!)),
    a.length === b.length ? 0 : Infinity,
  );
