/** `patentlab study`: a study file planned, run, looked at and reported. */
import type { Command } from 'commander';
import { duration } from '../base/node/terminal.ts';
import { writeStudyReport } from '../report/index.ts';
import { studyPage } from '../report/study-html.ts';
import { studyAdvice, studySentences } from '../report/study-sentences.ts';
import type { EmbeddingPlan, PlannedWork } from '../study/embedding/estimate.ts';
import type { StudyOptions } from '../study/embedding/options.ts';
import type { EmbeddingResults } from '../study/embedding/results.ts';
import { gatherStudy, planStudy, runStudy } from '../study/study.ts';
import { commandName } from './command-name.ts';
import type { CliContext } from './context.ts';
import { type Runner, withExample } from './main.ts';

interface StudyCommandOptions {
  out?: string;
}

const file = 'the study: a YAML file such as studies/embedding.small.yaml';

export function register(program: Command, run: Runner): void {
  const study = program
    .command('study')
    .description('Studies: corpora x models x views x recipes x seeds, from one file');
  withExample(
    study
      .command('plan')
      .description('What a study would do, how long it takes and what it leaves on disk; trains nothing')
      .argument('<file>', file)
      .action(run(plan)),
    'patentlab study plan studies/embedding.small.yaml',
  );
  withExample(
    study
      .command('run')
      .description('Run what is missing of a study; start it twice to share it between two processes')
      .argument('<file>', file)
      .option('--out <dir>', 'folder of the report (default: under --home)')
      .action(run(runCommand)),
    'patentlab study run studies/embedding.small.yaml',
  );
  withExample(
    study.command('status').description('How much of a study is finished').argument('<file>', file).action(run(status)),
    'patentlab study status studies/embedding.small.yaml',
  );
  withExample(
    study
      .command('report')
      .description('Write the report of what is finished; computes nothing')
      .argument('<file>', file)
      .option('--out <dir>', 'folder of the report (default: under --home)')
      .action(run(report)),
    'patentlab study report studies/embedding.small.yaml --out report',
  );
}

async function plan(context: CliContext, path: string): Promise<void> {
  const planned = await planStudy(requestOf(context, path));
  context.printJson(planned);
  context.print(describePlan(planned, path));
}

async function runCommand(context: CliContext, path: string, { out }: StudyCommandOptions): Promise<void> {
  const request = requestOf(context, path, out);
  const planned = await planStudy(request);
  context.progress.say(totalOf(planned));
  let told = false;
  const { results, folder, computed } = await runStudy({
    ...request,
    async onUpdate(soFar, target) {
      const { html } = await writeStudyReport(target, soFar);
      if (!told) context.progress.say(`a first report stands, and is updated as the study goes on: ${html}`);
      told = true;
    },
  });
  await finish(context, results, folder, computed);
}

async function report(context: CliContext, path: string, { out }: StudyCommandOptions): Promise<void> {
  const { results, folder, computed } = await gatherStudy(requestOf(context, path, out));
  await finish(context, results, folder, computed);
}

async function status(context: CliContext, path: string): Promise<void> {
  const { study, work, seconds, absent } = await planStudy(requestOf(context, path));
  const kinds = (['train', 'derive', 'evaluate'] as const).map((kind) => {
    const own = work.filter((one) => one.kind === kind);
    return { kind, done: own.filter(({ done }) => done).length, total: own.length };
  });
  context.printJson({ study, ...Object.fromEntries(kinds.map(({ kind, ...of }) => [kind, of])), seconds, absent });
  context.print(
    [
      ...kinds.filter(({ total }) => total > 0).map(({ kind, done, total }) => `${words[kind]}: ${done} of ${total}`),
      ...absent.map(({ corpus, recipe, reason }) => `signal absent: ${recipe} on ${corpus}: ${reason}`),
      seconds > 0 ? `about ${duration(seconds)} left` : 'finished',
    ].join('\n'),
  );
}

const words = { train: 'trainings', derive: 'checkpoints between start and tuned', evaluate: 'evaluations' } as const;

async function finish(
  context: CliContext,
  results: EmbeddingResults,
  folder: string,
  computed: { checkpoints: number; cells: number },
): Promise<void> {
  const written = await writeStudyReport(folder, results);
  context.print(
    [
      ...studyAdvice(studyPage(results)),
      ...studySentences(studyPage(results)),
      ...results.absent.map(({ corpus, recipe, reason }) => `Signal absent: ${recipe} on ${corpus}: ${reason}.`),
      ...results.missingModels.map(({ model, reason }) => `Model not run: ${model}: ${reason}.`),
      ...results.warnings,
      '',
      `${computed.checkpoints} checkpoints and ${computed.cells} cells computed; ${results.cells.done} of ${results.cells.total} cells finished`,
      `report: ${written.html}`,
    ].join('\n'),
  );
  context.printJson(studyJson(results, written.html, computed));
}

/** What `study run --json` prints. */
export function studyJson(
  results: EmbeddingResults,
  report: string,
  computed: { checkpoints: number; cells: number },
): unknown {
  const { study, cells, rows, transfer, absent, missingModels, matched, warnings } = results;
  return { study, cells, computed, rows, transfer, absent, missingModels, matched, warnings, report };
}

export function requestOf(context: CliContext, path: string, out?: string): StudyOptions {
  const { platform, home, threads, device, offline, progress, signal } = context;
  return {
    platform,
    home,
    file: path,
    threads,
    device,
    offline,
    progress,
    signal,
    command: `patentlab ${process.argv.slice(2).join(' ')}`,
    ...(out === undefined ? {} : { out }),
  };
}

function describePlan(planned: EmbeddingPlan, path: string): string {
  const { work, matched, absent, missingModels, warnings } = planned;
  const line = ({ kind, system, seed, corpus, view, task, probe, done, seconds }: PlannedWork) => {
    const what = `${kind.padEnd(8)}  ${system}${seed === undefined ? '' : `, seed ${seed}`}`;
    const where = [corpus, view, probe ?? task].filter((part) => part !== undefined).join(' ');
    return `${what.padEnd(72)}  ${where.padEnd(42)}  ${done ? 'finished' : `about ${duration(seconds)}`}`;
  };
  return [
    ...work.map(line),
    ...Object.entries(matched).map(([corpus, statement]) => `${corpus}: ${statement}`),
    ...absent.map(({ corpus, recipe, reason }) => `signal absent: ${recipe} on ${corpus}: ${reason}`),
    ...missingModels.map(({ model, reason }) => `model not here: ${model}: ${reason}`),
    ...warnings,
    totalOf(planned),
    `run it: ${commandName()} study run ${/\s/.test(path) ? `"${path}"` : path}`,
  ].join('\n');
}

function totalOf({ work, seconds, bytes }: EmbeddingPlan): string {
  const open = work.filter(({ done }) => !done);
  const trainings = open.filter(({ kind }) => kind === 'train').length;
  return `${open.length} of ${work.length} cells to do, ${trainings} of them trainings: about ${duration(seconds)}, ${(bytes / 1e6).toFixed(0)} MB on disk`;
}
