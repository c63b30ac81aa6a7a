/** Systems of an invented study, and values a query that know no difference between them. */
import { stream } from '../../src/base/random.ts';
import type { SystemValues } from '../../src/metrics/significance.ts';
import type { StudySystem } from '../../src/study/embedding/results.ts';

/** All roles: baselines, starts, recipes with controls on each corpus, two weights of each recipe, and mixed trainings. */
export function studySystems({
  models,
  corpora,
  recipes,
}: Record<'models' | 'corpora' | 'recipes', string[]>): StudySystem[] {
  const all: Omit<StudySystem, 'name'>[] = [
    ...models.map((model) => ({ role: 'start', model }) as const),
    ...models.flatMap((model) =>
      recipes.flatMap((recipe) => [
        ...corpora.flatMap((trainedOn) => [
          { role: 'recipe', model, recipe, trainedOn } as const,
          { role: 'control', model, recipe: `${recipe} shuffled`, trainedOn } as const,
          { role: 'interpolate', model, recipe, trainedOn, weight: 0.5 } as const,
          { role: 'lora-scale', model, recipe, trainedOn, weight: 0.5 } as const,
        ]),
        { role: 'mixed', model, recipe, trainedOn: 'all corpora' } as const,
      ]),
    ),
  ];
  return [
    { name: 'bm25', role: 'baseline' },
    { name: 'lsa', role: 'baseline' },
    ...all.map((system) => ({ ...system, name: Object.values(system).join(' ') })),
  ];
}

/** Queries of unequal difficulty, what each system does to each, and, where it is trained, what each seed does to all of them. */
export function valuesUnderNull(
  systems: readonly StudySystem[],
  { queries, seeds, seed, spread = 0.02 }: { queries: number; seeds: number; seed: number; spread?: number },
): SystemValues[] {
  const random = stream(seed, 'questions');
  const difficulty = Float64Array.from({ length: queries }, () => random.uniform());
  return systems.map(({ recipe }) => {
    const own = difficulty.map((value) => value + 0.1 * random.normal());
    if (recipe === undefined) return own;
    return Array.from({ length: seeds }, () => {
      const luck = spread * random.normal();
      return own.map((value) => value + luck + 0.05 * random.normal());
    });
  });
}
