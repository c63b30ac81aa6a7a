/** `patentlab score`: a run against judgements, with trec_eval's measures, switches and printed form. */
import type { Command } from 'commander';
import { familySpec, type Measure, parseMetric, trecMeasures } from '../metrics/measure.ts';
import { type Scores, scoreRun, summary, topicValues } from '../metrics/score.ts';
import { readJudgements, readRun } from '../metrics/trec.ts';
import type { CliContext } from './context.ts';
import { listOption, positiveOption, type Runner, withExample } from './main.ts';
import { textChunks } from './text-file.ts';

interface ScoreCommandOptions {
  qrels: string;
  run: string;
  metric?: string[];
  complete?: boolean;
  maxDocs?: number;
  level: number;
  perQuery?: boolean;
}

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('score')
      .description('Score a TREC run against judgements, as trec_eval does (files may be gzipped)')
      .requiredOption('--qrels <file>', 'judgements: topic, iteration, document, relevance')
      .requiredOption('--run <file>', 'run: topic, Q0, document, rank, score, tag')
      .option('--metric <names>', "measures, trec_eval's names or such as ndcg@10, mrr (default: all)", listOption)
      .option('--complete', 'count judged topics that the run lacks as 0 (trec_eval -c)')
      .option('--max-docs <n>', 'look at the first n documents of a topic (-M)', positiveOption)
      .option('--level <n>', 'lowest relevance that counts as relevant (-l)', positiveOption, 1)
      .option('--per-query', 'also give every topic (-q)')
      .action(run(score)),
    'patentlab score --qrels judgements.qrels --run bm25.run --metric ndcg@10,recall@100,mrr',
  );
}

async function score(context: CliContext, options: ScoreCommandOptions): Promise<void> {
  const measures = options.metric === undefined ? trecMeasures : uniqueMeasures(options.metric.map(parseMetric));
  const everything = options.metric === undefined;
  const judgements = await readJudgements(textChunks(options.qrels), { file: options.qrels });
  const { run, tag } = await readRun(textChunks(options.run), { file: options.run });
  const scores = scoreRun(judgements, run, measures, {
    complete: options.complete ?? false,
    level: options.level,
    relevanceStrings: everything,
    ...(options.maxDocs === undefined ? {} : { maxDocs: options.maxDocs }),
  });
  if (scores.missing.length > 0) {
    context.progress.say(
      `${scores.missing.length} of ${judgements.size} judged topics are not in the run and ` +
        (options.complete ? 'count as 0' : 'are not counted; --complete counts them as 0'),
    );
  }
  const all = { ...(everything ? { runid: tag } : {}), ...summary(scores) };
  context.printJson({
    measures: all,
    ...(options.perQuery
      ? { topics: Object.fromEntries(scores.topics.map((t, i) => [t, topicValues(scores, i)])) }
      : {}),
  });
  context.print(trecText(scores, all, options.perQuery ?? false).join('\n'));
}

function uniqueMeasures(measures: Measure[]): Measure[] {
  return [...new Map(measures.map((measure) => [measure.name, measure])).values()];
}

/** Lines as trec_eval prints them: name, topic or `all`, value; counts whole, the rest with four decimals. */
function trecText(scores: Scores, all: Record<string, number | string>, perQuery: boolean): string[] {
  const lines: string[] = [];
  const line = (name: string, topic: string, value: string) => lines.push(`${name.padEnd(22)}\t${topic}\t${value}`);
  const isCount = new Map(
    scores.measures.map(({ name, family }) => [name, familySpec(family).summary === 'sum'] as const),
  );
  const add = (topic: string, values: Record<string, number | string>) => {
    for (const [name, value] of Object.entries(values)) {
      if (typeof value === 'number') line(name, topic, isCount.get(name) ? String(value) : value.toFixed(4));
      else line(name, topic, name === 'relstring' ? `'${value}'` : value);
    }
  };
  if (perQuery) scores.topics.forEach((topic, t) => void add(topic, topicValues(scores, t)));
  add('all', all);
  return lines;
}
