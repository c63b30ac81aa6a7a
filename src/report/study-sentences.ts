/** Sentences that a study's statistics allow, for the page and the terminal alike. Invented data yields figures, never advice. */
import { cornerLabel } from '../study/embedding/evaluations.ts';
import type { StudyCorner, StudyRow } from '../study/embedding/results.ts';
import { adviseOn } from './advice.ts';
import { studyEvidence } from './advice-evidence.ts';
import { listOf, metricName, plural, score, signed, signedInterval } from './format.ts';
import { inventedStamp } from './page.ts';
import { plain } from './sentences.ts';
import type { StudyPage } from './study-html.ts';

export function studySentences(page: StudyPage): string[] {
  const { results } = page;
  const said: string[] = [];
  if (results.invented) said.push(`${inventedStamp}. What follows shows how the study reads, and advises nothing.`);
  for (const corners of cornerGroups(results.corners)) said.push(...cornerSentences(page, bestView(page, corners)));
  const away = results.transfer.filter(({ role, from, to }) => role === 'recipe' && from !== to);
  if (away.length > 0) {
    const count = (verdict: string) => away.filter(({ comparison }) => comparison.verdict === verdict).length;
    said.push(
      `Evaluated on landscapes they did not learn from, of ${plural(away.length, 'comparison')} of trained systems with their start ${count('better')} read better, ${count('worse')} worse, ${count('equivalent')} equivalent, ${count('undecided')} undecided.`,
    );
  }
  if (results.rows.some(({ tentative }) => tentative))
    said.push('Trained systems have fewer than 5 seeds, so every verdict on them is tentative.');
  return said;
}

/** What to use on each corpus, as far as the tests carry it. */
export function studyAdvice(page: StudyPage): string[] {
  if (page.results.invented) return [];
  return studyEvidence(page).flatMap((evidence) => adviseOn(evidence).sentences.map(plain));
}

/** Corners of one corpus and task (and probe), which differ by their view alone. */
export function cornerGroups(corners: readonly StudyCorner[]): StudyCorner[][] {
  return [...Map.groupBy(corners, ({ corpus, task, probe }) => JSON.stringify([corpus, task, probe])).values()];
}

/** The one whose view some system does best under, as observed. */
function bestView(page: StudyPage, corners: readonly StudyCorner[]): StudyCorner {
  const top = (corner: StudyCorner) => Math.max(...page.rows(corner).map((row) => meanOf(row, corner.metric)));
  return corners.reduce((best, corner) => (top(corner) > top(best) ? corner : best));
}

function cornerSentences(page: StudyPage, corner: StudyCorner): string[] {
  const { results } = page;
  const { corpus, metric } = corner;
  const rows = page.rows(corner).toSorted((a, b) => meanOf(b, metric) - meanOf(a, metric));
  const said: string[] = [];
  const best = rows[0]!;
  const tested = rows.slice(1).flatMap(({ system }) => {
    const pair = page.compare(corner, best.system, system);
    return pair === undefined ? [] : { system, pair };
  });
  const beside = tested.filter(({ pair }) => pair.verdict !== 'better');
  const untested = rows.length - 1 - tested.length;
  const others = untested === 0 ? 'every other system' : 'every system that it is tested against';
  const shown =
    tested.length === 0
      ? 'not tested against another'
      : beside.length === 0
        ? `better than ${others}`
        : `not shown to be better than ${listOf([...beside.slice(0, 3).map(({ system }) => system), ...(beside.length > 3 ? [`${beside.length - 3} more`] : [])])}`;
  said.push(
    `On ${corpus} (${corner.task === 'retrieval' ? 'view ' : ''}${cornerLabel(corner)}), ${best.system} has the highest ${metricName(metric)}, ${score(meanOf(best, metric))}: ${shown}.`,
  );
  const own = rows.filter(({ system }) => {
    const { role, trainedOn } = page.system(system);
    return role === 'recipe' && trainedOn === corpus;
  });
  for (const model of new Set(own.map(({ system }) => page.system(system).model!))) {
    const trained = own.filter(({ system }) => page.system(system).model === model);
    const start = results.systems.find((system) => system.role === 'start' && system.model === model)?.name;
    if (start !== undefined) {
      const gains = trained.flatMap(({ system }) => {
        const pair = page.compare(corner, system, start);
        return pair === undefined
          ? []
          : `${page.system(system).recipe} ${signed(pair.difference)} ${signedInterval(pair)} (${pair.verdict})`;
      });
      if (gains.length > 0) said.push(`Against ${start}: ${listOf(gains)}.`);
    }
    const decided = trained.flatMap((a, at) =>
      trained.slice(at + 1).flatMap((b) => {
        const pair = page.compare(corner, a.system, b.system);
        const [x, y] = [page.system(a.system).recipe, page.system(b.system).recipe];
        if (pair?.verdict === 'better') return `${x} over ${y}`;
        return pair?.verdict === 'worse' ? `${y} over ${x}` : [];
      }),
    );
    if (trained.length > 1 && results.matched)
      said.push(
        decided.length === 0
          ? 'No recipe is shown to be better than another on the same number of pairs.'
          : `On the same number of pairs, shown to be better: ${listOf(decided)}.`,
      );
  }
  return said;
}

function meanOf(row: StudyRow, metric: string): number {
  return row.metrics[metric]!.value;
}
