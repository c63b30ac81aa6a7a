/**
 * Recipes: which signal of a corpus makes training pairs (paper 1; what it leaves open is stated here).
 *
 *   R1 citations   (citing, cited) inside the corpus
 *   R2 labels      two patents that share a label, or a classification symbol at a level (`labels.ts`)
 *   R3 sections    two sections of one patent: abstract–claims where it has both, then title–abstract, then title–claims
 *   R4             all three; `R1+R3` and the like, some of them
 *
 * Both ends lie in the train part, are of different groups (R1, R2), and have texts that differ from each other and from
 * every text of the same view in a held-out patent. No pair comes twice, either way round.
 *
 * Sampling. Pairs come in rounds: the first round has one pair of every anchor, the second one more of every anchor that has
 * more, and so on; within a round the order is that of seeded hashes of the patents' ids. So a prolific patent weighs as much
 * as any other until the others are used up, every prefix is a fair sample, and the order of import does not matter. R2 has
 * about n² pairs: an anchor's partners are drawn from its labels in turn, `perAnchor` at most.
 */
import { inputError } from '../base/errors.ts';
import { murmur3 } from '../base/random.ts';
import { citationGraph } from '../corpus/citation-graph.ts';
import {
  defaultLabelField,
  type LabelField,
  type LabelTable,
  labelFields,
  loadLabels,
  patentsWith,
  type SymbolLevel,
} from '../corpus/labels.ts';
import type { Relations } from '../corpus/relations.ts';
import { citationFilter } from '../corpus/relevance-citations.ts';
import { type CorpusSplit, trainPart } from '../corpus/splits.ts';
import type { Corpus } from '../corpus/store.ts';
import type { NameIndex } from '../corpus/store-index.ts';
import { mixed, type TextPrints } from '../corpus/text-prints.ts';
import type { View } from '../corpus/views.ts';
import { inTurn, proportionally } from './combine.ts';
import { heldOutTexts } from './held-out-texts.ts';
import { PairBuilder, type PairKind, type PairTable, RowPairSet, type Signal, signals } from './pairs.ts';

const signalOf: Readonly<Record<string, Signal>> = { R1: 'citations', R2: 'labels', R3: 'sections' };

export interface RecipeOptions {
  seed: number;
  /** Most pairs; default all there are. */
  pairs?: number;
  /** Most pairs with the same anchor: default all for citations, 8 for labels. Sections are not concerned. */
  perAnchor?: number;
  /** What R1 and R2 read of a patent. Default TA. */
  view?: View;
  /** R1: only citations of these search-report categories (X, Y, A, ...). Default all. */
  citationCategories?: readonly string[];
  /** R2: default the first that the corpus has of labels, cpc, ipc. */
  labels?: LabelField;
  /** R2 with cpc or ipc: default subclass. */
  level?: SymbolLevel;
  /** R3: views of one patent that make a pair, best first. Default A–C, T–A, T–C. */
  sections?: readonly (readonly [anchor: View, positive: View])[];
  /** R4 and sums: pairs of the signals in proportion to how many there are (default), or in turn. */
  mix?: 'proportional' | 'round-robin';
}

export interface RecipeSources {
  corpus: Corpus;
  relations: Relations;
  split: CorpusSplit;
  prints: TextPrints;
}

export interface RecipePairs {
  /** R1, R1+R3, ... */
  recipe: string;
  pairs: PairTable;
  /** Everything that decides the pairs, defaults filled in; with corpus hash and split it is their identity. */
  settings: Record<string, unknown>;
  /** Pairs there were of each signal before any cut to a number. */
  available: { signal: Signal; pairs: number }[];
  /** Patents, citations and pairs left out, by reason. */
  left: { reason: string; count: number }[];
  /** Given where labels are a signal: what `Relatedness` needs. */
  labels?: LabelTable;
}

/** The signals of a recipe by its name. Throws `recipe.unknown`. */
export function recipeSignals(recipe: string): Signal[] {
  const parts = recipe.toUpperCase() === 'R4' ? Object.keys(signalOf) : recipe.toUpperCase().split('+');
  const found = new Set<Signal>();
  for (const part of parts) {
    const signal = signalOf[part.trim()];
    if (signal === undefined)
      throw inputError('there is no such recipe', {
        code: 'recipe.unknown',
        field: 'recipe',
        expected: 'R1 (citations), R2 (labels), R3 (sections), R4 (all), or a sum such as R1+R3',
        found: recipe,
      });
    found.add(signal);
  }
  return signals.filter((signal) => found.has(signal));
}

/** What a corpus has of a signal, in words; `present` false where it has nothing of it. */
export function corpusSignals(corpus: Corpus): Record<Signal, { present: boolean; what: string }> {
  const { edgesBoth, total } = corpus.summary.citations;
  const labelled = labelFields.filter((field) => patentsWith(corpus, field) > 0);
  const section = (field: string) => patentsWith(corpus, field);
  const sections = ['title', 'abstract', 'claims'].filter((field) => section(field) > 0);
  return {
    citations: {
      present: edgesBoth > 0,
      what: `${edgesBoth} citations between its own patents (of ${total} listed)`,
    },
    labels: {
      present: labelled.length > 0,
      what: labelled.length === 0 ? 'no labels' : labelled.map((field) => `${section(field)} with ${field}`).join(', '),
    },
    sections: {
      present: sections.length >= 2,
      what: sections.length === 0 ? 'no texts' : sections.map((field) => `${section(field)} with ${field}`).join(', '),
    },
  };
}

/**
 * The pairs of a recipe. Throws `recipe.unknown`; `recipe.signal` where the corpus lacks a signal; `recipe.none` where it has
 * it but no pair lies in the train part.
 */
export async function buildPairs(recipe: string, sources: RecipeSources, options: RecipeOptions): Promise<RecipePairs> {
  const wanted = recipeSignals(recipe);
  const {
    seed,
    pairs: most = Number.POSITIVE_INFINITY,
    view = 'TA',
    level = 'subclass',
    mix = 'proportional',
  } = options;
  const { sections = defaultSections } = options;
  const { corpus } = sources;
  for (const signal of wanted) checkSignal(recipe, signal, corpus, options);
  const categories = (options.citationCategories ?? []).map((name) => name.trim().toUpperCase());
  if (categories.length > 0 && !wanted.includes('citations'))
    throw inputError(`recipe ${recipe} learns from no citations whose categories could be chosen`, {
      code: 'recipe.category',
      field: 'citationCategories',
      expected: 'R1 in the recipe',
      found: recipe,
    });
  const field = options.labels ?? defaultLabelField(corpus);
  const labels =
    wanted.includes('labels') && field !== undefined ? await loadLabels(corpus, { field, level }) : undefined;
  const perLabelAnchor = options.perAnchor ?? 8;
  const perCitationAnchor = options.perAnchor ?? Number.POSITIVE_INFINITY;
  const left = new Map<string, number>();
  const draft: Draft = {
    ...sources,
    salt: saltOf(seed),
    heldOut: heldOutTexts(sources, wanted.includes('sections') ? [view, ...sections.flat()] : [view]),
    leave: (reason) => left.set(reason, (left.get(reason) ?? 0) + 1),
  };
  const tables = wanted.map((signal) => {
    const table =
      signal === 'citations'
        ? citationPairs(draft, view, perCitationAnchor, categories)
        : signal === 'labels'
          ? labelPairs(draft, labels!, view, perLabelAnchor)
          : sectionPairs(draft, sections);
    if (table.length === 0) throw noPairs(recipe, signal, corpus, left);
    return table;
  });
  const all = tables.length === 1 ? tables[0]! : mix === 'round-robin' ? inTurn(tables) : proportionally(tables);
  return {
    recipe: wanted.length === signals.length ? 'R4' : wanted.map(nameOf).join('+'),
    pairs: all.length > most ? all.first(most) : all,
    settings: {
      signals: wanted,
      seed,
      pairs: Number.isFinite(most) ? most : 'all',
      ...(wanted.length > 1 ? { mix } : {}),
      ...(wanted.includes('citations')
        ? {
            view,
            perAnchor: Number.isFinite(perCitationAnchor) ? perCitationAnchor : 'all',
            ...(categories.length === 0 ? {} : { citationCategories: [...categories].sort() }),
          }
        : {}),
      ...(labels === undefined ? {} : { view, labels: labels.field, level: labels.level ?? null, perLabelAnchor }),
      ...(wanted.includes('sections') ? { sections: sections.map((pair) => pair.join('-')) } : {}),
    },
    available: wanted.map((signal, at) => ({ signal, pairs: tables[at]!.length })),
    left: [...left].map(([reason, count]) => ({ reason, count })),
    ...(labels === undefined ? {} : { labels }),
  };
}

const defaultSections: readonly (readonly [View, View])[] = [
  ['A', 'C'],
  ['T', 'A'],
  ['T', 'C'],
];

interface Draft extends RecipeSources {
  /** The seed as a hash. */
  salt: number;
  heldOut: NameIndex;
  leave(reason: string): void;
}

function nameOf(signal: Signal): string {
  return Object.keys(signalOf).find((name) => signalOf[name] === signal)!;
}

function checkSignal(recipe: string, signal: Signal, corpus: Corpus, { labels }: RecipeOptions): void {
  const has = corpusSignals(corpus);
  const lacksField = signal === 'labels' && labels !== undefined && patentsWith(corpus, labels) === 0;
  if (has[signal].present && !lacksField) return;
  const rest = signals.filter((other) => other !== signal && has[other].present);
  const needs = {
    citations: 'citations between patents of the corpus',
    labels: lacksField ? `patents with ${labels}` : 'labels, CPC or IPC symbols',
    sections: 'patents with two of title, abstract and claims',
  }[signal];
  throw inputError(`signal absent: "${corpus.name}" lacks the ${signal} that recipe ${recipe} learns from`, {
    code: 'recipe.signal',
    field: 'recipe',
    expected: needs,
    found: signals.map((name) => has[name].what).join('; '),
    hint:
      rest.length === 0
        ? 'Import a corpus with citations, labels or several sections.'
        : `Use ${rest.map(nameOf).join('+')}, which the corpus supports.`,
  });
}

function noPairs(recipe: string, signal: Signal, corpus: Corpus, left: Map<string, number>): Error {
  return inputError(`recipe ${recipe} finds no pair of ${signal} in the train part of "${corpus.name}"`, {
    code: 'recipe.none',
    field: 'recipe',
    expected: 'at least one pair whose both ends train',
    found:
      left.size === 0 ? 'none' : `left out: ${[...left].map(([reason, count]) => `${count} ${reason}`).join('; ')}`,
    hint: 'Take a larger train part, another view, or a larger corpus.',
  });
}

/** Whether a text may stand in a pair; counts why not. */
function usable({ split, prints, heldOut, leave }: Draft, row: number, view: View): boolean {
  if (split.part[row] !== trainPart) return false;
  const key = prints.viewKey(row, view);
  if (key === '') leave(`patents without a text under ${view}`);
  else if (heldOut.first(key) >= 0) leave(`patents whose ${view} is the text of a held-out patent too`);
  else return true;
  return false;
}

function citationPairs(draft: Draft, view: View, perAnchor: number, categories: readonly string[]): PairTable {
  const { relations, split, prints, salt, leave } = draft;
  const { offsets, cited } = citationGraph(relations, citationFilter(relations, { categories }, 'citationCategories'));
  const fit = new Int8Array(split.part.length).fill(-1);
  const isFit = (row: number) => {
    if (fit[row]! < 0) fit[row] = usable(draft, row, view) ? 1 : 0;
    return fit[row] === 1;
  };
  const rounds = new Rounds();
  for (let row = 0; row < split.part.length; row++) {
    if (offsets[row] === offsets[row + 1] || split.part[row] !== trainPart) continue;
    const own: { positive: number; key: number }[] = [];
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) {
      const positive = cited[i]!;
      if (split.part[positive] !== trainPart) leave('citations across the split');
      else if (split.group[positive] === split.group[row]) leave('citations within a family or a group of equal texts');
      else if (isFit(row) && isFit(positive)) {
        if (prints.sameView(row, positive, view)) leave('pairs of equal texts');
        else own.push({ positive, key: orderKey(salt, prints.idHash[row]!, prints.idHash[positive]!) });
      }
    }
    own.sort((a, b) => a.key - b.key);
    for (const [round, { positive, key }] of own.slice(0, perAnchor).entries())
      rounds.add(round, row, positive, 0, key);
  }
  return rounds.table([{ signal: 'citations', anchorView: view, positiveView: view }]);
}

function labelPairs(draft: Draft, labels: LabelTable, view: View, perAnchor: number): PairTable {
  const { split, prints, salt } = draft;
  const { offsets, codes, names, hashes } = labels;
  const rows = split.part.length;
  const fit = Uint8Array.from({ length: rows }, (_, row) =>
    offsets[row] !== offsets[row + 1] && usable(draft, row, view) ? 1 : 0,
  );
  // Members of each label, in the order of seeded hashes of their ids.
  const starts = new Uint32Array(names.length + 1);
  for (let row = 0; row < rows; row++)
    if (fit[row] === 1) for (let i = offsets[row]!; i < offsets[row + 1]!; i++) starts[codes[i]! + 1]!++;
  for (let code = 0; code < names.length; code++) starts[code + 1]! += starts[code]!;
  const members = new Int32Array(starts[names.length]!);
  const next = starts.slice();
  const order = orderByKey(Uint32Array.from(prints.idHash, (hash) => orderKey(salt, hash, 0)));
  for (const row of order)
    if (fit[row] === 1) for (let i = offsets[row]!; i < offsets[row + 1]!; i++) members[next[codes[i]!]!++] = row;

  const rounds = new Rounds();
  const chosen = new Set<number>();
  for (let row = 0; row < rows; row++) {
    if (fit[row] === 0) continue;
    const id = prints.idHash[row]!;
    // Its labels in an order of its own; each is walked from a place of its own, one member at a turn.
    const own = [...codes.subarray(offsets[row]!, offsets[row + 1]!)]
      .map((code) => ({ code, key: orderKey(salt, id, hashes[code]!), walked: 0 }))
      .sort((a, b) => a.key - b.key);
    chosen.clear();
    for (let turns = 0; chosen.size < perAnchor && own.length > 0 && turns < 64 + 16 * perAnchor; turns++) {
      const label = own[turns % own.length]!;
      const [from, size] = [starts[label.code]!, starts[label.code + 1]! - starts[label.code]!];
      if (label.walked >= size) {
        own.splice(turns % own.length, 1);
        continue;
      }
      const partner = members[from + ((label.key + label.walked++) % size)]!;
      if (split.group[partner] === split.group[row] || chosen.has(partner)) continue;
      if (prints.sameView(row, partner, view)) continue;
      rounds.add(chosen.size, row, partner, 0, orderKey(salt, id, prints.idHash[partner]!));
      chosen.add(partner);
    }
  }
  return rounds.table([{ signal: 'labels', anchorView: view, positiveView: view }]);
}

function sectionPairs(draft: Draft, sections: readonly (readonly [View, View])[]): PairTable {
  const { split, prints, salt, leave } = draft;
  const rounds = new Rounds({ within: true });
  for (let row = 0; row < split.part.length; row++) {
    if (split.part[row] !== trainPart) continue;
    let round = 0;
    for (const [kind, [a, b]] of sections.entries()) {
      if (!prints.hasView(row, a) || !prints.hasView(row, b)) continue;
      if (!usable(draft, row, a) || !usable(draft, row, b)) continue;
      if (prints.viewKey(row, a) === prints.viewKey(row, b)) leave('pairs of equal texts');
      else rounds.add(round++, row, row, kind, orderKey(salt, prints.idHash[row]!, kind));
    }
  }
  return rounds.table(sections.map(([anchorView, positiveView]) => ({ signal: 'sections', anchorView, positiveView })));
}

/** A seeded number for an ordered pair of hashes; `salt` from `saltOf`. */
function orderKey(salt: number, a: number, b: number): number {
  return mixed(mixed(a ^ salt) + Math.imul(b, 0x9e3779b1));
}

function saltOf(seed: number): number {
  return murmur3(`pairs ${seed}`);
}

/** Places in ascending order of their keys, equal ones by place. Little-endian words: the key lies above the place. */
function orderByKey(keys: Uint32Array): Uint32Array {
  const entries = new BigUint64Array(keys.length);
  const words = new Uint32Array(entries.buffer);
  for (let i = 0; i < keys.length; i++) {
    words[2 * i] = i;
    words[2 * i + 1] = keys[i]!;
  }
  entries.sort();
  return Uint32Array.from(keys, (_, i) => words[2 * i]!);
}

/** Candidates with the round in which they come; gives them in order, without repetitions. */
class Rounds {
  private readonly within: boolean;
  private readonly candidates: { builder: PairBuilder; keys: number[] }[] = [];

  /** `within`: pairs within one patent, told apart by their kinds. */
  constructor({ within = false }: { within?: boolean } = {}) {
    this.within = within;
  }

  add(round: number, anchor: number, positive: number, kind: number, key: number): void {
    while (this.candidates.length <= round) this.candidates.push({ builder: new PairBuilder([]), keys: [] });
    this.candidates[round]!.builder.add(anchor, positive, kind);
    this.candidates[round]!.keys.push(key);
  }

  table(kinds: readonly PairKind[]): PairTable {
    const builder = new PairBuilder(kinds);
    const seen = new RowPairSet();
    for (const { builder: candidates, keys } of this.candidates) {
      const { anchor, positive, kind } = candidates.finish();
      for (const at of orderByKey(Uint32Array.from(keys)))
        if (this.within || seen.add(anchor[at]!, positive[at]!)) builder.add(anchor[at]!, positive[at]!, kind[at]!);
    }
    return builder.finish();
  }
}
