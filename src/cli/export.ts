/** `patentlab export`: a checkpoint for other programs. */
import { type Command, Option } from 'commander';
import { type ExportTarget, exportModel, exportTargets } from '../model/index.ts';
import { locateModel } from '../study/model-source.ts';
import type { CliContext } from './context.ts';
import { type Runner, withExample } from './main.ts';

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('export')
      .description('Write a checkpoint for other programs, and run what was written against the original')
      .argument('<dir>', 'folder of a checkpoint, or the id of a model')
      .addOption(
        new Option('--to <form>', 'onnx (transformers.js, onnxruntime) or sentence-transformers')
          .choices(exportTargets)
          .makeOptionMandatory(),
      )
      .requiredOption('--out <folder>', 'where it is written: a new or an empty folder')
      .action(run(exportCommand)),
    'patentlab export drones-r2 --to onnx --out drones-r2-onnx',
  );
}

async function exportCommand(
  context: CliContext,
  source: string,
  { to, out }: { to: ExportTarget; out: string },
): Promise<void> {
  const { home, offline, platform, progress, signal } = context;
  const { folder, id } = await locateModel(platform, source, { home, offline, progress, signal });
  const result = await exportModel(platform, folder, { to, out, id });
  context.printJson(result);
  const { states, vectors } = result.checked;
  context.print(
    `${result.folder}: ${result.model}, ${(result.bytes / 1e6).toFixed(1)} MB\n` +
      `It was ${to === 'onnx' ? 'run' : 'read back'} and gives the same ${vectors === undefined ? 'states' : 'vectors'} (largest difference ${(vectors ?? states).toExponential(1)}).`,
  );
}
