/**
 * Folds in which every label has its share: iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011), of whole groups
 * (families) where there are any.
 *
 * The label with fewest documents left goes first, since it is the hardest to share out. Each of its groups, the largest
 * first, goes to the fold that lacks most documents of that label; of equals to the one that lacks most documents; of equals
 * by lot. What has no label fills up the folds. Then groups are moved, and change
 * places, while that makes the folds more even:
 *
 *   unevenness = Σ over labels and folds (documents there - their share)² / documents of the label
 *              + labels · Σ over folds (documents - their share)² / documents
 *
 * Folds are a function of labels, groups, shares and seed alone.
 */
import { inputError } from '../base/errors.ts';
import { type RandomStream, stream } from '../base/random.ts';
import { checkLabelSets, type LabelSets, labelRows } from '../metrics/label-sets.ts';

export interface StratifyOptions {
  /** Number of labels. */
  labels: number;
  /** Share of each fold, any positive numbers (0.8, 0.2); or how many equal folds. */
  folds: number | readonly number[];
  /** Group of each document, which goes whole to one fold; each is its own where not given. */
  groups?: ArrayLike<number>;
  seed: number;
}

/** Passes over all groups that look for moves; groups that each tries to change places with, and in a pass all together. */
const mostPasses = 20;
const mostPartners = 16;
const swapBudget = 1 << 17;

/** Fold of each document. Throws where there are more folds than groups, or shares that are none. */
export function stratifiedFolds(truth: LabelSets, { labels, folds, groups, seed }: StratifyOptions): Int32Array {
  checkLabelSets(truth, labels, 'labels');
  const shares = sharesOf(folds);
  const rows = labelRows(truth);
  if (groups !== undefined && groups.length !== rows)
    throw inputError('there is not one group a document', {
      code: 'classify.groups',
      field: 'groups',
      expected: `${rows} numbers`,
      found: String(groups.length),
    });
  const { units, unitOf } = gatherUnits(truth, groups);
  if (units.length < shares.length)
    throw inputError('there are more folds than groups of documents', {
      code: 'classify.folds',
      field: 'folds',
      expected: `at most ${units.length}`,
      found: String(shares.length),
    });
  const random = stream(seed, 'stratify');
  const state = new Folds(units, labels, shares);
  deal(units, labels, state, random);
  improve(units, state, random);
  return Int32Array.from(unitOf, (unit) => state.fold[unit]!);
}

/** A group: its documents, and how many of them have each of its labels. */
interface Unit {
  size: number;
  labels: Int32Array;
  counts: Int32Array;
}

function sharesOf(folds: number | readonly number[]): number[] {
  const shares = typeof folds === 'number' ? new Array<number>(Math.max(0, Math.floor(folds))).fill(1) : [...folds];
  const sum = shares.reduce((total, share) => total + share, 0);
  if (
    shares.length < 2 ||
    !shares.every((share) => share > 0 && Number.isFinite(share)) ||
    (typeof folds === 'number' && !Number.isInteger(folds))
  )
    throw inputError('these are no folds', {
      code: 'classify.folds',
      field: 'folds',
      expected: '2 folds or more, or their shares, each above 0',
      found: String(folds),
    });
  return shares.map((share) => share / sum);
}

function gatherUnits({ offsets, codes }: LabelSets, groups?: ArrayLike<number>): { units: Unit[]; unitOf: Int32Array } {
  const rows = offsets.length - 1;
  const known = new Map<number, number>();
  const members: number[][] = [];
  const unitOf = Int32Array.from({ length: rows }, (_, row) => {
    const group = groups?.[row] ?? row;
    let unit = known.get(group);
    if (unit === undefined) {
      unit = members.push([]) - 1;
      known.set(group, unit);
    }
    members[unit]!.push(row);
    return unit;
  });
  const units = members.map((own): Unit => {
    const counts = new Map<number, number>();
    for (const row of own)
      for (let i = offsets[row]!; i < offsets[row + 1]!; i++) counts.set(codes[i]!, (counts.get(codes[i]!) ?? 0) + 1);
    return { size: own.length, labels: Int32Array.from(counts.keys()), counts: Int32Array.from(counts.values()) };
  });
  return { units, unitOf };
}

/** What each fold has and lacks. */
class Folds {
  readonly fold: Int32Array;
  readonly shares: readonly number[];
  /** Documents of each label in all. */
  readonly totals: Float64Array;
  /** Documents that each fold lacks; below 0 those it has too many. */
  readonly lacks: Float64Array;
  /** The same of each label, [folds][labels]. */
  readonly lacksOf: readonly Float64Array[];
  private readonly units: readonly Unit[];
  private readonly rows: number;

  constructor(units: readonly Unit[], labels: number, shares: readonly number[]) {
    this.units = units;
    this.shares = shares;
    this.fold = new Int32Array(units.length).fill(-1);
    this.totals = new Float64Array(labels);
    for (const { labels: own, counts } of units) addCounts(this.totals, own, counts, 1);
    this.rows = units.reduce((sum, { size }) => sum + size, 0);
    this.lacks = Float64Array.from(shares, (share) => share * this.rows);
    this.lacksOf = shares.map((share) => this.totals.map((total) => share * total));
  }

  put(unit: number, fold: number): void {
    const before = this.fold[unit]!;
    if (before >= 0) this.change(unit, before, 1);
    this.change(unit, fold, -1);
    this.fold[unit] = fold;
  }

  /** By how much unevenness would grow if the unit moved to another fold. */
  growth(unit: number, to: number): number {
    const from = this.fold[unit]!;
    const { size, labels, counts } = this.units[unit]!;
    // (l - c)² + (m + c)² - l² - m² = 2c (c + m - l), for l lacking where it goes and m where it comes from.
    const term = (count: number, there: number, here: number) => 2 * count * (count + here - there);
    let sum = (term(size, this.lacks[to]!, this.lacks[from]!) / this.rows) * this.totals.length;
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!;
      sum += term(counts[i]!, this.lacksOf[to]![label]!, this.lacksOf[from]![label]!) / this.totals[label]!;
    }
    return sum;
  }

  private change(unit: number, fold: number, sign: number): void {
    const { size, labels, counts } = this.units[unit]!;
    this.lacks[fold]! += sign * size;
    addCounts(this.lacksOf[fold]!, labels, counts, sign);
  }
}

function addCounts(target: Float64Array, labels: Int32Array, counts: Int32Array, sign: number): void {
  for (let i = 0; i < labels.length; i++) target[labels[i]!]! += sign * counts[i]!;
}

function deal(units: readonly Unit[], labels: number, state: Folds, random: RandomStream): void {
  const left = state.totals.slice();
  const holders: { unit: number; count: number }[][] = Array.from({ length: labels }, () => []);
  const order = random.shuffle(Int32Array.from(units, (_, unit) => unit));
  for (const unit of order)
    units[unit]!.labels.forEach((label, i) => {
      holders[label]!.push({ unit, count: units[unit]!.counts[i]! });
    });
  for (const own of holders) own.sort((a, b) => b.count - a.count); // stable: equals stay shuffled
  const place = (unit: number, label: number | undefined) => {
    state.put(unit, neediest(state, label, random));
    addCounts(left, units[unit]!.labels, units[unit]!.counts, -1);
  };
  for (;;) {
    let rarest: number[] = [];
    let fewest = Number.POSITIVE_INFINITY;
    left.forEach((count, label) => {
      if (count <= 0 || count > fewest) return;
      if (count < fewest) [fewest, rarest] = [count, []];
      rarest.push(label);
    });
    if (rarest.length === 0) break;
    const label = random.pick(rarest);
    for (const { unit } of holders[label]!) if (state.fold[unit]! < 0) place(unit, label);
  }
  const rest = Array.from(order).filter((unit) => state.fold[unit]! < 0);
  for (const unit of rest.sort((a, b) => units[b]!.size - units[a]!.size)) place(unit, undefined);
}

/** The fold that lacks most documents of the label, then most documents, then by lot. */
function neediest({ lacks, lacksOf }: Folds, label: number | undefined, random: RandomStream): number {
  let best: number[] = [];
  for (let fold = 0; fold < lacks.length; fold++) {
    const rival = best[0];
    const order =
      rival === undefined
        ? 1
        : (label === undefined ? 0 : lacksOf[fold]![label]! - lacksOf[rival]![label]!) || lacks[fold]! - lacks[rival]!;
    if (order > 0) best = [fold];
    else if (order === 0) best.push(fold);
  }
  return best.length === 1 ? best[0]! : random.pick(best);
}

/** Moves groups, each to the fold that gains most by it, and swaps some, until a pass changes hardly one in a hundred. */
function improve(units: readonly Unit[], state: Folds, random: RandomStream): void {
  const order = random.shuffle(Int32Array.from(units, (_, unit) => unit));
  // Many groups come out even by the dealing: each then looks at fewer others.
  const partners = Math.max(1, Math.min(mostPartners, Math.floor(swapBudget / units.length)));
  for (let pass = 0, moved = units.length; moved > units.length / 100 && pass < mostPasses; pass++) {
    moved = 0;
    for (const unit of order) if (move(unit, state) || swap(unit, units.length, partners, state, random)) moved++;
  }
}

/** Less is rounding. */
const least = -1e-9;

function move(unit: number, state: Folds): boolean {
  let [best, gain] = [-1, least];
  for (let fold = 0; fold < state.shares.length; fold++) {
    const growth = fold === state.fold[unit] ? 0 : state.growth(unit, fold);
    if (growth < gain) [best, gain] = [fold, growth];
  }
  if (best >= 0) state.put(unit, best);
  return best >= 0;
}

/** Changes places with the first of some groups drawn by lot that makes the folds more even by it. */
function swap(unit: number, units: number, partners: number, state: Folds, random: RandomStream): boolean {
  const own = state.fold[unit]!;
  for (let i = 0; i < partners; i++) {
    const other = random.integer(units);
    const there = state.fold[other]!;
    if (there === own) continue;
    const growth = state.growth(unit, there);
    state.put(unit, there);
    if (growth + state.growth(other, own) < least) {
      state.put(other, own);
      return true;
    }
    state.put(unit, own);
  }
  return false;
}
