/**
 * The advisor: which system serves a task on a corpus. It says only what the paired tests carry.
 *
 * Let S have the highest mean of the leading metric, and ask the test of S against each rival:
 *   S better than all                     take S
 *   better or equivalent, none undecided  take the cheapest of S and those equivalent to it
 *   some undecided                        no choice: the tests leave S and those open; what S is better than may be left out
 * A rival is another system under the same view, or the same system under another view: nothing else was tested against S.
 * S is the best of those measured, so its own mean is a little too good; the tests are adjusted for all pairs of their table.
 * Cost is the time of one document and one query together. Invented data advises nothing.
 */
import type { Comparison, Estimate } from '../metrics/types.ts';
import type { Task } from '../study/results.ts';
import { count, interval, metricName, plural, pPhrase, score, signed, signedInterval } from './format.ts';
import type { Cited } from './page.ts';
import { joined, type Sentence } from './sentences.ts';

/** A system under a view, as one may take it into use. */
export interface Option extends Cited {
  system: string;
  view: string;
  estimate: Estimate;
  /** Of one document: reading and encoding or indexing it. Undefined where vectors had been stored before. */
  documentSeconds?: number;
  /** Of one query, or of what the task does to one document. */
  querySeconds?: number;
  /** Of one document in the index. */
  bytes?: number;
}

/** What one task on one corpus was measured to be. */
export interface Evidence {
  corpus: string;
  task: Task;
  /** What reads the vectors, where several do: a probe. */
  by?: string;
  metric: string;
  options: readonly Option[];
  /** `a` against `b`; undefined where they were not tested. */
  compare(a: Option, b: Option): Comparison | undefined;
  /** What was resampled: `315 queries`. */
  sample: string;
  /** Of the corpus: what a query's cost was measured on. */
  documents: number;
}

export interface Advice {
  corpus: string;
  task: Task;
  /** The system and view to take, where the tests carry one. */
  take?: { system: string; view: string };
  sentences: Sentence[];
}

const purposes: Record<Task, string> = {
  retrieval: 'For search',
  classification: 'For classification',
  clustering: 'For clustering',
};

/** Below this, a difference of cost is noise of the machine. */
const cheaperBy = 1.5;

export function adviseOn(evidence: Evidence): Advice {
  const { corpus, task, metric, compare } = evidence;
  const options = evidence.options
    .filter(({ estimate }) => Number.isFinite(estimate.value))
    .toSorted((a, b) => b.estimate.value - a.estimate.value);
  const best = options[0];
  const advice = (sentences: Sentence[], take?: Option): Advice => ({
    corpus,
    task,
    ...(take === undefined ? {} : { take: { system: take.system, view: take.view } }),
    sentences,
  });
  const purpose = `${purposes[task]}${evidence.by === undefined ? '' : ` by ${evidence.by}`} on ${corpus}`;
  if (best === undefined) return advice([[`${purpose}: nothing was measured.`]]);
  const rivals = options.slice(1).flatMap((option): Rival[] => {
    const pair = compare(best, option);
    return pair === undefined ? [] : [{ option, pair }];
  });
  const untested = options.length - 1 - rivals.length;
  const of = (...verdicts: Comparison['verdict'][]) => rivals.filter(({ pair }) => verdicts.includes(pair.verdict));
  const [beaten, equal, open] = [of('better'), of('equivalent'), of('undecided', 'worse')];
  const measured: Sentence = [
    `${metricName(metric)} `,
    { text: score(best.estimate.value), cell: best },
    ` ${interval(best.estimate)} over ${evidence.sample}`,
  ];
  const tail: Sentence[] = [
    ...(rivals.some(({ pair }) => pair.tentative)
      ? [['Trained systems have fewer than 5 seeds: what is said of them is tentative.']]
      : []),
    ...(untested === 0
      ? []
      : [
          [
            `${plural(untested, 'other combination')} of system and view ${untested === 1 ? 'was' : 'were'} not tested against it.`,
          ],
        ]),
  ];
  if (rivals.length === 0)
    return advice([
      [`${purpose}, there is nothing to choose from: only `, named(best), ' was measured, ', ...measured, '.'],
      ...tail,
    ]);
  if (open.length > 0) {
    const left = [best, ...open.map(({ option }) => option)];
    const detectable = Math.max(...open.map(({ pair }) => pair.detectable));
    const costs = left.map(costOf);
    const least = costs.every((cost) => cost !== undefined) && left[costs.indexOf(Math.min(...costs))];
    return advice([
      [
        `${purpose}, the tests do not decide between `,
        ...joined(left.map((option) => [named(option)])),
        '; ',
        named(best),
        ' has the highest ',
        ...measured,
        '.',
      ],
      ...(Number.isFinite(detectable)
        ? [
            [
              `With ${evidence.sample} a true difference below ${score(detectable)} would often go unseen: more judged ones would tell.`,
            ],
          ]
        : []),
      ...costSentences(left, evidence),
      ...(least ? [['Cheapest of these: ', named(least), '.'] as Sentence] : []),
      ...(beaten.length === 0
        ? []
        : [[`Shown to be worse than `, named(best), ', so not needed: ', ...listed(beaten), '.'] as Sentence]),
      ...tail,
    ]);
  }
  const equals = [best, ...equal.map(({ option }) => option)];
  const take = cheapest(equals) ?? best;
  const sentences: Sentence[] = [];
  if (take === best) sentences.push([`${purpose}, take `, named(best), ': ', ...measured, '.']);
  else {
    const { pair } = equal.find(({ option }) => option === take)!;
    const ratio = costOf(best)! / costOf(take)!;
    sentences.push([
      `${purpose}, take `,
      named(take),
      ': it is equivalent to the best, ',
      named(best),
      ` (${signed(-pair.difference)} [${signed(-pair.upper)}, ${signed(-pair.lower)}]), and costs ${times(ratio)} less; the best has `,
      ...measured,
      '.',
    ]);
  }
  const others = equal.filter(({ option }) => option !== take);
  if (others.length > 0) sentences.push(['As good within the margin: ', ...listed(others), '.']);
  if (beaten.length > 0)
    sentences.push([take === best ? 'Better than ' : 'The best is better than ', ...listed(beaten), '.']);
  return advice([...sentences, ...costSentences([take], evidence), ...tail], take);
}

interface Rival {
  option: Option;
  pair: Comparison;
}

function named(option: Option): { text: string; cell: Cited } {
  return { text: `${option.system} (${option.view})`, cell: option };
}

/** The rivals with how the best one differs from them, the closest first; many are counted. */
function listed(rivals: readonly Rival[], most = 4): Sentence {
  const sorted = rivals.toSorted((a, b) => a.pair.difference - b.pair.difference);
  const shown = sorted
    .slice(0, most)
    .map(
      ({ option, pair }): Sentence => [
        named(option),
        ` (by ${signed(pair.difference)} ${signedInterval(pair)}, ${pPhrase(pair.pHolm, 'Holm p')})`,
      ],
    );
  const rest = sorted.length - shown.length;
  return rest === 0 ? joined(shown) : [...joined(shown, ', ', ', '), ` and ${count(rest)} more`];
}

/** Seconds of one document and one query; undefined where one is not known. */
function costOf({ documentSeconds, querySeconds }: Option): number | undefined {
  return documentSeconds === undefined || querySeconds === undefined ? undefined : documentSeconds + querySeconds;
}

/** The cheapest where all costs are known and it is clearly cheaper than the first; else undefined. */
function cheapest(options: readonly Option[]): Option | undefined {
  const known = options.filter((option) => costOf(option) !== undefined).toSorted((a, b) => costOf(a)! - costOf(b)!);
  const [first] = options;
  const least = known[0];
  if (least === undefined || first === undefined || costOf(first) === undefined) return undefined;
  return costOf(first)! >= cheaperBy * costOf(least)! ? least : undefined;
}

function costSentences(options: readonly Option[], { documents, task }: Evidence): Sentence[] {
  const told = options.flatMap((option): Sentence[] => {
    const parts = [
      ...(option.documentSeconds === undefined
        ? []
        : [`${time(option.documentSeconds * 1e6)} to ${task === 'retrieval' ? 'index' : 'encode'} a million patents`]),
      ...(option.querySeconds === undefined
        ? []
        : [
            task === 'retrieval'
              ? `${time(option.querySeconds)} a query over these ${count(documents)}`
              : `${time(option.querySeconds)} a patent for the task itself`,
          ]),
      ...(option.bytes === undefined ? [] : [`${size(option.bytes * 1e6)} of index`]),
    ];
    return parts.length === 0 ? [] : [[named(option), ' ', parts.join(', ')]];
  });
  return told.length === 0 ? [] : [['Cost on this machine: ', ...joined(told, '; ', '; '), '.']];
}

function times(ratio: number): string {
  return `${ratio >= 10 ? Math.round(ratio) : Number(ratio.toPrecision(2))} times`;
}

/** A stretch of time to two digits in its own unit. */
function time(seconds: number): string {
  const units: [number, string][] = [
    [86_400, 'days'],
    [3600, 'hours'],
    [60, 'minutes'],
    [1, 's'],
    [1e-3, 'ms'],
  ];
  const [unit, word] = units.find(([length]) => seconds >= 2 * length) ?? [1e-3, 'ms'];
  return `${Number((seconds / unit).toPrecision(2))} ${word}`;
}

function size(bytes: number): string {
  return bytes >= 1e9 ? `${Number((bytes / 1e9).toPrecision(2))} GB` : `${Number((bytes / 1e6).toPrecision(2))} MB`;
}
