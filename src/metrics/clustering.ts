/**
 * Agreement of a clustering with given classes, equal to scikit-learn's measures. With the contingency table n_ij of classes
 * and clusters, its sums a_i and b_j, N documents, entropies H and mutual information MI (natural logarithms):
 *
 *   homogeneity  MI / H(class)           completeness  MI / H(cluster), each 1 where the entropy is 0
 *   V-measure    2 h c / (h + c)         NMI           MI / mean(H(class), H(cluster)), which is the V-measure
 *   AMI          (MI - E) / (mean(H(class), H(cluster)) - E), E the expected MI of random tables with these sums (Vinh 2010)
 *   ARI          pairs of documents, corrected for chance (Hubert & Arabie 1985)
 *   purity       share of documents in the most frequent class of their cluster
 *
 * Equal partitions have AMI, ARI and NMI 1, also where all documents are one cluster or each its own; one class against several
 * clusters, or the reverse, has AMI and NMI 0. No document is an input error.
 *
 * E is exact. n_ij is hypergeometric given the sums: its probabilities follow from one another by a recurrence, started at
 * the mode and carried outwards until they no longer count, and are divided by their sum, which needs no factorials and
 * loses no digits at large N. Pairs of equal sums are computed once. Cost: pairs of distinct sums times the width of their
 * distributions, at most about N log N, where the usual sum over all tables grows with classes x clusters x N.
 */
import { inputError } from '../base/errors.ts';

export const clusteringMeasures = ['vMeasure', 'homogeneity', 'completeness', 'ari', 'ami', 'nmi', 'purity'] as const;
export type ClusteringMeasure = (typeof clusteringMeasures)[number];
export type ClusteringMetrics = Record<ClusteringMeasure, number>;

/** Which documents share class and cluster: the cells that hold at least one. */
export interface ContingencyTable {
  classes: number;
  clusters: number;
  /** [cells] */
  cellClass: Int32Array;
  cellCluster: Int32Array;
  /** [cells] documents of each. */
  counts: Float64Array;
  /** [documents] cell of each. */
  cellOf: Int32Array;
}

/** All measures; classes and clusters are named by any integers. */
export function clusteringMetrics(truth: ArrayLike<number>, assigned: ArrayLike<number>): ClusteringMetrics {
  return tableMetrics(contingencyTable(truth, assigned));
}

/** Counts documents by class and cluster. Throws where there is no document, or not one cluster a document. */
export function contingencyTable(truth: ArrayLike<number>, assigned: ArrayLike<number>): ContingencyTable {
  const documents = truth.length;
  if (documents === 0 || assigned.length !== documents) {
    throw inputError('there is not one cluster a document', {
      code: 'clustering.documents',
      field: 'assigned',
      expected: documents === 0 ? 'at least one document' : `${documents} numbers`,
      found: String(assigned.length),
    });
  }
  const [rows, columns] = [numbered(truth), numbered(assigned)];
  const cellOf = new Int32Array(documents);
  const cells = new Map<number, number>();
  const [cellClass, cellCluster, counts]: [number[], number[], number[]] = [[], [], []];
  for (let d = 0; d < documents; d++) {
    const key = rows.of[d]! * columns.count + columns.of[d]!;
    let cell = cells.get(key);
    if (cell === undefined) {
      cell = cells.size;
      cells.set(key, cell);
      cellClass.push(rows.of[d]!);
      cellCluster.push(columns.of[d]!);
      counts.push(0);
    }
    cellOf[d] = cell;
    counts[cell]!++;
  }
  return {
    classes: rows.count,
    clusters: columns.count,
    cellClass: Int32Array.from(cellClass),
    cellCluster: Int32Array.from(cellCluster),
    counts: Float64Array.from(counts),
    cellOf,
  };
}

/**
 * All measures of a table with other counts (whole numbers, not all 0), as bootstrap weights make them; classes, clusters and
 * cells that these leave empty are not there.
 */
export function tableMetrics(table: ContingencyTable, counts: Float64Array = table.counts): ClusteringMetrics {
  const { cellClass, cellCluster } = table;
  const rowSums = new Float64Array(table.classes);
  const columnSums = new Float64Array(table.clusters);
  const most = new Float64Array(table.clusters);
  let [documents, cells] = [0, 0];
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count === 0) continue;
    cells++;
    documents += count;
    rowSums[cellClass[i]!]! += count;
    const cluster = cellCluster[i]!;
    columnSums[cluster]! += count;
    if (count > most[cluster]!) most[cluster] = count;
  }
  const [rows, columns] = [rowSums, columnSums].map((sums) => sums.filter((sum) => sum > 0)) as [
    Float64Array,
    Float64Array,
  ];
  const equal = cells === rows.length && cells === columns.length;
  const [ofClass, ofCluster] = [entropy(rows, documents), entropy(columns, documents)];
  let mutual = 0;
  if (rows.length > 1 && columns.length > 1) {
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i]!;
      if (count === 0) continue;
      const [a, b] = [rowSums[cellClass[i]!]!, columnSums[cellCluster[i]!]!];
      mutual += (count / documents) * Math.log((count / a) * (documents / b));
    }
    // Independent tables sum to rounding errors of either sign.
    mutual = mutual < 1e-15 ? 0 : mutual;
  }
  const homogeneity = ofClass === 0 ? 1 : equal ? 1 : mutual / ofClass;
  const completeness = ofCluster === 0 ? 1 : equal ? 1 : mutual / ofCluster;
  const vMeasure = equal
    ? 1
    : homogeneity + completeness === 0
      ? 0
      : (2 * homogeneity * completeness) / (homogeneity + completeness);
  let ami = equal ? 1 : 0;
  if (!equal && rows.length > 1 && columns.length > 1) {
    const expected = expectedMutualInformation(rows, columns, documents);
    ami = (mutual - expected) / ((ofClass + ofCluster) / 2 - expected);
  }
  return {
    vMeasure,
    homogeneity,
    completeness,
    ari: adjustedRand(counts, rows, columns, documents),
    ami,
    nmi: vMeasure,
    purity: sumOf(most) / documents,
  };
}

/** Expected mutual information of tables with these sums and hypergeometric cells; 0 for a single class or cluster. */
export function expectedMutualInformation(rows: Float64Array, columns: Float64Array, documents: number): number {
  if (rows.length < 2 || columns.length < 2) return 0;
  const [rowSizes, columnSizes] = [multiplicities(rows), multiplicities(columns)];
  const largest = Math.min(largestOf(rows), largestOf(columns));
  const logs = new Float64Array(largest + 1);
  for (let n = 1; n <= largest; n++) logs[n] = Math.log(n);
  let expected = 0;
  for (const [a, timesA] of rowSizes) {
    for (const [b, timesB] of columnSizes) {
      expected += timesA * timesB * expectedCell(a, b, documents, logs);
    }
  }
  return expected;
}

/** E[n/N log(N n / (a b))] of a hypergeometric n: a draws from N documents of which b count. */
function expectedCell(a: number, b: number, documents: number, logs: Float64Array): number {
  const constant = Math.log(documents / a / b);
  const lowest = Math.max(0, a + b - documents);
  const highest = Math.min(a, b);
  const rest = documents - a - b;
  const mode = Math.min(highest, Math.max(lowest, Math.floor(((a + 1) * (b + 1)) / (documents + 2))));
  const negligible = 1e-20;
  let total = 1;
  let sum = mode * (logs[mode]! + constant);
  for (let n = mode, share = 1; n < highest && share > negligible; ) {
    share *= ((a - n) * (b - n)) / ((n + 1) * (rest + n + 1));
    n++;
    total += share;
    sum += share * n * (logs[n]! + constant);
  }
  for (let n = mode, share = 1; n > lowest && share > negligible; ) {
    share *= (n * (rest + n)) / ((a - n + 1) * (b - n + 1));
    n--;
    total += share;
    sum += share * n * (logs[n]! + constant);
  }
  return sum / total / documents;
}

function adjustedRand(counts: Float64Array, rows: Float64Array, columns: Float64Array, documents: number): number {
  const [cells, byClass, byCluster] = [counts, rows, columns].map(sumOfSquares) as [number, number, number];
  // Ordered pairs: together in both, in clusters only, in classes only, in neither.
  const both = cells - documents;
  const clusterOnly = byCluster - cells;
  const classOnly = byClass - cells;
  const neither = documents ** 2 - clusterOnly - classOnly - cells;
  if (clusterOnly === 0 && classOnly === 0) return 1;
  return (
    (2 * (both * neither - classOnly * clusterOnly)) /
    ((both + classOnly) * (classOnly + neither) + (both + clusterOnly) * (clusterOnly + neither))
  );
}

/** Numbers 0, 1, ... in the order of first appearance. */
function numbered(names: ArrayLike<number>): { of: Int32Array; count: number } {
  const numbers = new Map<number, number>();
  const of = new Int32Array(names.length);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    let number = numbers.get(name);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(name, number);
    }
    of[i] = number;
  }
  return { of, count: numbers.size };
}

function multiplicities(sizes: Float64Array): Map<number, number> {
  const times = new Map<number, number>();
  for (const size of sizes) times.set(size, (times.get(size) ?? 0) + 1);
  return times;
}

function entropy(sizes: Float64Array, documents: number): number {
  if (sizes.length < 2) return 0;
  let sum = 0;
  for (const size of sizes) sum -= (size / documents) * Math.log(size / documents);
  return sum;
}

function largestOf(sizes: Float64Array): number {
  return sizes.reduce((most, size) => Math.max(most, size), 0);
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
