/**
 * Splits of a corpus into train, validation and test, so that nothing that is tested has been learnt from.
 *
 * What never comes apart is a *group*: a family (known or inferred, `families.ts`) and, transitively, every patent that
 * has a long section (abstract, first claim, claims or description of 100 letters or more) word for word in common with it,
 * or that says as a whole the same. Titles alone bind nothing: pairs with a title that stands in a held-out document too are
 * left out where pairs are made.
 *
 *   family   a group goes where its name's hash falls: u = hash(seed, name) in [0, 1); test where u < test share, then
 *            validation, then train. The name is the family id (else the publication number) with the smallest hash of its
 *            members, so that neither the order of import nor the rest of the corpus moves a group.
 *   time     patents published before `validationFrom` (else `testFrom`) train, before `testFrom` validate, the rest test.
 *            A group on both sides of a border goes as a whole to the earlier side, or is dropped. Where a patent has no
 *            publication day its earliest date stands in; a group without any date is dropped.
 *
 * Citations between parts count nowhere: neither as training pairs nor as relevance (`split-relevance.ts`).
 */
import { inputError } from '../base/errors.ts';
import { murmur3 } from '../base/random.ts';
import { citationGraph } from './citation-graph.ts';
import { DisjointSets } from './families.ts';
import { dayOf, loadRelations, type Relations, unknownDay } from './relations.ts';
import type { Corpus } from './store.ts';
import { NameIndex } from './store-index.ts';
import { loadTextPrints, printedSections, type TextPrints } from './text-prints.ts';

export const splitParts = ['train', 'validation', 'test', 'dropped'] as const;
export type SplitPart = (typeof splitParts)[number];
export const [trainPart, validationPart, testPart, droppedPart] = [0, 1, 2, 3] as const;

export interface FamilySplit {
  by: 'family';
  /** Decides, with the families' names, where each goes. */
  seed: number;
  /** Shares of the families; the rest trains. Default 0.1 and 0.2. */
  validation?: number;
  test?: number;
}

export interface TimeSplit {
  by: 'time';
  /** First day of the test part: `2010-01-01`, `2010-01` or `2010`. */
  testFrom: string;
  /** First day of the validation part. Default: no validation part. */
  validationFrom?: string;
  /** A family on both sides of a border: all of it to the earlier side (default), or left out. */
  acrossBorder?: 'earlier' | 'drop';
}

export type SplitOptions = FamilySplit | TimeSplit;

export interface SplitSummary {
  /** How it was split, in one sentence. */
  statement: string;
  patents: Record<SplitPart, number>;
  /** Groups: families, with others of the same text. */
  groups: Record<SplitPart, number>;
  dropped: { reason: string; patents: number }[];
  /** Time: patents in an earlier part than their own day says, because their family is there. */
  movedEarlier: number;
  /** Families put together because texts of theirs are the same. */
  joinedByText: number;
  /** Patents of the largest group. */
  largestGroup: number;
  /** Distinct citations inside the corpus by where both ends lie. `across` ones are removed. */
  citations: { train: number; validation: number; test: number; across: number };
}

export interface CorpusSplit {
  readonly corpus: string;
  readonly corpusHash: string;
  /** With defaults filled in: with the corpus's hash all that decides the split. */
  readonly options: Required<FamilySplit> | Required<TimeSplit>;
  /** Part of each row: 0 train, 1 validation, 2 test, 3 dropped. */
  readonly part: Uint8Array;
  /** Group of each row, numbered from 0 in the order of their first rows. */
  readonly group: Int32Array;
  readonly summary: SplitSummary;
}

export interface SplitSources {
  /** Default: read from the corpus. */
  relations?: Relations;
  prints?: TextPrints;
}

/** Throws `split.shares`, `split.date`, and `split.empty` where the train part or one that was asked for is empty. */
export async function splitCorpus(
  corpus: Corpus,
  options: SplitOptions,
  sources: SplitSources = {},
): Promise<CorpusSplit> {
  const settled = settle(options);
  const relations = sources.relations ?? (await loadRelations(corpus));
  const prints = sources.prints ?? (await loadTextPrints(corpus));
  const { group, groups, joined } = gather(relations, prints);
  const placed =
    settled.by === 'family' ? byName(settled, group, groups, prints) : byTime(settled, group, groups, relations);
  const part = Uint8Array.from(group, (own) => placed.part[own]!);
  const patents = tally(part);
  for (const wanted of wantedParts(settled)) {
    if (patents[splitParts[wanted]!] > 0) continue;
    throw inputError(`the ${splitParts[wanted]} part of "${corpus.name}" is empty`, {
      code: 'split.empty',
      field: settled.by === 'family' ? splitParts[wanted]! : 'testFrom',
      expected: 'at least one family in every part',
      found: splitParts.map((name) => `${patents[name]} ${name}`).join(', '),
      hint:
        settled.by === 'family'
          ? 'Take larger shares or another seed, or a larger corpus.'
          : 'Take a date within the years of the corpus (`patentlab corpus show`).',
    });
  }
  const sizes = new Int32Array(groups);
  for (const own of group) sizes[own]!++;
  return {
    corpus: corpus.name,
    corpusHash: corpus.hash,
    options: settled,
    part,
    group,
    summary: {
      statement: statementOf(settled, relations),
      patents,
      groups: tally(placed.part),
      dropped: placed.dropped.filter((drop) => drop.patents > 0),
      movedEarlier: placed.movedEarlier,
      joinedByText: joined,
      largestGroup: sizes.reduce((most, size) => Math.max(most, size), 0),
      citations: countCitations(relations, part),
    },
  };
}

function settle(options: SplitOptions): CorpusSplit['options'] {
  if (options.by === 'family') {
    const { seed, validation = 0.1, test = 0.2 } = options;
    if (!(validation >= 0 && test >= 0 && validation + test < 1))
      throw inputError('the shares of a split must leave something to train on', {
        code: 'split.shares',
        field: 'validation, test',
        expected: 'shares of 0 or more that add up to less than 1',
        found: `${validation}, ${test}`,
      });
    return { by: 'family', seed, validation, test };
  }
  const { testFrom, validationFrom = testFrom, acrossBorder = 'earlier' } = options;
  for (const [field, date] of Object.entries({ testFrom, validationFrom }))
    if (!/^\d{4}(-\d\d(-\d\d)?)?$/.test(date) || Number.isNaN(Date.parse(date)))
      throw inputError('this is no date', { code: 'split.date', field, expected: '2010-01-01', found: String(date) });
  if (dayOf(validationFrom, 'first') > dayOf(testFrom, 'first'))
    throw inputError('the validation part would begin after the test part', {
      code: 'split.date',
      field: 'validationFrom',
      expected: `a date before ${testFrom}`,
      found: validationFrom,
    });
  return { by: 'time', testFrom, validationFrom, acrossBorder };
}

function wantedParts(options: CorpusSplit['options']): number[] {
  const hasValidation = options.by === 'family' ? options.validation > 0 : options.validationFrom !== options.testFrom;
  const hasTest = options.by === 'time' || options.test > 0;
  return [trainPart, ...(hasValidation ? [validationPart] : []), ...(hasTest ? [testPart] : [])];
}

/** Families and, transitively, what has the same texts. */
function gather({ family, rows }: Relations, prints: TextPrints) {
  const sets = new DisjointSets(rows);
  const firstOfFamily = new Int32Array(rows).fill(-1);
  const texts = new NameIndex(rows * 2);
  let joined = 0;
  for (let row = 0; row < rows; row++) {
    const first = firstOfFamily[family[row]!]!;
    if (first < 0) firstOfFamily[family[row]!] = row;
    else sets.join(first, row);
  }
  const bind = (name: string, row: number) => {
    const first = texts.first(name);
    if (first < 0) texts.add(name, row);
    else if (sets.join(first, row)) joined++;
  };
  for (let row = 0; row < rows; row++) {
    for (const section of printedSections)
      if (prints.isLong(row, section)) bind(`${section}${prints.sectionKey(row, section)}`, row);
    const whole = prints.wholeKey(row);
    if (whole !== '') bind(`whole${whole}`, row);
  }
  texts.release();
  const { family: group, families: groups } = sets.numbered();
  return { group, groups, joined };
}

interface Placed {
  /** Part of each group. */
  part: Uint8Array;
  dropped: SplitSummary['dropped'];
  movedEarlier: number;
}

function byName(
  { seed, validation, test }: Required<FamilySplit>,
  group: Int32Array,
  groups: number,
  { nameLow, nameHigh }: TextPrints,
): Placed {
  const named = new Int32Array(groups).fill(-1);
  for (let row = 0; row < group.length; row++) {
    const own = group[row]!;
    const best = named[own]!;
    if (
      best < 0 ||
      nameLow[row]! < nameLow[best]! ||
      (nameLow[row] === nameLow[best] && nameHigh[row]! < nameHigh[best]!)
    )
      named[own] = row;
  }
  const part = Uint8Array.from(named, (row) => {
    const name = `${seed}/${nameLow[row]!.toString(36)}/${nameHigh[row]!.toString(36)}`;
    const u = murmur3(name, 0x5b117) / 0x100000000;
    return u < test ? testPart : u < test + validation ? validationPart : trainPart;
  });
  return { part, dropped: [], movedEarlier: 0 };
}

function byTime(
  { testFrom, validationFrom, acrossBorder }: Required<TimeSplit>,
  group: Int32Array,
  groups: number,
  { publication, earliest }: Relations,
): Placed {
  const [validationDay, testDay] = [dayOf(validationFrom, 'first'), dayOf(testFrom, 'first')];
  const own = Uint8Array.from(publication, (published, row) => {
    const day = published === unknownDay ? earliest[row]! : published;
    if (day === unknownDay) return droppedPart;
    return day < validationDay ? trainPart : day < testDay ? validationPart : testPart;
  });
  const first = new Uint8Array(groups).fill(droppedPart);
  const last = new Uint8Array(groups);
  const dated = new Uint8Array(groups);
  for (let row = 0; row < group.length; row++) {
    if (own[row] === droppedPart) continue; // a patent without a date goes with its family
    const at = group[row]!;
    dated[at] = 1;
    first[at] = Math.min(first[at]!, own[row]!);
    last[at] = Math.max(last[at]!, own[row]!);
  }
  const part = first.map((earlier, at) =>
    dated[at] === 1 && last[at] !== earlier && acrossBorder === 'drop' ? droppedPart : earlier,
  );
  let [undated, across, movedEarlier] = [0, 0, 0];
  for (let row = 0; row < group.length; row++) {
    const at = group[row]!;
    if (dated[at] === 0) undated++;
    else if (part[at] === droppedPart) across++;
    else if (own[row] !== droppedPart && part[at] !== own[row]) movedEarlier++;
  }
  return {
    part,
    dropped: [
      { reason: 'no date', patents: undated },
      { reason: 'of a family on both sides of a border', patents: across },
    ],
    movedEarlier,
  };
}

export function tally(parts: Uint8Array): Record<SplitPart, number> {
  const counts = [0, 0, 0, 0];
  for (const part of parts) counts[part]!++;
  return { train: counts[0]!, validation: counts[1]!, test: counts[2]!, dropped: counts[3]! };
}

export function countCitations(relations: Relations, part: Uint8Array): SplitSummary['citations'] {
  const { offsets, cited } = citationGraph(relations);
  const within = [0, 0, 0, 0];
  let across = 0;
  for (let row = 0; row < part.length; row++)
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++)
      if (part[cited[i]!] === part[row]) within[part[row]!]!++;
      else across++;
  return { train: within[0]!, validation: within[1]!, test: within[2]!, across };
}

function statementOf(options: CorpusSplit['options'], { familyInferred }: Relations): string {
  const families = familyInferred ? ' (families partly inferred)' : '';
  if (options.by === 'family') {
    const percent = (share: number) => `${Math.round(share * 1000) / 10} %`;
    return `Split by family${families}, seed ${options.seed}: ${percent(options.test)} of the families test, ${percent(options.validation)} validate, the rest train; patents with the same text stay together; citations across the split are removed.`;
  }
  const { testFrom, validationFrom, acrossBorder } = options;
  const validate = validationFrom === testFrom ? '' : `those from ${validationFrom} on validate, `;
  const border = acrossBorder === 'drop' ? 'is left out' : 'goes to the earlier side';
  return `Split by time: patents published from ${testFrom} on test, ${validate}earlier ones train; a family on both sides of a border${families} ${border}; citations across the split are removed.`;
}
