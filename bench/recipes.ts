/**
 * Which pairs to fine-tune on, on real patents: the embedding study with all-MiniLM-L6-v2, matched data, several seeds and a
 * shuffled control. Prints each system's nDCG@10 on held-out patents, then every trained system against the model as it was, and
 * recipes against one another; p values are adjusted by question (docs/study.md).
 *
 *   ultrasound   R1 (citations), R3 (sections), R1+R3; tested on held-out families
 *   time         the same, tested on the latest patents
 *   coupling     the same training, tested on abstracts of all fields that cite the same documents
 *   1976         R2 (classes), R3 (title–claims), R2+R3 on grants of one week of 1976, tested on all of ultrasound as it is
 *
 *   grants       R2, R3, R2+R3 on the claims of these grants: classified and clustered by IPC subclass
 *   drones       R2 on titles of drone patents: the same
 *   claims       R2 on the first claims of PatentSBERTa's sample: the same, by CPC subclass
 *
 * usage: npm run bench -- recipes study=NAME [home=DIR] [seeds=3] [steps=60]
 *        [remedies=no] [gather=yes]
 * Each study is a part of the results: saving one leaves the others. `remedies=no` leaves the weights between start and tuned out.
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2) and the real data. A `home` keeps finished work; with `gather`
 * what is finished is shown and nothing computed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePlatform } from '../src/base/node/platform.ts';
import { terminalProgress } from '../src/base/node/terminal.ts';
import { importCorpus } from '../src/corpus/import.ts';
import { listCorpora } from '../src/corpus/store.ts';
import { writeStudyReport } from '../src/report/index.ts';
import { cornerLabel, sameCorner } from '../src/study/embedding/evaluations.ts';
import { gatherStudy, runStudy } from '../src/study/study.ts';
import { missing, realData } from '../test/support/data.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { hardware } from './support/measurement.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const files: Record<string, readonly string[]> = {
  ultrasound: ['ultrasound_us.jsonl.gz'],
  abstracts: ['us_abstracts_10k.jsonl.gz'],
  grants: ['us_grants_1976w1.jsonl.gz'],
  drones: ['drones_title_ipc.jsonl.gz'],
  claims: ['patentsberta/df_claim_cpc_train.csv', 'patentsberta/df_claim_cpc_test.csv'],
};
/** Of studies by labels: they are classified and clustered, not searched. */
const labelled = 'tasks: [classification, clustering]\nprobes: [knn, logistic]\nresamples: 2000\n';
interface Study {
  corpora: Record<string, string>;
  recipes: string[];
  split: string;
  about: string;
  /** Default TA, of 128 tokens. */
  view?: string;
  maxLength?: number;
  /** More lines of the file. */
  more?: string;
}
const studies: Record<string, Study> = {
  ultrasound: {
    corpora: { ultrasound: '' },
    recipes: ['R1', 'R3', 'R1+R3', 'R1+R3 shuffled'],
    split: '{ by: family, seed: 1, validation: 0, test: 0.4 }',
    about: 'medical ultrasound, held-out families',
  },
  time: {
    corpora: { ultrasound: '' },
    recipes: ['R1', 'R3', 'R1+R3', 'R1+R3 shuffled'],
    split: '{ by: time, testFrom: 2008-01-01 }',
    about: 'medical ultrasound, patents from 2008 on',
  },
  coupling: {
    corpora: { ultrasound: '', abstracts: 'relevance: coupling, train: false' },
    recipes: ['R1', 'R3', 'R1+R3'],
    split: '{ by: family, seed: 1, validation: 0, test: 0.4 }',
    about: 'trained on medical ultrasound, tested on abstracts of all fields',
  },
  1976: {
    // Grants cite nothing inside the set: a few of them cite the same documents.
    corpora: { grants: 'relevance: coupling', ultrasound: 'train: false' },
    recipes: ['R2', 'R3', 'R2+R3'],
    split: '{ by: family, seed: 1, validation: 0, test: 0.2 }',
    about: 'trained on grants of 1976, tested on medical ultrasound',
  },
  grants: {
    corpora: { grants: '' },
    recipes: ['R2', 'R3', 'R2+R3', 'R2+R3 shuffled'],
    split: '{ by: family, seed: 1, validation: 0, test: 0.4 }',
    about: 'grants of 1976, claims, by IPC subclass',
    view: 'C',
    more: `${labelled}labels: { field: ipc, level: subclass }\n`,
  },
  drones: {
    corpora: { drones: '' },
    recipes: ['R2', 'R2 shuffled'],
    split: '{ by: family, seed: 1, validation: 0, test: 0.3 }',
    about: 'drone patents, titles, by IPC subclass',
    view: 'T',
    maxLength: 48,
    more: `${labelled}labels: { field: ipc, level: subclass, least: 50 }\n`,
  },
  claims: {
    corpora: { claims: '' },
    recipes: ['R2', 'R2 shuffled'],
    split: '{ by: family, seed: 1, validation: 0, test: 0.4 }',
    about: 'first claims, by CPC subclass',
    view: 'C1',
    more: `${labelled}labels: { field: labels }\n`,
  },
};
const study = String(settings.study ?? 'ultrasound');
const chosen = studies[study];
const absent =
  Object.keys(chosen?.corpora ?? {})
    .flatMap((name) => files[name]!.map((file) => missing(file)))
    .find((reason) => reason) || missingModel('all-MiniLM-L6-v2');
if (chosen === undefined || absent) {
  console.error(chosen === undefined ? `study=${Object.keys(studies).join('|')}` : absent);
  process.exit(1);
}
const { seeds = 3, steps = 60, remedies = 'yes' } = settings;
const home = settings.home ?? mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
const progress = terminalProgress(process.stderr);
try {
  const there = new Set((await listCorpora(home)).map(({ name }) => name));
  for (const name of Object.keys(chosen.corpora))
    if (!there.has(name))
      await importCorpus({ home, name, paths: files[name]!.map((file) => realData(file)), progress });
  const { results, folder } = await (settings.gather === undefined ? runStudy : gatherStudy)({
    platform: nodePlatform,
    home,
    file: `recipes-${study}.yaml`,
    text: `
kind: embedding
title: "Recipes on real patents: ${chosen.about}"
corpora: [${Object.entries(chosen.corpora)
      .map(([name, more]) => `{ name: ${name}${more && `, ${more}`} }`)
      .join(', ')}]
models: [{ name: all-MiniLM-L6-v2, model: ${realModel('all-MiniLM-L6-v2')} }]
views: [${chosen.view ?? 'TA'}]
${chosen.more ?? ''}recipes: [${chosen.recipes.join(', ')}]
seeds: [${Array.from({ length: Number(seeds) }, (_, i) => i + 1).join(', ')}]
split: ${chosen.split}
training: { steps: ${steps}, batch: 32, rate: 2e-5, maxLength: ${chosen.maxLength ?? 128} }
${remedies === 'no' ? '' : 'remedies: { interpolate: [0.5] }\n'}`,
    progress,
  });
  const { html } = await writeStudyReport(folder, results);
  progress.say(`report: ${html}`);
  console.log(
    JSON.stringify({
      bench: 'recipes',
      part: study,
      title: 'Fine-tuning recipes on real patents',
      command: `npm run bench -- recipes study=${study} seeds=${seeds} steps=${steps}${remedies === 'no' ? ' remedies=no' : ''} --save`,
      about: `${chosen.about[0]!.toUpperCase()}${chosen.about.slice(1)}. ${results.relevanceStatement}`,
    }),
  );
  for (const row of results.rows) {
    const { corpus, system, metrics, tentative, seeds: values } = row;
    const { metric, sample } = results.corners.find((corner) => sameCorner(corner, row))!;
    const { value, lower, upper } = metrics[metric]!;
    const trained = values.length > 1 ? { seeds: values.length, tentative } : {};
    const name = `${corpus} ${cornerLabel(row)}, ${system}`;
    console.log(
      JSON.stringify({ bench: 'recipes', part: study, case: name, sample, metric, value, from: lower, to: upper, ...trained, hardware: hardware() }),
    ); // biome-ignore format: one line
  }
  for (const cell of results.transfer) {
    const { system, to, metric, comparison } = cell;
    const { difference, lower, upper, pHolm, verdict } = comparison;
    const name = `${to} ${cornerLabel({ ...cell, corpus: to })}, ${system} - as it was`;
    console.log(
      JSON.stringify({ bench: 'recipes', part: study, case: name, metric, difference, from: lower, to: upper, 'p (Holm)': pHolm, verdict, hardware: hardware() }),
    ); // biome-ignore format: one line
  }
  for (const table of results.comparisons)
    for (const { question, a, b, difference, lower, upper, pHolm, verdict } of table.pairs) {
      if (question !== 'recipes') continue;
      const name = `${table.corpus} ${cornerLabel(table)}, ${a} - ${b}`;
      const { metric } = table;
      console.log(
        JSON.stringify({ bench: 'recipes', part: study, case: name, metric, difference, from: lower, to: upper, 'p (Holm)': pHolm, verdict, hardware: hardware() }),
      ); // biome-ignore format: one line
    }
} finally {
  if (settings.home === undefined) rmSync(home, { recursive: true });
}
