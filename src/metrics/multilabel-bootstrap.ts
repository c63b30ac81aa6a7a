/**
 * Resampling of predicted label sets by families of documents: bootstrap replicates of every measure of multilabel.ts, and a
 * paired test of two systems.
 *
 * Bootstrap: each resample draws as many clusters as there are, with replacement. Labels' counts of a resample are sums of
 * clusters' counts times how often each was drawn, over the labels that occur (lane-sums.ts); all measures come from them in one
 * pass. Equal seed and clusters give equal draws, so that systems share their resamples. The jackknife leaves out one cluster at
 * a time and recomputes only the labels that occur in it.
 * Cost: resamples x (clusters + labels that occur or were predicted in all documents + labels); the draws,
 * which all predictions of one call share, cost most.
 *
 * Swap test: under the hypothesis that two systems are exchangeable, a family's predictions may as well be swapped between
 * them; p is the share of assignments whose absolute difference of the measure, computed anew, reaches the observed one: all
 * 2^m where m <= 13 families differ, else (1 + reached)/(1 + B) over B random ones. Its level is exact for any measure and
 * any number of families (Noreen 1989; Yeh 2000).
 */
import { checkPredictions, type LabelSets } from './label-sets.ts';
import { LaneSums, LaneWeights, listsOf } from './lane-sums.ts';
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

/** Predictions of one system, or at one level of the labels. */
export interface LabelledPredictions {
  truth: LabelSets;
  predicted: LabelSets;
  labels: number;
  /** The first so many resamples only. */
  resamples?: number;
}

/** Every measure with its values on resamples; `clusters` names the family of each document, each its own where undefined. */
export function bootstrapMultilabel(
  truth: LabelSets,
  predicted: LabelSets,
  labels: number,
  clusters?: ArrayLike<number>,
  options: MultilabelResampling = {},
): Record<MultilabelMeasure, ReplicatedValue> {
  return bootstrapMultilabels([{ truth, predicted, labels }], clusters, options)[0]!;
}

/** `bootstrapMultilabel` of several predictions for the same documents, whose resamples are drawn once. */
export function bootstrapMultilabels(
  all: readonly LabelledPredictions[],
  clusters?: ArrayLike<number>,
  { seed = 1, resamples = defaultResamples }: MultilabelResampling = {},
): Record<MultilabelMeasure, ReplicatedValue>[] {
  const documents = (all[0]?.truth.offsets.length ?? 1) - 1;
  const grouping = groupQueries(documents, clusters);
  const { groups } = grouping;
  const enough = groups >= 2;
  const largest = groups * grouping.sizes.reduce((most, size) => Math.max(most, size), 0);
  const weights = new LaneWeights(groups, largest);
  const open = all.map((one) => {
    const { truth, predicted, labels } = one;
    const counts = countLabels(truth, predicted, labels);
    if (counts.documents !== documents)
      throw new RangeError(`the same documents for all: ${counts.documents} in place of ${documents}`);
    const values = metricsOfCounts(counts);
    const wanted = enough ? Math.min(resamples, one.resamples ?? resamples) : 0;
    const results = recordOf(
      (measure): ReplicatedValue => ({
        value: values[measure],
        replicates: new Float64Array(wanted),
        ...(enough ? { jackknife: new Float64Array(groups) } : {}),
        clusters: groups,
        documents,
      }),
    );
    if (!enough) return { results, wanted };
    const families = familiesOf(truth, predicted, grouping);
    leaveOut(counts, families, (group, metrics) => {
      for (const measure of multilabelMeasures) results[measure].jackknife![group] = metrics[measure];
    });
    return { results, wanted, resampled: new ResampledCounts(families, labels, weights) };
  });
  const most = Math.max(0, ...open.map(({ wanted }) => wanted));
  const random = resamplingStreams(seed).bootstrap;
  const numbers = new Uint32Array(groups);
  for (let from = 0; from < most; from += weights.lanes) {
    for (let lane = 0; lane < Math.min(weights.lanes, most - from); lane++) {
      random.fill(numbers);
      weights.addDrawn(lane, numbers);
    }
    const drawn = weights.take();
    for (const { results, wanted, resampled } of open) {
      if (wanted <= from) continue;
      resampled!.draw(drawn);
      for (let lane = 0; lane < Math.min(weights.lanes, wanted - from); lane++) {
        const metrics = metricsOfCounts(resampled!.counts(lane));
        for (const measure of multilabelMeasures) results[measure].replicates[from + lane] = metrics[measure];
      }
    }
  }
  return open.map(({ results }) => results);
}

/** Counts of one system's predictions on the resamples of a block. */
class ResampledCounts {
  private readonly sums: LaneSums;
  private readonly kinds: readonly DocumentSums[];
  private readonly own: LabelCounts;

  constructor(families: readonly Family[], labels: number, weights: LaneWeights) {
    // Of each label three lists (see `Family.events`), then of each kind of family, the same in what it adds to the measures of
    // documents, its families.
    const entries: [list: number, family: number][] = [];
    const kinds = new Map<string, DocumentSums & { list: number }>();
    families.forEach(({ events, size, f1, exact }, family) => {
      for (const event of events) entries.push([event, family]);
      const name = `${size} ${f1} ${exact}`;
      const kind = kinds.get(name) ?? { size, f1, exact, list: 3 * labels + kinds.size };
      kinds.set(name, kind);
      entries.push([kind.list, family]);
    });
    this.sums = new LaneSums(listsOf(entries, 3 * labels + kinds.size), weights);
    this.kinds = [...kinds.values()];
    this.own = emptyCounts(labels);
  }

  /** Weights as `LaneWeights` gives them. */
  draw(weights: Int32Array): void {
    this.sums.compute(weights);
  }

  /** Of one resample; valid until the next call. */
  counts(lane: number): LabelCounts {
    const { sums, own, kinds } = this;
    const labels = own.support.length;
    for (let l = 0; l < labels; l++) {
      const shared = sums.at(3 * l, lane);
      own.truePositives[l] = shared;
      own.support[l] = shared + sums.at(3 * l + 1, lane);
      own.predicted[l] = shared + sums.at(3 * l + 2, lane);
    }
    [own.documents, own.f1Sum, own.exact] = [0, 0, 0];
    for (let k = 0; k < kinds.length; k++) {
      const times = sums.at(3 * labels + k, lane);
      own.documents += times * kinds[k]!.size;
      own.f1Sum += times * kinds[k]!.f1;
      own.exact += times * kinds[k]!.exact;
    }
    return own;
  }
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
  const weights = new LaneWeights(count, a.documents);
  const sums = new LaneSums(lists, weights);
  const swapped = Array.from({ length: weights.lanes }, () => new Int32Array(count));
  /** Differences of all measures after swapping the families of a lane. */
  const differencesOf = (lane: number, families: Int32Array): Record<MultilabelMeasure, number> => {
    for (let l = 0; l < labels; l++) {
      const gainedRight = sums.at(listsALabel * l, lane) - sums.at(listsALabel * l + 1, lane);
      const gained = gainedRight + sums.at(listsALabel * l + 2, lane) - sums.at(listsALabel * l + 3, lane);
      a.support[l] = b.support[l] = ownA.support[l]!;
      a.truePositives[l] = ownA.truePositives[l]! + gainedRight;
      b.truePositives[l] = ownB.truePositives[l]! - gainedRight;
      a.predicted[l] = ownA.predicted[l]! + gained;
      b.predicted[l] = ownB.predicted[l]! - gained;
    }
    let [movedF1, movedExact] = [0, 0];
    for (const i of families) {
      movedF1 += f1[i]!;
      movedExact += exact[i]!;
    }
    [a.f1Sum, b.f1Sum] = [ownA.f1Sum + movedF1, ownB.f1Sum - movedF1];
    [a.exact, b.exact] = [ownA.exact + movedExact, ownB.exact - movedExact];
    const [x, y] = [metricsOfCounts(a), metricsOfCounts(b)];
    return recordOf((measure) => Math.abs(x[measure] - y[measure]));
  };
  // Equal sums added in another order may differ in the last bits: they count as reached.
  const observed = differencesOf(0, new Int32Array(0));
  const least = recordOf((measure) => observed[measure] - 1e-10);
  const reached = recordOf(() => 0);
  // By symmetry the first family may stay where all assignments are tried.
  const every = count <= mostExactClusters;
  const assignments = every ? 2 ** (count - 1) : flips;
  const random = resamplingStreams(seed).flips;
  for (let from = 0; from < assignments; from += weights.lanes) {
    const wide = Math.min(weights.lanes, assignments - from);
    const chosen = swapped.slice(0, wide).map((own, lane) => {
      let bits = every ? (from + lane) * 2 : 0;
      let some = 0;
      for (let i = 0; i < count; i++) {
        if (!every && i % 32 === 0) bits = random.uint32();
        own[some] = i;
        some += bits & 1;
        bits >>>= 1;
      }
      return own.subarray(0, some);
    });
    chosen.forEach((families, lane) => {
      weights.add(lane, families);
    });
    sums.compute(weights.take());
    chosen.forEach((families, lane) => {
      const values = differencesOf(lane, families);
      for (const measure of multilabelMeasures) if (values[measure] >= least[measure]) reached[measure]++;
    });
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

/** What a family adds to the measures of documents. */
interface DocumentSums {
  /** Documents. */
  size: number;
  /** Sum of their F1. */
  f1: number;
  /** Documents with exactly their labels. */
  exact: number;
}

interface Family extends DocumentSums {
  /** Of each label of each document 3 x label, + 0 where it has the label and was given it, + 1 only has, + 2 only given. */
  events: number[];
}

/** One a group. */
function familiesOf(truth: LabelSets, predicted: LabelSets, grouping: Grouping): Family[] {
  const { sizes, f1, exact } = documentSums(truth, predicted, grouping);
  const families = Array.from(sizes, (size, g): Family => ({ size, f1: f1[g]!, exact: exact[g]!, events: [] }));
  grouping.of.forEach((group, d) => {
    const { events } = families[group]!;
    eachEvent(truth, predicted, d, (label, inTruth, inPredicted) => {
      events.push(3 * label + (inTruth ? (inPredicted ? 0 : 1) : 2));
    });
  });
  return families;
}

/** All measures with one group left out, group by group. */
function leaveOut(
  counts: LabelCounts,
  families: readonly Family[],
  use: (group: number, metrics: Record<MultilabelMeasure, number>) => void,
): void {
  const labels = counts.support.length;
  const all = sumLabels(counts);
  const left = { ...counts, support: counts.support.slice(), predicted: counts.predicted.slice() };
  left.truePositives = counts.truePositives.slice();
  families.forEach(({ events, size, f1, exact }, group) => {
    const sums = { ...all };
    sums.documents -= size;
    sums.f1Sum -= f1;
    sums.exact -= exact;
    const touched = new Set<number>();
    for (const event of events) {
      const label = Math.floor(event / 3);
      touched.add(label);
      if (event % 3 !== 2) left.support[label]!--;
      if (event % 3 !== 1) left.predicted[label]!--;
      if (event % 3 === 0) left.truePositives[label]!--;
    }
    for (const l of touched) {
      addLabel(sums, counts.support[l]!, counts.predicted[l]!, counts.truePositives[l]!, -1);
      addLabel(sums, left.support[l]!, left.predicted[l]!, left.truePositives[l]!, 1);
      left.support[l] = counts.support[l]!;
      left.predicted[l] = counts.predicted[l]!;
      left.truePositives[l] = counts.truePositives[l]!;
    }
    use(group, metricsOfSums(sums, labels));
  });
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
