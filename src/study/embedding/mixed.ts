/**
 * All corpora of a study as one, for training on them together. A family goes to the same part as in its own corpus, because
 * a split by family places it by its name alone and one by time by its dates. Texts shared between corpora may bind families
 * together; what would then train although it is tested in its own corpus is kept apart by leaving out the patents that bind it.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, hashOf } from '../../base/hash.ts';
import { importCorpus } from '../../corpus/import.ts';
import { loadRelations, type Relations } from '../../corpus/relations.ts';
import { type CorpusSplit, splitCorpus, testPart, trainPart } from '../../corpus/splits.ts';
import { type Corpus, openCorpus } from '../../corpus/store.ts';
import { loadTextPrints, type TextPrints } from '../../corpus/text-prints.ts';
import { LeasedFolders } from '../lease.ts';
import type { StudySettings } from './options.ts';
import type { TrainingLandscape } from './sources.ts';

export const allCorpora = 'all corpora';

export interface MixedCorpus {
  corpus: Corpus;
  relations: Relations;
  split: CorpusSplit;
  prints: TextPrints;
}

/** The corpora as one; or why they cannot be mixed without training on what is tested. */
export async function openMixed(
  landscapes: readonly TrainingLandscape[],
  study: string,
  settings: StudySettings,
): Promise<MixedCorpus | string> {
  const [first, ...others] = landscapes;
  const options = first!.study.split.options;
  if (others.some(({ study: other }) => canonicalJson(other.split.options) !== canonicalJson(options)))
    return 'the corpora are split by different rules, so a mixture could train on what is tested';
  const home = join(settings.home, 'runs', study, 'mixed');
  const parts = landscapes.map(({ study: { corpus, split } }) => ({ corpus: corpus.hash, split: split.options }));
  const name = `mixed-${(await hashOf(parts)).slice(0, 16)}`;
  let left = 0;
  let omitted: ReadonlySet<string> = new Set();
  for (const [attempt, own] of [name, `${name}-apart`].entries()) {
    await new LeasedFolders(home, 'mixed corpus').alone(
      own,
      () => build(home, own, landscapes, omitted, settings),
      settings,
    );
    const mixed = await openWhole(home, own, options);
    const { tested, beside } = conflicts(landscapes, mixed);
    if (tested === 0) return mixed;
    await mixed.corpus.close();
    if (attempt === 0) omitted = beside;
    left = tested;
  }
  return `${left} patents that are tested in their own corpus would train in the mixture, because the corpora share families or texts`;
}

async function openWhole(home: string, name: string, options: CorpusSplit['options']): Promise<MixedCorpus> {
  const corpus = await openCorpus(home, name);
  const relations = await loadRelations(corpus);
  const prints = await loadTextPrints(corpus);
  return { corpus, relations, prints, split: await splitCorpus(corpus, options, { relations, prints }) };
}

/** Patents tested in their own corpus that would train here, and the ids of those that train in theirs and bind them to it. */
function conflicts(
  landscapes: readonly TrainingLandscape[],
  { corpus, split }: MixedCorpus,
): { tested: number; beside: Set<string> } {
  const testedGroups = new Set<number>();
  let tested = 0;
  const each = (visit: (at: number, part: number, id: string) => void) => {
    for (const { study: own } of landscapes)
      for (let row = 0; row < own.corpus.size; row++) {
        const id = own.corpus.id(row);
        const at = corpus.row(id);
        if (at !== undefined) visit(at, own.split.part[row]!, id);
      }
  };
  each((at, part) => {
    if (part !== testPart) return;
    testedGroups.add(split.group[at]!);
    if (split.part[at] === trainPart) tested++;
  });
  const beside = new Set<string>();
  each((at, part, id) => {
    if (part !== testPart && testedGroups.has(split.group[at]!)) beside.add(id);
  });
  return { tested, beside };
}

async function build(
  home: string,
  name: string,
  landscapes: readonly TrainingLandscape[],
  omitted: ReadonlySet<string>,
  { progress, signal }: StudySettings,
): Promise<void> {
  const there = await openCorpus(home, name).catch(() => undefined);
  if (there !== undefined) return there.close();
  await mkdir(home, { recursive: true });
  const path = join(home, `${name}.jsonl`);
  try {
    const file = createWriteStream(path);
    for (const { study } of landscapes)
      for await (const { extra, ...patent } of study.corpus.records())
        if (!omitted.has(patent.id) && !file.write(`${JSON.stringify({ ...extra, ...patent })}\n`))
          await once(file, 'drain');
    file.end();
    await once(file, 'finish');
    await importCorpus({
      home,
      name,
      paths: [path],
      invented: landscapes.some(({ study }) => study.corpus.invented),
      progress,
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    await rm(path, { force: true });
  }
}
