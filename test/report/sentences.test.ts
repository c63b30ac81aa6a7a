/** The page may only claim what the statistics said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Comparison, Verdict } from '../../src/metrics/types.ts';
import { detectableSentence, groupLine, groupSentences, plain, viewSentence } from '../../src/report/sentences.ts';
import { isBm25, Standings } from '../../src/report/standings.ts';
import { systemName } from '../../src/study/results.ts';
import { fakeResults } from './fake-results.ts';

/** Three systems, best first, with the verdicts of best-second, best-bm25, second-bm25. */
function three(verdicts: [Verdict, Verdict, Verdict], pHolm = 0.2): Standings {
  const systems = [{ model: 'bm25+m', fuse: 'linear' }, { model: 'm' }, { model: 'bm25' }];
  const results = fakeResults({ corpora: { set: 200 }, views: ['TA'], systems });
  const names = systems.map(systemName);
  for (const [index, cell] of results.cells.entries()) {
    cell.metrics['ndcg@10'] = { value: 0.4 - index * 0.02, lower: 0.3, upper: 0.45 };
  }
  const order = [[0, 1], [0, 2], [2, 1]] as const; // biome-ignore format: the last pair is stored the other way round
  const table = results.comparisons.find((candidate) => candidate.metric === 'ndcg@10')!;
  table.pairs = order.map(([a, b], index): Comparison => {
    const turned = index === 2;
    const verdict = verdicts[index]!;
    return {
      metric: 'ndcg@10', a: names[a]!, b: names[b]!, difference: turned ? -0.02 : 0.02, lower: -0.01, upper: 0.03, p: 0.01, pHolm,
      verdict: turned && verdict === 'better' ? 'worse' : turned && verdict === 'worse' ? 'better' : verdict, detectable: 0.031, queries: 200,
    }; // biome-ignore format: one pair
  });
  return new Standings(results);
}

const said = (standings: Standings) => groupSentences(standings, standings.groups[0]!).map(plain).join(' ');

test('better than all is said so', () => {
  const text = said(three(['better', 'better', 'better'], 0.001));
  assert.match(text, /bm25\+m \(linear\) has the highest mean nDCG@10, 0\.400 \[0\.300, 0\.450\], over 200 queries\./);
  assert.match(text, /better than every other system; the closest is m \(\+0\.020/);
  assert.match(text, /Against bm25, m is better\./);
  assert.doesNotMatch(text, /ndecided/);
});

test('undecided is said as such, with what could have been seen', () => {
  const text = said(three(['undecided', 'better', 'undecided']));
  assert.match(text, /better than bm25 \(/);
  assert.match(text, /Undecided against m \(.*true difference below 0\.031 would often go unseen/);
  assert.match(text, /Against bm25, m is undecided/);
  assert.doesNotMatch(text, /every other/);
});

test('a difference that is shown but may not matter is told from one that is not shown', () => {
  const text = said(three(['undecided', 'undecided', 'undecided'], 0.01));
  assert.match(text, /difference is shown, but not that it reaches the margin of ±0\.01, to m .* and bm25/);
  assert.doesNotMatch(text, /Undecided against/);
});

test('equivalent names the margin', () => {
  assert.match(
    said(three(['equivalent', 'better', 'better'])),
    /equivalent \(90 % interval within the margin of ±0\.01\) to m/,
  );
});

test('one line a view', () => {
  const standings = three(['undecided', 'better', 'better']);
  assert.equal(
    plain(groupLine(standings, standings.groups[0]!)),
    'bm25+m (linear) 0.400 [0.300, 0.450]; better than 1 of 2, undecided against m.',
  );
  const all = three(['better', 'better', 'better']);
  assert.match(plain(groupLine(all, all.groups[0]!)), /; better than every other system\.$/);
  assert.match(detectableSentence(all, all.groups[0]!)!, /true difference of 0\.031 would be detected with 80 % power/);
});

test('without tests nothing is claimed', () => {
  const results = fakeResults({ corpora: { set: 50 }, views: ['T', 'TA'] });
  results.comparisons = [];
  results.viewComparisons = [];
  const standings = new Standings(results);
  const text = said(standings);
  assert.match(text, /None of the other systems was tested against it/);
  assert.doesNotMatch(text, /better|worse|equivalent/);
  assert.match(viewSentence(standings, standings.bestView('set')!)!, /as observed.*not tested/);
});

test('a comparison reads the same from both sides', () => {
  const standings = three(['better', 'worse', 'better']);
  const forth = standings.compare('set', 'TA', 'ndcg@10', 'bm25+m (linear)', 'm')!;
  const back = standings.compare('set', 'TA', 'ndcg@10', 'm', 'bm25+m (linear)')!;
  assert.deepEqual([forth.verdict, back.verdict], ['better', 'worse']);
  assert.deepEqual([back.difference, back.lower, back.upper], [-forth.difference, -forth.upper, -forth.lower]);
});

test('only BM25 alone is the baseline', () => {
  const is = (model: string, fuse?: string) => {
    const { cells } = fakeResults({
      corpora: { set: 50 },
      views: ['T'],
      systems: [fuse === undefined ? { model } : { model, fuse }],
    });
    return isBm25(cells[0]!);
  };
  assert.deepEqual(
    [is('bm25'), is('bm25:robertson'), is('bm25+m'), is('bm25', 'rrf-60'), is('lsa')],
    [true, true, false, false, false],
  );
});
