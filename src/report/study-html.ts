/** The page of an embedding study: standings, recipes with their controls, transfer, remedies, and what was not shown. */

import { turnRound } from '../metrics/comparison.ts';
import type { Comparison } from '../metrics/types.ts';
import { cornerLabel, sameCorner } from '../study/embedding/evaluations.ts';
import type { Corner, EmbeddingResults, StudyCorner, StudyRow, StudySystem } from '../study/embedding/results.ts';
import { studyEvidence } from './advice-evidence.ts';
import { documentOf } from './document.ts';
import type { Content } from './markup.ts';
import type { Stamped } from './page.ts';
import { advice } from './sections/advice.ts';
import { studyData, studyManifests, studyMethods, studyTrainings } from './sections/study-closing.ts';
import { recipes } from './sections/study-recipes.ts';
import { remedies } from './sections/study-remedies.ts';
import { studyStandings } from './sections/study-standings.ts';
import { studySummary } from './sections/study-summary.ts';
import { transfer } from './sections/study-transfer.ts';
import { studyNotShown } from './study-not-shown.ts';

export const studyFiles = {
  standings: 'standings.csv',
  comparisons: 'comparisons.csv',
  transfer: 'transfer.csv',
  trainings: 'trainings.csv',
} as const;

export interface StudyPage extends Stamped {
  standings: { results: EmbeddingResults };
  results: EmbeddingResults;
  system(name: string): StudySystem;
  rows(corner: Corner): StudyRow[];
  /** `a` minus `b` on the corner's leading metric; undefined where they were not compared. */
  compare(corner: StudyCorner, a: string, b: string): Comparison | undefined;
}

export function studyPage(results: EmbeddingResults): StudyPage {
  const systems = new Map(results.systems.map((system) => [system.name, system]));
  const pairs = new Map<string, Comparison>();
  const key = (...parts: string[]) => JSON.stringify(parts);
  for (const { metric, pairs: own, ...corner } of results.comparisons)
    for (const pair of own) pairs.set(key(cornerKey(corner), metric, ...[pair.a, pair.b].sort()), pair);
  return {
    results,
    standings: { results },
    system: (name) => systems.get(name)!,
    rows: (corner) => results.rows.filter((row) => sameCorner(row, corner)),
    compare(corner, a, b) {
      const pair = pairs.get(key(cornerKey(corner), corner.metric, ...[a, b].sort()));
      return pair && (pair.a === a ? pair : turnRound(pair));
    },
  };
}

function cornerKey(corner: Corner): string {
  return JSON.stringify([corner.corpus, cornerLabel(corner)]);
}

export function renderStudyHtml(results: EmbeddingResults): string {
  const page = studyPage(results);
  const sections: [string, string, Content][] = [
    ['advice', 'What to use', advice(page, studyEvidence(page), studyNotShown(page))],
    ['summary', 'Summary', studySummary(page)],
    ['standings', 'Standings', studyStandings(page)],
    ['recipes', 'Recipes', recipes(page)],
    ['transfer', 'Transfer', transfer(page)],
    ['remedies', 'Remedies', remedies(page)],
    ['trainings', 'Trainings', studyTrainings(page)],
    ['data', 'Data', studyData(page)],
    ['methods', 'Methods', studyMethods(page)],
    ['manifests', 'Manifests', studyManifests(page)],
  ];
  const shown = sections.filter(([, , content]) => content);
  return documentOf(page, {
    ...results,
    warnings: [...progressNote(results), ...results.warnings],
    contents: shown.map(([id, name]) => ({ id, name })),
    main: shown.map(([, , content]) => content),
  });
}

function progressNote({ cells }: EmbeddingResults): string[] {
  return cells.done < cells.total
    ? [
        `Not finished: ${cells.done} of ${cells.total} cells. Figures of trained systems stand on the seeds done so far, and p values are adjusted over the pairs done so far: verdicts may change.`,
      ]
    : [];
}
