/** `patentlab finetune`: a checkpoint trained on pairs of a corpus. */
import type { Command } from 'commander';
import { inputError } from '../base/errors.ts';
import { duration } from '../base/node/terminal.ts';
import { openCorpus } from '../corpus/store.ts';
import { type View, views } from '../corpus/views.ts';
import type { Estimate } from '../metrics/types.ts';
import { locateModel } from '../study/model-source.ts';
import { defined } from '../study/request.ts';
import { type FinetuneOptions, type FinetuneResult, finetune } from '../tune/finetune.ts';
import { leakageTable } from '../tune/leakage.ts';
import type { CliContext } from './context.ts';
import { listOption, positiveOption, type Runner, withExample } from './main.ts';
import { numberOption, splitOption, viewOption } from './options.ts';

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
  citationCategory?: string[];
  lora?: number;
  loraAlpha?: number;
  loraDropout?: number;
  loraModules?: string[];
  rslora?: boolean;
  hardNegatives?: string;
  negatives?: number;
  negativesSkip?: number;
  evaluateEvery?: number;
  patience?: number;
  evaluateDocuments?: number;
  evaluation: boolean;
}

const rate = numberOption('0 or more, below 1', (value) => value >= 0 && value < 1);

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
      .option(
        '--lr <rate>',
        'largest learning rate (default: 2e-5; 2e-4 with --lora, 5e-4 for tiny)',
        numberOption('a rate such as 2e-5', (value) => value > 0 && value < 10),
      )
      .option('--length <n>', 'most tokens of a text that are read', positiveOption)
      .option('--chunk <n>', 'texts through the model at a time: fewer need less memory (default: 16)', positiveOption)
      .option('--recompute', 'compute layers twice instead of keeping them: half the memory, up to half more time')
      .option('--dropout <rate>', "in place of the model's own rates, 0 for none (default: its own)", rate)
      .option('--dimensions <n,...>', 'lengths to which vectors may be cut afterwards (Matryoshka)', listOption)
      .option('--symmetric', 'also ask for the anchor of each positive')
      .option('--shuffled', 'a control: the same pairs torn apart')
      .option('--mask-citations', 'take patent numbers out of the texts')
      .option(
        '--citation-category <c,...>',
        'R1: only citations of these search-report categories (X, Y, A)',
        listOption,
      )
      .option(
        '--lora <rank>',
        'train an adapter of this rank; it is merged into the checkpoint, and kept in adapter/',
        positiveOption,
      )
      .option(
        '--lora-alpha <a>',
        'its scale times the rank (default: the rank)',
        numberOption('a number above 0', (value) => value > 0),
      )
      .option('--lora-dropout <rate>', 'dropout on its input (default: 0)', rate)
      .option(
        '--lora-modules <names>',
        'linear layers that get one, by the ends of their names (default: all)',
        listOption,
      )
      .option('--rslora', 'rank-stabilised: alpha over the root of the rank')
      .option('--hard-negatives <by>', 'bm25, model (the one that is trained), or a folder or id of another')
      .option('--negatives <n>', 'hard negatives of a pair (default: 1)', positiveOption)
      .option(
        '--negatives-skip <n>',
        'unrelated patents passed over as likely positives (default: 10)',
        numberOption('a whole number', (value) => Number.isInteger(value) && value >= 0),
      )
      .option(
        '--evaluate-every <n>',
        'steps between two evaluations on the validation part; the best parameters are kept',
        positiveOption,
      )
      .option('--patience <n>', 'stop after so many evaluations without a better one', positiveOption)
      .option('--evaluate-documents <n>', 'most documents of a part in an evaluation (default: 2000)', positiveOption)
      .option('--no-evaluation', 'do not score the test part before and after training')
      .action(run(finetuneCommand)),
    'patentlab finetune drones --model tiny --recipe R2 --out drones-r2',
    'patentlab finetune drones --model all-MiniLM-L6-v2 --recipe R1+R3 --lora 16 --hard-negatives bm25 --evaluate-every 50 --patience 3 --out drones-lora',
  );
}

async function finetuneCommand(context: CliContext, name: string, options: FinetuneCommandOptions): Promise<void> {
  const { home, offline, platform, progress, signal, threads, device, seed } = context;
  checkDependent(options);
  const corpus = await openCorpus(home, name);
  const located = (model: string) => locateModel(platform, model, { home, offline, progress, signal });
  const found = options.model === 'tiny' ? undefined : await located(options.model);
  const by = options.hardNegatives;
  const result = await finetune(platform, {
    corpus,
    model: found?.folder ?? 'tiny',
    ...(found === undefined ? {} : { modelId: found.id }),
    out: options.out,
    recipe: options.recipe,
    recipeOptions: {
      view: options.view,
      ...defined({ pairs: options.pairs, citationCategories: options.citationCategory }),
    },
    split: (options.split ?? splitOption('family'))(seed),
    seed,
    threads,
    device,
    progress,
    signal,
    ...defined({
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
      lora: loraOf(options),
      hardNegatives:
        by === undefined
          ? undefined
          : {
              by: by === 'bm25' || by === 'model' ? by : (await located(by)).folder,
              ...defined({ perPair: options.negatives, skip: options.negativesSkip }),
            },
      evaluation: options.evaluation
        ? defined({
            every: options.evaluateEvery,
            patience: options.patience,
            documents: options.evaluateDocuments,
          })
        : undefined,
    }),
  });
  const { checkpoint, recipe, plan, audit, loss, reloaded, seconds, split, records } = result;
  const { step, hardNegatives, validation, comparison, missing } = result;
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
    step,
    ...defined({ hardNegatives, validation, comparison }),
    missing,
  });
  context.print(
    `${split}\n\n${leakageTable(audit)}\n\n${told(result)}\nNext: patentlab evaluate ${name} --model bm25,${checkpoint}`,
  );
}

/** What was done and what came of it, for a person. */
function told({ recipe, plan, records, seconds, loss, ...result }: FinetuneResult): string {
  const { validation, comparison, missing, hardNegatives, checkpoint, reloaded } = result;
  const lines = [
    `${recipe}: ${plan.pairs.toLocaleString('en-US')} pairs, ${records.length} steps of ${plan.batchSize} in ${duration(seconds)}; ` +
      `loss ${loss.first.toFixed(4)} → ${loss.last.toFixed(4)}`,
  ];
  if (hardNegatives !== undefined)
    lines.push(
      `${hardNegatives.perPair} hard negatives a pair${hardNegatives.lacking === 0 ? '' : `; ${hardNegatives.lacking} places left empty, too few patents were near`}`,
    );
  if (validation !== undefined) {
    const { best, start, stoppedEarly } = validation;
    lines.push(
      `Validation: ${validation.statement}: ${start.toFixed(4)} before training, ${best.score.toFixed(4)} at step ${best.step}, which was kept${stoppedEarly ? '; stopped early' : ''}.` +
        (best.score > start ? '' : ' Training did not make it better.'),
    );
  }
  if (comparison !== undefined) {
    const { start, trained, difference, lower, upper, p, verdict } = comparison;
    lines.push(
      `Held out: ${comparison.statement}.`,
      `  before training ${estimated(start)}, after ${estimated(trained)}; difference ${difference.toFixed(4)} [${lower.toFixed(4)}, ${upper.toFixed(4)}], p = ${p.toPrecision(2)}: ${verdict}, for this checkpoint`,
    );
  }
  for (const reason of missing) lines.push(`Not scored: ${reason}.`);
  const adapter =
    reloaded.adapter === undefined
      ? ''
      : `; its adapter in ${checkpoint}/adapter agrees with it (${reloaded.adapter.toExponential(1)})`;
  lines.push(
    `The checkpoint in ${checkpoint} was read back and gives the same vectors (largest difference ${reloaded.maxDifference.toExponential(1)})${adapter}.`,
  );
  return lines.join('\n');
}

const estimated = ({ value, lower, upper }: Estimate) =>
  `${value.toFixed(4)} [${lower.toFixed(4)}, ${upper.toFixed(4)}]`;

function loraOf(options: FinetuneCommandOptions): FinetuneOptions['lora'] {
  const { lora, loraAlpha, loraDropout, loraModules, rslora } = options;
  if (lora === undefined) return undefined;
  return {
    rank: lora,
    ...defined({ alpha: loraAlpha, dropout: loraDropout, targetModules: loraModules, rslora }),
  };
}

/** Options that would be silently without effect are refused. */
function checkDependent(options: FinetuneCommandOptions): void {
  const needs = (flag: string, needed: string, present: boolean, ...values: unknown[]) => {
    if (present || values.every((value) => value === undefined)) return;
    throw inputError(`${flag} has no effect here`, {
      code: 'finetune.option',
      field: flag,
      expected: `${needed} beside it`,
      found: `no ${needed}`,
    });
  };
  const { lora, hardNegatives, evaluation } = options;
  needs('--lora-alpha', '--lora', lora !== undefined, options.loraAlpha);
  needs('--lora-dropout', '--lora', lora !== undefined, options.loraDropout);
  needs('--lora-modules', '--lora', lora !== undefined, options.loraModules);
  needs('--rslora', '--lora', lora !== undefined, options.rslora);
  needs('--negatives', '--hard-negatives', hardNegatives !== undefined, options.negatives);
  needs('--negatives-skip', '--hard-negatives', hardNegatives !== undefined, options.negativesSkip);
  const without = (flag: string, value: unknown) => {
    if (evaluation || value === undefined) return;
    throw inputError(`${flag} has no effect here`, {
      code: 'finetune.option',
      field: flag,
      expected: 'no --no-evaluation beside it',
      found: '--no-evaluation',
    });
  };
  without('--evaluate-every', options.evaluateEvery);
  without('--patience', options.patience);
  without('--evaluate-documents', options.evaluateDocuments);
}
