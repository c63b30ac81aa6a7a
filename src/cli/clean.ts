/** `patentlab clean`: frees what can be made again: stored vectors and leftovers; runs, models and data sets where asked. Corpora stay. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { megabytes } from './doctor.ts';
import { leftovers, treeSize } from './home.ts';
import { type Runner, withExample } from './main.ts';

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('clean')
      .description('Free stored vectors and leftovers of interrupted runs; corpora are never touched')
      .option('--runs', 'also all runs with their reports')
      .option('--models', 'also downloaded models')
      .option('--datasets', 'also downloaded data sets')
      .option('--dry-run', 'say what would be freed')
      .action(run(clean)),
    'patentlab clean --runs --dry-run',
  );
}

async function clean(
  context: CliContext,
  options: { runs?: boolean; models?: boolean; datasets?: boolean; dryRun?: boolean },
): Promise<void> {
  const { home } = context;
  const asked = (['runs', 'models', 'datasets'] as const).filter((part) => options[part]);
  const parts = ['vectors', ...asked];
  const freed: { path: string; bytes: number }[] = [];
  for (const part of parts) {
    const path = join(home, part);
    const { bytes, files } = await treeSize(path);
    if (files === 0) continue;
    freed.push({ path, bytes });
    if (!options.dryRun) await rm(path, { recursive: true, force: true });
  }
  for (const path of await leftovers(home)) {
    freed.push({ path, bytes: 0 });
    if (!options.dryRun) await rm(path, { force: true });
  }
  const bytes = freed.reduce((sum, item) => sum + item.bytes, 0);
  context.printJson({ dryRun: options.dryRun ?? false, freed, bytes });
  for (const item of freed)
    context.print(`${options.dryRun ? 'would remove' : 'removed'} ${item.path}  ${megabytes(item.bytes)}`);
  context.print(`${megabytes(bytes)} ${options.dryRun ? 'could be freed' : 'freed'}`);
}
