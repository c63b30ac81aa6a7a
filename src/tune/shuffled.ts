/**
 * The shuffled-pairs baseline: the same texts, as often, in the same views, but every anchor with a stranger for its positive.
 * What training still gains then, it gains from the texts and not from the signal.
 *
 * Positives are permuted within each kind of pairs by a random permutation (Fisher–Yates, seeded); pairs that come out
 * related then swap with random others, later with all others in turn, wherever the swap leaves both unrelated. A pair that
 * cannot be mended is left out and counted.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';
import type { CorpusSplit } from '../corpus/splits.ts';
import { PairBuilder } from './pairs.ts';
import type { RecipePairs } from './recipes.ts';
import type { Relatedness } from './related.ts';

export interface ShuffledPairs extends RecipePairs {
  shuffled: true;
  /** Pairs that could not be mended, and are left out. */
  unmended: number;
}

/** Throws `pairs.shuffle` where no pair can be torn apart. */
export function shufflePairs(
  recipe: RecipePairs,
  { related, split, seed }: { related: Relatedness; split: CorpusSplit; seed: number },
): ShuffledPairs {
  const { pairs } = recipe;
  const positive = pairs.positive.slice();
  // Related by nature, or true again by chance because the two families stand in a pair elsewhere.
  const truePairs = new Set<string>();
  const familyPair = (a: number, b: number) => `${split.group[a]}~${split.group[b]}`;
  for (let i = 0; i < pairs.length; i++) {
    truePairs.add(familyPair(pairs.anchor[i]!, pairs.positive[i]!));
    truePairs.add(familyPair(pairs.positive[i]!, pairs.anchor[i]!));
  }
  const isTrue = (a: number, b: number) => truePairs.has(familyPair(a, b)) || related.related(a, b);
  const builder = new PairBuilder(pairs.kinds);
  const lost = new Uint8Array(pairs.length);
  for (let kind = 0; kind < pairs.kinds.length; kind++) {
    const own: number[] = [];
    for (let i = 0; i < pairs.length; i++) if (pairs.kind[i] === kind) own.push(i);
    const draw = stream(seed, 'shuffled pairs', kind);
    const order = draw.shuffle([...own]);
    for (const [at, i] of own.entries()) positive[i] = pairs.positive[order[at]!]!;
    const wrong = (i: number) => isTrue(pairs.anchor[i]!, positive[i]!);
    const swap = (i: number, j: number) => {
      [positive[i], positive[j]] = [positive[j]!, positive[i]!];
      if (!wrong(i) && !wrong(j)) return true;
      [positive[i], positive[j]] = [positive[j]!, positive[i]!];
      return false;
    };
    for (const i of own) {
      if (!wrong(i)) continue;
      let mended = false;
      for (let tries = 0; tries < 64 && !mended; tries++) mended = swap(i, draw.pick(own));
      for (let at = 0; at < own.length && !mended; at++) mended = swap(i, own[at]!);
    }
    // A pair may have been mended from the other side since.
    for (const i of own) if (wrong(i)) lost[i] = 1;
  }
  let unmended = 0;
  for (let i = 0; i < pairs.length; i++)
    if (lost[i] === 1) unmended++;
    else builder.add(pairs.anchor[i]!, positive[i]!, pairs.kind[i]!);
  if (builder.size === 0)
    throw inputError('these pairs cannot be shuffled: every anchor is related to every positive', {
      code: 'pairs.shuffle',
      field: 'baseline',
      expected: 'at least two pairs of one kind whose patents have nothing to do with each other',
      found: `${pairs.length} pairs of ${recipe.recipe}`,
    });
  return {
    ...recipe,
    recipe: `${recipe.recipe} shuffled`,
    pairs: builder.finish(),
    settings: { ...recipe.settings, shuffled: seed },
    shuffled: true,
    unmended,
  };
}
