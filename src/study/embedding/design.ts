/**
 * From a study file to its work: which checkpoints to train and to derive, and what each is evaluated on.
 *
 * Matched data: within a corpus every recipe and every seed gets the same number of pairs, N = the least that any of them has
 * (after shuffling, for controls), cut from the front, so that the mixture of signals stays. Where a corpus lacks a recipe's
 * signal, that recipe is left out there and named. Recipes that are not matched are refused (`plan.unmatched`) unless the
 * study allows them by name.
 *
 * A training is identified by its start, corpus, split, pairs, negatives, steps, seed and settings: its hash is known before it runs.
 */
import { inputError, PatentlabError } from '../../base/errors.ts';
import type { Relations } from '../../corpus/relations.ts';
import type { CorpusSplit } from '../../corpus/splits.ts';
import type { Corpus } from '../../corpus/store.ts';
import type { TextPrints } from '../../corpus/text-prints.ts';
import type { View } from '../../corpus/views.ts';
import { matchPairs, planTraining, requireMatched, type TrainingPlan } from '../../tune/plan.ts';
import { buildPairs, type RecipePairs } from '../../tune/recipes.ts';
import { Relatedness } from '../../tune/related.ts';
import { type ShuffledPairs, shufflePairs } from '../../tune/shuffled.ts';
import { defined } from '../request.ts';
import { checkpointHash } from './checkpoints.ts';
import { allCorpora, openMixed } from './mixed.ts';
import type { StudySettings } from './options.ts';
import type { StudySystem, SystemRole } from './results.ts';
import { type Landscape, type Miner, type Start, trainingOnes } from './sources.ts';
import type { EmbeddingSpec, RecipeSpec } from './spec.ts';

/** What a checkpoint learns from. */
export interface TrainingGround {
  /** Corpus, or `all corpora`. */
  name: string;
  corpus: Corpus;
  relations: Relations;
  split: CorpusSplit;
  prints: TextPrints;
}

export interface TrainingJob {
  hash: string;
  key: Record<string, unknown>;
  start: Start;
  ground: TrainingGround;
  recipe: RecipeSpec;
  seed: number;
  asked: number;
  plan: TrainingPlan;
  /** Finds its hard negatives. */
  miner?: Miner;
}

/** One checkpoint, or a baseline without any, and where it is evaluated. */
export interface Unit {
  system: StudySystem;
  /** Of trained systems. */
  seed?: number;
  source:
    | { kind: 'bm25' }
    | { kind: 'lsa' }
    | { kind: 'start'; start: Start }
    | { kind: 'training'; job: TrainingJob }
    | { kind: 'derived'; hash: string; key: Record<string, unknown>; job: TrainingJob; weight: number };
  landscapes: readonly Landscape[];
}

export interface StudyDesign {
  systems: StudySystem[];
  units: Unit[];
  trainings: TrainingJob[];
  absent: { corpus: string; recipe: string; reason: string }[];
  /** Of each corpus: what its recipes had, and the number they train on. */
  matched: Map<string, string>;
  /** In what recipes differ, where that is allowed. */
  differences: string[];
  warnings: string[];
  close(): Promise<void>;
}

/** Settings of the study, and what was found out for it. */
interface DesignSettings extends StudySettings {
  resolvedDevice: string;
  miner: Miner | undefined;
}

export async function designStudy(
  spec: EmbeddingSpec,
  landscapes: readonly Landscape[],
  starts: readonly Start[],
  settings: DesignSettings,
): Promise<StudyDesign> {
  const absent: StudyDesign['absent'] = [];
  const matched: StudyDesign['matched'] = new Map();
  const warnings: string[] = [];
  const differences: string[] = [];
  const jobs: TrainingJob[] = [];
  const learning = trainingOnes(landscapes);
  const grounds: TrainingGround[] = learning.map(({ name, study: { corpus, relations, split }, prints }) => ({
    name,
    corpus,
    relations,
    split,
    prints,
  }));
  const remedyRecipes = spec.remedies.recipes ?? spec.recipes.filter(({ shuffled }) => !shuffled);
  const least = new Map<string, number>();
  for (const ground of grounds) {
    const { plans, statement, lost, pairs } = await plansOf(spec, ground, spec.recipes, undefined);
    absent.push(...lost);
    if (plans.length === 0) continue;
    least.set(ground.name, pairs);
    matched.set(ground.name, statement);
    differences.push(...checkMatched(plans, spec, ground.name));
    jobs.push(...(await jobsOf(plans, spec, ground, starts, settings)));
  }
  let close = async () => {};
  if (spec.remedies.mixed) {
    const mixed = await openMixed(learning, spec.name, settings);
    if (typeof mixed === 'string') warnings.push(`No mixed training: ${mixed}.`);
    else {
      close = () => mixed.corpus.close();
      const ground: TrainingGround = { name: allCorpora, ...mixed };
      const most = Math.min(...least.values());
      const {
        plans,
        statement,
        lost,
        pairs: together,
      } = await plansOf(spec, ground, remedyRecipes, Number.isFinite(most) ? most : undefined);
      absent.push(...lost);
      if (plans.length > 0) matched.set(allCorpora, statement);
      for (const [name, pairs] of least)
        if (plans.length > 0 && pairs !== together)
          warnings.push(
            `Mixed training has ${together} pairs, a training on ${name} alone ${pairs}: their comparison there is not matched.`,
          );
      jobs.push(...(await jobsOf(plans, spec, ground, starts, settings)));
    }
  }
  if (jobs.length === 0)
    throw inputError('no corpus of the study has a signal that its recipes learn from', {
      code: 'study.signals',
      file: settings.file,
      field: 'recipes',
      found: absent.map(({ corpus, recipe }) => `${recipe} on ${corpus}`).join(', '),
      hint: 'Name other recipes, or corpora with citations, labels or several sections.',
    });
  const units = await unitsOf(spec, landscapes, starts, jobs, remedyRecipes);
  const systems = [...new Map(units.map(({ system }) => [system.name, system])).values()];
  return { systems, units, trainings: jobs, absent, matched, differences: [...new Set(differences)], warnings, close };
}

interface PlannedRecipe {
  recipe: RecipeSpec;
  seed: number;
  /** Pairs asked for: a control may lose some in shuffling. */
  asked: number;
  plan: TrainingPlan;
}

/** Plans of all recipes and seeds on one corpus, matched unless the study says otherwise. */
async function plansOf(
  spec: EmbeddingSpec,
  ground: TrainingGround,
  recipes: readonly RecipeSpec[],
  most: number | undefined,
): Promise<{ plans: PlannedRecipe[]; statement: string; lost: StudyDesign['absent']; pairs: number }> {
  const lost: StudyDesign['absent'] = [];
  const made: { recipe: RecipeSpec; seed: number; pairs: RecipePairs }[] = [];
  for (const recipe of recipes) {
    try {
      const own: typeof made = [];
      for (const seed of spec.seeds)
        own.push({ recipe, seed, pairs: await buildPairs(recipe.recipe, ground, { ...recipeOptions(spec), seed }) });
      made.push(...own);
    } catch (error) {
      if (!(error instanceof PatentlabError && ['recipe.signal', 'recipe.none'].includes(error.code))) throw error;
      const { found } = error.details;
      lost.push({
        corpus: ground.name,
        recipe: recipe.label,
        reason: error.message.replace(/^signal absent: /, '') + (found ? ` (it has ${found})` : ''),
      });
    }
  }
  const limit = Math.min(spec.training.pairs ?? Number.POSITIVE_INFINITY, most ?? Number.POSITIVE_INFINITY);
  const match = matchPairs(made.map(({ pairs }) => pairs));
  let count = spec.matched || most !== undefined ? Math.min(limit, match.pairs) : limit;
  let cut = made.map((one) => cutTo(one, ground, count));
  // Shuffling may lose a pair that cannot be torn apart: all take as many as the least has then.
  for (let tries = 0; spec.matched && tries < 8; tries++) {
    const fewest = cut.reduce((least, { pairs: { length } }) => Math.min(least, length), count);
    if (fewest === count) break;
    count = fewest;
    cut = made.map((one) => cutTo(one, ground, count));
  }
  const { steps, epochs, batch } = spec.training;
  const plans = made.map(({ recipe, seed, pairs }, at) => ({
    recipe,
    seed,
    asked: Math.min(count, pairs.pairs.length),
    plan: planTraining(cut[at]!, {
      split: ground.split,
      batchSize: batch,
      ...(steps === undefined ? {} : { steps }),
      ...(epochs === undefined ? {} : { epochs }),
      seeds: [seed],
    }),
  }));
  const had = [...Map.groupBy(made, ({ recipe }) => recipe.recipe)].map(([recipe, all]) => {
    const numbers = all.map(({ pairs }) => pairs.pairs.length);
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    return `${recipe} has ${low === high ? low : `${low} to ${high}`}`;
  });
  const first = plans[0]?.plan;
  const statement =
    first === undefined
      ? ''
      : spec.matched
        ? `Matched data: every recipe trains on ${first.pairs} pairs, ${first.steps} steps of ${first.batchSize} (${had.join(', ')}).`
        : `Data as it is, not matched: ${had.join(', ')} pairs.`;
  return { plans, statement, lost, pairs: Number.isFinite(count) ? count : match.pairs };
}

/** The recipe's first `count` pairs, torn apart where it is a control. */
function cutTo(
  { recipe, seed, pairs }: { recipe: RecipeSpec; seed: number; pairs: RecipePairs },
  { split, relations }: Pick<TrainingGround, 'split' | 'relations'>,
  count: number,
): RecipePairs | ShuffledPairs {
  const cut: RecipePairs = pairs.pairs.length > count ? { ...pairs, pairs: pairs.pairs.first(count) } : pairs;
  if (!recipe.shuffled) return cut;
  return shufflePairs(cut, { split, seed, related: new Relatedness(split, relations, pairs.labels) });
}

/** What every recipe of the study is built with. */
export function recipeOptions(spec: EmbeddingSpec): { view: View; mix: 'proportional' | 'round-robin' } {
  const { view, mix } = spec.training;
  return { view: (view ?? spec.views[0]!.replace(/-masked$/, '')) as View, mix };
}

/** Refuses recipes with different data; where the study allows them, says in what they differ. */
function checkMatched(plans: readonly PlannedRecipe[], spec: EmbeddingSpec, corpus: string): string[] {
  const bySeed = [...Map.groupBy(plans, ({ seed }) => seed).values()];
  const found: string[] = [];
  for (const own of bySeed) {
    try {
      requireMatched(own.map(({ plan }) => plan));
    } catch (error) {
      if (!(error instanceof PatentlabError && error.code === 'plan.unmatched')) throw error;
      if (!spec.allowUnmatched)
        throw inputError(error.message, {
          ...error.details,
          found: `on ${corpus}, ${error.details.found}`,
          hint: 'Leave `matched` at true, or say `allowUnmatched: true`: the report then says that they are not matched.',
        });
      found.push(`${corpus}: ${error.details.found}`);
    }
  }
  return found;
}

async function jobsOf(
  plans: readonly PlannedRecipe[],
  spec: EmbeddingSpec,
  ground: TrainingGround,
  starts: readonly Start[],
  { packageVersion, resolvedDevice, miner }: DesignSettings,
): Promise<TrainingJob[]> {
  const { training } = spec;
  const jobs: TrainingJob[] = [];
  for (const start of starts)
    for (const { recipe, seed, asked, plan } of plans) {
      const key = {
        kind: 'training',
        start: start.hash,
        corpus: ground.corpus.hash,
        split: plan.split,
        recipe: plan.recipe,
        control: plan.baseline,
        pairs: plan.pairs,
        pairSettings: { ...plan.settings, pairs: null },
        batch: plan.batchSize,
        steps: plan.steps,
        seed,
        rate: rateOf(spec, start),
        maxLength: training.maxLength ?? null,
        symmetric: training.symmetric,
        scale: training.scale,
        lora: training.lora ? defined(training.lora) : null,
        ...(miner === undefined ? {} : { hardNegatives: { ...miner.key, view: recipeOptions(spec).view } }),
        ...(training.dropout === undefined ? {} : { dropout: training.dropout }),
        device: resolvedDevice,
        packageVersion,
      };
      const job = { hash: await checkpointHash(key), key, start, ground, recipe, seed, asked, plan };
      jobs.push({ ...job, ...(miner === undefined ? {} : { miner }) });
    }
  return jobs;
}

/** The largest learning rate: a small encoder from random weights needs more than a pretrained one, an adapter more than all weights. */
export function rateOf({ training }: EmbeddingSpec, { spec }: Start): number {
  return training.rate ?? (spec.model === 'tiny' ? 5e-4 : training.lora ? 2e-4 : 2e-5);
}

/** Cheap ones first; then seed by seed, so that all systems come to stand side by side early. */
async function unitsOf(
  spec: EmbeddingSpec,
  landscapes: readonly Landscape[],
  starts: readonly Start[],
  jobs: readonly TrainingJob[],
  remedyRecipes: readonly RecipeSpec[],
): Promise<Unit[]> {
  const units: Unit[] = [];
  for (const kind of ['bm25', 'lsa'] as const)
    if (spec.baselines.includes(kind))
      units.push({ system: { name: kind, role: 'baseline' }, source: { kind }, landscapes });
  const bySize = starts.toSorted((a, b) => a.parameters - b.parameters);
  if (spec.baselines.includes('zero-shot'))
    for (const start of bySize)
      units.push({ system: startSystem(start), source: { kind: 'start', start }, landscapes });
  for (const seed of spec.seeds)
    for (const start of bySize)
      for (const job of jobs.filter((one) => one.seed === seed && one.start === start)) {
        const mixed = job.ground.name === allCorpora;
        const where = spec.transfer || mixed ? landscapes : landscapes.filter(({ name }) => name === job.ground.name);
        const role: SystemRole = mixed ? 'mixed' : job.recipe.shuffled ? 'control' : 'recipe';
        units.push({ system: trainedSystem(job, role), seed, source: { kind: 'training', job }, landscapes: where });
        if (mixed || !remedyRecipes.some(({ label }) => label === job.recipe.label)) continue;
        const derived = [
          ...(spec.remedies.interpolate ?? []).map((weight) => ({ role: 'interpolate' as const, weight })),
          ...(spec.remedies.loraScale ?? []).map((weight) => ({ role: 'lora-scale' as const, weight })),
        ];
        for (const { role: remedy, weight } of derived) {
          const key = { kind: 'derived', training: job.hash, weight };
          const source = { kind: 'derived' as const, hash: await checkpointHash(key), key, job, weight };
          units.push({ system: trainedSystem(job, remedy, weight), seed, source, landscapes: where });
        }
      }
  return units;
}

export function startSystem({ spec }: Start): StudySystem {
  const name = spec.model === 'tiny' ? `${spec.name}, untrained` : `${spec.name}, zero-shot`;
  return { name, role: 'start', model: spec.name };
}

function trainedSystem({ start, recipe, ground }: TrainingJob, role: SystemRole, weight?: number): StudySystem {
  const tail = role === 'interpolate' ? `, ${weight} tuned` : role === 'lora-scale' ? `, adapter × ${weight}` : '';
  return {
    name: `${start.spec.name} ${recipe.label} on ${ground.name}${tail}`,
    role,
    model: start.spec.name,
    recipe: recipe.label,
    trainedOn: ground.name,
    ...(weight === undefined ? {} : { weight }),
  };
}
