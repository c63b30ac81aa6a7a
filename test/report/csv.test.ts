import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { csvFiles, field } from '../../src/report/csv.ts';
import { fakeResults } from './fake-results.ts';

const read = (text: string): Record<string, string>[] => parse(text, { columns: true });

test('text that a spreadsheet would run is text', () => {
  assert.equal(field('=HYPERLINK("x")'), `"'=HYPERLINK(""x"")"`);
  assert.equal(field('@sum'), "'@sum");
  assert.equal(field(' =1+1'), "' =1+1");
  assert.equal(field('a\u001b[2Jb'), 'a\\x1b[2Jb');
  assert.equal(field('a,b'), '"a,b"');
  assert.equal(field(-0.5), '-0.5');
  assert.equal(field(undefined), '');
  assert.equal(field(Number.NaN), '');
});

test('every table reads back, with all its rows and full precision', () => {
  const results = fakeResults({ hostileTitle: 'a "quoted",\r\ntitle' });
  const files = csvFiles(results);
  const leaderboard = read(files.get('leaderboard.csv')!);
  assert.equal(leaderboard.length, results.cells.length);
  assert.equal(Number(leaderboard[3]!['ndcg@10']), results.cells[3]!.metrics['ndcg@10']!.value);
  assert.equal(leaderboard[3]!.cell, results.cells[3]!.manifest.cell);
  const outPairs = results.domains.flatMap((table) => table.outPairs);
  const pairs = [...results.comparisons, ...results.viewComparisons].flatMap((table) => table.pairs).concat(outPairs);
  const comparisons = read(files.get('comparisons.csv')!);
  assert.equal(comparisons.length, pairs.length);
  assert.equal(Number(comparisons[0]!.p_holm), pairs[0]!.pHolm);
  assert.equal(read(files.get('differences.csv')!).length, results.differences.length);
  const queries = read(files.get('wins-losses.csv')!);
  assert.equal(
    queries.length,
    results.winsLosses.reduce((sum, pair) => sum + pair.wins.length + pair.losses.length, 0),
  );
  assert.equal(queries[0]!.title, results.winsLosses[0]!.wins[0]!.title);
  assert.equal(
    read(files.get('strata.csv')!).length,
    results.strata.reduce((sum, row) => sum + Object.keys(row.systems).length, 0),
  );
  const domains = read(files.get('domains.csv')!);
  const fusions = results.domains.reduce((sum, { fusions }) => sum + fusions.length, 0);
  assert.equal(
    domains.length,
    results.domains.reduce((sum, { systems }) => sum + 4 * Object.keys(systems).length, fusions),
  );
  assert.deepEqual(
    [domains[2]!.domain, Number(domains[2]!.value)],
    ['drop', results.domains[0]!.systems[domains[2]!.system!]!.drop.value],
  );
  const retention = read(files.get('retention.csv')!);
  assert.equal(Number(retention[0]!.kept), results.retentions[0]!.cut[0]!.kept.value);
  assert.equal(
    read(files.get('recall.csv')!).length,
    results.recallCurves.reduce((sum, curve) => sum + curve.points.length, 0),
  );
  assert.equal(
    read(files.get('fusion-weights.csv')!).length,
    results.alphaSweeps.reduce((sum, sweep) => sum + sweep.points.length, 0),
  );
});
