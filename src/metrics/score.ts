/**
 * Scores a run of rankings against judgements, both keyed by strings, as trec_eval does: documents by score (read as
 * 32-bit float, as trec_eval to version 9 and pytrec_eval read it) down, ties by document id down in byte order; ranks
 * written in a run file are not looked at. Topics are those judged and in the run; with `complete` all judged ones, a
 * missing topic counting as an empty ranking. Topics without a judgement are never counted.
 */
import { inputError } from '../base/errors.ts';
import { familySpec, type Measure } from './measure.ts';
import { leftUnjudged, notJudged, RankingScorer, summarise } from './ranking.ts';
import type { Judgements, Ranking, Run } from './types.ts';

export interface ScoreOptions {
  /** Count every judged topic, also those that the run lacks (trec_eval `-c`). Default false. */
  complete?: boolean;
  /** Look at no more than this many documents a topic (`-M`). Default all. */
  maxDocs?: number;
  /** Lowest gain that counts as relevant (`-l`). Default 1. */
  level?: number;
  /** Also give each topic's first ten gains as text (trec_eval's `relstring`). Default false. */
  relevanceStrings?: boolean;
}

export interface Scores {
  measures: readonly Measure[];
  /** Topics counted, in byte order. */
  topics: string[];
  /** One array a measure, one value a topic; measures that exist only in the summary hold what the summary is made of. */
  values: Float64Array[];
  relevanceStrings?: string[];
  /** Judged topics that the run lacks. */
  missing: string[];
  /** Topics of the run without a judgement. */
  unjudgedTopics: number;
}

/** Per-topic values of all measures. Throws `score.topics` where run and judgements share no topic. */
export function scoreRun(
  judgements: Judgements,
  run: Run,
  measures: readonly Measure[],
  options: ScoreOptions = {},
): Scores {
  const { complete = false, maxDocs = Number.POSITIVE_INFINITY, level = 1, relevanceStrings = false } = options;
  const judgedTopics = [...judgements.keys()].sort(compareBytes);
  const missing = judgedTopics.filter((topic) => !run.has(topic));
  if (missing.length === judgedTopics.length && !(complete && judgedTopics.length > 0)) {
    const [first] = run.keys();
    throw inputError('run and judgements have no topic in common', {
      code: 'score.topics',
      expected: `topics such as ${judgedTopics.slice(0, 3).join(', ') || '(no topic is judged)'}`,
      found: first === undefined ? 'an empty run' : `topics such as ${first}`,
      hint: 'check that both files belong to the same test collection',
    });
  }
  const topics = complete ? judgedTopics : judgedTopics.filter((topic) => run.has(topic));
  const scorer = new RankingScorer(measures, { level });
  const values = measures.map(() => new Float64Array(topics.length));
  const strings: string[] = [];
  const out = new Float64Array(measures.length);
  let gains = new Float64Array(1024);
  topics.forEach((topic, t) => {
    const judged = judgements.get(topic)!;
    const ranking = run.get(topic);
    let count = 0;
    if (ranking !== undefined) {
      const order = rankOrder(ranking);
      count = Math.min(maxDocs, ranking.documents.length);
      if (gains.length < count) gains = new Float64Array(2 * count);
      for (let i = 0; i < count; i++) {
        const gain = judged.get(ranking.documents[order === undefined ? i : order[i]!]!);
        gains[i] = gain === undefined ? notJudged : gain < 0 ? leftUnjudged : gain;
      }
    }
    scorer.score(gains, count, judgedGains(judged), out);
    for (let m = 0; m < measures.length; m++) values[m]![t] = out[m]!;
    if (relevanceStrings) strings.push(scorer.relevanceString());
  });
  let unjudgedTopics = 0;
  for (const topic of run.keys()) if (!judgements.has(topic)) unjudgedTopics++;
  return {
    measures,
    topics,
    values,
    missing,
    unjudgedTopics,
    ...(relevanceStrings ? { relevanceStrings: strings } : {}),
  };
}

/** The summary over topics by trec_eval's names: means, sums of the `num_*`, geometric means of the `gm_*`. */
export function summary(scores: Scores): Record<string, number> {
  return Object.fromEntries(
    scores.measures.map((measure, m) => {
      let sum = 0;
      for (const value of scores.values[m]!) sum += value;
      return [measure.name, summarise(measure, sum, scores.topics.length)];
    }),
  );
}

/** One topic's values by trec_eval's names, without the measures that exist only in the summary. */
export function topicValues(scores: Scores, t: number): Record<string, number | string> {
  const values: Record<string, number | string> = {};
  scores.measures.forEach(({ name, family }, m) => {
    // The text stands where trec_eval prints it, before the recalls.
    if (family === 'recall' && scores.relevanceStrings !== undefined) values.relstring ??= scores.relevanceStrings[t]!;
    if (familySpec(family).summaryOnly !== true) values[name] = scores.values[m]![t]!;
  });
  if (scores.relevanceStrings !== undefined) values.relstring ??= scores.relevanceStrings[t]!;
  return values;
}

/** Judged gains, highest first, zeros included; pooled documents left unjudged are not among them. */
function judgedGains(judged: ReadonlyMap<string, number>): Float64Array {
  const positive: number[] = [];
  let zeros = 0;
  for (const gain of judged.values()) {
    if (gain > 0) positive.push(gain);
    else if (gain === 0) zeros++;
  }
  const gains = new Float64Array(positive.length + zeros);
  gains.set(positive.sort((a, b) => b - a));
  return gains;
}

/** Positions of the documents in rank order; undefined where the ranking already stands in that order. */
export function rankOrder({ documents, scores }: Ranking): Int32Array | undefined {
  const rounded = scores instanceof Float32Array ? scores : Float32Array.from(scores);
  let ordered = true;
  for (let i = 1; i < documents.length && ordered; i++) {
    ordered =
      rounded[i]! < rounded[i - 1]! ||
      (rounded[i] === rounded[i - 1] && compareBytes(documents[i]!, documents[i - 1]!) < 0);
  }
  if (ordered) return undefined;
  const order = descending(rounded);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && rounded[order[to]!] === rounded[order[from]!]) to++;
    if (to - from > 1) order.subarray(from, to).sort((i, j) => compareBytes(documents[j]!, documents[i]!));
    from = to;
  }
  return order;
}

/** Positions by falling value. Value and position are packed into one double, because sorting plain numbers is fastest. */
function descending(values: Float32Array): Int32Array {
  const places = 2 ** 21;
  const order = Int32Array.from({ length: values.length }, (_, i) => i);
  if (values.length > places) return order.sort((i, j) => values[j]! - values[i]!);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const packed = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const pattern = values[i] === 0 ? 0 : bits[i]!; // -0 ranks with 0
    // Bit patterns of positive floats rise with the value, those of negative ones fall.
    const rising = pattern >= 0x80000000 ? 0xffffffff - pattern : pattern + 0x80000000;
    packed[i] = (0xffffffff - rising) * places + i;
  }
  packed.sort();
  for (let i = 0; i < order.length; i++) order[i] = packed[i]! % places;
  return order;
}

/** Order of the UTF-8 bytes of two strings, which is the order of code points; negative where `a` comes first. */
export function compareBytes(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return byteRank(x) - byteRank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, but their code units lie below U+E000. */
function byteRank(unit: number): number {
  return unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
