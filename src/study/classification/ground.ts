/**
 * What the classifiers of a corpus learn and are asked: documents with their labels, in a training and a test part.
 *
 * Without a split, families go whole (with others of the same text) to one of two folds in which every label has its share
 * (classify/stratify.ts): a fifth is scored. With one, its test part is scored and all before it learnt from, validation too:
 * no probe chooses anything on it. Labels stay that have `least` training documents or more and at least one test document; a
 * label that nobody is asked for says nothing of a system. Documents without any of these labels are in neither part.
 */
import { inputError } from '../../base/errors.ts';
import { canonicalJson, sha256 } from '../../base/hash.ts';
import { stratifiedFolds } from '../../classify/stratify.ts';
import type { LabelTable } from '../../corpus/labels.ts';
import { type SplitOptions, splitCorpus, testPart, trainPart, validationPart } from '../../corpus/splits.ts';
import type { Corpus } from '../../corpus/store.ts';
import type { LabelSets } from '../../metrics/label-sets.ts';
import { labelSets, selectLabelSets } from '../../metrics/label-sets.ts';
import type { EvaluateSettings } from '../evaluate-options.ts';
import { taskLabels } from '../task-labels.ts';
import type { TaskCorpus } from '../tasks.ts';
import { defaultLeast, neighbours, testShare } from './options.ts';
import type { LabelCard } from './results.ts';

export interface GroundPart {
  /** Rows of the corpus, ascending. */
  rows: Int32Array;
  truth: LabelSets;
  /** Family of each document. */
  groups: Int32Array;
  /** [labels] documents that have it. */
  support: Int32Array;
}

export interface Ground {
  corpus: Corpus;
  /** The labels kept, in order of their names. */
  names: readonly string[];
  train: GroundPart;
  test: GroundPart;
  card: LabelCard;
  /** What decides the parts, for a manifest. */
  settings: Record<string, unknown>;
}

/** Throws where there is no label, only one class, or too few documents. */
export async function openGround({ corpus, relations }: TaskCorpus, settings: EvaluateSettings): Promise<Ground> {
  const { labels: rule, split, seed } = settings;
  const least = rule.least ?? defaultLeast;
  const table = await taskLabels(corpus, rule, 'classification');
  const sets: LabelSets = table;
  const { part, group, statement, options } = await parts({ corpus, relations }, table, split, seed);
  const has = (row: number) => table.offsets[row + 1]! > table.offsets[row]!;
  const rows = Array.from({ length: corpus.size }, (_, row) => row);
  const labelled = rows.filter(has);
  const inTrain = labelled.filter((row) => part[row] === trainPart);
  const inTest = labelled.filter((row) => part[row] === testPart);
  const [trainCounts, testCounts] = [inTrain, inTest].map((own) => countLabels(sets, own, table.names.length));
  const all = table.names.map((_, code) => code);
  const kept = all.filter((code) => trainCounts![code]! >= least && testCounts![code]! > 0);
  const rare = all.filter((code) => trainCounts![code]! < least).length;
  kept.sort((a, b) => (table.names[a]! < table.names[b]! ? -1 : 1));
  const found = `${table.names.length} labels on ${labelled.length} documents, ${inTrain.length} of them to learn from`;
  if (kept.length < 2)
    throw inputError(`"${corpus.name}" has ${kept.length === 0 ? 'no label' : 'only one label'} to tell apart`, {
      code: 'classification.classes',
      field: '--labels',
      expected: `two labels or more with at least ${least} training documents and one test document`,
      found,
      hint: 'Take a finer --level, a smaller --least, another --labels, or a larger corpus.',
    });
  const number = new Int32Array(table.names.length).fill(-1);
  kept.forEach((code, at) => {
    number[code] = at;
  });
  const train = gather(sets, inTrain, number, group, kept.length);
  const test = gather(sets, inTest, number, group, kept.length);
  if (train.rows.length < neighbours)
    throw inputError(`too few documents of "${corpus.name}" have labels to learn from`, {
      code: 'classification.documents',
      field: 'corpus',
      expected: `${neighbours} training documents or more`,
      found: `${train.rows.length} to learn from, ${test.rows.length} to be asked`,
    });
  const sizes = [train, test].flatMap(({ truth }) =>
    Array.from(truth.offsets.slice(1), (end, i) => end - truth.offsets[i]!),
  );
  const labelsInAll = sizes.reduce((sum, size) => sum + size, 0);
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  const names = kept.map((code) => table.names[code]!);
  return {
    corpus,
    names,
    train,
    test,
    card: {
      corpus: corpus.name,
      field: table.field,
      ...(table.level === undefined ? {} : { level: table.level }),
      kind: most === 1 ? 'multi-class' : 'multi-label',
      split: statement,
      least,
      documents: {
        all: corpus.size,
        unlabelled: corpus.size - labelled.length,
        emptied: inTrain.length + inTest.length - train.rows.length - test.rows.length,
        unsplit: labelled.length - inTrain.length - inTest.length,
        train: train.rows.length,
        test: test.rows.length,
      },
      testFamilies: new Set(test.groups).size,
      labels: { found: all.length, kept: kept.length, rare, untested: all.length - kept.length - rare },
      perDocument: { mean: labelsInAll / sizes.length, most },
    },
    settings: {
      field: table.field,
      level: table.level ?? null,
      least,
      split: options,
      // Labels, families and parts as they were found: rules that change in a later version give another cell.
      ground: await sha256(
        canonicalJson({
          names,
          ...Object.fromEntries(
            Object.entries({ train, test }).map(([name, { rows, groups, truth }]) => [
              name,
              [rows, groups, truth.offsets, truth.codes].map((array) => Array.from(array)),
            ]),
          ),
        }),
      ),
    },
  };
}

interface Parts {
  /** Of each row: train, test, or something else. */
  part: Uint8Array;
  group: Int32Array;
  statement: string;
  options: unknown;
}

async function parts(
  { corpus, relations }: TaskCorpus,
  table: LabelTable,
  split: SplitOptions | undefined,
  seed: number,
): Promise<Parts> {
  if (split !== undefined) {
    const { part, group, summary, options } = await splitCorpus(corpus, split, { relations });
    const joined = part.map((own) => (own === validationPart ? trainPart : own));
    return { part: joined, group, statement: `${summary.statement} Validation is learnt from too.`, options };
  }
  const { group } = await splitCorpus(corpus, { by: 'family', seed, validation: 0, test: 0 }, { relations });
  const rows = Array.from(group.keys()).filter((row) => table.offsets[row + 1]! > table.offsets[row]!);
  const families = new Set(rows.map((row) => group[row]!)).size;
  if (families < 2)
    throw inputError(`too few documents of "${corpus.name}" have labels`, {
      code: 'classification.documents',
      field: 'corpus',
      expected: 'labelled documents of two families or more',
      found: `${rows.length} documents of ${families} families`,
    });
  const folds = stratifiedFolds(selectLabelSets(table, rows), {
    labels: table.names.length,
    folds: [1 - testShare, testShare],
    groups: rows.map((row) => group[row]!),
    seed,
  });
  const part = new Uint8Array(corpus.size).fill(validationPart);
  rows.forEach((row, at) => {
    part[row] = folds[at] === 0 ? trainPart : testPart;
  });
  const inferred = relations.familyInferred ? ' (partly inferred)' : '';
  return {
    part,
    group,
    statement: `Stratified by label, seed ${seed}: families${inferred} go whole to one part, so do patents with the same text; ${100 * testShare} % are scored, the rest is learnt from.`,
    options: { by: 'stratified', seed, test: testShare },
  };
}

function countLabels({ offsets, codes }: LabelSets, rows: readonly number[], labels: number): Int32Array {
  const counts = new Int32Array(labels);
  for (const row of rows) for (let i = offsets[row]!; i < offsets[row + 1]!; i++) counts[codes[i]!]!++;
  return counts;
}

/** The documents of a part that have a label kept, with those labels renumbered. */
function gather(
  { offsets, codes }: LabelSets,
  rows: readonly number[],
  number: Int32Array,
  group: Int32Array,
  labels: number,
): GroundPart {
  const own = rows.flatMap((row) => {
    const kept = Array.from(codes.subarray(offsets[row]!, offsets[row + 1]!), (code) => number[code]!);
    const left = kept.filter((label) => label >= 0);
    return left.length === 0 ? [] : [{ row, left }];
  });
  const truth = labelSets(own.map(({ left }) => left));
  return {
    rows: Int32Array.from(own, ({ row }) => row),
    truth,
    groups: Int32Array.from(own, ({ row }) => group[row]!),
    support: countLabels(truth, Array.from(own.keys()), labels),
  };
}
