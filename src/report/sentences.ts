/**
 * The sentences that the statistics allow. They are made from verdicts only: "better" stands where the test said so,
 * "undecided" is said as such with the smallest difference these queries would have shown, and views, which are not
 * tested against each other, are only reported as observed.
 */
import type { Comparison, Verdict } from '../metrics/types.ts';
import { type CellResult, systemName } from '../study/results.ts';
import {
  count,
  interval,
  listOf,
  metricName,
  plural,
  pPhrase,
  pValue,
  score,
  signed,
  signedInterval,
} from './format.ts';
import type { Cited } from './page.ts';
import type { Group, Standings } from './standings.ts';

/** A sentence in pieces, so that a page can link what it names: plain text, or a text that belongs to a cell. */
type Part = string | { text: string; cell: Cited };
export type Sentence = Part[];

export function plain(sentence: Sentence): string {
  return sentence.map((part) => (typeof part === 'string' ? part : part.text)).join('');
}

interface Against {
  other: CellResult;
  pair: Comparison;
}

/** What may be said of one corpus x view, the leader first. */
export function groupSentences(standings: Standings, group: Group): Sentence[] {
  const { metric } = standings;
  const { best } = group;
  const estimate = best.metrics[metric];
  if (estimate === undefined) return [];
  const lead: Sentence = [
    { text: systemName(best), cell: best },
    ` has the highest mean ${metricName(metric)}, `,
    { text: score(estimate.value), cell: best },
    ` ${interval(estimate)}, over ${plural(best.queries, 'query', 'queries')}.`,
  ];
  if (group.cells.length === 1) return [lead];
  const duels = duelsOf(standings, group, best);
  const by = (verdict: Verdict) => duels.filter((duel) => duel.pair.verdict === verdict);
  const sentences = [lead];
  const better = by('better');
  const others = group.cells.length - 1;
  const margin = tableOf(standings, group)?.margin;
  if (better.length === others && others > 1) {
    sentences.push(['It is better than every other system; the closest is ', ...described(better.slice(0, 1)), '.']);
  } else if (better.length > 0) {
    sentences.push(['It is better than ', ...described(better), '.']);
  }
  if (by('equivalent').length > 0) {
    sentences.push([
      `It is equivalent (90 % interval within the margin of ±${margin}) to `,
      ...described(by('equivalent')),
      '.',
    ]);
  }
  if (by('worse').length > 0) {
    sentences.push(['Query by query it is nevertheless worse than ', ...described(by('worse')), '.']);
  }
  // Undecided has two faces: a difference shown to exist but not to reach the margin, and too few queries to tell.
  const small = by('undecided').filter(({ pair }) => pair.pHolm < 0.05);
  const open = by('undecided').filter(({ pair }) => !(pair.pHolm < 0.05));
  if (small.length > 0) {
    sentences.push([
      `A difference is shown, but not that it reaches the margin of ±${margin}, to `,
      ...described(small),
      '.',
    ]);
  }
  if (open.length > 0) {
    const detectable = Math.max(...open.map((duel) => duel.pair.detectable));
    sentences.push([
      'Undecided against ',
      ...described(open),
      `: with these queries a true difference below ${score(detectable)} would often go unseen.`,
    ]);
  }
  const untested = others - duels.length;
  if (untested > 0)
    sentences.push([`${untested === others ? 'None' : count(untested)} of the other systems was tested against it.`]);
  const baseline = baselineSentence(standings, group);
  if (baseline !== undefined) sentences.push(baseline);
  return sentences;
}

/** One line on a corpus x view: the leader, and whether it may be called better. */
export function groupLine(standings: Standings, group: Group): Sentence {
  const { best } = group;
  const estimate = best.metrics[standings.metric];
  const line: Sentence = [{ text: systemName(best), cell: best }];
  if (estimate === undefined) return line;
  line.push(' ', { text: score(estimate.value), cell: best }, ` ${interval(estimate)}`);
  const duels = duelsOf(standings, group, best);
  const open = duels.filter((duel) => duel.pair.verdict !== 'better');
  if (duels.length === 0) line.push('; not tested.');
  else if (open.length === 0)
    line.push(`; better than ${duels.length === 1 ? 'the other system' : 'every other system'}.`);
  else {
    const better = duels.length - open.length;
    if (better > 0) line.push(`; better than ${count(better)} of ${count(duels.length)}`);
    for (const verdict of ['equivalent', 'undecided', 'worse'] as const) {
      const named = open.filter((duel) => duel.pair.verdict === verdict);
      if (named.length === 0) continue;
      line.push(better > 0 && typeof line.at(-1) === 'string' ? ', ' : '; ');
      const word = { equivalent: 'equivalent to ', undecided: 'undecided against ', worse: 'worse than ' }[verdict];
      line.push(word, ...joined(named.map((duel): Sentence => [{ text: systemName(duel.other), cell: duel.other }])));
    }
    line.push('.');
  }
  return line;
}

/** The smallest difference the tests of a group would see: the range over its pairs. */
export function detectableSentence(standings: Standings, group: Group): string | undefined {
  const table = tableOf(standings, group);
  if (table === undefined || table.pairs.length === 0) return undefined;
  const sizes = table.pairs.map((pair) => pair.detectable).filter(Number.isFinite);
  if (sizes.length === 0) return undefined;
  const [low, high] = [score(Math.min(...sizes)), score(Math.max(...sizes))];
  const difference = low === high ? `of ${low}` : `between ${low} and ${high}, depending on the pair,`;
  return `With ${plural(group.best.queries, 'query', 'queries')}, a true difference ${difference} would be detected with 80 % power at 5 %; a margin of ±${table.margin} counts as practically relevant.`;
}

function baselineSentence(standings: Standings, group: Group): Sentence | undefined {
  const { baseline, best } = group;
  if (baseline === undefined || baseline === best) return undefined;
  const others = duelsOf(standings, group, baseline, true).filter((duel) => duel.other !== best);
  if (others.length === 0) return undefined;
  const parts: Sentence[] = [];
  for (const verdict of ['better', 'equivalent', 'undecided', 'worse'] as const) {
    const named = others.filter((duel) => duel.pair.verdict === verdict);
    if (named.length === 0) continue;
    parts.push([
      ...joined(named.map((duel): Sentence => [{ text: systemName(duel.other), cell: duel.other }])),
      ` ${named.length === 1 ? 'is' : 'are'} ${verdict}`,
    ]);
  }
  return ['Against ', { text: systemName(baseline), cell: baseline }, ', ', ...joined(parts, '; ', '; '), '.'];
}

/** All tested pairs of `system`: its side first, or with `turned` the other's side first. */
function duelsOf(standings: Standings, group: Group, system: CellResult, turned = false): Against[] {
  const { corpus, view, cells } = group;
  return cells.flatMap((other) => {
    if (other === system) return [];
    const [a, b] = turned ? [other, system] : [system, other];
    const pair = standings.compare(corpus, view, standings.metric, systemName(a), systemName(b));
    return pair === undefined ? [] : [{ other, pair }];
  });
}

/** The others with their differences, and how sure the tests are of all of them. */
function described(duels: Against[]): Sentence {
  const named = duels.map(
    ({ other, pair }): Sentence => [
      { text: systemName(other), cell: other },
      ` (${signed(pair.difference)} ${signedInterval(pair)}${duels.length === 1 ? `, ${pPhrase(pair.pHolm, 'Holm p')}` : ''})`,
    ],
  );
  if (duels.length === 1) return named[0]!;
  const ps = duels.map(({ pair }) => pair.pHolm);
  const [low, high] = [Math.min(...ps), Math.max(...ps)];
  const told =
    pValue(low) === pValue(high) ? `each ${pPhrase(high, 'Holm p')}` : `Holm p from ${pValue(low)} to ${pValue(high)}`;
  return [...joined(named), `, ${told}`];
}

export function joined(items: Sentence[], separator = ', ', last = ' and '): Sentence {
  return items.flatMap((item, index) => {
    if (index === 0) return item;
    return [index === items.length - 1 ? last : separator, ...item];
  });
}

function tableOf(standings: Standings, group: Group) {
  return standings.results.comparisons.find(
    (table) => table.corpus === group.corpus && table.view === group.view && table.metric === standings.metric,
  );
}

/** What the best system's own views say of each other: its best view against every other, where tested. */
export function viewSentence(standings: Standings, group: Group): string | undefined {
  const { corpus, view, best } = group;
  const system = systemName(best);
  const others = standings.groups.filter((other) => other.corpus === corpus && other.view !== view);
  if (others.length === 0) return undefined;
  const tested = others.flatMap((other) => {
    const pair = standings.compareViews(corpus, system, standings.metric, view, other.view);
    return pair === undefined ? [] : [pair];
  });
  if (tested.length === 0) {
    const order = [group, ...others].sort((a, b) => standings.value(b.best) - standings.value(a.best));
    const told = order.map((member) => `${member.view} ${score(standings.value(member.best))}`);
    return `Best system of each view, as observed: ${listOf(told)}. Views were not tested against each other.`;
  }
  const parts = (['better', 'equivalent', 'undecided', 'worse'] as const).flatMap((verdict) => {
    const named = tested.filter((pair) => pair.verdict === verdict);
    if (named.length === 0) return [];
    const word = {
      better: 'better than',
      equivalent: 'equivalent to',
      undecided: 'undecided against',
      worse: 'worse than',
    }[verdict];
    return [`${word} ${listOf(named.map((pair) => `${pair.b} (${signed(pair.difference)})`))}`];
  });
  return `For ${system}, view ${view} is ${parts.join('; ')}.`;
}
