/** `patentlab demo`: the main job on two invented landscapes that come with the package. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { importCorpus } from '../corpus/import.ts';
import { renderTerminal, writeReport } from '../report/index.ts';
import { evaluate } from '../study/evaluate.ts';
import { commandName } from './command-name.ts';
import type { CliContext } from './context.ts';
import { evaluationJson } from './evaluate.ts';
import { type Runner, withExample } from './main.ts';

const landscapes = ['assistive-devices', 'greenhouse-robots'] as const;

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('demo')
      .description('Import, evaluate and report on two invented landscapes that come with the package')
      .action(run(demo)),
    'patentlab demo',
  );
}

async function demo(context: CliContext): Promise<void> {
  const started = performance.now();
  const { home, progress, signal } = context;
  const samples = fileURLToPath(new URL('../../samples', import.meta.url));
  const corpora: string[] = [];
  for (const landscape of landscapes) {
    const name = `demo-${landscape}`;
    corpora.push(name);
    if (existsSync(join(home, 'corpora', name, 'manifest.json'))) continue;
    await importCorpus({ home, name, paths: [join(samples, `${landscape}.jsonl`)], invented: true, progress, signal });
  }
  const { results, folder } = await evaluate({
    platform: context.platform,
    home,
    corpora,
    models: ['bm25', 'lsa'],
    views: ['T', 'TA', 'TAC', 'full'],
    fuse: ['linear'],
    study: 'demo',
    title: 'Two invented landscapes',
    command: 'patentlab demo',
    seed: context.seed,
    threads: context.threads,
    progress,
    signal,
  });
  const written = await writeReport(folder, results);
  const patentlab = commandName();
  context.print(
    renderTerminal(results, { color: process.stdout.isTTY === true && process.env.NO_COLOR === undefined }),
  );
  context.print(
    [
      '',
      `report: ${written.html}`,
      `done in ${((performance.now() - started) / 1000).toFixed(0)} s`,
      '',
      'The demo data is invented: it says nothing about your patents. With an export of your own:',
      '',
      `  ${patentlab} import my-export.csv --as mine`,
      `  ${patentlab} evaluate mine --model bm25,lsa --view T,TA,TAC --fuse linear`,
    ].join('\n'),
  );
  context.printJson(evaluationJson(results, written.html));
}
