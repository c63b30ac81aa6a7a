/** Queries and what is relevant to them from citations inside the corpus: cites, cited-by, both; by category and origin. */
import { inputError } from '../base/errors.ts';
import { type CitationLists, type Relations, transpose } from './relations.ts';
import type { RelevanceOptions } from './relevance.ts';
import { type Draft, type DraftFilter, settle } from './relevance-draft.ts';
import type { Corpus } from './store.ts';

export function citationDrafts(corpus: Corpus, options: RelevanceOptions, filter: DraftFilter) {
  const { relations } = filter;
  const { rows } = relations;
  const accepts = citationFilter(relations, options);
  let lists: CitationLists[];
  let what: string;
  const byCiting = relations.cites.targets.some((target) => target >= 0);
  switch (options.relevance) {
    case 'cites':
      // Some exports list only who cites a patent: then those lists are read the other way round.
      lists =
        byCiting || relations.citedBy.targets.length === 0 ? [relations.cites] : [transpose(relations.citedBy, rows)];
      what =
        lists[0] === relations.cites
          ? 'the documents that the query patent cites'
          : 'the documents that the query patent cites, known from their cited-by lists';
      break;
    case 'cited-by':
      lists = [relations.citedBy, transpose(relations.cites, rows)];
      what = 'the patents that cite the query patent';
      break;
    default:
      lists = [
        relations.cites,
        transpose(relations.citedBy, rows),
        relations.citedBy,
        transpose(relations.cites, rows),
      ];
      what = 'the documents that the query patent cites or that cite it';
  }
  const drafts: Draft[] = [];
  let candidates = 0;
  const stamp = new Int32Array(rows).fill(-1);
  const found: number[] = [];
  for (let row = 0; row < rows; row++) {
    found.length = 0;
    let outside = 0;
    let further = 0;
    for (const list of lists) {
      for (let i = list.offsets[row]!; i < list.offsets[row + 1]!; i++) {
        if (!accepts(list.category[i]!, list.origin[i]!)) continue;
        const target = list.targets[i]!;
        if (target < 0) outside++;
        else if (stamp[target] !== row) {
          stamp[target] = row;
          found.push(target);
          further += list.further[i]!;
        }
      }
    }
    if (found.length + outside === 0) continue;
    candidates++;
    const inside = found.length - further;
    const targets = Int32Array.from(found).sort();
    const draft = settle(
      filter,
      { id: corpus.id(row), row, listed: inside + outside, inside },
      targets,
      new Float32Array(targets.length).fill(1),
    );
    if (draft !== undefined) drafts.push(draft);
  }
  return { drafts, candidates, what };
}

/** Which citations count, by their codes. Throws `relevance.filter`, which names `field`, where none is of a category. */
export function citationFilter(
  relations: Relations,
  { categories = [], origins = [] }: Pick<RelevanceOptions, 'categories' | 'origins'>,
  field = '--category',
): (category: number, origin: number) => boolean {
  const category = acceptedCodes(field, relations.categories, categories, (name) => [
    name,
    ...name.split(/[\s,;/]+/),
    ...(/^[A-Z]{2,5}$/.test(name) ? [...name] : []), // `XY`: the search report gives both
  ]);
  const origin = acceptedCodes('--origin', relations.origins, origins, (name) => [name]);
  return (a, b) => (category === undefined || category[a] === 1) && (origin === undefined || origin[b] === 1);
}

function acceptedCodes(
  field: string,
  names: readonly string[],
  wanted: readonly string[],
  readings: (name: string) => string[],
): Uint8Array | undefined {
  if (wanted.length === 0) return undefined;
  const want = new Set(wanted.map((name) => name.toLowerCase()));
  const accepted = Uint8Array.from(names, (name) =>
    name !== '' && readings(name).some((reading) => want.has(reading.toLowerCase())) ? 1 : 0,
  );
  if (!accepted.includes(1))
    throw inputError('no citation of the corpus is of this kind', {
      code: 'relevance.filter',
      field,
      expected:
        names.length <= 1
          ? 'a corpus whose sources tell the kinds of citations apart'
          : `some of ${names.slice(1, 30).join(', ')}`,
      found: wanted.join(', '),
    });
  return accepted;
}
