/** `evaluate --task clustering` as its user runs it: JSON, terminal, the page in a browser, options refused. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { importCorpus } from '../../src/corpus/import.ts';
import { cli } from '../support/cli.ts';
import { scratch } from '../support/scratch.ts';

const hostile = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">';
const executable = process.env.PATENTLAB_CHROMIUM ?? '/usr/bin/chromium';

/** Two kinds of things; the first one's title is hostile. */
async function things(home: string): Promise<void> {
  const nouns = [['plough', 'furrow', 'soil'], ['antenna', 'carrier', 'modem']]; // biome-ignore format: one line
  const patents = Array.from({ length: 24 }, (_, i) => ({
    id: `US${1000000 + i}A`,
    title: i === 0 ? `plough furrow ${hostile}` : `${nouns[i % 2]!.join(' ')} ${nouns[i % 2]![i % 3]} ${i}`,
    ipc: [i % 2 === 0 ? 'A01B1/02' : 'H04W4/00'],
  }));
  const path = join(home, 'things.jsonl');
  writeFileSync(path, patents.map((patent) => `${JSON.stringify(patent)}\n`).join(''));
  await importCorpus({ home, name: 'things', paths: [path] });
}

test('JSON, terminal and page tell the same numbers; titles on the map stay text', async (t) => {
  const home = scratch(t);
  await things(home);
  const run = ['evaluate', 'things', '--home', home, '--task', 'clustering', '--model', 'bm25,lsa', '--view', 'T'];
  const plan = await cli([...run, '--dry-run', '--quiet']);
  assert.match(plan.stdout, /clustering +things +T +lsa +about/);
  const found = await cli([...run, '--labels', 'ipc', '--level', 'section', '--bootstraps', '2', '--json']);
  assert.equal(found.code, 0, found.stderr);
  const { cells, report } = JSON.parse(found.stdout);
  assert.equal(cells.length, 1);
  const [{ task, model, documents, labels, clusters, metrics, bootstraps, runs, manifest }] = cells;
  assert.deepEqual([task, model, documents, labels, clusters], ['clustering', 'lsa', 24, 2, 2]);
  assert.deepEqual([bootstraps.vMeasures.length, runs.length, manifest.seeds.length], [2, 5, 5]);
  assert.ok(metrics['v-measure'].value > 0.9, 'two kinds');
  const shown = await cli([...run, '--labels', 'ipc', '--level', 'section', '--bootstraps', '2', '--quiet']);
  assert.match(shown.stdout, /0 cells computed, 1 found finished/);
  assert.ok(shown.stdout.includes(`has the highest V-measure, ${metrics['v-measure'].value.toFixed(3)}`), shown.stdout);
  assert.match(shown.stdout, /left out: bm25/);
  assert.ok(
    shown.stdout.split('\n').every((line) => line.length <= 100 || line.startsWith('report:')),
    'within 100 columns',
  );
  const folder = join(report, '..');
  assert.match(
    readFileSync(join(folder, 'clustering.csv'), 'utf8'),
    /^corpus,view,model,documents,labels,clusters,v-measure/,
  );
  assert.equal(readFileSync(join(folder, 'clustering-map.csv'), 'utf8').trim().split('\r\n').length, 25);
  assert.ok(!existsSync(join(folder, 'leaderboard.csv')), 'nothing was searched');
  const page = readFileSync(report, 'utf8');
  for (const id of ['clustering', 'clusterings', 'clustering-map', 'clusters', 'clustering-data'])
    assert.ok(page.includes(`<section id="${id}"`), id);
  assert.ok(!page.includes('<script>window.hacked'));
  await t.test('in Chromium', { skip: existsSync(executable) ? false : 'Chromium not found' }, async () => {
    const browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const tab = await browser.newPage({ colorScheme: 'dark' });
      const complaints: string[] = [];
      tab.on('console', (message) => complaints.push(message.text()));
      tab.on('pageerror', (error) => complaints.push(String(error)));
      await tab.goto(pathToFileURL(report).href);
      assert.equal(await tab.evaluate('window.hacked'), undefined);
      const marks = tab.locator('#clustering-map svg path.mark:has(title)');
      assert.equal(await marks.count(), 24);
      const titles = await tab.locator('#clustering-map svg path.mark > title').allTextContents();
      assert.ok(
        titles.some((title) => title.startsWith('US1000000A: plough furrow </script>')),
        titles[0],
      );
      // By keyboard: the table below the map.
      const summary = tab.locator('#clustering-map summary');
      await summary.focus();
      await tab.keyboard.press('Enter');
      assert.equal(await tab.locator('#clustering-map tbody tr:visible').count(), 24);
      // A value leads to its manifest.
      await tab.locator('#clusterings td a.n').first().click();
      assert.ok(await tab.locator('details.manifest[open]').first().isVisible());
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  });
});

test('options without effect, and what cannot be clustered, are refused', async (t) => {
  const home = scratch(t);
  await things(home);
  const run = (...args: string[]) => cli(['evaluate', 'things', '--home', home, ...args]);
  const outcomes = await Promise.all([
    run('--reduce', 'first'),
    run('--task', 'classification', '--clusters', '3'),
    run('--task', 'clustering', '--probe', 'knn'),
    run('--task', 'clustering', '--model', 'lsa', '--view', 'T', '--clusters', '25'),
  ]);
  const told = [
    '--reduce has no effect here',
    '--clusters has no effect here',
    '--probe has no effect here',
    'too few documents to cluster',
  ];
  outcomes.forEach(({ code, stderr }, i) => {
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(told[i]!), `${told[i]}: ${stderr}`);
  });
});
