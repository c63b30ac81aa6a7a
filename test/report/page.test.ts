/** The page in a browser: quiet console, no requests, sorting, filters, links, narrow screens. Needs Chromium. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { writeReport } from '../../src/report/write.ts';
import { fakeResults } from './fake-results.ts';

const executable = process.env.PATENTLAB_CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(executable) ? false : `Chromium not found at ${executable} (set PATENTLAB_CHROMIUM)`;
const hostile = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">';

describe('report.html in Chromium', { skip }, () => {
  let browser: Browser;
  let folder: string;
  let address: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'patentlab-test-'));
    const results = fakeResults({ views: ['TA', 'full'], hostileTitle: hostile });
    address = pathToFileURL((await writeReport(folder, results)).html).href;
    browser = await chromium.launch({
      executablePath: executable,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    }); // biome-ignore format: flags
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function visit(options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:')) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(address);
    await look(page);
    assert.equal(await page.evaluate('window.hacked'), undefined);
    assert.deepEqual(complaints, []);
    await context.close();
  }

  test('opens on the best view of the first corpus, and follows the filters', () =>
    visit({}, async (page) => {
      const shown = () => page.locator('#significance .panel:visible h3').allTextContents();
      assert.deepEqual(await shown(), ['ultrasound-us · full · nDCG@10']);
      await page.selectOption('form[data-for=panel] select[name=view]', 'TA');
      await page.selectOption('form[data-for=panel] select[name=corpus]', 'assistive-at');
      assert.deepEqual(await shown(), ['assistive-at · TA · nDCG@10']);
      await page.selectOption('form[data-for=panel] select[name=metric]', 'recall@100');
      assert.deepEqual(await shown(), ['assistive-at · TA · Recall@100']);
      assert.match((await page.locator('#strata').textContent())!, /Nothing for this choice/);
      await page.selectOption('form[data-for=board] select[name=view]', 'TA');
      const views = await page
        .locator('.board table')
        .first()
        .locator('tbody tr:visible td:nth-child(2)')
        .allTextContents();
      assert.deepEqual(new Set(views), new Set(['TA']));
      await page.selectOption('form[data-for=board] select[name=metric]', 'map');
      assert.match(
        (await page.locator('.board table').first().locator('thead th:visible').allTextContents()).join(' '),
        /MAP/,
      );
    }));

  test('tables sort by click and by keyboard', () =>
    visit({}, async (page) => {
      const table = page.locator('.board table').first();
      const values = async () =>
        (await table.locator('tbody td[data-metric="ndcg@10"][data-sort] > a').allTextContents()).map(Number);
      const sorted = (numbers: number[], sign: number) =>
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => sign * (a - b)),
        );
      sorted(await values(), -1);
      const head = table.locator('th[data-metric="ndcg@10"] button').first();
      await head.click();
      sorted(await values(), 1);
      assert.equal(await table.locator('th[data-metric="ndcg@10"]').first().getAttribute('aria-sort'), 'ascending');
      await head.focus();
      await page.keyboard.press('Enter');
      sorted(await values(), -1);
      await table.locator('thead button').first().click();
      const names = await table.locator('tbody th').allTextContents();
      assert.deepEqual(
        names,
        names.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })),
      );
    }));

  test('a number opens its manifest, a pair its queries, even where a filter hides them', () =>
    visit({}, async (page) => {
      const link = page.locator('.board tbody td a.n').first();
      const target = (await link.getAttribute('href'))!;
      await link.click();
      assert.ok(await page.locator(target).isVisible());
      assert.match((await page.locator(`${target}[open]`).textContent())!, /patentlab repeat [0-9a-f]{64}/);
      const pair = await page
        .locator('#differences .panel:not([hidden]) a[href^="#pair-"]')
        .first()
        .getAttribute('href');
      await page.selectOption('form[data-for=panel] select[name=corpus]', 'assistive-at');
      await page.evaluate(`location.hash = '${pair}'`);
      await page.locator(`${pair}[open] table`).first().waitFor({ state: 'visible' });
      assert.match((await page.locator(pair!).textContent())!, /<img src=x/);
    }));

  test('links resolve and ids are single', () =>
    visit({}, async (page) => {
      const broken = await page.evaluate(
        `[...document.querySelectorAll('a[href^="#"]')].filter((a) => !document.getElementById(a.getAttribute('href').slice(1))).length`,
      );
      assert.equal(broken, 0);
      const twice = await page.evaluate(
        `(() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); return ids.length - new Set(ids).size; })()`,
      );
      assert.equal(twice, 0);
      const unnamed = await page.evaluate(
        `[...document.querySelectorAll('table')].filter((table) => !table.caption?.textContent).length + [...document.querySelectorAll('svg')].filter((svg) => !svg.getAttribute('aria-label')).length`,
      );
      assert.equal(unnamed, 0);
      assert.equal(await page.evaluate('document.documentElement.lang'), 'en');
    }));

  for (const [name, options] of [
    ['400 pixels', { viewport: { width: 400, height: 800 } }],
    ['400 pixels without script', { viewport: { width: 400, height: 800 }, javaScriptEnabled: false }],
    ['1,200 pixels', { viewport: { width: 1200, height: 900 } }],
  ] as const) {
    test(`nothing sticks out at ${name}`, () =>
      visit(options, async (page) => {
        const width = await page.evaluate(
          '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
        );
        assert.equal((width as number[])[0], (width as number[])[1]);
      }));
  }

  test('dark where the reader wants it dark, and everything there without script', async () => {
    await visit({ colorScheme: 'dark' }, async (page) => {
      assert.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(22, 23, 26)');
    });
    await visit({ javaScriptEnabled: false }, async (page) => {
      assert.equal(await page.locator('form.filter:visible').count(), 0);
      assert.equal(
        await page.locator('#significance .panel:visible').count(),
        await page.locator('#significance .panel').count(),
      );
    });
  });
});
