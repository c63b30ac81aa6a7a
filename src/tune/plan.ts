/**
 * Training plans and the matched-data control: recipes are compared only where each gets the same number of pairs, steps,
 * batch size and seeds, on the same corpus under the same split; else more data may pass for a better recipe.
 */

import { inputError } from '../base/errors.ts';
import { canonicalJson } from '../base/hash.ts';
import type { CorpusSplit } from '../corpus/splits.ts';
import type { RecipePairs } from './recipes.ts';
import type { ShuffledPairs } from './shuffled.ts';

/** `none`: the recipe itself. `shuffled`: its pairs torn apart. `zero-shot`: the model as it is, nothing is trained. */
export const baselines = ['none', 'shuffled', 'zero-shot'] as const;
export type Baseline = (typeof baselines)[number];

export interface TrainingPlan {
  recipe: string;
  baseline: Baseline;
  corpus: string;
  corpusHash: string;
  split: CorpusSplit['options'];
  pairs: number;
  /** Of each signal and views: `citations TA-TA`. */
  pairsByKind: Record<string, number>;
  batchSize: number;
  steps: number;
  /** Times each pair is seen, at most; steps · batchSize / pairs. */
  epochs: number;
  seeds: readonly number[];
  /** What decided the pairs. */
  settings: Record<string, unknown>;
}

export interface PlanOptions {
  split: CorpusSplit;
  batchSize: number;
  /** Default: one epoch. Give one of the two. */
  epochs?: number;
  steps?: number;
  seeds: readonly number[];
}

/** All recipes cut to the number of pairs of the smallest. The cut keeps the mixture: every prefix is a fair sample. */
export function matchPairs(recipes: readonly RecipePairs[]): {
  pairs: number;
  recipes: RecipePairs[];
  /** `R1: 2,310 of 6,842 pairs, ...`: said in the result. */
  statement: string;
} {
  const pairs = recipes.reduce((least, { pairs: { length } }) => Math.min(least, length), Number.POSITIVE_INFINITY);
  const count = Number.isFinite(pairs) ? pairs : 0;
  return {
    pairs: count,
    recipes: recipes.map((recipe) => ({ ...recipe, pairs: recipe.pairs.first(count) })),
    statement: `Matched data: every recipe trains on ${count} pairs (${recipes
      .map((recipe) => `${recipe.recipe} has ${recipe.pairs.length}`)
      .join(', ')}).`,
  };
}

/** Throws `plan.steps` where both epochs and steps are given, `plan.batch` where there are fewer pairs than a batch. A batch that is not full is not trained on. */
export function planTraining(
  recipe: RecipePairs | ShuffledPairs,
  { split, batchSize, epochs: times, steps: wanted, seeds }: PlanOptions,
): TrainingPlan {
  const { pairs } = recipe;
  if (times !== undefined && wanted !== undefined)
    throw inputError('the length of the training is given twice', {
      code: 'plan.steps',
      field: 'epochs',
      expected: 'epochs or a number of steps',
      found: `${times} epochs and ${wanted} steps`,
    });
  if (pairs.length < batchSize || batchSize < 2)
    throw inputError('fewer pairs than a batch', {
      code: 'plan.batch',
      field: 'batchSize',
      expected: `2 to ${pairs.length}, the pairs of recipe ${recipe.recipe}`,
      found: String(batchSize),
      hint: 'Take a smaller batch, another recipe, or a larger corpus.',
    });
  const steps = wanted ?? Math.max(1, Math.floor(pairs.length / batchSize)) * (times ?? 1);
  return {
    recipe: recipe.recipe,
    baseline: 'shuffled' in recipe ? 'shuffled' : 'none',
    corpus: split.corpus,
    corpusHash: split.corpusHash,
    split: split.options,
    pairs: pairs.length,
    pairsByKind: Object.fromEntries(
      pairs.counts().map(({ kind, pairs: count }) => [`${kind.signal} ${kind.anchorView}-${kind.positiveView}`, count]),
    ),
    batchSize,
    steps,
    epochs: (steps * batchSize) / pairs.length,
    seeds,
    settings: recipe.settings,
  };
}

/** The plan of a model that is evaluated as it is: no pairs, no steps. */
export function zeroShotPlan(split: CorpusSplit): TrainingPlan {
  return {
    recipe: 'zero-shot',
    baseline: 'zero-shot',
    corpus: split.corpus,
    corpusHash: split.corpusHash,
    split: split.options,
    pairs: 0,
    pairsByKind: {},
    batchSize: 0,
    steps: 0,
    epochs: 0,
    seeds: [],
    settings: {},
  };
}

export interface PlanComparison {
  /** Nothing but the recipe differs: the two may be ranked. */
  matched: boolean;
  differences: { field: string; a: string; b: string }[];
}

const matchedFields = ['corpus', 'corpusHash', 'split', 'pairs', 'batchSize', 'steps', 'seeds'] as const;
/** A model that is not trained has no data to match, but is tested on the same. */
const testedFields = ['corpus', 'corpusHash', 'split'] as const;

/** Whether two plans are matched, and in what they differ where not. Seeds count as a set. */
export function comparePlans(a: TrainingPlan, b: TrainingPlan): PlanComparison {
  const untrained = a.baseline === 'zero-shot' || b.baseline === 'zero-shot';
  const differences = (untrained ? testedFields : matchedFields)
    .map((field) => ({ field, a: shown(a, field), b: shown(b, field) }))
    .filter((difference) => difference.a !== difference.b);
  return { matched: differences.length === 0, differences };
}

function shown(plan: TrainingPlan, field: (typeof matchedFields)[number]): string {
  return canonicalJson(field === 'seeds' ? [...new Set(plan.seeds)].sort((x, y) => x - y) : plan[field]);
}

/** Throws `plan.unmatched`, which names every difference, unless all plans are matched. */
export function requireMatched(plans: readonly TrainingPlan[]): void {
  const [first, ...rest] = plans;
  const found = rest.flatMap((plan) =>
    comparePlans(first!, plan).differences.map(
      ({ field, a, b }) => `${field}: ${first!.recipe} ${a}, ${plan.recipe} ${b}`,
    ),
  );
  if (found.length === 0) return;
  throw inputError('the recipes are not matched, so their order would say nothing about them', {
    code: 'plan.unmatched',
    expected: 'the same corpus, split, pairs, steps, batch size and seeds for every recipe',
    found: found.join('; '),
    hint: 'Match the data, or allow unmatched recipes by name.',
  });
}
