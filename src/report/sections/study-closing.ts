/** The end of a study's page: trainings, data, methods to paste, and the manifests behind every number. */
import type { SplitSummary } from '../../corpus/splits.ts';
import { questions } from '../../study/embedding/questions.ts';
import type { EmbeddingResults } from '../../study/embedding/results.ts';
import type { Task } from '../../study/results.ts';
import { viewLabel } from '../../study/systems.ts';
import { bytes, count, listOf, metricName, percent, plural, seconds } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, manifestId, scroller, section } from '../page.ts';
import { type StudyPage, studyFiles } from '../study-html.ts';
import { factList, sortable } from '../tables.ts';

export function studyTrainings(page: StudyPage): Content {
  const { trainings } = page.results;
  if (trainings.length === 0) return undefined;
  const budget = new Budget(500_000);
  const rows = trainings.map((training) => {
    const { audit } = training;
    const found = Object.entries(audit.counts).filter(([, number]) => number > 0);
    const leak = audit.clean ? 'clean' : found.map(([check, number]) => `${check} ${number}`).join(', ');
    return budget.take(
      html`<tr><th scope="row">${training.corpus}</th><td>${training.model}</td><td>${training.recipe}</td><td class="num">${training.seed}</td><td class="num">${count(training.pairs)}</td><td class="num">${count(training.steps)}</td><td class="num">${training.loss.first.toFixed(3)}</td><td class="num">${training.loss.last.toFixed(3)}</td><td class="num">${seconds(training.seconds)}</td><td class="num">${training.reloaded.toExponential(0)}</td><td>${leak}</td><td><code>${training.hash}</code></td></tr>\n`,
    );
  });
  const heads = [
    'corpus',
    'model',
    'recipe',
    'seed',
    'pairs',
    'steps',
    'first loss',
    'last loss',
    'time',
    'reloaded',
    'leakage audit',
    'checkpoint',
  ];
  return section(page, {
    id: 'trainings',
    title: 'Trainings',
    csv: studyFiles.trainings,
    lead: 'Every checkpoint was read back from disk; “reloaded” is the largest difference between its vectors and those of the trained weights. The leakage audit compares the pairs with everything that the checkpoint is tested on.',
    body: [
      scroller(
        'Trainings',
        html`<table class="sortable"><caption class="sr">Trainings</caption><thead><tr>${heads.map((name, at) => sortable(name, at > 2 && at < 10))}</tr></thead><tbody>${rows}</tbody></table>`,
      ),
      budget.note('trainings', studyFiles.trainings),
    ],
  });
}

export function studyData(page: StudyPage): Markup {
  const cards = page.results.corpora.map(({ name, card, split, queries, labels, clusters, lacks }) => {
    const facts: [string, string][] = [
      ['Documents', `${count(card.documents)}${card.invented ? ', invented' : ''}`],
...splitFacts(split, queries),
      ...(card.citations.recallCeiling === undefined ? [] : [['Recall ceiling', `${percent(card.citations.recallCeiling)} of the citations of all queries lie inside the corpus`] as [string, string]]),
      ...(labels === undefined ? [] : [['Labels', `${count(labels.labels.kept)} of ${count(labels.labels.found)} kept; learnt from ${count(labels.documents.train)} documents, scored on ${count(labels.documents.test)}`] as [string, string]]),
      ...(clusters === undefined ? [] : [['Clusters', `${count(clusters.clusters)} of ${count(clusters.documents.kept)} documents with ${count(clusters.labels.kept)} labels`] as [string, string]]),
      ...lacks.map(({ task, reason }): [string, string] => [`No ${task}`, reason]),
      ['Families', card.families.known > 0 ? `${count(card.families.known)} known` : card.families.inferred ? 'inferred' : 'none given'],
      ['Sources', card.sources.map(({ file, rows, bytes: size, sha256 }) => `${file.split(/[\\/]/).at(-1)}: ${count(rows)} rows, ${bytes(size)}, SHA-256 ${sha256}`).join('; ')],
    ]; // biome-ignore format: one fact a line
    return html`<h3>${name}</h3>${factList(facts)}\n`;
  });
  return section(page, { id: 'data', title: 'Data', body: cards });
}

function splitFacts(split: SplitSummary | undefined, queries: number | undefined): [string, string][] {
  const searched = queries === undefined ? '' : `${plural(queries, 'query', 'queries')}; `;
  if (split === undefined) return [['Use', `${searched}nothing learns from this corpus, all of it is tested on`]];
  const { statement, patents, citations } = split;
  return [
    ['Split', statement],
    ['Parts', `${count(patents.train)} train, ${count(patents.validation)} validation, ${count(patents.test)} test, ${count(patents.dropped)} dropped`],
    ['Citations', `${count(citations.train)} within train, ${count(citations.test)} within test, ${count(citations.across)} across the split (removed)`],
    ...(queries === undefined ? [] : [['Queries', `${count(queries)} of the test part with a relevant patent there`] as [string, string]]),
  ]; // biome-ignore format: one fact a line
}

export function studyMethods(page: StudyPage): Markup {
  const { results } = page;
  const resamples = [...new Set(results.comparisons.map((table) => count(table.resamples)))];
  const seeds = [...new Set(results.trainings.map(({ seed }) => seed))];
  const lengths = [...new Set(results.manifests.flatMap(({ length }) => (length === undefined ? [] : count(length))))];
  const paragraphs = [
    results.relevanceStatement,
    results.corpora
      .map(({ name, matched }) => matched && `${name}: ${matched}`)
      .filter(Boolean)
      .join(' '),
    'Recipes: R1 pairs a citing with a cited patent; R2 two patents that share a label; R3 two sections of one patent (abstract–claims, title–abstract, title–claims); R4 all of these in proportion to their number. A shuffled control has the same texts with every anchor’s positive that of a stranger. Loss: multiple negatives ranking within the batch, related patents masked (family, citation and, for R2, a shared label).',
    lengths.length > 0 && `Encoders read at most ${listOf(lengths)} tokens of a text, before and after training.`,
    `${measured(results)} (definitions version ${results.definitions}). Intervals are 95 % bootstrap intervals over queries or documents, those of one patent family drawn together; for trained systems hierarchical, over ${seeds.length > 0 ? `seeds (${listOf(seeds.map(String))})` : 'seeds'} and families, widened for few seeds (${listOf(resamples)} resamples). Systems of one corpus, view and task are compared in pairs over the same ones. ${questionsAsked(page)} With a margin of ${results.margin}, a verdict is “equivalent” where the 90 % interval lies within the margin, “better” or “worse” where the difference reaches it, its 95 % interval excludes 0 and the adjusted p is below 0.05, else “undecided”.`,
    `patentlab ${results.packageVersion}. ${results.command}`,
  ];
  return section(page, {
    id: 'methods',
    title: 'Methods, to paste',
    body: html`<div id="methods-text">${paragraphs.filter(Boolean).map((text) => html`<p>${text}</p>\n`)}</div><p class="script-only" hidden><button type="button" class="copy" data-copy="methods-text">Copy the text</button></p>`,
  });
}

/** What each task of the study is measured by. */
function measured({ tasks, corners }: EmbeddingResults): string {
  const metrics = (task: Task) =>
    listOf([...new Set(corners.filter((corner) => corner.task === task).map(({ metric }) => metricName(metric)))]);
  const words: Record<Task, string> = {
    retrieval: `Retrieval: ${metrics('retrieval')} as trec_eval defines it, mean over all judged queries`,
    classification: `Classification: probes on frozen vectors, fitted on the train part and scored on the test part; ${metrics('classification')} as scikit-learn defines it`,
    clustering: `Clustering: k-means on the vectors of the test part, mean over its seeds; ${metrics('clustering')} as scikit-learn defines it`,
  };
  return listOf(tasks.map((task) => words[task]));
}

/** The families of hypotheses, with their sizes. */
function questionsAsked({ results }: StudyPage): string {
  const asked = Object.entries(questions).flatMap(([question, text]) => {
    const sizes = results.comparisons.map(({ pairs }) => pairs.filter((pair) => pair.question === question).length);
    const [low, high] = [Math.min(...sizes.filter((size) => size > 0)), Math.max(0, ...sizes)];
    return high === 0 ? [] : `${text} (${low === high ? '' : `${count(low)} to `}${plural(high, 'pair')})`;
  });
  if (asked.length === 0) return '';
  return `The pairs answer questions that were fixed in advance, and p values are adjusted by Holm over all pairs of one question within one corpus and view: ${asked.join('; ')}. Each question has its own error rate of 5 %; pairs that answer none are not tested.`;
}

export function studyManifests(page: StudyPage): Content {
  const { manifests } = page.results;
  if (manifests.length === 0) return undefined;
  const budget = new Budget(600_000);
  const rows = manifests.map(({ cell, corpus, model, view, maskCitations, modelHash }) =>
    budget.take(
      html`<tr id="${manifestId({ manifest: { cell } })}"><th scope="row">${model}</th><td>${corpus.name}</td><td>${viewLabel({ view: view as never, masked: maskCitations })}</td><td><code>${(modelHash ?? '').slice(0, 12)}</code></td><td><code>patentlab repeat ${cell}</code></td></tr>\n`,
    ),
  );
  return section(page, {
    id: 'manifests',
    title: 'Manifests',
    lead: 'What made each number lies beside it, in results.json and in the cell’s folder.',
    body: [
      html`<details><summary>${count(manifests.length)} cells</summary>${scroller(
        'Cells',
        html`<table><caption class="sr">Cells</caption><thead><tr><th scope="col">system</th><th scope="col">corpus</th><th scope="col">view</th><th scope="col">model</th><th scope="col">again</th></tr></thead><tbody>${rows}</tbody></table>`,
      )}</details>`,
      budget.note('cells', 'results.json'),
    ],
  });
}
