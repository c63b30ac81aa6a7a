/** The page of a study: complete, stamped, safe against hostile names, quiet in a browser. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import type { Comparison } from '../../src/metrics/types.ts';
import { renderStudyHtml, studyPage } from '../../src/report/study-html.ts';
import { studySentences } from '../../src/report/study-sentences.ts';
import { writeStudyReport } from '../../src/report/write.ts';
import { questionOf } from '../../src/study/embedding/questions.ts';
import type { EmbeddingResults } from '../../src/study/embedding/results.ts';
import type { SearchedDataCard } from '../../src/study/results.ts';
import { scratch } from '../support/scratch.ts';
import { fakeResults } from './fake-results.ts';

const hostile = '</script><script>window.hacked = 1</script>';
const executable = process.env.PATENTLAB_CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(executable) ? false : `Chromium not found at ${executable} (set PATENTLAB_CHROMIUM)`;

/** Two corpora, one model, R1 and its control, half-way weights. */
function fakeStudy({ invented = true, matched = true } = {}): EmbeddingResults {
  const [first] = fakeResults({ views: ['TA'] }).dataCards;
  const names = ['one', hostile];
  const systems: EmbeddingResults['systems'] = [
    { name: 'bm25', role: 'baseline' },
    { name: 'tiny, untrained', role: 'start', model: 'tiny' },
    ...names.flatMap((trainedOn): EmbeddingResults['systems'] => [
      { name: `tiny R1 on ${trainedOn}`, role: 'recipe', model: 'tiny', recipe: 'R1', trainedOn },
      { name: `tiny R1 shuffled on ${trainedOn}`, role: 'control', model: 'tiny', recipe: 'R1 shuffled', trainedOn },
      {
        name: `tiny R1 on ${trainedOn}, 0.5 tuned`,
        role: 'interpolate',
        model: 'tiny',
        recipe: 'R1',
        trainedOn,
        weight: 0.5,
      },
    ]),
  ];
  const values = systems.map((_, at) => 0.2 + 0.03 * at);
  const compare = (a: number, b: number): Comparison => {
    const difference = values[a]! - values[b]!;
    const [lower, upper] = [difference - 0.01, difference + 0.01];
    const verdict = difference > 0.05 ? 'better' : difference < -0.05 ? 'worse' : 'undecided';
    const [x, y] = [systems[a]!.name, systems[b]!.name];
    return { metric: 'ndcg@10', a: x, b: y, difference, lower, upper, p: 0.01, pHolm: 0.02, verdict, detectable: 0.02, queries: 50, tentative: true };
  }; // biome-ignore format: one comparison
  const pairs = systems.flatMap((one, a) =>
    systems.slice(a + 1).flatMap((other, after) => {
      const question = questionOf(one, other);
      return question === undefined ? [] : { ...compare(a, a + 1 + after), question };
    }),
  );
  const corner = { view: 'TA', task: 'retrieval' } as const;
  const estimate = (value: number) => ({ value, lower: value - 0.02, upper: value + 0.02 });
  return {
    format: 1,
    kind: 'embedding',
    study: 'fake',
    title: 'A study',
    invented,
    created: '2024-01-01T00:00:00.000Z',
    packageVersion: '0.0.0',
    definitions: '1',
    command: 'patentlab study run fake.yaml',
    relevanceStatement: 'Relevant is what the query patent cites.',
    margin: 0.01,
    tasks: ['retrieval'],
    corners: names.map((corpus) => ({ corpus, ...corner, metric: 'ndcg@10', sample: 50, documents: 200 })),
    cells: { done: 15, total: 16 },
    corpora: names.map((name) => ({
      name,
      card: { ...(first as SearchedDataCard), corpus: name },
      queries: 50,
      lacks: [],
      matched: 'Matched data.',
    })),
    matched,
    differences: matched ? [] : ['one: pairs: R1 10, R3 20'],
    systems,
    rows: names.flatMap((corpus) =>
      systems.map((system, at) => ({
        corpus,
        ...corner,
        system: system.name,
        cost: { documentSeconds: 0.01, querySeconds: 0.01 },
        metrics: { 'ndcg@10': estimate(values[at]!), 'recall@100': estimate(0.5) },
        seeds:
          system.recipe === undefined
            ? [{ value: values[at]!, cell: 'c' }]
            : [{ seed: 1, value: values[at]!, cell: 'c' }],
        tentative: system.recipe !== undefined,
      })),
    ),
    comparisons: names.map((corpus) => ({
      corpus,
      ...corner,
      metric: 'ndcg@10',
      margin: 0.01,
      resamples: 1000,
      pairs,
    })),
    transfer: names.flatMap((to) =>
      systems.slice(2).map((system, at) => ({
        system: system.name,
        role: system.role,
        model: 'tiny',
        recipe: system.recipe!,
        ...(system.weight === undefined ? {} : { weight: system.weight }),
        from: system.trainedOn!,
        to,
        ...corner,
        metric: 'ndcg@10',
        value: values[at + 2]!,
        start: values[1]!,
        comparison: compare(at + 2, 1),
      })),
    ),
    trainings: [],
    absent: [{ corpus: 'one', recipe: 'R2', reason: `lacks the labels ${hostile}` }],
    missingModels: [{ model: 'huge', reason: 'not here' }],
    manifests: [],
    warnings: [],
  };
}

test('says what is invented, what is tentative, what is not finished and what was not shown', () => {
  const page = renderStudyHtml(fakeStudy());
  assert.ok(page.split('Invented data: says nothing about your patents').length > 5, 'in every section');
  assert.match(page, /Not finished: 15 of 16 cells/);
  assert.match(page, /Signal absent\.<\/b> R2 on one: lacks the labels/);
  assert.match(page, /Model not run\.<\/b> huge: not here/);
  assert.match(page, /1\*<\/td>/);
  assert.doesNotMatch(page, /<script>window\.hacked/);
  assert.doesNotMatch(renderStudyHtml(fakeStudy({ invented: false })), /Invented data/);
});

test('the questions are told with their numbers of pairs; the best system is not said to beat one it was not tested against', () => {
  const results = fakeStudy();
  const page = renderStudyHtml(results);
  // Two recipes and two controls against one start; a remedy of each recipe against start and recipe.
  assert.match(page, /every recipe and every shuffled control against the model it started from \(4 pairs\)/);
  assert.match(page, /against the recipe as it was tuned \(4 pairs\)/);
  assert.doesNotMatch(page, /models as they are against one another/, 'there is one');
  const [best] = studySentences(studyPage(results)).filter((sentence) => sentence.startsWith('On one'));
  assert.match(best!, /0\.5 tuned has the highest .*: better than every system that it is tested against\.$/);
});

test('what training did is counted by comparisons: one system is compared on every landscape and task', () => {
  const results = fakeStudy();
  // Two recipes on two landscapes, each landscape twice as if there were another task.
  results.transfer = [...results.transfer, ...results.transfer.map((cell) => ({ ...cell, view: 'T' }))];
  const page = renderStudyHtml(results);
  assert.match(page, /On the landscape they learnt from, of 4 comparisons of trained systems with their start/);
  assert.match(page, /On other landscapes, of 4 comparisons of trained systems with their start/);
  assert.match(studySentences(studyPage(results)).join(' '), /of 4 comparisons of trained systems/);
  assert.doesNotMatch(page, /\d trained systems/);
});

test('recipes that are not matched are not ranked in words', () => {
  const ranked = studySentences(studyPage(fakeStudy())).join(' ');
  assert.match(ranked, /tentative/);
  assert.match(renderStudyHtml(fakeStudy({ matched: false })), /The recipes are not matched<\/b>/);
  assert.doesNotMatch(studySentences(studyPage(fakeStudy({ matched: false }))).join(' '), /same number of pairs/);
});

test('a browser finds nothing to complain of, and nothing is fetched', { skip }, async (t) => {
  const address = pathToFileURL((await writeStudyReport(join(scratch(t), 'out'), fakeStudy())).html).href;
  const browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:')) complaints.push(request.url());
    });
    await page.goto(address);
    assert.equal(await page.evaluate('window.hacked'), undefined);
    assert.deepEqual(await page.locator('main > section').evaluateAll((all) => all.map(({ id }) => id)), [
      'advice',
      'summary',
      'standings',
      'recipes',
      'transfer',
      'remedies',
      'data',
      'methods',
    ]);
    await page.locator('#standings table.sortable thead button').first().click();
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
  }
});
