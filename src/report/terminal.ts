/**
 * The leaderboard on a terminal: one block a corpus, its views from the best downwards, within 100 columns. No colour
 * where `NO_COLOR` is set or the output is no terminal (picocolors decides).
 */
import pc from 'picocolors';
import type { Verdict } from '../metrics/types.ts';
import { type CellResult, type EvaluationResults, systemName } from '../study/results.ts';
import { adviseOn } from './advice.ts';
import { evidenceOf } from './advice-evidence.ts';
import {
  bytes,
  count,
  interval,
  metricName,
  percent,
  rate,
  score,
  seconds,
  shorten,
  signed,
  verdictGlyph,
} from './format.ts';
import { withShortNames } from './names.ts';
import { inventedStamp } from './page.ts';
import { rerankSentences } from './rerank-sentences.ts';
import { detectableSentence, groupSentences, plain } from './sentences.ts';
import { type Group, Standings } from './standings.ts';
import { classificationBlocks } from './terminal-classification.ts';
import { clusteringBlocks } from './terminal-clustering.ts';
import { type Column, clean, line, wrap } from './terminal-lines.ts';

export interface TerminalOptions {
  /** Default: colours where standard output is a terminal and `NO_COLOR` is not set. */
  color?: boolean;
}

export function renderTerminal(results: EvaluationResults, options: TerminalOptions = {}): string {
  const standings = new Standings(withShortNames(results));
  const colors = pc.createColors(options.color ?? (pc.isColorSupported && process.stdout.isTTY === true));
  const out: string[] = [...wrap(results.relevanceStatement)];
  if (results.invented) out.push(colors.red(inventedStamp));
  else for (const of of evidenceOf(standings)) out.push('', ...wrap(adviseOn(of).sentences.map(plain).join(' ')));
  const others = standings.metrics.filter((metric) => metric !== standings.metric && /^recall@/.test(metric));
  const second = others.find((metric) => metric === 'recall@100') ?? others[0];
  for (const corpus of standings.corpora) {
    const groups = standings.groups
      .filter((group) => group.corpus === corpus)
      .sort((a, b) => standings.value(b.best) - standings.value(a.best));
    if (groups.length === 0) continue;
    const { documents, queries } = groups[0]!.best;
    out.push('', `${colors.bold(clean(corpus))}  ${count(queries)} queries, ${count(documents)} documents`, '');
    const columns: Column[] = [
      { head: 'system', width: 27, left: true },
      { head: `${metricName(standings.metric)} [95 %]`, width: 20 },
      { head: second === undefined ? '' : metricName(second), width: second === undefined ? 0 : 10 },
      { head: 'to best', width: 8 },
      { head: 'to bm25', width: 8 },
      { head: 'q/s', width: 6 },
      { head: 'memory', width: 7 },
      { head: 'time', width: 6 },
    ];
    out.push(
      colors.dim(
        line(
          columns,
          columns.map((column) => column.head),
        ),
      ),
    );
    for (const group of groups) {
      out.push(colors.dim(`view ${clean(group.view)}`));
      for (const cell of group.cells) out.push(row(standings, group, cell, columns, second, colors));
    }
    const top = standings.bestView(corpus)!;
    out.push('');
    out.push(
      ...wrap(
        `View ${top.view}: ${[...groupSentences(standings, top), ...rerankSentences(standings, top)].map(plain).join(' ')}`,
      ),
    );
    const detectable = detectableSentence(standings, top);
    if (detectable !== undefined) out.push(...wrap(detectable));
    const cut = groups.flatMap(({ cells }) => cells).filter(({ cost }) => (cost.truncated ?? 0) > 0.5);
    if (cut.length > 0) {
      const worst = cut.reduce((a, b) => ((b.cost.truncated ?? 0) > (a.cost.truncated ?? 0) ? b : a));
      out.push(
        ...wrap(
          `More than half of the texts were cut at the model's length in ${count(cut.length)} rows (at most ${percent(worst.cost.truncated!)}, ${systemName(worst)} on ${worst.view}).`,
        ),
      );
    }
  }
  out.push(...classificationBlocks(results, colors), ...clusteringBlocks(results, colors));
  out.push(
    '',
    colors.dim('▲ better  ▼ worse  = equivalent within the margin  ? undecided  (within a view, Holm-corrected)'),
  );
  for (const warning of results.warnings) out.push(...wrap(`warning: ${warning}`).map((text) => colors.yellow(text)));
  if (results.invented) out.push(colors.red(inventedStamp));
  return `${out.join('\n')}\n`;
}

function row(
  standings: Standings,
  group: Group,
  cell: CellResult,
  columns: Column[],
  second: string | undefined,
  colors: ReturnType<typeof pc.createColors>,
): string {
  const estimate = cell.metrics[standings.metric];
  const other = second === undefined ? undefined : cell.metrics[second];
  const name = shorten(clean(systemName(cell)), columns[0]!.width);
  const best = versus(standings, cell, group.best, 'best');
  const bm25 = versus(standings, cell, group.baseline, 'bm25');
  const texts = [
    name,
    estimate === undefined ? '–' : `${score(estimate.value)} ${interval(estimate)}`,
    other === undefined ? '' : score(other.value),
    best.text,
    bm25.text,
    rate(cell.cost.queriesPerSecond),
    bytes(cell.cost.peakMemoryBytes),
    seconds(cell.cost.seconds),
  ];
  return line(columns, texts, (text, index) => {
    if (index === 0 && cell === group.best) return colors.bold(text);
    const verdict = index === 3 ? best.verdict : index === 4 ? bm25.verdict : undefined;
    if (verdict === 'better') return colors.green(text);
    if (verdict === 'worse') return colors.red(text);
    return text;
  });
}

function versus(
  standings: Standings,
  cell: CellResult,
  other: CellResult | undefined,
  word: string,
): { text: string; verdict?: Verdict } {
  if (other === undefined) return { text: '–' };
  if (other === cell) return { text: word };
  const pair = standings.compare(cell.corpus, cell.view, standings.metric, systemName(cell), systemName(other));
  if (pair === undefined) return { text: '–' };
  return { text: `${verdictGlyph[pair.verdict]} ${signed(pair.difference)}`, verdict: pair.verdict };
}
