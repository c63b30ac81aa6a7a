/** What the tests of classifiers allow to be said: from verdicts only, as `sentences.ts` for retrieval. */
import type { Comparison, Verdict } from '../metrics/types.ts';
import {
  type ClassificationCell,
  type ClassificationResults,
  classifierName,
} from '../study/classification/results.ts';
import { bestBy, type ClassifierGroup, compared, measureName } from './classification-standings.ts';
import { count, interval, listOf, plural, pPhrase, score, signed, signedInterval } from './format.ts';

/** A sentence in pieces: plain text, or a text that belongs to a cell. */
export type ClassifierSentence = (string | { text: string; cell: ClassificationCell })[];

export function plainText(sentence: ClassifierSentence): string {
  return sentence.map((part) => (typeof part === 'string' ? part : part.text)).join('');
}

interface Duel {
  other: ClassificationCell;
  pair: Comparison;
}

/** What may be said of one group on one metric, the leader first. */
export function classifierSentences(
  results: ClassificationResults,
  group: ClassifierGroup,
  metric: string,
): ClassifierSentence[] {
  const best = bestBy(group, metric);
  const estimate = best.metrics[metric];
  if (estimate === undefined) return [];
  const sentences: ClassifierSentence[] = [
    [
      { text: classifierName(best), cell: best },
      ` has the highest ${measureName(metric)}, `,
      { text: score(estimate.value), cell: best },
      ` ${interval(estimate)}, over ${plural(best.documents, 'document')} and ${plural(best.labels, 'label')}.`,
    ],
  ];
  const duels = group.cells.flatMap((other): Duel[] => {
    const pair = other === best ? undefined : compared(results, group, metric, best, other);
    return pair === undefined ? [] : [{ other, pair }];
  });
  const by = (verdict: Verdict) => duels.filter(({ pair }) => pair.verdict === verdict);
  const say = (lead: string, chosen: Duel[]) => {
    if (chosen.length > 0) sentences.push([lead, ...described(chosen), '.']);
  };
  const others = group.cells.length - 1;
  const better = by('better');
  if (better.length === others && others > 1)
    say(`It is better than all ${count(others)} others; the closest is `, [better.reduce(closer)]);
  else say('It is better than ', better);
  const margin = results.comparisons.find((table) => table.metric === metric)?.margin;
  say(`It is equivalent (90 % interval within the margin of ±${margin}) to `, by('equivalent'));
  say('Document by document it is nevertheless worse than ', by('worse'));
  const small = by('undecided').filter(({ pair }) => pair.pHolm < 0.05);
  const open = by('undecided').filter(({ pair }) => !(pair.pHolm < 0.05));
  say(`A difference is shown, but not that it reaches the margin of ±${margin}, to `, small);
  if (open.length > 0) {
    const detectable = Math.max(...open.map(({ pair }) => pair.detectable));
    const unseen = Number.isFinite(detectable)
      ? `: with these documents a true difference below ${score(detectable)} would often go unseen`
      : '';
    sentences.push(['Undecided against ', ...described(open), `${unseen}.`]);
  }
  if (others > duels.length) sentences.push([`${count(others - duels.length)} others were not tested against it.`]);
  const tentative = duels.filter(({ pair }) => pair.tentative);
  if (tentative.length > 0) {
    const heads = [best, ...tentative.map(({ other }) => other)].filter(
      ({ probe }) => probe === 'linear' || probe === 'mlp',
    );
    sentences.push([
      `Tentative where heads trained with one seed are compared: ${listOf([...new Set(heads.map(classifierName))])}.`,
    ]);
  }
  return sentences;
}

function closer(a: Duel, b: Duel): Duel {
  return b.pair.difference < a.pair.difference ? b : a;
}

function described(duels: readonly Duel[]): ClassifierSentence {
  return duels.flatMap(({ other, pair }, at): ClassifierSentence => {
    const separator = at === 0 ? '' : at === duels.length - 1 ? ' and ' : ', ';
    const told = ` (${signed(pair.difference)} ${signedInterval(pair)}, ${pPhrase(pair.pHolm, 'Holm p')})`;
    return [separator, { text: classifierName(other), cell: other }, told];
  });
}
