/**
 * The leaderboard on real patents: medical ultrasound, a patent's citations as what is relevant. BM25, LSA, all-MiniLM-L6-v2
 * in fp32 and int8, and their fusion with BM25, over five texts. Prints every cell with its interval, then the comparisons
 * that matter: int8 against fp32, fusion against its better part, masked against unmasked full text.
 *
 * usage: npm run bench -- ultrasound [home=DIR] [views=T,TA,TAC,full,full-masked]
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2) and the ultrasound data. A `home` keeps finished cells.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePlatform } from '../src/base/node/platform.ts';
import { terminalProgress } from '../src/base/node/terminal.ts';
import { importCorpus } from '../src/corpus/import.ts';
import { listCorpora } from '../src/corpus/store.ts';
import type { Comparison } from '../src/metrics/types.ts';
import { writeReport } from '../src/report/index.ts';
import { evaluate } from '../src/study/evaluate.ts';
import { systemName } from '../src/study/results.ts';
import { missing, realData } from '../test/support/data.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { hardware } from './support/measurement.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const views = String(settings.views ?? 'T,TA,TAC,full,full-masked').split(',');
const absent = missing('ultrasound_us.jsonl.gz') || missingModel('all-MiniLM-L6-v2');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const home = settings.home ?? mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
const progress = terminalProgress(process.stderr);
try {
  if (!(await listCorpora(home)).some(({ name }) => name === 'ultrasound')) {
    await importCorpus({ home, name: 'ultrasound', paths: [realData('ultrasound_us.jsonl.gz')], progress });
  }
  const { results, folder } = await evaluate({
    platform: nodePlatform,
    home,
    corpora: ['ultrasound'],
    models: ['bm25', 'lsa', `all-MiniLM-L6-v2=${realModel('all-MiniLM-L6-v2')}`],
    views,
    fuse: ['linear', 'rrf'],
    dtype: ['fp32', 'int8'],
    title: 'Medical ultrasound',
    progress,
    onCell: (line) => progress.say(line),
  });
  const { html } = await writeReport(folder, results);
  progress.say(`report: ${html}`);
  console.log(
    JSON.stringify({
      bench: 'ultrasound',
      title: 'Retrieval on real patents: medical ultrasound',
      about: `${results.relevanceStatement} ${results.cells[0]!.queries} queries, ${results.cells[0]!.documents} documents; 95 % intervals over families.`,
    }),
  );
  for (const cell of results.cells) {
    const { value, lower, upper } = cell.metrics['ndcg@10']!;
    console.log(
      JSON.stringify({
        bench: 'ultrasound',
        case: `${cell.view} ${systemName(cell)}`,
        'nDCG@10': value,
        from: lower,
        to: upper,
        'R@100': cell.metrics['recall@100']!.value,
        MAP: cell.metrics.map!.value,
        seconds: cell.cost.seconds,
        'documents/s': cell.cost.documentsPerSecond,
        truncated: cell.cost.truncated,
        hardware: hardware(),
      }),
    );
  }
  for (const { view, metric, pairs } of results.comparisons) {
    if (metric !== 'ndcg@10') continue;
    for (const pair of pairs) if (isTold(pair)) printPair(`${view}: ${pair.a} - ${pair.b}`, pair);
  }
  for (const { model, pairs } of results.viewComparisons)
    for (const pair of pairs) printPair(`${model}: ${pair.a} - ${pair.b}`, pair);
} finally {
  if (settings.home === undefined) rmSync(home, { recursive: true, force: true });
}

/** int8 against fp32, and every fusion against its parts. */
function isTold({ a, b }: Comparison): boolean {
  const pair = [a, b].sort().join(' ');
  return (
    pair === 'all-MiniLM-L6-v2 all-MiniLM-L6-v2-int8' || a === 'bm25' || (b.startsWith('bm25+') && b.includes(`+${a} `))
  );
}

function printPair(name: string, { difference, lower, upper, pHolm, verdict, detectable }: Comparison): void {
  console.log(
    JSON.stringify({
      bench: 'ultrasound',
      case: name,
      difference,
      from: lower,
      to: upper,
      'p (Holm)': pHolm,
      verdict,
      detectable,
    }),
  );
}
