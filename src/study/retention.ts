/**
 * What a model keeps of its quality when its vectors are cut: mean at d dimensions over mean at full width, over the same
 * queries, with the interval of the ratio of means (`metrics/ratio.ts`), families resampled.
 */
import { estimateRatios } from '../metrics/ratio.ts';
import type { FinishedCell } from './cell.ts';
import type { CellResult, Retention } from './results.ts';
import { systemName } from './results.ts';
import type { SharedQueries, StatisticsOptions } from './summaries.ts';

/** Of all models of one corpus and view that were measured at several widths, the full one among them. */
export function retentions(
  shared: SharedQueries,
  view: string,
  metric: string,
  rows: readonly { result: CellResult; cell: FinishedCell }[],
  statistics: StatisticsOptions,
): Retention[] {
  const groups = Map.groupBy(rows, ({ result: { width, fuse } }) => width && systemName({ model: width.of, fuse }));
  return [...groups].flatMap(([model, members]): Retention[] => {
    const full = members.find(({ result: { width } }) => width?.dimensions === width?.full);
    const cut = members.filter((member) => member !== full);
    if (model === undefined || full === undefined || cut.length === 0) return [];
    cut.sort((a, b) => b.result.width!.dimensions - a.result.width!.dimensions);
    const columns = [full, ...cut].map(({ cell }) => cell.perQuery[metric]!);
    const kept = estimateRatios(
      columns,
      cut.map((_, i) => ({ columns: [1 + i, 0], of: (narrow, wide) => narrow / wide })),
      shared.clusters,
      statistics,
    );
    return [
      {
        corpus: shared.corpus,
        view,
        metric,
        model,
        full: { system: systemName(full.result), dimensions: full.result.width!.full },
        cut: cut.map(({ result }, i) => ({
          system: systemName(result),
          dimensions: result.width!.dimensions,
          kept: kept[i]!,
        })),
      },
    ];
  });
}
