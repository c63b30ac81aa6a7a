/** Small random corpora for the properties of splits, pairs and controls, and everything that is built on one. */
import fc from 'fast-check';
import { importCorpus } from '../../src/corpus/import.ts';
import { loadRelations, type Relations } from '../../src/corpus/relations.ts';
import { type CorpusSplit, type SplitOptions, splitCorpus } from '../../src/corpus/splits.ts';
import { type Corpus, openCorpus, removeCorpus } from '../../src/corpus/store.ts';
import { loadTextPrints, type TextPrints } from '../../src/corpus/text-prints.ts';
import { importRows, type SourceRow } from '../corpus/store-support.ts';

export interface Workbench {
  corpus: Corpus;
  relations: Relations;
  prints: TextPrints;
}

export interface SplitWorkbench extends Workbench {
  split: CorpusSplit;
}

/** Opens `name` of `home` for the length of `use`. */
export async function withWorkbench<T>(
  home: string,
  name: string,
  use: (bench: Workbench) => T | Promise<T>,
): Promise<T> {
  const corpus = await openCorpus(home, name);
  try {
    return await use({ corpus, relations: await loadRelations(corpus), prints: await loadTextPrints(corpus) });
  } finally {
    await corpus.close();
  }
}

/** Imports rows as a corpus of their own, for the length of `use`. */
export async function withRows<T>(home: string, rows: SourceRow[], use: (bench: Workbench) => T | Promise<T>) {
  await importRows(home, rows, { name: 'drawn' });
  try {
    return await withWorkbench(home, 'drawn', use);
  } finally {
    await removeCorpus(home, 'drawn');
  }
}

export async function withReal<T>(home: string, path: string, use: (bench: Workbench) => T | Promise<T>) {
  await importCorpus({ home, name: 'real', paths: [path] });
  return await withWorkbench(home, 'real', use);
}

export function splitOf({ corpus, relations, prints }: Workbench, options: SplitOptions): Promise<CorpusSplit> {
  return splitCorpus(corpus, options, { relations, prints });
}

const words = ['probe', 'array', 'signal', 'needle', 'pump', 'rotor', 'lens', 'filter', 'valve', 'sensor'];
const sentence = (seed: number) =>
  Array.from({ length: 30 }, (_, i) => words[(seed * (i + 3) + i * i) % words.length]).join(' ');

/** Id of the patent at a place, the same whatever the order of import. */
export const idAt = (place: number) => `US${4_000_000 + place}A`;

/**
 * 20 to 40 patents: few families, few distinct texts (so that duplicates across families happen), some sections lacking,
 * citations in all directions from both sides' lists, few labels, dates over forty years.
 */
export const drawnRows: fc.Arbitrary<SourceRow[]> = fc
  .array(
    fc.record({
      family: fc.option(fc.nat(25), { nil: undefined }),
      title: fc.nat(12),
      abstract: fc.option(fc.nat(60), { nil: undefined }),
      claims: fc.option(fc.nat(80), { nil: undefined }),
      cites: fc.array(fc.nat(39), { maxLength: 5 }),
      citedBy: fc.array(fc.nat(39), { maxLength: 2 }),
      labels: fc.array(fc.nat(5), { maxLength: 3 }),
      year: fc.option(fc.integer({ min: 1980, max: 2019 }), { nil: undefined, freq: 8 }),
    }),
    { minLength: 20, maxLength: 40 },
  )
  .map((drawn) =>
    drawn.map((patent, place) => ({
      id: idAt(place),
      title: `Title ${patent.title}`,
      ...(patent.family === undefined ? {} : { family_id: `F${patent.family}` }),
      ...(patent.abstract === undefined
        ? {}
        : { abstract: `Abstract ${patent.abstract}. ${sentence(patent.abstract)}` }),
      ...(patent.claims === undefined ? {} : { claims: `1. A ${sentence(patent.claims)} of kind ${patent.claims}.` }),
      cites: patent.cites.map(idAt),
      citedBy: patent.citedBy.map(idAt),
      labels: patent.labels.map((label) => `L${label}`),
      ...(patent.year === undefined ? {} : { publication_date: `${patent.year}-06-01` }),
    })),
  );
