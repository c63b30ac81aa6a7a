/** Classification on a terminal: one block a corpus and view, the best classifier first, within 100 columns. */
import type pc from 'picocolors';
import { type ClassificationCell, classifierName } from '../study/classification/results.ts';
import type { EvaluationResults } from '../study/results.ts';
import { classifierSentences } from './classification-sentences.ts';
import { classifierGroups, compared } from './classification-standings.ts';
import { count, interval, plural, score, seconds, shorten, signed, verdictGlyph } from './format.ts';
import { plain } from './sentences.ts';
import { type Column, clean, line, wrap } from './terminal-lines.ts';

export function classificationBlocks(
  { classification }: EvaluationResults,
  colors: ReturnType<typeof pc.createColors>,
): string[] {
  if (classification === undefined) return [];
  return classifierGroups(classification).flatMap((group) => {
    const { corpus, view, cells, best, headlines } = group;
    const [leading] = headlines;
    const columns: (Column & { metric?: string })[] = [
      { head: 'classifier', width: 27, left: true },
      { head: 'micro-F1 [95 %]', width: 20 },
      { head: 'to best', width: 8 },
      { head: 'macro-F1', width: 8, metric: headlines[1] },
      { head: 'at 0.5:', width: 7, metric: 'micro-f1' },
      { head: 'macro', width: 5, metric: 'macro-f1' },
      { head: 'LRAP', width: 5, metric: 'lrap' },
      { head: 'ECE', width: 5, metric: 'ece' },
      { head: 'time', width: 6 },
    ];
    const rows = cells.map((cell) => {
      const estimate = cell.metrics[leading]!;
      const pair = cell === best ? undefined : compared(classification, group, leading, cell, best);
      const texts = columns.map(({ metric, width }, at) => {
        if (metric !== undefined) return score(cell.metrics[metric]?.value ?? Number.NaN);
        if (at === 0) return shorten(clean(classifierName(cell)), width);
        if (at === 1) return `${score(estimate.value)} ${interval(estimate)}`;
        if (at === 2)
          return cell === best ? 'best' : pair ? `${verdictGlyph[pair.verdict]} ${signed(pair.difference)}` : '–';
        return seconds(cell.cost.seconds);
      });
      return line(columns, texts, (text, at) => {
        if (at === 0 && cell === best) return colors.bold(text);
        if (at === 2 && pair?.verdict === 'worse') return colors.red(text);
        return text;
      });
    });
    const head = `${colors.bold(`${clean(corpus)}, classification`)}  view ${clean(view)}, ${plural(best.labels, 'label')}, ${count(best.trained)} documents learnt from, ${count(best.documents)} scored`;
    return [
      '',
      head,
      '',
      colors.dim(
        line(
          columns,
          columns.map(({ head }) => head),
        ),
      ),
      ...rows,
      '',
      ...headlines.flatMap((metric) => wrap(classifierSentences(classification, group, metric).map(plain).join(' '))),
      ...unconverged(cells),
    ];
  });
}

function unconverged(cells: readonly ClassificationCell[]): string[] {
  return cells.flatMap((cell) => {
    const { convergence } = cell;
    if (convergence === undefined || convergence.converged) return [];
    return wrap(`warning: ${classifierName(cell)}: ${convergence.warnings.join('; ')}`);
  });
}
