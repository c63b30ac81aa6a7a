/**
 * Choosing a setting (alpha, RRF's k) without tuning it on what it is scored on.
 *
 * Queries are dealt into folds, whole families at a time. Each fold is scored with the setting whose mean over the queries
 * of the *other* folds is best, so that every query is scored once and none had a say in its own setting. Among equal means
 * the setting listed first wins.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';

export interface CrossFitOptions {
  /** Family of each query; each query is its own family where not given. */
  clusters?: Int32Array;
  /** Number of folds; default 5, never more than there are families. */
  folds?: number;
  seed: number;
}

export interface CrossFit {
  /** Fold of each query. */
  fold: Int32Array;
  /** Index of the setting each query is scored with. */
  chosen: Int32Array;
  /** Value of each query under the setting chosen for it. */
  values: Float64Array;
  /** For each fold the setting chosen on the others, and its mean there. */
  choices: { setting: number; meanElsewhere: number; queries: number }[];
}

/**
 * `values[s][q]` is the value of query q under setting s; NaN marks a query that does not count (it takes part in no mean,
 * but gets a setting).
 */
export function crossFit(values: readonly Float64Array[], { clusters, folds = 5, seed }: CrossFitOptions): CrossFit {
  const queries = values[0]?.length ?? 0;
  if (values.length === 0 || values.some((column) => column.length !== queries))
    throw inputError('cross-fitting needs the same queries under every setting', { code: 'fuse.settings' });
  const fold = dealFolds(queries, clusters, folds, seed);
  const count = queries === 0 ? 0 : fold.reduce((most, f) => Math.max(most, f), 0) + 1;
  const sums = values.map((column) => sumsByFold(column, fold, count));
  const choices = Array.from({ length: count }, (_, f) => {
    let setting = 0;
    let meanElsewhere = Number.NEGATIVE_INFINITY;
    for (let s = 0; s < values.length; s++) {
      // With a single family there is no other fold: its own mean decides.
      const elsewhere = sums[s]!.filter((_, g) => g !== f || count === 1);
      const used = elsewhere.reduce((sum, { used }) => sum + used, 0);
      const mean = used === 0 ? 0 : elsewhere.reduce((sum, { total }) => sum + total, 0) / used;
      if (mean > meanElsewhere) [setting, meanElsewhere] = [s, mean];
    }
    return { setting, meanElsewhere, queries: 0 };
  });
  const chosen = fold.map((f) => choices[f]!.setting);
  for (const f of fold) choices[f]!.queries++;
  return { fold, chosen, values: Float64Array.from(chosen, (s, q) => values[s]![q]!), choices };
}

/** Deals families into folds: shuffled by the seed, largest first, each to the fold that has fewest queries. */
export function dealFolds(queries: number, clusters: Int32Array | undefined, folds: number, seed: number): Int32Array {
  if (!(Number.isInteger(folds) && folds >= 2))
    throw inputError('cross-fitting needs at least 2 folds', {
      code: 'fuse.folds',
      field: 'folds',
      found: String(folds),
    });
  const sizes = new Map<number, number>();
  for (let q = 0; q < queries; q++) {
    const cluster = clusters?.[q] ?? q;
    sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1);
  }
  const families = stream(seed, 'folds').shuffle([...sizes.keys()].sort((a, b) => a - b));
  families.sort((a, b) => sizes.get(b)! - sizes.get(a)!); // stable: equal sizes stay shuffled
  const loads = new Array<number>(Math.min(folds, families.length)).fill(0);
  const foldOf = new Map<number, number>();
  for (const family of families) {
    const lightest = loads.indexOf(Math.min(...loads));
    foldOf.set(family, lightest);
    loads[lightest]! += sizes.get(family)!;
  }
  return Int32Array.from({ length: queries }, (_, q) => foldOf.get(clusters?.[q] ?? q)!);
}

function sumsByFold(column: Float64Array, fold: Int32Array, count: number): { total: number; used: number }[] {
  const sums = Array.from({ length: count }, () => ({ total: 0, used: 0 }));
  for (let q = 0; q < column.length; q++) {
    if (Number.isNaN(column[q]!)) continue;
    const sum = sums[fold[q]!]!;
    sum.total += column[q]!;
    sum.used++;
  }
  return sums;
}
