/** `patentlab demo`: the main job on two invented landscapes that come with the package. */
import type { Command } from 'commander';
import { renderTerminal, writeReport, writeStudyReport } from '../report/index.ts';
import { studyPage } from '../report/study-html.ts';
import { studySentences } from '../report/study-sentences.ts';
import type { EmbeddingResults } from '../study/embedding/results.ts';
import { evaluate } from '../study/evaluate.ts';
import { builtinCorpus, builtinLandscapes } from '../study/landscapes.ts';
import { runStudy } from '../study/study.ts';
import { commandName } from './command-name.ts';
import type { CliContext } from './context.ts';
import { evaluationJson } from './evaluate.ts';
import { type Runner, withExample } from './main.ts';
import { requestOf, studyJson } from './study.ts';

interface DemoOptions {
  train?: boolean;
}

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('demo')
      .description('Import, evaluate and report on two invented landscapes that come with the package')
      .option('--train', 'then train a small encoder by recipes R1 to R4, and see what carries to the other landscape')
      .action(run(demo)),
    'patentlab demo',
    'patentlab demo --train',
  );
}

async function demo(context: CliContext, { train = false }: DemoOptions): Promise<void> {
  const started = performance.now();
  const { home, progress, signal } = context;
  const corpora: string[] = [];
  for (const landscape of builtinLandscapes) corpora.push(await builtinCorpus(landscape, { home, progress, signal }));
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
  context.print(
    renderTerminal(results, { color: process.stdout.isTTY === true && process.env.NO_COLOR === undefined }),
  );
  context.print(`\nreport: ${written.html}\ndone in ${seconds(started)} s`);
  const trained = train ? await trainOn(context, started) : undefined;
  const patentlab = commandName();
  context.print(
    [
      '',
      'The demo data is invented: it says nothing about your patents. With an export of your own:',
      '',
      `  ${patentlab} import my-export.csv --as mine`,
      `  ${patentlab} evaluate mine --model bm25,lsa --view T,TA,TAC --fuse linear`,
    ].join('\n'),
  );
  context.printJson({
    ...(evaluationJson(results, written.html) as object),
    ...(trained === undefined ? {} : { trained }),
  });
}

/** Recipes R1 to R4 on the landscapes: the report stands at once and is written anew as training goes on. */
async function trainOn(context: CliContext, started: number): Promise<unknown> {
  context.print('\nTraining a small encoder by recipes R1 to R4, on each landscape, and evaluating it on both:');
  let told = false;
  const write = async (soFar: EmbeddingResults, folder: string) => {
    const { html } = await writeStudyReport(folder, soFar);
    const { done, total } = soFar.cells;
    if (!told) context.print(`report: ${html}\nstands after ${seconds(started)} s and is updated as training goes on`);
    else context.progress.say(`report updated: ${done} of ${total} cells`);
    told = true;
    return html;
  };
  const { results, folder, computed } = await runStudy({
    ...requestOf(context, 'demo-train.yaml'),
    text: trainStudy,
    updateSeconds: 10,
    onUpdate: async (soFar, target) => void (await write(soFar, target)),
  });
  const html = await write(results, folder);
  context.print(
    ['', ...studySentences(studyPage(results)), '', `report: ${html}`, `done in ${seconds(started)} s`].join('\n'),
  );
  return studyJson(results, html, computed);
}

const trainStudy = `kind: embedding
title: Recipes R1 to R4 on two invented landscapes
corpora: [{ builtin: assistive-devices }, { builtin: greenhouse-robots }]
models: [tiny]
views: [TA]
recipes: [R1, R2, R3, R4, R4 shuffled]
seeds: [1]
split: { by: family, test: 0.35 }
training: { steps: 40, batch: 16, rate: 5e-4, maxLength: 64 }
remedies: { interpolate: [0.5], recipes: [R4] }
`;

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(0);
}
