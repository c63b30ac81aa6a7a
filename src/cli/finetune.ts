/** `patentlab finetune`: a checkpoint trained on pairs of a corpus. */
import { type Command, InvalidArgumentError } from 'commander';
import { duration } from '../base/node/terminal.ts';
import { openCorpus } from '../corpus/store.ts';
import { isView, type View, views } from '../corpus/views.ts';
import { locateModel } from '../study/model-source.ts';
import { finetune } from '../tune/finetune.ts';
import { leakageTable } from '../tune/leakage.ts';
import type { CliContext } from './context.ts';
import { listOption, positiveOption, type Runner, withExample } from './main.ts';
import { splitOption } from './split-option.ts';

interface FinetuneCommandOptions {
  model: string;
  recipe: string;
  out: string;
  view: View;
  split?: ReturnType<typeof splitOption>;
  epochs?: number;
  maxSteps?: number;
  batchSize?: number;
  lr?: number;
  length?: number;
  chunk?: number;
  recompute?: boolean;
  dropout?: number;
  pairs?: number;
  dimensions?: string[];
  symmetric?: boolean;
  shuffled?: boolean;
  maskCitations?: boolean;
}

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('finetune')
      .description('Train a text encoder on pairs of a corpus and write it as a checkpoint')
      .argument('<corpus>', 'name of a corpus')
      .requiredOption('--model <id>', 'folder or id of a text encoder, or tiny: a small one made from the corpus')
      .requiredOption('--recipe <name>', 'R1 citations, R2 labels, R3 sections, R4 all, or a sum such as R1+R3')
      .requiredOption('--out <folder>', 'where the checkpoint is written')
      .option('--view <view>', `what R1 and R2 read of a patent: ${views.join(', ')}`, viewOption, 'TA')
      .option(
        '--split <rule>',
        'family (default), or a date such as 1998-01-01: what is published before it trains',
        splitOption,
      )
      .option('--epochs <n>', 'times that each pair is seen (default: 1)', positiveOption)
      .option('--max-steps <n>', 'instead of --epochs: batches in all', positiveOption)
      .option('--pairs <n>', 'most pairs (default: all there are)', positiveOption)
      .option('--batch-size <n>', 'pairs in a batch (default: 64)', positiveOption)
      .option('--lr <rate>', 'largest learning rate (default: 2e-5; 5e-4 for tiny)', rateOption)
      .option('--length <n>', 'most tokens of a text that are read', positiveOption)
      .option('--chunk <n>', 'texts through the model at a time: fewer need less memory (default: 16)', positiveOption)
      .option('--recompute', 'compute layers twice instead of keeping them: half the memory, a third more time')
      .option('--dropout <rate>', "in place of the model's own rates, 0 for none (default: its own)", dropoutOption)
      .option('--dimensions <n,...>', 'lengths to which vectors may be cut afterwards (Matryoshka)', listOption)
      .option('--symmetric', 'also ask for the anchor of each positive')
      .option('--shuffled', 'a control: the same pairs torn apart')
      .option('--mask-citations', 'take patent numbers out of the texts')
      .action(run(finetuneCommand)),
    'patentlab finetune drones --model tiny --recipe R2 --out drones-r2',
  );
}

async function finetuneCommand(context: CliContext, name: string, options: FinetuneCommandOptions): Promise<void> {
  const { home, offline, platform, progress, signal, threads, device, seed } = context;
  const corpus = await openCorpus(home, name);
  const found =
    options.model === 'tiny'
      ? undefined
      : await locateModel(platform, options.model, { home, offline, progress, signal });
  const result = await finetune(platform, {
    corpus,
    model: found?.folder ?? 'tiny',
    ...(found === undefined ? {} : { modelId: found.id }),
    out: options.out,
    recipe: options.recipe,
    recipeOptions: { view: options.view, ...(options.pairs === undefined ? {} : { pairs: options.pairs }) },
    split: (options.split ?? splitOption('family'))(seed),
    seed,
    threads,
    device,
    progress,
    signal,
    ...given({
      epochs: options.epochs,
      maxSteps: options.maxSteps,
      batchSize: options.batchSize,
      learningRate: options.lr,
      maxLength: options.length,
      chunk: options.chunk,
      recompute: options.recompute,
      dropout: options.dropout,
      dimensions: options.dimensions?.map(Number),
      symmetric: options.symmetric,
      shuffled: options.shuffled,
      maskCitations: options.maskCitations,
    }),
  });
  const { checkpoint, recipe, plan, audit, loss, reloaded, seconds, split, records } = result;
  context.printJson({
    checkpoint,
    recipe,
    pairs: plan.pairs,
    steps: records.length,
    loss,
    reloaded,
    seconds,
    plan,
    split,
    audit,
  });
  context.print(
    `${split}\n\n${leakageTable(audit)}\n\n` +
      `${recipe}: ${plan.pairs.toLocaleString('en-US')} pairs, ${records.length} steps of ${plan.batchSize} in ${duration(seconds)}; ` +
      `loss ${loss.first.toFixed(4)} → ${loss.last.toFixed(4)}\n` +
      `The checkpoint in ${checkpoint} was read back and gives the same vectors (largest difference ${reloaded.maxDifference.toExponential(1)}).\n` +
      `Next: patentlab evaluate ${name} --model bm25,${checkpoint}`,
  );
}

/** Without what is undefined. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function viewOption(text: string): View {
  if (!isView(text)) throw new InvalidArgumentError(`expected one of ${views.join(', ')}`);
  return text;
}

function dropoutOption(text: string): number {
  const rate = Number(text);
  if (text.trim() === '' || !(rate >= 0 && rate < 1)) throw new InvalidArgumentError('expected 0 or more, below 1');
  return rate;
}

function rateOption(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate < 10)) throw new InvalidArgumentError('expected a rate such as 2e-5');
  return rate;
}
