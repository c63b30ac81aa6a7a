/** `patentlab repeat`: runs a number of a report again and says what differs. */
import type { Command } from 'commander';
import { workError } from '../base/errors.ts';
import { repeatCell } from '../study/repeat.ts';
import type { CliContext } from './context.ts';
import { type Runner, withExample } from './main.ts';

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('repeat')
      .description('Run a cell of a report again from nothing and say what differs')
      .argument('<cell>', 'the hash of the cell, or its beginning')
      .action(run(repeat)),
    'patentlab repeat 3f9a12',
  );
}

async function repeat(context: CliContext, cell: string): Promise<void> {
  const { platform, home, threads, threadsGiven, offline, progress, signal } = context;
  const outcome = await repeatCell(cell, {
    platform,
    home,
    ...(threadsGiven ? { threads } : {}),
    offline,
    progress,
    signal,
  });
  context.printJson(outcome);
  for (const { field, before, after } of outcome.changed) {
    context.print(`${field}: was ${JSON.stringify(before)}, is ${JSON.stringify(after)}`);
  }
  for (const [metric, { before, after, difference }] of Object.entries(outcome.metrics)) {
    context.print(
      `${metric.padEnd(12)}  ${before.toFixed(6)}  ${after.toFixed(6)}  ${difference === 0 ? 'equal' : difference.toExponential(2)}`,
    );
  }
  const answers = outcome.task === 'retrieval' ? 'rankings' : 'answers';
  context.print(
    outcome.identical
      ? `cell ${outcome.cell}: identical, all ${outcome.queries} ${answers} and all values`
      : `cell ${outcome.cell}: ${outcome.rankingsDiffer} of ${outcome.queries} ${answers} differ`,
  );
  if (!outcome.identical && outcome.changed.every(({ field }) => field.startsWith('environment'))) {
    throw workError('the same manifest gave other numbers', {
      code: 'repeat.differs',
      hint: 'another kind of processor may change last digits of an encoder; anything more is a fault: report it',
    });
  }
}
