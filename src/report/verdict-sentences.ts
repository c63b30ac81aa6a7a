/** What the tests of the best against its rivals allow to be said, verdict by verdict; of classification and clustering. */
import type { Comparison, Verdict } from '../metrics/types.ts';
import { count, plural, pPhrase, score, signed, signedInterval } from './format.ts';
import type { Cited } from './page.ts';
import type { Sentence } from './sentences.ts';

/** The best against one rival; `pair` is seen from the best. */
export interface Duel {
  name: string;
  rival: Cited;
  pair: Comparison;
}

/** `rivals`: how many there are, tested or not. */
export function verdictSentences(
  duels: readonly Duel[],
  { rivals, margin }: { rivals: number; margin: number | undefined },
): Sentence[] {
  const sentences: Sentence[] = [];
  const by = (verdict: Verdict) => duels.filter(({ pair }) => pair.verdict === verdict);
  const say = (lead: string, chosen: readonly Duel[], tail = '') => {
    if (chosen.length > 0) sentences.push([lead, ...described(chosen), `${tail}.`]);
  };
  const better = by('better');
  if (better.length === rivals && rivals > 1)
    say(`It is better than all ${count(rivals)} others; the closest is `, [better.reduce(closer)]);
  else say('It is better than ', better);
  say(`It is equivalent (90 % interval within the margin of ±${margin}) to `, by('equivalent'));
  say('Document by document it is nevertheless worse than ', by('worse'));
  // Undecided has two faces: a difference shown to exist but not to reach the margin, and too few documents to tell.
  const shown = ({ pair }: Duel) => pair.pHolm < 0.05;
  say(`A difference is shown, but not that it reaches the margin of ±${margin}, to `, by('undecided').filter(shown));
  const open = by('undecided').filter((duel) => !shown(duel));
  const detectable = Math.max(...open.map(({ pair }) => pair.detectable));
  const unseen = `: with these documents a true difference below ${score(detectable)} would often go unseen`;
  say('Undecided against ', open, Number.isFinite(detectable) ? unseen : '');
  if (rivals > duels.length)
    sentences.push([`${plural(rivals - duels.length, 'other was', 'others were')} not tested against it.`]);
  return sentences;
}

function closer(a: Duel, b: Duel): Duel {
  return b.pair.difference < a.pair.difference ? b : a;
}

function described(duels: readonly Duel[]): Sentence {
  return duels.flatMap(({ name, rival, pair }, at): Sentence => {
    const separator = at === 0 ? '' : at === duels.length - 1 ? ' and ' : ', ';
    const told = ` (${signed(pair.difference)} ${signedInterval(pair)}, ${pPhrase(pair.pHolm, 'Holm p')})`;
    return [separator, { text: name, cell: rival }, told];
  });
}
