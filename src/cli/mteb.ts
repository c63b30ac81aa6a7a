/** `patentlab mteb`: the patent tasks of the Massive Text Embedding Benchmark, with a local model, in its own format. */
import type { Command } from 'commander';
import { duration } from '../base/node/terminal.ts';
import type { ModelDtype } from '../model/index.ts';
import { runMteb } from '../study/mteb/run.ts';
import { loadMtebTasks, type MtebTask } from '../study/mteb/tasks.ts';
import type { CliContext } from './context.ts';
import { positiveOption, type Runner, withExample } from './main.ts';
import { oneOf } from './options.ts';

interface RunOptions {
  model: string;
  data?: string;
  out?: string;
  dtype: ModelDtype;
  length?: number;
  instruct?: string;
}

export function register(program: Command, run: Runner): void {
  const mteb = program.command('mteb').description("MTEB's patent tasks: search, classification, clustering");
  withExample(
    mteb.command('list').description('The tasks: type, data set, size, licence of the data').action(run(list)),
    'patentlab mteb list',
  );
  withExample(
    mteb
      .command('run')
      .description("Evaluate a model on tasks by MTEB's protocols and write MTEB's result files")
      .argument('<task...>', 'names of tasks')
      .requiredOption('--model <id>', 'folder or id of a text encoder')
      .option('--data <folder>', 'folder with the files of the data sets, laid out as on the hub (default: the hub)')
      .option('--out <dir>', 'where to write results/ (default: runs/mteb under --home)')
      .option('--dtype <type>', 'fp32 or int8', oneOf('fp32', 'int8'), 'fp32')
      .option('--length <n>', 'most tokens of a text that are read', positiveOption)
      .option(
        '--instruct <template>',
        "instead of the model's prompts, with {instruction} for MTEB's and \\n for a new line; documents get none",
        (text: string) => text.replaceAll('\\n', '\n'),
      )
      .action(run(runTasks)),
    'patentlab mteb run PatentClassification.v2 --model all-MiniLM-L6-v2 --data downloads',
  );
}

async function list(context: CliContext): Promise<void> {
  const known = await loadMtebTasks(context.platform);
  const rows = known.tasks.map((task) => ({ task, ...known.datasetOf(task) }));
  context.printJson({
    version: known.version,
    mteb: known.mteb,
    tasks: rows.map(({ task, path, revision, licence, size }) => ({
      name: task.name,
      type: task.type,
      mainScore: task.mainScore,
      dataset: path,
      revision,
      size,
      licence,
      instruction: known.protocols[task.type].instruction,
      ...(task.inferred === undefined ? {} : { inferred: task.inferred }),
    })),
  });
  context.print(`tasks as MTEB ${known.mteb} defines them (NanoDAPFAM: HAKARI-Bench): name, type, score\n`);
  const groups = new Map<string, MtebTask[]>();
  for (const { task } of rows) groups.set(task.data, [...(groups.get(task.data) ?? []), task]);
  for (const tasks of groups.values()) {
    const { path, size, licence } = known.datasetOf(tasks[0]!);
    context.print(`${path}: ${size}; licence: ${licence}`);
    const inferred = tasks[0]!.inferred;
    if (inferred !== undefined) context.print(`  inferred: ${inferred}`);
    context.print(`${table(tasks.map(({ name, type, mainScore }) => [`  ${name}`, type, mainScore]))}\n`);
  }
}

async function runTasks(context: CliContext, names: string[], options: RunOptions): Promise<void> {
  const { platform, home, progress, signal, threads, device, offline } = context;
  const known = await loadMtebTasks(platform);
  const tasks = [...new Set(names.map((name) => known.find(name)))];
  const { model, revision, outcomes } = await runMteb(platform, known, {
    ...options,
    tasks,
    home,
    threads,
    device,
    offline,
    progress,
    signal,
    onTask: ({ task, mainScore, value, seconds, counts, inferred }) => {
      progress.say(`${task}: ${mainScore} ${value.toFixed(5)} in ${duration(seconds)}`);
      for (const { what, found, expected } of counts) {
        if (expected === undefined || expected === found) continue;
        progress.say(
          `${task}: ${found} ${what} read, ${expected} expected: this is not the whole data set of the task`,
        );
      }
      if (inferred !== undefined) progress.say(`${task}: inferred, not known: ${inferred}`);
    },
  });
  context.printJson({
    model,
    revision,
    mteb: known.mteb,
    tasks: outcomes.map(({ task, type, mainScore, value, file, seconds, counts, inferred, scores }) => ({
      task,
      type,
      mainScore,
      value,
      file,
      seconds,
      counts,
      ...(inferred === undefined ? {} : { inferred }),
      scores,
    })),
  });
  context.print(`${model} (${revision})\n`);
  context.print(
    table([
      ['task', 'score', 'value', 'counts'],
      ...outcomes.map(({ task, mainScore, value, counts }) => [
        task,
        mainScore,
        value.toFixed(5),
        counts
          .map(({ what, found, expected }) =>
            expected === undefined || expected === found
              ? `${what} ${found}`
              : `${what} ${found} (expected ${expected})`,
          )
          .join(', '),
      ]),
    ]),
  );
  context.print(`\nresults in MTEB's format: ${outcomes.map(({ file }) => file).join('\n')}`);
}

/** Lines of columns, as wide as their longest text. */
function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
