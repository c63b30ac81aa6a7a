/**
 * A validation part where a split has none: a share of the groups that train, chosen by the seeded hashes of their names, so
 * that nothing that is tested is looked at to decide when training stops. Groups stay whole.
 */
import { inputError } from '../base/errors.ts';
import { murmur3 } from '../base/random.ts';
import type { Relations } from './relations.ts';
import { type CorpusSplit, countCitations, tally, trainPart, validationPart } from './splits.ts';
import type { TextPrints } from './text-prints.ts';

/** The split itself where it has a validation part. Throws `split.empty` where no group is chosen. */
export function withValidation(
  split: CorpusSplit,
  { relations, prints, seed, share = 0.1 }: { relations: Relations; prints: TextPrints; seed: number; share?: number },
): CorpusSplit {
  if (split.part.includes(validationPart)) return split;
  const groups = split.group.reduce((most, own) => Math.max(most, own + 1), 0);
  // A group is called by the smallest hash of its members' ids: no order of import moves it.
  const names = new Uint32Array(groups).fill(0xffffffff);
  for (const [row, own] of split.group.entries()) names[own] = Math.min(names[own]!, prints.idHash[row]!);
  const chosen = names.map((name) => (murmur3(`validation ${seed}/${name}`) / 0x100000000 < share ? 1 : 0));
  const part = split.part.map((own, row) =>
    own === trainPart && chosen[split.group[row]!] === 1 ? validationPart : own,
  );
  const ofGroups = new Uint8Array(groups);
  for (const [row, own] of split.group.entries()) ofGroups[own] = part[row]!;
  const patents = tally(part);
  if (patents.validation === 0 || patents.train === 0)
    throw inputError(`no validation part can be taken from the train part of "${split.corpus}"`, {
      code: 'split.empty',
      field: 'validation',
      expected: 'at least one family in every part',
      found: `${patents.train} patents that train, ${patents.validation} that validate`,
      hint: 'Train without evaluation, or on a larger corpus.',
    });
  return {
    ...split,
    part,
    summary: {
      ...split.summary,
      statement: `${split.summary.statement} Of the families that train, ${Math.round(100 * share)} % (seed ${seed}) validate.`,
      patents,
      groups: tally(ofGroups),
      citations: countCitations(relations, part),
    },
  };
}
