/** `patentlab models`: known models, downloads, air-gapped copies, checks. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { workError } from '../base/errors.ts';
import { listModels, verifyFiles } from '../hub/models.ts';
import { loadModel, loadRegistry, type TextModel } from '../model/index.ts';
import { locateModel } from '../study/model-source.ts';
import { loadTokenizer } from '../tokenizer/index.ts';
import type { CliContext } from './context.ts';
import { type Runner, withExample } from './main.ts';

export function register(program: Command, run: Runner): void {
  const models = program.command('models').description('Known models, downloads, air-gapped copies, checks');
  withExample(
    models
      .command('list')
      .description('Known models: what they need, whether they run here, which are stored')
      .action(run(list)),
    'patentlab models list',
  );
  withExample(
    models
      .command('get')
      .description('Download a model, checked against the hashes of the hub; goes on where an earlier download stopped')
      .argument('<id>', 'owner/name')
      .option('--to <dir>', 'put the files there, to be carried to a machine without a network')
      .option('--revision <r>', 'branch, tag or commit (default: main)')
      .action(run(get)),
    'patentlab models get sentence-transformers/all-MiniLM-L6-v2 --to usb-stick/minilm',
  );
  withExample(
    models
      .command('verify')
      .description('Compare every file with its hash, and the fast backend with the reference interpreter')
      .argument('<id>', 'id or folder')
      .action(run(verify)),
    'patentlab models verify all-MiniLM-L6-v2',
  );
}

async function list(context: CliContext): Promise<void> {
  const registry = await loadRegistry(context.platform);
  const stored = new Map((await listModels(context.home)).map(({ id, folder }) => [id.toLowerCase(), folder]));
  const known = registry.models.map((model) => ({ ...model, folder: stored.get(model.id.toLowerCase()) }));
  const others = [...stored].filter(([id]) => registry.find(id) === undefined).map(([id, folder]) => ({ id, folder }));
  context.printJson({ version: registry.version, models: known, others });
  const rows = known.map(({ id, dimensions, maxLength, runs, folder, note }) => [
    id,
    dimensions === undefined ? '?' : String(dimensions),
    maxLength === undefined ? '?' : String(maxLength),
    folder !== undefined ? 'stored' : runs ? 'runs' : 'does not run yet',
    note ?? '',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  context.print(`known models (registry ${registry.version}): id, dimensions, most tokens, state\n`);
  context.print(rows.map(line).join('\n'));
  for (const { id, folder } of others) context.print(`${id}  stored at ${folder}`);
  context.print(
    '\nAny BERT, MPNet, XLM-RoBERTa or ModernBERT checkpoint in safetensors runs, by folder or id. bm25 and lsa need no weights.',
  );
}

async function get(context: CliContext, id: string, options: { to?: string; revision?: string }): Promise<void> {
  const { home, offline, progress, signal } = context;
  const found = await locateModel(context.platform, id, {
    home,
    offline,
    progress,
    signal,
    ...(options.to ? { to: options.to } : {}),
    ...(options.revision ? { revision: options.revision } : {}),
  });
  const { checked } = await verifyFiles(found.folder);
  context.printJson({
    id: found.id,
    folder: resolve(found.folder),
    source: found.source,
    commit: found.commit,
    files: checked,
  });
  context.print(`${found.id}: ${checked} files, verified, in ${found.folder}`);
  if (options.to) context.print(`copy that folder to the other machine and name its path: --model ${options.to}`);
}

const probes = [
  'A walking frame comprising a brake lever and a swivel wheel.',
  'Ultrasonic transducer array with 128 elements; the carrier frequency is 3.5 MHz.',
  'Wheel',
] as const;

async function verify(context: CliContext, id: string): Promise<void> {
  const { platform, home, threads, device, offline, progress, signal } = context;
  const found = await locateModel(platform, id, { home, offline, progress, signal });
  const files = found.source === 'folder' ? undefined : await verifyFiles(found.folder);
  for (const { file, expected, found: hash } of files?.damaged ?? []) {
    throw workError('a stored file is not what was downloaded', {
      code: 'model.damaged',
      file: `${found.folder}/${file}`,
      expected,
      found: hash ?? 'missing',
      hint: 'delete the folder and get the model again',
    });
  }
  const tokenizer = await loadTokenizer(platform, found.folder);
  const fast = await loadModel(platform, found.folder, { threads, device, id: found.id });
  const reference = await loadModel(platform, found.folder, { backend: 'reference', id: found.id });
  try {
    const ids = probes.map((text) => tokenizer.encode(text, { maxLength: Math.min(32, fast.maxLength) }).ids);
    const [a, b] = [await fast.encode(ids), await reference.encode(ids)];
    const difference = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    const norm = Math.max(...b.map(Math.abs));
    context.printJson({
      id: found.id,
      folder: found.folder,
      files: files?.checked,
      ...facts(fast),
      maxDifference: difference,
    });
    context.print(
      `${found.id}: ${files === undefined ? 'a folder of its own, no hashes to compare' : `${files.checked} files as downloaded`}`,
    );
    context.print(
      `${fast.architecture}, ${fast.parameters.toLocaleString('en-US')} parameters, ${fast.dimensions} dimensions, ${fast.maxLength} tokens`,
    );
    context.print(
      `largest difference between ONNX Runtime and the reference interpreter: ${difference.toExponential(1)}`,
    );
    if (!(difference <= 1e-4 * Math.max(1, norm))) {
      throw workError('the model gives other vectors here than by the definition', {
        code: 'model.parity',
        expected: 'at most 1e-4',
        found: difference.toExponential(2),
        hint: 'report this with the output of `patentlab doctor`',
      });
    }
  } finally {
    await Promise.all([fast.close(), reference.close()]);
  }
}

function facts({ architecture, parameters, dimensions, maxLength, hash, pooling, prompts }: TextModel) {
  return { architecture, parameters, dimensions, maxLength, hash, pooling: pooling.modes, prompts };
}
