/**
 * What is kept of retrieval on real patents when vectors are cut to their first numbers, and what passages add to the beginning of
 * a long text: medical ultrasound, all-MiniLM-L6-v2 (384 numbers). Prints retention with its interval, then every variant
 * against the model as it is, in one table of pairs a view.
 *
 * usage: npm run bench -- retention [home=DIR]
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2) and the ultrasound data. A `home` keeps finished cells.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePlatform } from '../src/base/node/platform.ts';
import { terminalProgress } from '../src/base/node/terminal.ts';
import { importCorpus } from '../src/corpus/import.ts';
import { listCorpora } from '../src/corpus/store.ts';
import { evaluate } from '../src/study/evaluate.ts';
import { missing, realData } from '../test/support/data.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { hardware } from './support/measurement.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const absent = missing('ultrasound_us.jsonl.gz') || missingModel('all-MiniLM-L6-v2');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const home = settings.home ?? mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
const progress = terminalProgress(process.stderr);
const name = 'all-MiniLM-L6-v2';
const shared = {
  platform: nodePlatform,
  home,
  corpora: ['ultrasound'],
  models: [`${name}=${realModel(name)}`],
  progress,
} as const;
try {
  if (!(await listCorpora(home)).some((corpus) => corpus.name === 'ultrasound'))
    await importCorpus({ home, name: 'ultrasound', paths: [realData('ultrasound_us.jsonl.gz')], progress });
  const widths = await evaluate({ ...shared, views: ['TA', 'full'], dimensions: [64, 128, 256], study: 'retention' });
  const passages = await evaluate({
    ...shared,
    views: ['full'],
    passages: [
      { size: 256, overlap: 64, aggregate: 'max', most: 4 },
      { size: 256, overlap: 64, aggregate: 'mean', most: 4 },
    ],
    study: 'passages',
  });
  console.log(
    JSON.stringify({
      bench: 'retention',
      title: 'Fewer dimensions, more passages',
      about: `${widths.results.relevanceStatement} ${widths.results.cells[0]!.queries} queries. Kept: nDCG@10 at that width over that at 384, the vectors cut and brought to length 1 again. Passages: of 256 tokens, 64 of them shared with the one before, the first four of each text; the model alone reads the first 256.`,
    }),
  );
  for (const { view, metric, full, cut } of widths.results.retentions) {
    if (metric !== 'ndcg@10') continue;
    for (const { dimensions, kept } of cut)
      print(`${view}: ${dimensions} of ${full.dimensions} dimensions`, {
        kept: kept.value,
        from: kept.lower,
        to: kept.upper,
      });
  }
  for (const { results } of [widths, passages]) {
    for (const { view, metric, pairs } of results.comparisons) {
      if (metric !== 'ndcg@10') continue;
      for (const { a, b, difference, lower, upper, pHolm, verdict } of pairs.filter(
        (pair) => pair.a === name || pair.b === name,
      )) {
        const turned = b === name ? 1 : -1;
        const [from, to] = turned === 1 ? [lower, upper] : [-upper, -lower];
        const opposite = {
          better: 'worse',
          worse: 'better',
          equivalent: 'equivalent',
          undecided: 'undecided',
        } as const;
        const told = turned === 1 ? verdict : opposite[verdict];
        const variant = turned === 1 ? a : b;
        print(`${view}: ${variant} - ${name}`, {
          difference: turned * difference,
          from,
          to,
          'p (Holm)': pHolm,
          verdict: told,
        });
      }
    }
  }
} finally {
  if (settings.home === undefined) rmSync(home, { recursive: true, force: true });
}

function print(case_: string, figures: Record<string, unknown>): void {
  console.log(JSON.stringify({ bench: 'retention', case: case_, ...figures, hardware: hardware() }));
}
