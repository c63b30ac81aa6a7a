/**
 * Retrieval measures of one ranking, on typed arrays and without allocation: the kernel under `score` and `evaluate`.
 *
 * A ranking is its gains in rank order: a judged document's gain (0 or more), `notJudged` (-1), or `leftUnjudged` (-2: in
 * the pool but not judged, what infAP needs). The judgements of the query are its judged gains, highest first; zeros at
 * the end count as judged and not relevant and may be left out where nothing is judged so (citations).
 *
 * Definitions are trec_eval's (version 10), with R the number judged relevant (gain >= level), r_i the i-th relevant rank:
 *   map = 1/R sum_i i/r_i          ndcg@k = sum_{rank<=k} gain/log2(rank+1) / the same of the ideal order (linear gain)
 *   P@k, recall@k, success@k, recip_rank as named; unretrieved ranks count as not relevant
 *   Rprec = P@R      bpref = 1/R sum_i (1 - min(nonrelevant judged above r_i, R) / min(R, N))
 *   iprec_at_recall_x = the best precision at or after the round(x R)-th relevant document
 *   infAP, binG, G, ndcg_rel, Rndcg, rbp (p = 0.9), rbp_resid, set_*: see their functions
 * `level` decides who is relevant; nDCG and its kin take every gain above 0, whatever the level.
 *
 * One pass over the gains collects the few ranks with a positive gain; every measure then works on those.
 */
import { familySpec, type Measure } from './measure.ts';

export const notJudged = -1;
export const leftUnjudged = -2;

/** trec_eval's floor under a value before its logarithm enters a geometric mean. */
const geometricFloor = 1e-5;
const infApEpsilon = 1e-5;
const persistence = 0.9;

type Numbers = ArrayLike<number>;

/** 1 / log2(rank + 1), grown on demand. */
class Discounts {
  values = new Float64Array(0);

  upTo(ranks: number): Float64Array {
    if (this.values.length <= ranks) {
      const size = Math.max(1024, 2 * ranks);
      this.values = Float64Array.from({ length: size }, (_, rank) => (rank === 0 ? 0 : 1 / Math.log2(rank + 1)));
    }
    return this.values;
  }
}

/** Scores rankings on a fixed list of measures; holds the working arrays, so that one scorer serves any number of queries. */
export class RankingScorer {
  readonly measures: readonly Measure[];
  /** Lowest gain that counts as relevant. */
  readonly level: number;
  private readonly discounts = new Discounts();
  private readonly needsUnjudged: boolean;
  // The query under way. Arrays run over the retrieved documents with a positive gain, in rank order.
  private ranks = new Int32Array(256);
  private gains = new Float64Array(256);
  private relevantAbove = new Int32Array(256); // relevant documents up to and with this one
  private judgedAbove = new Int32Array(256); // judged documents before this one
  private leftAbove = new Int32Array(256); // pooled but unjudged documents before this one
  private positives = 0;
  private retrieved = 0;
  private judgedRetrieved = 0;
  private relevantRetrieved = 0;
  private relevant = 0;
  private notRelevant = 0;
  private ideal: Numbers = [];
  private idealCount = 0;
  private order: Numbers = [];
  private unjudgedRanks = new Int32Array(256);
  private unjudged = 0;

  /** `level` is the lowest relevant gain, 1 by default. */
  constructor(measures: readonly Measure[], options: { level?: number } = {}) {
    this.measures = measures;
    this.level = options.level ?? 1;
    this.needsUnjudged = measures.some(({ family }) => family === 'unj' || family === 'rbp_resid');
  }

  /**
   * Writes one value a measure to `out` from `offset` on. `gains[0..count)` in rank order, `judged` highest first.
   * Measures of the summary alone give what the summary needs: 1 for `num_q`, a logarithm for the geometric means.
   */
  score(gains: Numbers, count: number, judged: Numbers, out: Float64Array | Float32Array, offset = 0): void {
    this.read(gains, count, judged);
    for (let m = 0; m < this.measures.length; m++) {
      out[offset + m] = this.value(this.measures[m]!);
    }
  }

  private read(order: Numbers, count: number, judged: Numbers): void {
    this.order = order;
    this.retrieved = count;
    this.ideal = judged;
    let positives = 0;
    let relevantSoFar = 0;
    let judgedSoFar = 0;
    let leftSoFar = 0;
    for (let i = 0; i < count; i++) {
      const gain = order[i]!;
      if (gain > 0) {
        if (positives === this.ranks.length) this.grow();
        if (gain >= this.level) relevantSoFar++;
        this.ranks[positives] = i + 1;
        this.gains[positives] = gain;
        this.relevantAbove[positives] = relevantSoFar;
        this.judgedAbove[positives] = judgedSoFar;
        this.leftAbove[positives] = leftSoFar;
        positives++;
        judgedSoFar++;
      } else if (gain === 0) judgedSoFar++;
      else if (gain === leftUnjudged) leftSoFar++;
    }
    this.positives = positives;
    this.judgedRetrieved = judgedSoFar;
    this.relevantRetrieved = relevantSoFar;
    let relevant = 0;
    while (relevant < judged.length && judged[relevant]! >= this.level) relevant++;
    let idealCount = relevant;
    while (idealCount < judged.length && judged[idealCount]! > 0) idealCount++;
    this.relevant = relevant;
    this.idealCount = idealCount;
    this.notRelevant = judged.length - relevant;
    if (this.needsUnjudged) this.readUnjudged(order, count);
  }

  private readUnjudged(order: Numbers, count: number): void {
    if (this.unjudgedRanks.length < count) this.unjudgedRanks = new Int32Array(2 * count);
    let found = 0;
    for (let i = 0; i < count; i++) if (order[i]! < 0) this.unjudgedRanks[found++] = i + 1;
    this.unjudged = found;
  }

  private grow(): void {
    const size = 2 * this.ranks.length;
    const wider = <T extends Int32Array | Float64Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    this.ranks = wider(this.ranks, new Int32Array(size));
    this.gains = wider(this.gains, new Float64Array(size));
    this.relevantAbove = wider(this.relevantAbove, new Int32Array(size));
    this.judgedAbove = wider(this.judgedAbove, new Int32Array(size));
    this.leftAbove = wider(this.leftAbove, new Int32Array(size));
  }

  private value({ family, at }: Measure): number {
    const { retrieved, relevant, relevantRetrieved } = this;
    switch (family) {
      case 'num_q':
        return 1;
      case 'num_ret':
        return retrieved;
      case 'num_rel':
        return relevant;
      case 'num_rel_ret':
        return relevantRetrieved;
      case 'num_nonrel_judged_ret':
        return this.judgedRetrieved - relevantRetrieved;
      case 'map':
        return this.averagePrecision(Number.POSITIVE_INFINITY);
      case 'map_cut':
        return this.averagePrecision(at);
      case 'gm_map':
        return Math.log(Math.max(this.averagePrecision(Number.POSITIVE_INFINITY), geometricFloor));
      case 'Rprec':
        return ratio(this.relevantWithin(relevant), relevant);
      case 'bpref':
        return this.bpref();
      case 'gm_bpref':
        return Math.log(Math.max(this.bpref(), geometricFloor));
      case 'recip_rank':
        return this.reciprocalRank(Number.POSITIVE_INFINITY);
      case 'recip_rank_cut':
        return this.reciprocalRank(at);
      case 'iprec_at_recall':
        return this.interpolatedPrecision(at);
      case '11pt_avg': {
        let sum = 0;
        for (let tenth = 0; tenth <= 10; tenth++) sum += this.interpolatedPrecision(tenth / 10);
        return sum / 11;
      }
      case 'P':
        return this.relevantWithin(at) / at;
      case 'recall':
        return ratio(this.relevantWithin(at), relevant);
      case 'relative_P':
        return ratio(this.relevantWithin(at), Math.min(at, relevant));
      case 'success':
        return this.relevantWithin(at) > 0 ? 1 : 0;
      case 'Rprec_mult': {
        const cut = Math.floor(at * relevant + 0.9);
        return ratio(this.relevantWithin(cut), cut);
      }
      case 'infAP':
        return this.inferredAveragePrecision();
      case 'utility':
        return 2 * relevantRetrieved - retrieved;
      case 'binG':
        return this.binaryG();
      case 'G':
        return this.normalisedG();
      case 'ndcg':
        return ratio(this.dcg(Number.POSITIVE_INFINITY), this.idealDcg(Number.POSITIVE_INFINITY));
      case 'ndcg_cut':
        return ratio(this.dcg(at), this.idealDcg(at));
      case 'ndcg_rel':
        return this.ndcgAtRelevant();
      case 'Rndcg':
        return this.ndcgAtLevels();
      case 'set_P':
        return ratio(relevantRetrieved, retrieved);
      case 'set_recall':
        return ratio(relevantRetrieved, relevant);
      case 'set_relative_P':
        return ratio(relevantRetrieved, Math.min(retrieved, relevant));
      case 'set_map':
        return ratio(relevantRetrieved * relevantRetrieved, retrieved * relevant);
      case 'set_F':
        return ratio(2 * relevantRetrieved, retrieved + relevant);
      case 'rbp':
        return this.rankBiasedPrecision();
      case 'rbp_resid':
        return this.rankBiasedResidual();
      case 'unj':
        return this.unjudgedWithin(at) / at;
    }
  }

  /** Relevant documents among the first `cut` ranks. */
  private relevantWithin(cut: number): number {
    // The last positive at or above the cut knows how many relevant ones stand up to it.
    let low = 0;
    let high = this.positives;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ranks[middle]! <= cut) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.relevantAbove[low - 1]!;
  }

  private unjudgedWithin(cut: number): number {
    let found = 0;
    while (found < this.unjudged && this.unjudgedRanks[found]! <= cut) found++;
    return found;
  }

  private averagePrecision(cut: number): number {
    let sum = 0;
    for (let i = 0; i < this.positives && this.ranks[i]! <= cut; i++) {
      if (this.gains[i]! >= this.level) sum += this.relevantAbove[i]! / this.ranks[i]!;
    }
    return ratio(sum, this.relevant);
  }

  private reciprocalRank(cut: number): number {
    for (let i = 0; i < this.positives && this.ranks[i]! <= cut; i++) {
      if (this.gains[i]! >= this.level) return 1 / this.ranks[i]!;
    }
    return 0;
  }

  private bpref(): number {
    const { relevant, notRelevant, level } = this;
    let sum = 0;
    for (let i = 0; i < this.positives; i++) {
      if (this.gains[i]! < level) continue;
      const wrong = this.judgedAbove[i]! - (this.relevantAbove[i]! - 1);
      sum += wrong === 0 ? 1 : 1 - Math.min(wrong, relevant) / Math.min(notRelevant, relevant);
    }
    return ratio(sum, relevant);
  }

  /** Yilmaz & Aslam 2006: precision at each relevant document, estimated from the judged part of the pool above it. */
  private inferredAveragePrecision(): number {
    let sum = 0;
    for (let i = 0; i < this.positives; i++) {
      if (this.gains[i]! < this.level) continue;
      const above = this.ranks[i]! - 1;
      if (above === 0) {
        sum += 1;
        continue;
      }
      const relevantBefore = this.relevantAbove[i]! - 1;
      const judgedBefore = this.judgedAbove[i]!;
      const pooled = (judgedBefore + this.leftAbove[i]!) / above;
      const share = (relevantBefore + infApEpsilon) / (judgedBefore + 2 * infApEpsilon);
      sum += 1 / (above + 1) + (above / (above + 1)) * pooled * share;
    }
    return this.relevant > 0 ? sum / this.relevant : sum;
  }

  private interpolatedPrecision(recall: number): number {
    const target = Math.round(recall * this.relevant);
    if (target > this.relevantRetrieved) return 0;
    let best = 0;
    for (let i = this.positives - 1; i >= 0 && this.relevantAbove[i]! >= target; i--) {
      if (this.gains[i]! >= this.level) best = Math.max(best, this.relevantAbove[i]! / this.ranks[i]!);
    }
    return best;
  }

  private dcg(cut: number): number {
    const discounts = this.discounts.upTo(this.retrieved);
    let sum = 0;
    for (let i = 0; i < this.positives && this.ranks[i]! <= cut; i++) {
      sum += this.gains[i]! * discounts[this.ranks[i]!]!;
    }
    return sum;
  }

  private idealDcg(cut: number): number {
    const last = Math.min(cut, this.idealCount);
    const discounts = this.discounts.upTo(last);
    let sum = 0;
    for (let rank = 1; rank <= last; rank++) sum += this.ideal[rank - 1]! * discounts[rank]!;
    return sum;
  }

  /** nDCG averaged over the ranks of the relevant documents; one that is not retrieved counts the nDCG of the whole. */
  private ndcgAtRelevant(): number {
    if (this.idealCount === 0) return 0;
    const discounts = this.discounts.upTo(Math.max(this.retrieved, this.idealCount));
    let sum = 0;
    let dcg = 0;
    let ideal = 0;
    let rank = 0;
    for (let i = 0; i < this.positives; i++) {
      dcg += this.gains[i]! * discounts[this.ranks[i]!]!;
      for (const last = Math.min(this.ranks[i]!, this.idealCount); rank < last; rank++) {
        ideal += this.ideal[rank]! * discounts[rank + 1]!;
      }
      sum += dcg / ideal;
    }
    sum += ((this.idealCount - this.positives) * dcg) / this.idealDcg(Number.POSITIVE_INFINITY);
    return sum / this.idealCount;
  }

  /** nDCG averaged over the ranks at which the ideal order drops to a lower gain, and over the end of a longer ranking. */
  private ndcgAtLevels(): number {
    if (this.relevant === 0) return 0;
    const discounts = this.discounts.upTo(Math.max(this.retrieved, this.idealCount));
    let sum = 0;
    let points = 0;
    let ideal = 0;
    let dcg = 0;
    let next = 0;
    for (let rank = 1; rank <= this.idealCount; rank++) {
      ideal += this.ideal[rank - 1]! * discounts[rank]!;
      for (; next < this.positives && this.ranks[next]! <= rank; next++) {
        dcg += this.gains[next]! * discounts[this.ranks[next]!]!;
      }
      if (rank === this.idealCount || this.ideal[rank]! !== this.ideal[rank - 1]!) {
        sum += dcg / ideal;
        points++;
      }
    }
    if (this.retrieved > this.idealCount + 1) {
      sum += this.dcg(Number.POSITIVE_INFINITY) / ideal;
      points++;
    }
    return sum / points;
  }

  /** Mean over the relevant of 1 / log2(2 + not relevant documents above). */
  private binaryG(): number {
    let sum = 0;
    for (let i = 0; i < this.positives; i++) {
      if (this.gains[i]! >= this.level) sum += 1 / Math.log2(2 + this.ranks[i]! - this.relevantAbove[i]!);
    }
    return ratio(sum, this.relevant);
  }

  /** sum gain / log2(2 + cost so far - gain so far), over the ideal sum; a rank costs its ideal gain, at least 1. */
  private normalisedG(): number {
    let sum = 0;
    let gained = 0;
    let cost = 0;
    let total = 0;
    let rank = 0;
    for (let i = 0; i < this.positives; i++) {
      for (; rank < this.ranks[i]!; rank++) cost += rank < this.idealCount ? Math.max(this.ideal[rank]!, 1) : 1;
      gained += this.gains[i]!;
      sum += this.gains[i]! / Math.log2(2 + cost - gained);
    }
    for (let i = 0; i < this.idealCount; i++) total += this.ideal[i]!;
    return ratio(sum, total);
  }

  /** Moffat & Zobel 2008 with p = 0.9; gains above 1 are scaled by the highest gain judged. */
  private rankBiasedPrecision(): number {
    const scale = Math.max(1, this.idealCount > 0 ? this.ideal[0]! : 1);
    let sum = 0;
    for (let i = 0; i < this.positives; i++) {
      sum += (this.gains[i]! / scale) * persistence ** (this.ranks[i]! - 1);
    }
    return (1 - persistence) * sum;
  }

  /** How much higher rbp could be if every unjudged document were as good as can be. */
  private rankBiasedResidual(): number {
    if (this.unjudged === 0) return 0;
    let sum = 0;
    for (let i = 0; i < this.unjudged; i++) sum += persistence ** (this.unjudgedRanks[i]! - 1);
    return persistence ** this.retrieved + (1 - persistence) * sum;
  }

  /** The first gains as trec_eval's `relstring` shows them: a digit, `>` above 9, `-` not judged, `.` left unjudged. */
  relevanceString(length = 10): string {
    let text = '';
    for (let i = 0; i < Math.min(length, this.retrieved); i++) {
      const gain = this.order[i]!;
      text += gain > 9 ? '>' : gain >= 0 ? String(Math.trunc(gain)) : gain === notJudged ? '-' : '.';
    }
    return text;
  }
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

/** One number over topics, as trec_eval summarises the family: mean, sum or geometric mean of the `count` values given. */
export function summarise(measure: Measure, sum: number, count: number): number {
  const { summary = 'mean' } = familySpec(measure.family);
  if (summary === 'sum') return sum;
  if (count === 0) return 0;
  return summary === 'geometric' ? Math.exp(sum / count) : sum / count;
}
