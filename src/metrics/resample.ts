/**
 * The two resampling engines under intervals and tests, on sums over clusters of queries.
 *
 * A mean over queries is sum_c S_c / sum_c n_c over clusters (patent families; single queries where there are none).
 * - Bootstrap: draw as many clusters as there are, with replacement; all columns (systems, metrics, seeds) share the draws,
 *   so that differences of columns are paired. Beyond `maxGroups` clusters, clusters are first merged at random into that
 *   many groups of equal number: groups of independent clusters are independent too, and the interval stays the same up to
 *   the noise of estimating a variance from `maxGroups` terms (about 1 % of its width).
 * - Sign flips: under the hypothesis that two systems are exchangeable, every cluster's difference may as well have the
 *   other sign. The flipped sum is linear, so that one table of flipped sums a system serves all pairs. Eight clusters are
 *   handled by one byte of random signs and a table of 256 partial sums, which makes the cost B C / 8 additions a system.
 */
import { type RandomStream, stream } from '../base/random.ts';

const maxGroups = 4096;

/** Which group each query belongs to. */
export interface Grouping {
  groups: number;
  /** Group of each query. */
  of: Int32Array;
  /** Queries of each group. */
  sizes: Float64Array;
}

/** Groups of queries by cluster; without clusters every query is its own. */
export function groupQueries(queries: number, clusters: ArrayLike<number> | undefined): Grouping {
  const of = new Int32Array(queries);
  let groups = queries;
  if (clusters === undefined) {
    for (let q = 0; q < queries; q++) of[q] = q;
  } else {
    if (clusters.length !== queries) {
      throw new RangeError(`clusters must have one entry a query: ${clusters.length} for ${queries} queries`);
    }
    const index = new Map<number, number>();
    for (let q = 0; q < queries; q++) {
      const cluster = clusters[q]!;
      let group = index.get(cluster);
      if (group === undefined) {
        group = index.size;
        index.set(cluster, group);
      }
      of[q] = group;
    }
    groups = index.size;
  }
  return withSizes(groups, of);
}

/** At most `maxGroups` groups, merged at random where there are more. */
export function mergeGroups(grouping: Grouping, random: RandomStream, most = maxGroups): Grouping {
  if (grouping.groups <= most) return grouping;
  const shuffled = random.shuffle(Int32Array.from({ length: grouping.groups }, (_, i) => i));
  const target = new Int32Array(grouping.groups);
  for (let i = 0; i < shuffled.length; i++) target[shuffled[i]!] = i % most;
  return withSizes(
    most,
    grouping.of.map((group) => target[group]!),
  );
}

function withSizes(groups: number, of: Int32Array): Grouping {
  const sizes = new Float64Array(groups);
  for (const group of of) sizes[group]!++;
  return { groups, of, sizes };
}

/** Sums of a column of per-query values over groups. */
export function groupSums(values: ArrayLike<number>, { groups, of }: Grouping): Float64Array {
  const sums = new Float64Array(groups);
  for (let q = 0; q < of.length; q++) sums[of[q]!]! += values[q]!;
  return sums;
}

/**
 * Bootstrap replicates of the mean of every column: one array of `resamples` values a column, equal positions sharing a
 * resample. `columns` are sums over groups, `sizes` the queries of each group.
 */
export function bootstrapMeans(
  columns: readonly Float64Array[],
  sizes: Float64Array,
  resamples: number,
  random: RandomStream,
): Float64Array[] {
  const groups = sizes.length;
  const even = sizes.every((size) => size === sizes[0]);
  // The number of queries drawn is one more column where groups differ in size; columns go four at a time, so that the
  // additions of one do not wait for those of another.
  const all = even ? [...columns] : [...columns, sizes];
  const nothing = new Float64Array(groups);
  const spare = new Float64Array(resamples);
  const sums = all.map(() => new Float64Array(resamples));
  const draws = new Int32Array(groups);
  const scale = groups / 0x100000000;
  for (let b = 0; b < resamples; b++) {
    for (let i = 0; i < groups; i++) draws[i] = random.uint32() * scale;
    for (let c = 0; c < all.length; c += 4) {
      addDrawn(
        draws, b,
        all[c]!, all[c + 1] ?? nothing, all[c + 2] ?? nothing, all[c + 3] ?? nothing,
        sums[c]!, sums[c + 1] ?? spare, sums[c + 2] ?? spare, sums[c + 3] ?? spare,
      ); // biome-ignore format: columns under columns
    }
  }
  const queries = even ? groups * (sizes[0] ?? 0) : 0;
  const drawn = even ? undefined : sums.pop()!;
  for (const column of sums) {
    for (let b = 0; b < resamples; b++) column[b]! /= drawn === undefined ? queries : drawn[b]!;
  }
  return sums;
}

function addDrawn(
  draws: Int32Array,
  b: number,
  c0: Float64Array,
  c1: Float64Array,
  c2: Float64Array,
  c3: Float64Array,
  out0: Float64Array,
  out1: Float64Array,
  out2: Float64Array,
  out3: Float64Array,
): void {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let i = 0; i < draws.length; i++) {
    const group = draws[i]!;
    s0 += c0[group]!;
    s1 += c1[group]!;
    s2 += c2[group]!;
    s3 += c3[group]!;
  }
  out0[b] = s0;
  out1[b] = s1;
  out2[b] = s2;
  out3[b] = s3;
}

/** Sums of every column under `flips` random assignments of signs to groups, shared by all columns. */
export function flippedSums(columns: readonly Float64Array[], flips: number, random: RandomStream): Float64Array[] {
  const groups = columns[0]?.length ?? 0;
  const sums = columns.map(() => new Float64Array(flips));
  const signs = new Uint8Array(flips);
  const table = new Float64Array(256);
  for (let from = 0; from < groups; from += 8) {
    for (let b = 0; b < flips; b += 4) {
      const bits = random.uint32();
      signs[b] = bits;
      signs[b + 1] = bits >>> 8;
      signs[b + 2] = bits >>> 16;
      signs[b + 3] = bits >>> 24;
    }
    columns.forEach((column, c) => {
      let all = 0;
      for (let bit = 0; bit < 8; bit++) all += column[from + bit] ?? 0;
      table[0] = -all;
      for (let mask = 1; mask < 256; mask++) {
        const lowest = 31 - Math.clz32(mask & -mask);
        table[mask] = table[mask & (mask - 1)]! + 2 * (column[from + lowest] ?? 0);
      }
      const out = sums[c]!;
      for (let b = 0; b < flips; b++) out[b]! += table[signs[b]!]!;
    });
  }
  return sums;
}

/** Share of all 2^n sign assignments whose absolute sum reaches that of the values themselves. For few values only. */
export function exactFlipShare(values: readonly number[]): number {
  let observed = 0;
  let size = 0;
  for (const value of values) {
    observed += value;
    size += Math.abs(value);
  }
  const least = Math.abs(observed) - 1e-12 * size;
  // By symmetry the first sign may stay; Gray code changes one of the others at a time.
  const others = values.length - 1;
  const signs = new Int8Array(values.length).fill(1);
  let sum = observed;
  let reached = Math.abs(sum) >= least ? 1 : 0;
  const assignments = 2 ** Math.max(0, others);
  for (let code = 1; code < assignments; code++) {
    const place = 1 + (31 - Math.clz32(code & -code));
    sum -= 2 * signs[place]! * values[place]!;
    signs[place]! *= -1;
    if (Math.abs(sum) >= least) reached++;
  }
  return reached / assignments;
}

/** The streams of one table of statistics: named, so that the same seed gives the same resamples in every table. */
export function resamplingStreams(seed: number): Record<'merge' | 'bootstrap' | 'flips' | 'seeds', RandomStream> {
  return {
    merge: stream(seed, 'statistics', 'merge'),
    bootstrap: stream(seed, 'statistics', 'bootstrap'),
    flips: stream(seed, 'statistics', 'flips'),
    seeds: stream(seed, 'statistics', 'seeds'),
  };
}
