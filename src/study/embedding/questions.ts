/**
 * The questions that an embedding study asks of pairs of systems, fixed before anything runs. The pairs of one question, on one
 * corpus, view and metric, are one family of hypotheses: Holm's adjustment goes over them together, so that the chance of any
 * false difference among the answers to that question is at most 5 %. It does not go over the questions: whoever reads five
 * questions off one table runs that chance five times. Every pair belongs to one question at most; a pair of none is not tested,
 * because both of its sides already stand in pairs that say more (a remedy of one recipe against a remedy of another).
 *
 *   tuning     every recipe and control against the model it started from
 *   recipes    recipes of one model trained on one corpus, against one another and each against its own shuffled control
 *   remedies   every remedy against the model it started from and against the recipe as it was tuned
 *   baselines  models as they are, recipes and mixed trainings against bm25 and lsa, and these two against each other
 *   starts     models as they are against one another
 *
 * Recipes trained on different corpora are in no question: their data differ, so their order says nothing about them. Weights
 * between start and tuned, and controls, are in no question with the baselines: they are there to explain, not to be chosen.
 */
import type { StudySystem } from './results.ts';

/** What each question asks, as the report prints it. */
export const questions = {
  tuning: 'every recipe and every shuffled control against the model it started from',
  recipes: 'recipes of one model trained on the same corpus against one another, and each against its shuffled control',
  remedies: 'every remedy against the model it started from and against the recipe as it was tuned',
  baselines:
    'models as they are, recipes and mixed trainings against the baselines, and the baselines against each other',
  starts: 'models as they are against one another',
} as const;

export type Question = keyof typeof questions;

const remedyRoles: readonly string[] = ['interpolate', 'lora-scale', 'mixed'];

/** The question that the pair answers, in either order; undefined where it is not tested. */
export function questionOf(a: StudySystem, b: StudySystem): Question | undefined {
  return oneWay(a, b) ?? oneWay(b, a);
}

function oneWay(a: StudySystem, b: StudySystem): Question | undefined {
  if (b.role === 'baseline') return ['baseline', 'start', 'recipe', 'mixed'].includes(a.role) ? 'baselines' : undefined;
  if (a.role === 'start' && b.role === 'start') return 'starts';
  if (a.model !== b.model) return undefined;
  const isRemedy = remedyRoles.includes(a.role);
  if (b.role === 'start') return isRemedy ? 'remedies' : 'tuning';
  if (b.role !== 'recipe' && b.role !== 'control') return undefined;
  // A mixed training stands against the same recipe on each of its corpora.
  if (isRemedy)
    return a.recipe === b.recipe && (a.role === 'mixed' || a.trainedOn === b.trainedOn) ? 'remedies' : undefined;
  if (b.role === 'control' || a.trainedOn !== b.trainedOn) return undefined;
  return a.role === 'recipe' || a.recipe === `${b.recipe} shuffled` ? 'recipes' : undefined;
}
