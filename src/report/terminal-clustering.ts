/** Clustering on a terminal: one block a corpus and view, the best system first, within 100 columns. */
import type pc from 'picocolors';
import type { EvaluationResults } from '../study/results.ts';
import { clusteredViewSentences, clusteringSentences, toldMetrics } from './clustering-sentences.ts';
import { bestClustered, clusterGroups, headline, testedPair } from './clustering-standings.ts';
import { interval, listOf, metricName, plural, score, seconds, shorten, signed, verdictGlyph } from './format.ts';
import { plain } from './sentences.ts';
import { type Column, clean, line, wrap } from './terminal-lines.ts';

export function clusteringBlocks(
  { clustering }: EvaluationResults,
  colors: ReturnType<typeof pc.createColors>,
): string[] {
  if (clustering === undefined) return [];
  const columns: (Column & { metric?: string })[] = [
    { head: 'system', width: 27, left: true },
    { head: `${metricName(headline)} [95 %]`, width: 20 },
    { head: 'to best', width: 8 },
    { head: 'AMI', width: 6, metric: 'ami' },
    { head: 'ARI', width: 6, metric: 'ari' },
    { head: 'purity', width: 6, metric: 'purity' },
    { head: 'anew', width: 6 },
    { head: 'time', width: 6 },
  ];
  const heads = columns.map(({ head }) => head);
  const groups = clusterGroups(clustering);
  const blocks = groups.flatMap((group) => {
    const { corpus, view, cells, best } = group;
    const rows = cells.map((cell) => {
      const estimate = cell.metrics[headline]!;
      const pair = cell === best ? undefined : testedPair(clustering, headline, cell, best);
      const to = cell === best ? 'best' : pair ? `${verdictGlyph[pair.verdict]} ${signed(pair.difference)}` : '–';
      const texts = [
        shorten(clean(cell.model), 27),
        `${score(estimate.value)} ${interval(estimate)}`,
        to,
        ...columns.flatMap(({ metric }) =>
          metric === undefined ? [] : score(cell.metrics[metric]?.value ?? Number.NaN),
        ),
        score(cell.bootstraps.mean),
        seconds(cell.cost.seconds),
      ];
      return line(columns, texts, (text, at) => {
        if (at === 0 && cell === best) return colors.bold(text);
        return at === 2 && pair?.verdict === 'worse' ? colors.red(text) : text;
      });
    });
    const head = `${colors.bold(`${clean(corpus)}, clustering`)}  view ${clean(view)}, ${plural(best.documents, 'document')}, ${plural(best.labels, 'label')}, ${plural(best.clusters, 'cluster')}`;
    const sentences = toldMetrics.map((metric) => clusteringSentences(clustering, group, metric).map(plain).join(' '));
    const top = bestClustered(clustering, corpus)?.view === view;
    const views = top ? clusteredViewSentences(clustering, group).map(plain).join(' ') : '';
    return ['', head, '', colors.dim(line(columns, heads)), ...rows, '', ...[...sentences, views].flatMap(wrap)];
  });
  const { cells, leftOut } = clustering;
  if (cells.length === 0) return blocks;
  const { bootstraps, runs } = cells[0]!;
  return [
    ...blocks,
    ...wrap(
      `Means over ${plural(runs.length, 'seed')} of k-means; anew: V-measure over ${plural(bootstraps.vMeasures.length, 'sample')}, each clustered anew.${leftOut.length === 0 ? '' : ` Without vectors to cluster, and left out: ${listOf(leftOut)}.`}`,
    ),
  ];
}
