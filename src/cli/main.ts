/** The command line: wires the commands, turns errors into one message and an exit code, Ctrl-C into an orderly stop. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { memoryError, PatentlabError } from '../base/errors.ts';
import { keepYoungSpaceSmall } from '../base/node/memory.ts';
import { packageVersion } from '../base/node/version.ts';
import { loadCommands } from './commands.ts';
import { type CliContext, contextOf } from './context.ts';

/** One file a command; `register` adds it to the program and calls `run` with the context of the call. */
export interface CommandModule {
  register(program: Command, run: Runner): void;
}

/** Wraps an action: builds the context, passes arguments and options on. */
export type Runner = <Arguments extends unknown[]>(
  action: (context: CliContext, ...args: Arguments) => Promise<void> | void,
) => (...args: [...Arguments, Command]) => Promise<void>;

const exampleMark = '\nExample:\n';

/** Adds the example that every `--help` ends with. */
export function withExample(command: Command, ...lines: string[]): Command {
  return command.addHelpText('after', exampleMark + lines.map((line) => `  $ ${line}`).join('\n'));
}

/** Runs one command; resolves to the exit code (0 done, 1 the work failed, 2 wrong use or wrong input). */
export async function main(args: string[]): Promise<number> {
  keepYoungSpaceSmall();
  const abort = new AbortController();
  const onInterrupt = () => {
    if (abort.signal.aborted) process.exit(130);
    process.stderr.write('\nstopping after the step under way; press Ctrl-C again to stop at once\n');
    abort.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.stdout.off('error', leaveUnprinted).on('error', leaveUnprinted); // stays: a failed write is told of later
  const program = new Command('patentlab')
    .description('Which text model serves your patents? Import them, compare models with statistics, train.')
    .version(packageVersion())
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .option('--home <dir>', 'where corpora, vectors and runs are kept (default: .patentlab or $PATENTLAB_HOME)')
    .option('--json', 'print one JSON document on stdout and nothing else')
    .option('--seed <n>', 'seed of everything random', integerOption)
    .option('--threads <n>', 'processors to use (default: all)', positiveOption)
    .addOption(new Option('--device <d>', 'what computes (default: auto)').choices(['cpu', 'webgpu', 'cuda', 'auto']))
    .option('--offline', 'never use the network')
    .option('--quiet', 'no progress')
    .option('--debug', 'show stack traces');
  const run: Runner =
    (action) =>
    async (...all) => {
      const command = all.at(-1) as Command;
      await action(contextOf(command, abort.signal), ...(all.slice(0, -1) as never));
    };
  for (const command of await loadCommands(args)) command.register(program, run);
  for (const command of allCommands(program)) command.exitOverride();
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, args.includes('--debug'), abort.signal.aborted);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** `patentlab ... | head` closes the pipe early, which is no failure; a full disk behind `>` is one. */
function leaveUnprinted(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`patentlab: what was to be printed cannot be written (${error.code ?? error.message})\n`);
  process.exit(1);
}

function report(error: unknown, debug: boolean, interrupted: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has printed its message
  if (interrupted && (error as Error | undefined)?.name === 'AbortError') {
    process.stderr.write('stopped; run the same command again to go on from here\n');
    return 130;
  }
  const known = error instanceof PatentlabError ? error : memoryError(error);
  if (known !== undefined) {
    process.stderr.write(`patentlab: ${known.describe()}\n`);
    if (debug) process.stderr.write(`${known.stack}\n`);
    return known.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `patentlab: ${message}\n  to do:    this looks like a fault of patentlab; run again with --debug and report what it prints\n`,
  );
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return 1;
}

function* allCommands(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* allCommands(child);
}

/** Parses a whole number of at least 0. */
function integerOption(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

/** Parses a whole number of at least 1. */
export function positiveOption(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError('expected a whole number of at least 1');
  return Number(text);
}

/** Collects values given comma-separated, repeated, or both. */
export function listOption(text: string, previous: string[] = []): string[] {
  const values = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  // An unset shell variable would else ask for nothing, and get it.
  if (values.length === 0) throw new InvalidArgumentError('expected one value or more, comma-separated');
  return [...previous, ...values];
}
