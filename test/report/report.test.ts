/** The files of a report: complete, self-contained, small enough, safe against what patents bring along. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { signed } from '../../src/report/format.ts';
import { renderHtml } from '../../src/report/html.ts';
import { inventedStamp } from '../../src/report/page.ts';
import { writeReport } from '../../src/report/write.ts';
import type { EvaluationResults } from '../../src/study/results.ts';
import { scratch } from '../support/scratch.ts';
import { fakeResults } from './fake-results.ts';

const limit = 5_000_000;

test('writes the page, the data and the tables, and nothing else', async (t) => {
  const folder = join(scratch(t), 'out');
  const results = fakeResults({ views: ['TA', 'full'] });
  const written = await writeReport(folder, results);
  const names = [written.html, written.json, ...written.csv].map((path) => path.slice(folder.length + 1));
  assert.deepEqual(readdirSync(folder).sort(), names.toSorted());
  assert.deepEqual(JSON.parse(readFileSync(written.json, 'utf8')), JSON.parse(JSON.stringify(results)));
  const page = readFileSync(written.html, 'utf8');
  for (const [, file] of page.matchAll(/class="csv" href="([^"]+)"/g)) assert.ok(names.includes(file!), file);
  await writeReport(folder, fakeResults({ corpora: { other: 30 }, views: ['TA'] }));
  assert.match(readFileSync(written.html, 'utf8'), /other/);
  assert.equal(readdirSync(folder).length, names.length);
});

test('says first what counts as relevant', () => {
  const results = fakeResults({ views: ['TA'] });
  const body = renderHtml(results).split('<body>\n')[1]!;
  assert.ok(body.startsWith('<p class="statement">Relevant is what the query patent cites'), body.slice(0, 80));
});

test('reaches for nothing outside itself', () => {
  const page = renderHtml(fakeResults({ views: ['TA'] }));
  holds(page, /default-src &#39;none&#39;/);
  lacks(page, /(?:src|href|action|data)="(?!#|data:,|\.\/|[a-z-]+\.csv")/);
  lacks(page, /url\(|@import|https?:\/\//);
});

/** As `assert.match`, without printing the whole page. */
function holds(page: string, pattern: RegExp): void {
  assert.ok(pattern.test(page), `the page does not hold ${pattern}`);
}

function lacks(page: string, pattern: RegExp): void {
  const found = pattern.exec(page.replace(/<script>.*?<\/script>/gs, ''));
  assert.ok(found === null, `the page holds ${pattern}: ${found && page.slice(found.index - 150, found.index + 50)}`);
}

const sizes: [string, Parameters<typeof fakeResults>[0]][] = [
  ['2 corpora x 5 views x 6 systems', { corpora: { 'assistive-at': 46_069, dapfam: 1247 } }],
  ['1 corpus x 5 views x 12 systems', { corpora: { 'assistive-at': 46_069 }, systems: many(12) }],
  ['1 corpus x 1 view x 60 systems', { corpora: { 'assistive-at': 46_069 }, views: ['TA'], systems: many(60) }],
];

function many(count: number): { model: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    model: index === 2 ? 'bm25' : `organisation/embedding-model-${index}-v1.5`,
  }));
}

for (const [name, options] of sizes) {
  test(`60 cells and 46,069 queries stay below 5 MB: ${name}`, () => {
    const results = fakeResults({ ...options, hostileTitle: 'Title '.repeat(60) });
    assert.equal(results.cells.length, 60);
    const page = renderHtml(results);
    assert.ok(Buffer.byteLength(page) <= limit, `${Buffer.byteLength(page)} bytes`);
    for (const id of [
      'summary',
      'leaderboard',
      'significance',
      'differences',
      'recall',
      'wins-losses',
      'strata',
      'domains',
      'cost',
      'data',
      'methods',
      'caveats',
      'manifests',
    ]) {
      holds(page, new RegExp(`<section id="${id}"`));
    }
    for (const cell of results.cells) assert.ok(page.includes(`patentlab repeat ${cell.manifest.cell}`));
    lacks(page, /NaN|undefined|\[object|Infinity/);
  });
}

test('what does not fit is named', () => {
  const page = renderHtml(
    fakeResults({ corpora: { set: 46_069 }, views: ['TA'], systems: many(60), hostileTitle: 'Title '.repeat(60) }),
  );
  holds(page, /more pairs would make this page too large: they are in <a href="differences\.csv">/);
});

test('a system whose vectors were stored shows no cost of its own, and is not in the figure of costs', () => {
  const results = fakeResults({ corpora: { set: 60 }, views: ['TA'] });
  const costs = (page: string) => /<section id="cost".*?<\/section>/s.exec(page)![0];
  const whole = costs(renderHtml(results));
  lacks(whole, />stored</);
  const name = 'all-MiniLM-L6-v2';
  const { cost } = results.cells.find(({ model }) => model === name)!;
  delete cost.documentsPerSecond;
  const part = costs(renderHtml(results));
  holds(part, />stored<\/td>/);
  holds(part, /“Stored”: the vectors had been made before/);
  const marks = (page: string) => page.match(/class="whisker/g)!.length;
  assert.equal(marks(part), marks(whole) - 1);
});

test('hostile text stays text', () => {
  const hostile = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\u0000\uD800';
  const results = fakeResults({
    corpora: { [hostile]: 60 },
    views: [hostile],
    systems: [{ model: hostile }, { model: 'bm25' }],
    hostileTitle: hostile,
  });
  results.title = hostile;
  results.relevanceStatement = hostile;
  results.command = hostile;
  results.warnings = [hostile];
  results.dataCards[0]!.sources[0]!.file = hostile;
  results.cells[0]!.files.run = `javascript:alert(3)//${hostile.replace('\uD800', '')}`;
  const page = renderHtml(results);
  assert.equal(page.match(/<script/g)!.length, 2, 'the page script and the manifests');
  assert.equal(page.match(/<\/script/g)!.length, 2);
  lacks(page, /<img|href="javascript:/);
  assert.ok(!page.includes('\u0000'));
  assert.ok(page.isWellFormed());
  const island = page.match(/<script type="application\/json" id="manifest-data">(.*?)<\/script>/s)![1]!;
  assert.equal(JSON.parse(island)[0].model, hostile);
});

test('invented data is stamped on the title, on every section and on every printed page', () => {
  const page = renderHtml(fakeResults({ invented: true, views: ['TA'] }));
  const sections = page.match(/<section /g)!.length;
  assert.equal(page.match(new RegExp(`<p class="stamp">${inventedStamp}</p>`, 'g'))!.length, sections + 1);
  assert.ok(page.includes(`<title>${inventedStamp}`));
  assert.ok(page.includes(`@top-center{content:"${inventedStamp}"}`));
  lacks(renderHtml(fakeResults({ views: ['TA'] })), /Invented data/);
});

test('every number leads to a manifest that is there', () => {
  const page = renderHtml(fakeResults({}));
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]!);
  assert.ok(targets.length > 400);
  for (const target of targets) assert.ok(ids.has(target), target);
});

test('an evaluation with one system and nothing tested still makes a page', () => {
  const full = fakeResults({ corpora: { small: 1 }, views: ['T'], systems: [{ model: 'lsa' }] });
  const bare: EvaluationResults = {
    ...full, comparisons: [], viewComparisons: [], dataCards: [], recallCurves: [], differences: [], winsLosses: [], strata: [], absentStrata: [], domains: [], retentions: [],
    alphaSweeps: [], warnings: [],
  }; // biome-ignore format: one line of nothing
  for (const results of [full, bare, { ...bare, cells: [] }]) lacks(renderHtml(results), /NaN|undefined|Infinity/);
});

test('domains: what was measured on what, an estimate without interval, and an absent signal by name', () => {
  const results = fakeResults({ corpora: { set: 60 }, views: ['TA'] });
  const section = (page: string) => /<section id="domains".*?<\/section>/s.exec(page)![0];
  const full = section(renderHtml(results));
  holds(full, /540 relevant documents IN \(51 queries\), 180 OUT \(42 queries\), 34 queries with both; 41 neither/);
  holds(full, /of 315 patents 12 placed by CPC for want of IPC and 3 without either/);
  holds(full, /60\.0 % \[55\.0 %, 64\.0 %\]/);
  holds(full, /−1\.2 \[−3\.1, \+0\.6\]/);
  const [domain] = results.domains;
  const single = { value: 0.5, lower: Number.NaN, upper: Number.NaN };
  const few = { ...domain!, systems: { bm25: { in: single, out: single, drop: single } }, fusions: [] };
  const page = section(renderHtml({ ...results, domains: [few] }));
  lacks(page, /NaN/);
  holds(page, /50\.0 % \(no interval\)/);
  const reason = 'no patent of the corpus has an IPC or CPC code';
  const none = renderHtml({ ...results, domains: [], absentStrata: [{ corpus: 'set', by: 'domain', reason }] });
  holds(section(none), /set: no patent of the corpus has an IPC or CPC code, so that IN and OUT cannot be told/);
});

test('fewer dimensions: what is kept, the paired test, and no interval where there is none', () => {
  const results = fakeResults({ corpora: { set: 60 }, views: ['TA'] });
  const section = (page: string) => /<section id="retention".*?<\/section>/s.exec(page)![0];
  const page = section(renderHtml(results));
  holds(page, /97\.0 % \[95\.0 %, 98\.5 %\]/);
  const [retention] = results.retentions;
  const pair = results.comparisons[0]!.pairs.find(
    ({ a, b }) => a === retention!.full.system && b === retention!.cut[0]!.system,
  )!;
  assert.ok(page.includes(signed(-pair.difference)), 'the cut one minus the full one');
  const [first, ...others] = retention!.cut;
  const kept = { value: 0.9, lower: Number.NaN, upper: Number.NaN };
  const bare = { ...results, retentions: [{ ...retention!, cut: [{ ...first!, kept }, ...others] }] };
  holds(section(renderHtml(bare)), /90\.0 % \(no interval\)/);
  lacks(section(renderHtml(bare)), /NaN/);
  lacks(renderHtml({ ...results, retentions: [] }), /id="retention"/);
});

test('the page does not depend on when or where it is made', async (t) => {
  const results = fakeResults({ views: ['TA'] });
  assert.equal(renderHtml(results), renderHtml(structuredClone(results)));
  const folder = scratch(t);
  const { html } = await writeReport(folder, results);
  assert.equal(statSync(html).size, Buffer.byteLength(renderHtml(results)));
});
