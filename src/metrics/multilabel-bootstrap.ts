/**
 * Resampling of predicted label sets by families of documents: bootstrap replicates of every measure of multilabel.ts, and a
 * paired test of two systems.
 *
 * Bootstrap: each resample draws as many clusters as there are, with replacement. Labels' counts of a resample are sums of
 * clusters' counts times how often each was drawn, over the labels that occur; all measures come from them in one pass. Equal seed
 * and clusters give equal draws, so that systems share their resamples. The jackknife leaves out one cluster at a time and
 * recomputes only the labels that occur in it.
 * Cost: resamples x (clusters + labels that occur or were predicted in all documents + labels).
 *
 * Swap test: under the hypothesis that two systems are exchangeable, a family's predictions may as well be swapped between
 * them; p is the share of assignments whose absolute difference of the measure, computed anew, reaches the observed one: all
 * 2^m where m <= 13 families differ, else (1 + reached)/(1 + B) over B random ones. Its level is exact for any measure and
 * any number of families (Noreen 1989; Yeh 2000).
 */
import { checkPredictions, type LabelSets } from './label-sets.ts';
import {
  addLabel,
  countLabels,
  eachEvent,
  type LabelCounts,
  type MultilabelMeasure,
  metricsOfCounts,
  metricsOfSums,
  multilabelMeasures,
  ratio,
  rowLength,
  sumLabels,
} from './multilabel.ts';
import type { ReplicatedValue } from './replicates.ts';
import { type Grouping, groupQueries, resamplingStreams } from './resample.ts';
import { defaultResamples, flipsFor, mostExactClusters } from './significance.ts';

export interface MultilabelResampling {
  /** Default 1. */
  seed?: number;
  /** Default 10,000. */
  resamples?: number;
}

/** Resamples computed side by side: their weights of a cluster lie next to one another. */
const lanes = 4;

/** Every measure with its values on resamples; `clusters` names the family of each document, each its own where undefined. */
export function bootstrapMultilabel(
  truth: LabelSets,
  predicted: LabelSets,
  labels: number,
  clusters?: ArrayLike<number>,
  { seed = 1, resamples = defaultResamples }: MultilabelResampling = {},
): Record<MultilabelMeasure, ReplicatedValue> {
  const counts = countLabels(truth, predicted, labels);
  const grouping = groupQueries(counts.documents, clusters);
  const { groups } = grouping;
  const enough = groups >= 2;
  const values = metricsOfCounts(counts);
  const results = recordOf(
    (measure): ReplicatedValue => ({
      value: values[measure],
      replicates: new Float64Array(enough ? resamples : 0),
      ...(enough ? { jackknife: new Float64Array(groups) } : {}),
      clusters: groups,
      documents: counts.documents,
    }),
  );
  if (!enough) return results;
  const documents = documentSums(truth, predicted, grouping);
  leaveOut(truth, predicted, counts, grouping, documents, (group, metrics) => {
    for (const measure of multilabelMeasures) results[measure].jackknife![group] = metrics[measure];
  });
  const events = eventsByLabel(truth, predicted, labels, grouping);
  const random = resamplingStreams(seed).bootstrap;
  const weights = new Int32Array(groups * lanes);
  const sums = new Float64Array(3 * labels * lanes);
  const own = emptyCounts(labels);
  const scale = groups / 0x100000000;
  for (let from = 0; from < resamples; from += lanes) {
    const wide = Math.min(lanes, resamples - from);
    weights.fill(0);
    for (let lane = 0; lane < wide; lane++) {
      for (let i = 0; i < groups; i++) weights[Math.floor(random.uint32() * scale) * lanes + lane]!++;
    }
    sumLists(events, weights, sums);
    for (let lane = 0; lane < wide; lane++) {
      for (let l = 0, at = lane; l < labels; l++, at += 3 * lanes) {
        const shared = sums[at]!;
        own.truePositives[l] = shared;
        own.support[l] = shared + sums[at + lanes]!;
        own.predicted[l] = shared + sums[at + 2 * lanes]!;
      }
      [own.documents, own.f1Sum, own.exact] = [0, 0, 0];
      for (let g = 0, at = lane; g < groups; g++, at += lanes) {
        const times = weights[at]!;
        own.documents += times * documents.sizes[g]!;
        own.f1Sum += times * documents.f1[g]!;
        own.exact += times * documents.exact[g]!;
      }
      const metrics = metricsOfCounts(own);
      for (const measure of multilabelMeasures) results[measure].replicates[from + lane] = metrics[measure];
    }
  }
  return results;
}

export interface SwapTestInput {
  truth: LabelSets;
  /** One a system, for the same documents. */
  predictions: readonly LabelSets[];
  labels: number;
  /** Family of each document, by any number; each document its own where undefined. */
  clusters?: ArrayLike<number> | undefined;
  /** Default 1. */
  seed?: number;
  /** Random assignments of a pair, at least. Default 10,000. */
  resamples?: number;
}

/** Per measure the `test` that `compareReplicated` takes; a pair is computed when first asked for, for all measures at once. */
export function swapTest(input: SwapTestInput): (measure: MultilabelMeasure) => (a: number, b: number) => number {
  const { truth, predictions, labels, clusters, seed = 1, resamples = defaultResamples } = input;
  for (const predicted of predictions) checkPredictions(truth, predicted, labels);
  const grouping = groupQueries(truth.offsets.length - 1, clusters);
  const flips = flipsFor((predictions.length * (predictions.length - 1)) / 2, resamples);
  const known = new Map<number, Record<MultilabelMeasure, number>>();
  return (measure) => (a, b) => {
    const [first, second] = [predictions[a], predictions[b]];
    if (first === undefined || second === undefined) {
      throw new RangeError(`systems ${a} and ${b} are not among ${predictions.length}`);
    }
    const pair = Math.min(a, b) * predictions.length + Math.max(a, b);
    let shares = known.get(pair);
    if (shares === undefined) {
      shares = swapShares({ truth, first, second, labels, grouping, flips, seed });
      known.set(pair, shares);
    }
    return shares[measure];
  };
}

/** p of every measure for one pair of systems. */
function swapShares(pair: {
  truth: LabelSets;
  first: LabelSets;
  second: LabelSets;
  labels: number;
  grouping: Grouping;
  flips: number;
  seed: number;
}): Record<MultilabelMeasure, number> {
  const { truth, first, second, labels, grouping, flips, seed } = pair;
  const [ownA, ownB] = [countLabels(truth, first, labels), countLabels(truth, second, labels)];
  const { lists, families } = differences(truth, first, second, labels, grouping);
  const count = families.length;
  if (count === 0) return recordOf(() => 1);
  const [documentsA, documentsB] = [first, second].map((predicted) => documentSums(truth, predicted, grouping));
  const f1 = families.map((g) => documentsB!.f1[g]! - documentsA!.f1[g]!);
  const exact = families.map((g) => documentsB!.exact[g]! - documentsA!.exact[g]!);
  const [a, b] = [emptyCounts(labels), emptyCounts(labels)];
  a.documents = b.documents = ownA.documents;
  const sums = new Float64Array(listsALabel * labels * lanes);
  /** Differences of all measures after swapping the families whose weight in a lane is 1. */
  const differencesOf = (swapped: Int32Array, lane: number): Record<MultilabelMeasure, number> => {
    for (let l = 0, at = lane; l < labels; l++, at += listsALabel * lanes) {
      const gainedRight = sums[at]! - sums[at + lanes]!;
      const gained = gainedRight + sums[at + 2 * lanes]! - sums[at + 3 * lanes]!;
      a.support[l] = b.support[l] = ownA.support[l]!;
      a.truePositives[l] = ownA.truePositives[l]! + gainedRight;
      b.truePositives[l] = ownB.truePositives[l]! - gainedRight;
      a.predicted[l] = ownA.predicted[l]! + gained;
      b.predicted[l] = ownB.predicted[l]! - gained;
    }
    let [movedF1, movedExact] = [0, 0];
    for (let i = 0; i < count; i++) {
      const times = swapped[i * lanes + lane]!;
      movedF1 += times * f1[i]!;
      movedExact += times * exact[i]!;
    }
    [a.f1Sum, b.f1Sum] = [ownA.f1Sum + movedF1, ownB.f1Sum - movedF1];
    [a.exact, b.exact] = [ownA.exact + movedExact, ownB.exact - movedExact];
    const [x, y] = [metricsOfCounts(a), metricsOfCounts(b)];
    return recordOf((measure) => Math.abs(x[measure] - y[measure]));
  };
  const swapped = new Int32Array(count * lanes);
  // Equal sums added in another order may differ in the last bits: they count as reached.
  const observed = differencesOf(swapped, 0);
  const least = recordOf((measure) => observed[measure] - 1e-10);
  const reached = recordOf(() => 0);
  // By symmetry the first family may stay where all assignments are tried.
  const every = count <= mostExactClusters;
  const assignments = every ? 2 ** (count - 1) : flips;
  const random = resamplingStreams(seed).flips;
  for (let from = 0; from < assignments; from += lanes) {
    const wide = Math.min(lanes, assignments - from);
    for (let lane = 0; lane < wide; lane++) {
      let bits = every ? (from + lane) * 2 : 0;
      for (let i = 0; i < count; i++) {
        if (!every && i % 32 === 0) bits = random.uint32();
        swapped[i * lanes + lane] = bits & 1;
        bits >>>= 1;
      }
    }
    sumLists(lists, swapped, sums);
    for (let lane = 0; lane < wide; lane++) {
      const values = differencesOf(swapped, lane);
      for (const measure of multilabelMeasures) if (values[measure] >= least[measure]) reached[measure]++;
    }
  }
  return recordOf((measure) => (every ? reached[measure] / assignments : (1 + reached[measure]) / (1 + assignments)));
}

/**
 * Where two systems' predictions differ: of each label four lists of families (numbered among those that differ), a document once
 * each: rightly predicted by the second system only, rightly by the first only, wrongly by the second only, by the first only.
 */
function differences(truth: LabelSets, first: LabelSets, second: LabelSets, labels: number, { of, groups }: Grouping) {
  const number = new Int32Array(groups).fill(-1);
  const families: number[] = [];
  const entries: [list: number, family: number][] = [];
  for (let d = 0; d < of.length; d++) {
    const group = of[d]!;
    let t = truth.offsets[d]!;
    const end = truth.offsets[d + 1]!;
    eachEvent(first, second, d, (label, inFirst, inSecond) => {
      if (inFirst && inSecond) return;
      while (t < end && truth.codes[t]! < label) t++;
      const right = t < end && truth.codes[t] === label;
      if (number[group] === -1) number[group] = families.push(group) - 1;
      entries.push([label * listsALabel + (right ? 0 : 2) + (inSecond ? 0 : 1), number[group]!]);
    });
  }
  return { lists: listsOf(entries, labels * listsALabel), families };
}

const listsALabel = 4;

/** Lists of groups, one after another. */
interface Lists {
  starts: Uint32Array;
  groups: Int32Array;
}

function listsOf(entries: readonly (readonly [list: number, group: number])[], count: number): Lists {
  const starts = new Uint32Array(count + 1);
  for (const [list] of entries) starts[list + 1]!++;
  for (let i = 0; i < count; i++) starts[i + 1]! += starts[i]!;
  const groups = new Int32Array(entries.length);
  const filled = starts.slice();
  for (const [list, group] of entries) groups[filled[list]!++] = group;
  return { starts, groups };
}

/** Sums of `weights` [groups, lanes] over each list, into [lists, lanes]. */
function sumLists({ starts, groups }: Lists, weights: Int32Array, sums: Float64Array): void {
  for (let list = 0; list + 1 < starts.length; list++) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    const end = starts[list + 1]!;
    for (let i = starts[list]!; i < end; i++) {
      const at = groups[i]! * lanes;
      s0 = (s0 + weights[at]!) | 0;
      s1 = (s1 + weights[at + 1]!) | 0;
      s2 = (s2 + weights[at + 2]!) | 0;
      s3 = (s3 + weights[at + 3]!) | 0;
    }
    const out = list * lanes;
    sums[out] = s0;
    sums[out + 1] = s1;
    sums[out + 2] = s2;
    sums[out + 3] = s3;
  }
}

/** Of each label the groups of documents that have it and were given it, only have it, only were given it. */
function eventsByLabel(truth: LabelSets, predicted: LabelSets, labels: number, { of }: Grouping): Lists {
  const entries: [list: number, group: number][] = [];
  for (let d = 0; d < of.length; d++) {
    eachEvent(truth, predicted, d, (label, inTruth, inPredicted) => {
      entries.push([3 * label + (inTruth ? (inPredicted ? 0 : 1) : 2), of[d]!]);
    });
  }
  return listsOf(entries, 3 * labels);
}

/** Per group: documents, sum of their F1, documents with exactly their labels. */
function documentSums(truth: LabelSets, predicted: LabelSets, { groups, of, sizes }: Grouping) {
  const [f1, exact] = [new Float64Array(groups), new Float64Array(groups)];
  for (let d = 0; d < of.length; d++) {
    const shared = eachEvent(truth, predicted, d, () => {});
    const [has, guessed] = [rowLength(truth, d), rowLength(predicted, d)];
    f1[of[d]!]! += ratio(2 * shared, has + guessed);
    if (shared === has && shared === guessed) exact[of[d]!]!++;
  }
  return { sizes, f1, exact };
}

/** All measures with one group left out, group by group. */
function leaveOut(
  truth: LabelSets,
  predicted: LabelSets,
  counts: LabelCounts,
  { groups, of }: Grouping,
  documents: ReturnType<typeof documentSums>,
  use: (group: number, metrics: Record<MultilabelMeasure, number>) => void,
): void {
  const labels = counts.support.length;
  const all = sumLabels(counts);
  const left = { ...counts, support: counts.support.slice(), predicted: counts.predicted.slice() };
  left.truePositives = counts.truePositives.slice();
  const members = listsOf(
    Array.from(of, (group, d) => [group, d] as const),
    groups,
  );
  const touched = new Set<number>();
  for (let g = 0; g < groups; g++) {
    touched.clear();
    for (let i = members.starts[g]!; i < members.starts[g + 1]!; i++) {
      eachEvent(truth, predicted, members.groups[i]!, (label, inTruth, inPredicted) => {
        touched.add(label);
        if (inTruth) left.support[label]!--;
        if (inPredicted) left.predicted[label]!--;
        if (inTruth && inPredicted) left.truePositives[label]!--;
      });
    }
    const sums = { ...all };
    sums.documents -= documents.sizes[g]!;
    sums.f1Sum -= documents.f1[g]!;
    sums.exact -= documents.exact[g]!;
    for (const l of touched) {
      addLabel(sums, counts.support[l]!, counts.predicted[l]!, counts.truePositives[l]!, -1);
      addLabel(sums, left.support[l]!, left.predicted[l]!, left.truePositives[l]!, 1);
      left.support[l] = counts.support[l]!;
      left.predicted[l] = counts.predicted[l]!;
      left.truePositives[l] = counts.truePositives[l]!;
    }
    use(g, metricsOfSums(sums, labels));
  }
}

function emptyCounts(labels: number): LabelCounts {
  return {
    support: new Float64Array(labels),
    predicted: new Float64Array(labels),
    truePositives: new Float64Array(labels),
    documents: 0,
    f1Sum: 0,
    exact: 0,
  };
}

function recordOf<Value>(value: (measure: MultilabelMeasure) => Value): Record<MultilabelMeasure, Value> {
  return Object.fromEntries(multilabelMeasures.map((measure) => [measure, value(measure)])) as Record<
    MultilabelMeasure,
    Value
  >;
}
