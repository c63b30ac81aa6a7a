/** `patentlab compare`: TREC runs against one another on one metric, with intervals, tests and verdicts. */
import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { inputError, quoteFound } from '../base/errors.ts';
import { familySpec, parseMetric } from '../metrics/measure.ts';
import { compareBytes, scoreRun } from '../metrics/score.ts';
import { comparePairs, defaultMargin, defaultResamples, estimateMeans } from '../metrics/significance.ts';
import { readFamilies, readJudgements, readRun } from '../metrics/trec.ts';
import type { Comparison, Estimate } from '../metrics/types.ts';
import type { CliContext } from './context.ts';
import { positiveOption, type Runner, withExample } from './main.ts';
import { numberOption } from './options.ts';
import { textChunks } from './text-file.ts';

interface CompareCommandOptions {
  qrels: string;
  metric: string;
  margin: number;
  level: number;
  families?: string;
  resamples: number;
}

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('compare')
      .description('Compare TREC runs on the same judgements: differences, intervals, p values, verdicts')
      .argument('<runs...>', 'two or more run files, plain or gzipped')
      .requiredOption('--qrels <file>', 'judgements; every judged topic counts, one that a run lacks as 0')
      .option('--metric <name>', 'what to compare on', 'ndcg@10')
      .option(
        '--margin <d>',
        'smallest difference that matters, in units of the metric',
        numberOption('a number of at least 0', (margin) => margin >= 0),
        defaultMargin,
      )
      .option('--level <n>', 'lowest relevance that counts as relevant', positiveOption, 1)
      .option('--families <file>', 'lines of topic and family: families are resampled as a whole')
      .option('--resamples <n>', 'bootstrap resamples, at least 100', resamplesOption, defaultResamples)
      .action(run(compare)),
    'patentlab compare bm25.run minilm.run --qrels judgements.qrels --metric ndcg@10 --margin 0.01',
  );
}

/** Below a hundred, the ends of a 95 % interval are single resamples, or lie beside the mean. */
function resamplesOption(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 100) {
    throw new InvalidArgumentError('expected a whole number of at least 100');
  }
  return Number(text);
}

async function compare(context: CliContext, files: string[], options: CompareCommandOptions): Promise<void> {
  const measure = parseMetric(options.metric);
  if (familySpec(measure.family).summaryOnly) {
    throw inputError(`metric ${measure.name} has no value per query to compare on`, {
      code: 'metric.summary',
      field: 'metric',
      expected: 'a metric that every query has, such as ndcg@10',
      found: options.metric,
    });
  }
  if (files.length < 2) {
    throw inputError('a comparison needs two runs', {
      code: 'compare.runs',
      expected: 'two or more run files',
      found: quoteFound(files[0]),
      hint: 'name the runs one after the other: patentlab compare a.run b.run --qrels Q',
    });
  }
  const { level, margin, resamples } = options;
  const judgements = await readJudgements(textChunks(options.qrels), { file: options.qrels });
  const names = runNames(files);
  const values: Float64Array[] = [];
  for (const [index, file] of files.entries()) {
    const { run } = await readRun(textChunks(file), { file });
    const scores = scoreRun(judgements, run, [measure], { complete: true, level });
    if (scores.missing.length === judgements.size) throw noTopic(file, [...run.keys()], [...judgements.keys()]);
    if (scores.missing.length > 0) {
      context.progress.say(
        `${names[index]}: ${scores.missing.length} of ${judgements.size} judged topics missing, counted as 0`,
      );
    }
    values.push(scores.values[0]!);
  }
  const topics = [...judgements.keys()].sort(compareBytes);
  const clusters = options.families === undefined ? undefined : await familyOf(topics, options.families);
  const statistics = { seed: context.seed, resamples };
  const estimates = estimateMeans(values, clusters, statistics);
  const pairs = comparePairs({ systems: names, values, clusters, metric: options.metric, margin, ...statistics });
  context.printJson({
    metric: options.metric,
    margin,
    queries: topics.length,
    systems: names.map((name, s) => ({ system: name, ...estimates[s]! })),
    pairs,
  });
  context.print(table(options.metric, names, estimates, pairs, margin, topics.length));
}

/** Files' names without folder and common endings; whole paths where those would not tell them apart. */
function runNames(files: readonly string[]): string[] {
  const short = files.map((file) => basename(file).replace(/(\.(gz|run|trec|txt|res|results|tsv))+$/i, '') || file);
  if (new Set(short).size === files.length) return short;
  return files.map((file, i) => (files.indexOf(file) === i ? file : `${file} (${i + 1})`));
}

async function familyOf(topics: readonly string[], file: string): Promise<Int32Array> {
  const families = await readFamilies(textChunks(file), { file });
  const numbers = new Map<string, number>();
  return Int32Array.from(topics, (topic, t) => {
    const family = families.get(topic);
    if (family === undefined) return -1 - t; // a family of its own
    const number = numbers.get(family) ?? numbers.size;
    numbers.set(family, number);
    return number;
  });
}

function noTopic(file: string, inRun: string[], judged: string[]): Error {
  return inputError('run and judgements have no topic in common', {
    code: 'score.topics',
    file,
    expected: `topics such as ${judged.slice(0, 3).join(', ')}`,
    found: `topics such as ${inRun.slice(0, 3).join(', ')}`,
    hint: 'check that both files belong to the same test collection',
  });
}

function table(
  metric: string,
  names: readonly string[],
  estimates: readonly Estimate[],
  pairs: readonly Comparison[],
  margin: number,
  queries: number,
): string {
  const range = ({ lower, upper }: { lower: number; upper: number }, sign = false) =>
    `[${number(lower, sign)}, ${number(upper, sign)}]`;
  const systems = names
    .map((name, s) => [name, number(estimates[s]!.value), range(estimates[s]!)])
    .sort((x, y) => Number(y[1]) - Number(x[1]));
  const rows = pairs.map((pair) => [
    `${pair.a} - ${pair.b}`,
    number(pair.difference, true),
    range(pair, true),
    probability(pair.p),
    probability(pair.pHolm),
    pair.verdict,
    pair.verdict === 'undecided' ? number(pair.detectable) : '',
  ]);
  return [
    `${metric} over ${queries} judged topics, mean and 95 % interval`,
    aligned([['run', 'mean', '95 %'], ...systems]),
    '',
    `pairs, differences below ${margin} count as too small to matter`,
    aligned([['pair', 'difference', '95 %', 'p', 'p (Holm)', 'verdict', 'detectable'], ...rows]),
  ].join('\n');
}

function number(value: number, sign = false): string {
  if (!Number.isFinite(value)) return '?';
  return `${sign && value > 0 ? '+' : ''}${value.toFixed(4)}`;
}

function probability(p: number): string {
  return p < 0.0001 ? '<0.0001' : p.toFixed(4);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, c) => cell.padEnd(widths[c]!)).join('  ')}`.trimEnd()).join('\n');
}
