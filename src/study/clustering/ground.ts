/**
 * What the clusterings of a corpus are judged by: documents that keep one label after the reduction (cluster/reduce-labels.ts),
 * their families, which are resampled together, and the bootstraps, which all systems share.
 *
 * Nothing is learnt from labels, so that all documents take part; with a split its test part alone, since models may have
 * been trained on the rest.
 */
import { inputError } from '../../base/errors.ts';
import { canonicalJson, sha256 } from '../../base/hash.ts';
import { mtebDraw } from '../../cluster/mteb-clustering.ts';
import { reduceLabels } from '../../cluster/reduce-labels.ts';
import { firstLabels, type LabelTable } from '../../corpus/labels.ts';
import { splitCorpus, testPart } from '../../corpus/splits.ts';
import type { Corpus } from '../../corpus/store.ts';
import { quantile } from '../../metrics/interval.ts';
import { selectLabelSets } from '../../metrics/label-sets.ts';
import type { EvaluateSettings } from '../evaluate-options.ts';
import { taskLabels } from '../task-labels.ts';
import type { TaskCorpus } from '../tasks.ts';
import { bootstrapRows, defaultBootstraps, defaultLeast, defaultReduction } from './options.ts';
import type { ReductionCard } from './results.ts';

export interface ClusterGround {
  corpus: Corpus;
  /** The labels kept, in order of their names. */
  names: readonly string[];
  /** Rows of the corpus, ascending. */
  rows: Int32Array;
  /** Label of each. */
  truth: Int32Array;
  /** Family of each. */
  families: Int32Array;
  clusters: number;
  /** Bootstraps: places in `rows`. */
  draws: Int32Array[];
  card: ReductionCard;
  /** What decides all this, for a manifest. */
  settings: Record<string, unknown>;
}

/** Throws where there is no label, only one, or fewer documents than clusters. */
export async function openClusterGround(
  { corpus, relations }: TaskCorpus,
  settings: EvaluateSettings,
): Promise<ClusterGround> {
  const { labels: rule, clustering, split, seed } = settings;
  const table = await taskLabels(corpus, rule, 'clustering');
  const reduction = clustering.reduce ?? defaultReduction(table.field);
  const { part, group, summary, options } = await splitCorpus(
    corpus,
    split ?? { by: 'family', seed, validation: 0, test: 0 },
    { relations },
  );
  const taken = Int32Array.from(Array.from(part.keys()).filter((row) => split === undefined || part[row] === testPart));
  const first = reduction === 'first' ? await firstLabels(corpus, table) : undefined;
  const reduced = reduceLabels(selectLabelSets(table, taken), {
    rule: reduction,
    least: rule.least ?? defaultLeast,
    ...(first === undefined ? {} : { first: taken.map((row) => first[row]!) }),
  });
  const { least } = reduced;
  // Labels are numbered by name, whatever order the corpus has them in.
  const order = Array.from(reduced.codes.keys()).sort((a, b) =>
    table.names[reduced.codes[a]!]! < table.names[reduced.codes[b]!]! ? -1 : 1,
  );
  const number = new Int32Array(order.length);
  order.forEach((old, at) => {
    number[old] = at;
  });
  const names = order.map((old) => table.names[reduced.codes[old]!]!);
  const rows = reduced.rows.map((place) => taken[place]!);
  const truth = reduced.truth.map((label) => number[label]!);
  const families = rows.map((row) => group[row]!);
  const kept = rows.length;
  const familyCount = new Set(families).size;
  const found = `${names.length} labels on ${kept} documents of ${familyCount} families, reduced by "${reduction}"`;
  if (names.length < 2)
    throw inputError(`"${corpus.name}" has ${names.length === 0 ? 'no label' : 'only one label'} to tell apart`, {
      code: 'clustering.classes',
      field: '--labels',
      expected: `two labels or more with at least ${least} documents each`,
      found,
      hint: 'Take another --reduce, a finer --level, a smaller --least, another --labels, or a larger corpus.',
    });
  const clusters = clustering.clusters ?? names.length;
  if (clusters > kept || familyCount < 2)
    throw inputError(`"${corpus.name}" has too few documents to cluster`, {
      code: 'clustering.documents',
      field: clusters > kept ? '--clusters' : 'corpus',
      expected: clusters > kept ? `at most one cluster a document: ${kept}` : 'documents of two families or more',
      found: clusters > kept ? `${clusters} clusters; ${found}` : found,
    });
  const size = Math.min(kept, bootstrapRows);
  const bootstraps = clustering.bootstraps ?? defaultBootstraps;
  const sizes = new Float64Array(names.length);
  for (const label of truth) sizes[label]!++;
  const largest = sizes.indexOf(sizes.reduce((a, b) => Math.max(a, b)));
  const sorted = sizes.slice().sort();
  return {
    corpus,
    names,
    rows,
    truth,
    families,
    clusters,
    draws: mtebDraw(kept, { seed, resamples: bootstraps, size }).resamples,
    card: {
      corpus: corpus.name,
      field: table.field,
      ...(table.level === undefined ? {} : { level: table.level }),
      rule: reduction,
      ...(first === undefined ? {} : { alphabetical: alphabeticalShare(table, first, taken) }),
      least,
      split: split === undefined ? 'All documents.' : `The test part alone. ${summary.statement}`,
      documents: { ...reduced.documents, all: corpus.size, unsplit: corpus.size - taken.length },
      families: familyCount,
      labels: { ...reduced.labels, kept: names.length },
      sizes: {
        smallest: sorted[0]!,
        median: quantile(sorted, 0.5),
        largest: sizes[largest]!,
        largestLabel: names[largest]!,
      },
      clusters,
    },
    settings: {
      field: table.field,
      level: table.level ?? null,
      least,
      reduce: reduction,
      split: split === undefined ? null : options,
      // Documents, labels and families as they were found: rules that change in a later version give another cell.
      ground: await sha256(
        canonicalJson({ names, rows: Array.from(rows), truth: Array.from(truth), families: Array.from(families) }),
      ),
      bootstraps: { count: bootstraps, size, seed },
    },
  };
}

/** Of the documents with several labels, how often the first is also the first of the alphabet; 0 where there are none. */
function alphabeticalShare({ offsets, codes, names }: LabelTable, first: Int32Array, rows: Int32Array): number {
  let [several, same] = [0, 0];
  for (const row of rows) {
    const own = codes.subarray(offsets[row]!, offsets[row + 1]!);
    if (own.length < 2) continue;
    several++;
    if (own.every((code) => names[code]! >= names[first[row]!]!)) same++;
  }
  return several === 0 ? 0 : same / several;
}
