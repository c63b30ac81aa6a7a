/** `patentlab evaluate`: which system finds the cited documents best, from which text view. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { inputError } from '../base/errors.ts';
import { duration } from '../base/node/terminal.ts';
import { labelFields, type SymbolLevel, symbolLevels } from '../corpus/labels.ts';
import type { RelevanceOptions } from '../corpus/relevance.ts';
import type { PassageOptions } from '../encode/index.ts';
import type { ModelDtype } from '../model/index.ts';
import { renderTerminal, writeReport } from '../report/index.ts';
import { type Bm25Options, type Bm25Variant, bm25Variants } from '../retrieve/index.ts';
import { defaultProbes, type Probe, probes } from '../study/classification/options.ts';
import { type Clusterer, clusterers, type Reduction, reductions } from '../study/clustering/options.ts';
import { type EvaluationPlan, evaluate, planEvaluation } from '../study/evaluate.ts';
import { defaultModels, type EvaluateOptions, type LabelRule } from '../study/evaluate-options.ts';
import { defined } from '../study/request.ts';
import { type EvaluationResults, type Task, tasks } from '../study/results.ts';
import type { FusionMethod } from '../study/systems.ts';
import { parsePassages } from '../study/variants.ts';
import type { CliContext } from './context.ts';
import { listOption, positiveOption, type Runner, withExample } from './main.ts';
import { numberOption, oneOf, positivesOption, someOf, splitOption } from './options.ts';

interface EvaluateCommandOptions {
  model: string[];
  task?: Task[];
  view: string[];
  fuse?: FusionMethod[];
  rerank?: string[];
  rerankOf?: string[];
  rerankDepth?: number;
  rerankLength?: number;
  relevance?: RelevanceOptions['relevance'];
  category?: string[];
  origin?: string[];
  onlyEarlier?: boolean;
  maskCitations?: boolean;
  qrels?: string;
  queries?: string;
  labels?: NonNullable<LabelRule['field']>;
  level?: SymbolLevel;
  least?: number;
  probe?: Probe[];
  reduce?: Reduction;
  clusters?: number;
  clusterer?: Clusterer;
  bootstraps?: number;
  length?: number[];
  dimensions?: number[];
  passages?: PassageOptions[];
  passagesOnly?: boolean;
  dtype?: ModelDtype[];
  bm25?: Bm25Options;
  stem?: boolean;
  lsaDimensions?: number;
  depth?: number;
  margin?: number;
  sampleQueries?: number;
  split?: ReturnType<typeof splitOption>;
  maxTime?: number;
  dryRun?: boolean;
  out?: string;
  title?: string;
}

/** Levels of symbols that serve as labels: whole symbols are too fine. */
const levels = symbolLevels.filter((level) => level !== 'full');

/** Options that mean nothing without one of some tasks. */
const optionTasks: readonly [keyof EvaluateCommandOptions, readonly Task[]][] = [
  ...(
    [
      'fuse', 'rerank', 'rerankOf', 'rerankDepth', 'rerankLength', 'relevance', 'category', 'origin', 'onlyEarlier', 'qrels', 'queries', 'depth', 'sampleQueries',
    ] as const // biome-ignore format: one list
  )
    .map((option) => [option, ['retrieval']] as [keyof EvaluateCommandOptions, Task[]]),
  ...(['labels', 'level', 'least'] as const).map(
    (option) => [option, ['classification', 'clustering']] as [keyof EvaluateCommandOptions, Task[]],
  ),
  ['probe', ['classification']],
  ...(['reduce', 'clusters', 'clusterer', 'bootstraps'] as const).map(
    (option) => [option, ['clustering']] as [keyof EvaluateCommandOptions, Task[]],
  ),
];

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('evaluate')
      .description(
        'Which model, from which text view, finds the relevant patents best: leaderboard, statistics, report',
      )
      .argument('<corpora...>', 'imported corpora')
      .option('--model <ids>', 'bm25, lsa, model folders or ids, bm25+MODEL', listOption)
      .option('--task <tasks>', `${tasks.join(', ')} (default: retrieval)`, someOf(...tasks))
      .option('--view <views>', 'T, A, C1, C, TA, TAC, AC, full; with -masked: without patent numbers', listOption)
      .option('--fuse <methods>', 'fuse bm25 with every dense model: rrf, linear', someOf('rrf', 'linear'))
      .option('--rerank <ids>', 'cross-encoders, folders or ids, to put the first documents in order', listOption)
      .option('--rerank-of <systems>', 'only of these systems, by their names (default: of all)', listOption)
      .option('--rerank-depth <n>', 'how many documents of each ranking (default 100)', positiveOption)
      .option('--rerank-length <n>', 'most tokens of a pair (default: what the cross-encoder reads)', positiveOption)
      .addOption(
        new Option(
          '--relevance <r>',
          'what counts as relevant (default: cites, or qrels where --qrels is given)',
        ).choices(['cites', 'cited-by', 'both', 'coupling', 'qrels']),
      )
      .option('--category <c>', 'only citations of these search-report categories (X, Y, A)', listOption)
      .option('--origin <o>', 'only citations of this origin (examiner, applicant, ...)', listOption)
      .option('--only-earlier', "keep only candidates published before the query's earliest date")
      .option('--mask-citations', 'take patent numbers out of all texts')
      .option('--qrels <file>', 'judgements of your own (TREC format)')
      .option('--queries <file>', 'the texts of their queries (JSON lines or TSV: id, text)')
      .option(
        '--labels <field>',
        'labels of classification and clustering: labels (your own), cpc, ipc',
        oneOf(...labelFields),
      )
      .option('--level <l>', `of cpc and ipc: ${levels.join(', ')} (default: subclass)`, oneOf(...levels))
      .option(
        '--least <n>',
        'leave out labels with fewer documents (classification: to learn from; default 5)',
        positiveOption,
      )
      .option(
        '--probe <probes>',
        `of classification: ${probes.join(', ')} (default: ${defaultProbes.join(',')})`,
        someOf(...probes),
      )
      .option(
        '--reduce <rule>',
        `of clustering: how documents come to one label: ${reductions.join(', ')} (default: first of cpc and ipc, single of labels)`,
        oneOf(...reductions),
      )
      .option('--clusters <n>', 'of clustering (default: the number of labels)', positiveOption)
      .option('--clusterer <c>', `of clustering: ${clusterers.join(', ')} (default: kmeans)`, oneOf(...clusterers))
      .option('--bootstraps <n>', 'of clustering: samples that are clustered anew (default 10)', positiveOption)
      .option('--length <n,...>', 'most tokens an encoder reads; of several, each', positivesOption)
      .option('--dimensions <n,...>', 'leading dimensions kept; of several, each, and all of them', positivesOption)
      .option(
        '--passages <spec>',
        'also read whole texts in passages: size=256,overlap=64,aggregate=max|mean (most=N, queries=mean); repeatable',
        (text: string, previous: PassageOptions[] = []) => [...previous, parsePassages(text)],
      )
      .option('--passages-only', 'encoders read in passages only')
      .option('--dtype <d>', 'precision of encoders: fp32 (default), int8, or both', someOf('fp32', 'int8'))
      .option('--bm25 <variant,k1,b>', 'lucene, robertson, atire, bm25+, bm25l; default lucene,1.5,0.75', bm25Option)
      .option('--stem', 'stem English words (bm25, lsa)')
      .option('--lsa-dimensions <n>', 'length of lsa vectors (default 256)', positiveOption)
      .option('--depth <n>', 'documents kept for each query (default 1000)', positiveOption)
      .option(
        '--margin <d>',
        'smallest difference of nDCG, F1 or V-measure that matters (default 0.01)',
        numberOption('a number between 0 and 1', (margin) => margin > 0 && margin < 1),
      )
      .option('--sample-queries <n>', 'a seeded sample of the queries', positiveOption)
      .option(
        '--split <rule>',
        'retrieval, clustering: only the test part; classification: how train and test are told apart (default: stratified by label): family, or a date such as 1998-01-01',
        splitOption,
      )
      .option('--max-time <t>', 'begin no further cell after this long: 90s, 30m, 2h', timeOption)
      .option('--dry-run', 'say what would be done and about how long it takes')
      .option('--out <dir>', 'folder of the report (default: under --home)')
      .option('--title <text>', 'title of the report')
      .action(run(evaluateCommand)),
    'patentlab evaluate mine --model bm25,lsa --view T,TA,TAC --fuse linear',
    'patentlab evaluate mine --model bm25,sentence-transformers/all-MiniLM-L6-v2 --dtype int8 --only-earlier',
  );
}

async function evaluateCommand(context: CliContext, corpora: string[], options: EvaluateCommandOptions): Promise<void> {
  const request = requestOf(context, corpora, options);
  if (options.dryRun) {
    const plan = await planEvaluation(request);
    context.printJson({ dryRun: true, ...plan });
    context.print(describePlan(plan));
    return;
  }
  const { results, folder, computed } = await evaluate(request);
  const written = await writeReport(folder, results);
  const cells = [results, results.classification, results.clustering].reduce(
    (sum, task) => sum + (task?.cells.length ?? 0),
    0,
  );
  context.print(
    renderTerminal(results, { color: process.stdout.isTTY === true && process.env.NO_COLOR === undefined }),
  );
  context.print(`\n${computed} cells computed, ${cells - computed} found finished\nreport: ${written.html}`);
  context.printJson(evaluationJson(results, written.html));
}

/** What `evaluate --json` prints. */
export function evaluationJson(results: EvaluationResults, report: string): unknown {
  const retrieval = results.cells.map(
    ({ corpus, task, model, view, fuse, rerank, queries, documents, metrics, cost, manifest }) => ({
      corpus,
      task,
      model,
      view,
      ...(fuse === undefined ? {} : { fuse }),
      ...(rerank === undefined ? {} : { rerank }),
      queries,
      documents,
      metrics,
      cost,
      manifest,
    }),
  );
  const classification = (results.classification?.cells ?? []).map(
    ({ corpus, task, model, view, probe, documents, trained, labels, metrics, cost, manifest }) => ({
      corpus,
      task,
      model,
      view,
      probe,
      documents,
      trained,
      labels,
      metrics,
      cost,
      manifest,
    }),
  );
  const clustering = (results.clustering?.cells ?? []).map(
    ({ corpus, task, model, view, documents, labels, clusters, metrics, bootstraps, runs, cost, manifest }) => ({
      corpus,
      task,
      model,
      view,
      documents,
      labels,
      clusters,
      metrics,
      bootstraps,
      runs,
      cost,
      manifest,
    }),
  );
  return { cells: [...retrieval, ...classification, ...clustering], report, warnings: results.warnings };
}

/** Judgement options that would be silently without effect are refused. */
function checkJudgements({ relevance, qrels, queries, category, origin }: EvaluateCommandOptions): void {
  const refuse = (field: string, expected: string, found: string) =>
    inputError(`${field} has no effect here`, { code: 'evaluate.judgements', field, expected, found });
  if (qrels === undefined && queries !== undefined) throw refuse('--queries', '--qrels FILE beside it', queries);
  if (qrels !== undefined && relevance !== undefined && relevance !== 'qrels')
    throw refuse('--qrels', '--relevance qrels', `--relevance ${relevance}`);
  const filter = category === undefined ? origin && '--origin' : '--category';
  if ((qrels !== undefined || relevance === 'qrels') && filter !== undefined)
    throw refuse(filter, '--relevance cites, cited-by or both', '--relevance qrels');
}

/** Options that would be silently without effect on the tasks asked for are refused. */
function checkTaskOptions(options: EvaluateCommandOptions): void {
  const { task = ['retrieval'], labels, level } = options;
  const refuse = (field: string, expected: string, found: string) => {
    throw inputError(`${field} has no effect here`, { code: 'evaluate.task-option', field, expected, found });
  };
  for (const [option, needed] of optionTasks) {
    if (options[option] === undefined || needed.some((name) => task.includes(name))) continue;
    refuse(flagOf(option), `--task with ${needed.join(' or ')}`, `--task ${task.join(',')}`);
  }
  if (labels === 'labels' && level !== undefined) refuse('--level', '--labels cpc or ipc', '--labels labels');
}

/** Options of models that are not among those asked for. */
function checkModelOptions(options: EvaluateCommandOptions): void {
  const { model = defaultModels, fuse = [] } = options;
  const parts = new Set([...model.flatMap((name) => name.split('+')), ...(fuse.length > 0 ? ['bm25'] : [])]);
  const encoder = [...parts].some((name) => name !== 'bm25' && name !== 'lsa');
  const needs: [keyof EvaluateCommandOptions, string, boolean][] = [
    ['bm25', 'bm25 among the models', parts.has('bm25')],
    ['stem', 'bm25 or lsa among the models', parts.has('bm25') || parts.has('lsa')],
    ['lsaDimensions', 'lsa among the models', parts.has('lsa')],
    ['dimensions', 'lsa or a text encoder among the models', parts.has('lsa') || encoder],
    ['length', 'a text encoder among the models', encoder],
    ['dtype', 'a text encoder or a cross-encoder among the models', encoder || options.rerank !== undefined],
  ];
  for (const [option, expected, met] of needs) {
    if (options[option] === undefined || met) continue;
    const field = flagOf(option);
    throw inputError(`${field} has no effect here`, {
      code: 'evaluate.model-option',
      field,
      expected,
      found: `--model ${model.join(',')}`,
    });
  }
}

function flagOf(option: string): string {
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function requestOf(context: CliContext, corpora: string[], options: EvaluateCommandOptions): EvaluateOptions {
  const { category, origin, onlyEarlier, qrels, queries, sampleQueries, labels, level, least } = options;
  const { reduce, clusters, clusterer, bootstraps } = options;
  checkTaskOptions(options);
  checkModelOptions(options);
  checkJudgements(options);
  const relevance: Omit<RelevanceOptions, 'seed'> = {
    relevance: options.relevance ?? (qrels === undefined ? 'cites' : 'qrels'),
    ...(category ? { categories: category } : {}),
    ...(origin ? { origins: origin } : {}),
    ...(onlyEarlier ? { onlyEarlier } : {}),
    ...(qrels ? { qrels } : {}),
    ...(queries ? { queriesFile: queries } : {}),
    ...(sampleQueries ? { sampleQueries } : {}),
  };
  const given = <K extends keyof EvaluateOptions>(name: K, value: EvaluateOptions[K] | undefined) =>
    value === undefined ? {} : { [name]: value };
  return {
    platform: context.platform,
    home: context.home,
    corpora,
    relevance,
    seed: context.seed,
    threads: context.threads,
    device: context.device,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
    command: `patentlab ${process.argv.slice(2).join(' ')}`,
    onCell: (line) => context.progress.say(line),
    ...given('tasks', options.task),
    ...given('models', options.model),
    ...given('views', options.view),
    ...given('fuse', options.fuse),
    ...given('rerank', options.rerank),
    ...given('rerankOf', options.rerankOf),
    ...given('rerankDepth', options.rerankDepth),
    ...given('rerankLength', options.rerankLength),
    ...given('maskCitations', options.maskCitations),
    labels: defined({ field: labels, level, least }),
    ...given('probes', options.probe),
    clustering: defined({ reduce, clusters, clusterer, bootstraps }),
    ...given('length', options.length),
    ...given('dimensions', options.dimensions),
    ...given('passages', options.passages),
    ...given('passagesOnly', options.passagesOnly),
    ...given('dtype', options.dtype),
    ...given('bm25', options.bm25),
    ...given('analyser', options.stem ? { stem: 'english' } : undefined),
    ...given('split', options.split?.(context.seed)),
    ...given('lsaDimensions', options.lsaDimensions),
    ...given('depth', options.depth),
    ...given('margin', options.margin),
    ...given('maxTime', options.maxTime),
    ...given('out', options.out),
    ...given('title', options.title),
  };
}

function describePlan({ cells, seconds, bytes }: EvaluationPlan): string {
  const lines = cells.map(
    ({ task, corpus, view, system, done, seconds: each }) =>
      `${task.padEnd(14)}  ${corpus}  ${view.padEnd(12)}  ${system.padEnd(40)}  ${done ? 'finished' : `about ${duration(each)}`}`,
  );
  const open = cells.filter(({ done }) => !done).length;
  return `${lines.join('\n')}\n${open} of ${cells.length} cells to do: about ${duration(seconds)}, ${(bytes / 1e6).toFixed(0)} MB on disk`;
}

function bm25Option(text: string): Bm25Options {
  const [variant, k1, b, ...more] = text.split(',').map((part) => part.trim());
  if (more.length > 0) throw new InvalidArgumentError('expected a variant, k1 and b, and no more: lucene,1.2,0.75');
  if (!(bm25Variants as readonly string[]).includes(variant!)) {
    throw new InvalidArgumentError(`expected one of ${bm25Variants.join(', ')}, then k1 and b`);
  }
  const number = (value: string) => {
    if (!/^\d*\.?\d+$/.test(value)) throw new InvalidArgumentError('k1 and b are numbers: lucene,1.2,0.75');
    return Number(value);
  };
  return { variant: variant as Bm25Variant, ...(k1 ? { k1: number(k1) } : {}), ...(b ? { b: number(b) } : {}) };
}

/** Seconds of `90`, `90s`, `30m` or `2h`. */
function timeOption(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected a time such as 90s, 30m or 2h');
  return Number(match[1]) * { s: 1, m: 60, h: 3600 }[(match[2] ?? 's') as 's' | 'm' | 'h'];
}
