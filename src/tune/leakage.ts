/**
 * The leakage audit: proves, from the corpus itself, that nothing that will be tested was trained on. It takes no one's word:
 * parts are read from the split, but families come from the relations, texts are read again and compared letter by letter
 * (letters and digits, lower case), and citations come from the citation lists.
 *
 * Every check counts offending items and names a few; all counts must be zero, unless a check is allowed by name.
 */
import { inputError } from '../base/errors.ts';
import { citationGraph, doesCite } from '../corpus/citation-graph.ts';
import type { Patent } from '../corpus/record.ts';
import type { Relations } from '../corpus/relations.ts';
import type { Relevance } from '../corpus/relevance.ts';
import { type CorpusSplit, testPart, trainPart, validationPart } from '../corpus/splits.ts';
import type { Corpus } from '../corpus/store.ts';
import { NameIndex } from '../corpus/store-index.ts';
import { normaliseText } from '../corpus/text-prints.ts';
import { sectionsOf, type View } from '../corpus/views.ts';
import type { MinedNegatives } from './negatives.ts';
import type { PairTable } from './pairs.ts';

export const leakageChecks = {
  documents: 'pairs with a patent that does not train',
  families: 'pairs with a patent whose family has a held-out member',
  texts: 'pairs with a text that a held-out patent has too',
  citations: 'pairs that are citations across the split',
  judgements: 'pairs that are judged in the evaluation',
  relevant: 'relevant documents of held-out queries that train',
  negatives: 'hard negatives that do not train, or whose family or text is held out',
} as const;
export type LeakageCheck = keyof typeof leakageChecks;

export interface LeakageAudit {
  /** True where every count is zero. */
  clean: boolean;
  pairs: number;
  heldOut: number;
  /** Distinct texts of held-out patents that were compared. */
  heldOutTexts: number;
  counts: Record<LeakageCheck, number>;
  /** Up to five of each, by publication numbers. */
  examples: Partial<Record<LeakageCheck, string[]>>;
  /** Checks that may be above zero because someone said so. */
  allowed: LeakageCheck[];
}

export interface AuditOptions {
  corpus: Corpus;
  relations: Relations;
  split: CorpusSplit;
  /** What held-out queries are judged by; without it `judgements` and `relevant` look at nothing. */
  relevance?: Relevance;
  negatives?: MinedNegatives;
  /** Views under which held-out patents are evaluated, besides those of the pairs. */
  views?: readonly View[];
  /** Further corpora that the model is evaluated on (transfer): all of each, or its held-out part where a split is given. */
  elsewhere?: readonly { corpus: Corpus; split?: CorpusSplit }[];
  allow?: readonly LeakageCheck[];
}

/** Audits; throws nothing for what it finds (`requireClean` does). Reads the corpus twice, others once, streaming. */
export async function auditLeakage(pairs: PairTable, options: AuditOptions): Promise<LeakageAudit> {
  const { corpus, relations, split, relevance, negatives, elsewhere = [], allow = [] } = options;

  // Which views of which rows are trained on, as bits.
  const views = [
    ...new Set([
      ...pairs.kinds.flatMap(({ anchorView, positiveView }) => [anchorView, positiveView]),
      ...(options.views ?? []),
    ]),
  ];
  const bitOf = (view: View) => 1 << views.indexOf(view);
  const trained = new Uint16Array(corpus.size);
  for (let i = 0; i < pairs.length; i++) {
    const { kind, anchor, positive } = pairs.at(i);
    trained[anchor]! |= bitOf(kind.anchorView);
    trained[positive]! |= bitOf(kind.positiveView);
    for (let n = 0; n < (negatives?.perPair ?? 0); n++) {
      const row = negatives!.rows[i * negatives!.perPair + n]!;
      if (row >= 0) trained[row]! |= bitOf(kind.positiveView);
    }
  }
  const held = new HeldOut(corpus, relations, views);
  await held.add(corpus, split);
  for (const other of elsewhere) await held.add(other.corpus, other.split);
  const leaked = await held.compare(trained);

  const counts = Object.fromEntries(Object.keys(leakageChecks).map((check) => [check, 0])) as LeakageAudit['counts'];
  const examples: LeakageAudit['examples'] = {};
  const find = (check: LeakageCheck, ...rows: number[]) => {
    counts[check]++;
    const some = examples[check] ?? [];
    examples[check] = some;
    if (some.length < 5) some.push(rows.map((row) => corpus.id(row)).join(' – '));
  };
  const offends = (row: number, view: View): LeakageCheck[] => [
    ...(split.part[row] === trainPart && !held.rows.has(row) ? [] : (['documents'] as const)),
    ...(held.families.has(relations.family[row]!) ? (['families'] as const) : []),
    ...((leaked[row]! & bitOf(view)) === 0 ? [] : (['texts'] as const)),
  ];
  const graph = citationGraph(relations);
  const judged = relevance === undefined ? undefined : judgedPairs(relevance);
  for (let i = 0; i < pairs.length; i++) {
    const { kind, anchor, positive } = pairs.at(i);
    const found = new Set([...offends(anchor, kind.anchorView), ...offends(positive, kind.positiveView)]);
    for (const check of found) find(check, anchor, positive);
    const cited = doesCite(graph, anchor, positive) || doesCite(graph, positive, anchor);
    if (cited && split.part[anchor] !== split.part[positive]) find('citations', anchor, positive);
    if (judged?.(anchor, positive)) find('judgements', anchor, positive);
    for (let n = 0; n < (negatives?.perPair ?? 0); n++) {
      const row = negatives!.rows[i * negatives!.perPair + n]!;
      if (row >= 0 && offends(row, kind.positiveView).length > 0) find('negatives', anchor, row);
    }
  }
  for (const [query, { row }] of (relevance?.queries ?? []).entries()) {
    const { rows, gains } = relevance!.judged[query]!;
    for (const [at, document] of rows.entries())
      if (gains[at]! > 0 && split.part[document] === trainPart)
        find('relevant', ...(row === undefined ? [] : [row]), document);
  }
  const clean = Object.values(counts).every((count) => count === 0);
  return {
    clean,
    pairs: pairs.length,
    heldOut: held.patents,
    heldOutTexts: held.texts.size,
    counts,
    examples,
    allowed: [...allow],
  };
}

/** What is held out, in the audited corpus and in others: patents, families, texts under the views that are trained on. */
class HeldOut {
  patents = 0;
  /** Rows of the audited corpus that are held out, there or as the same document elsewhere. */
  readonly rows = new Set<number>();
  /** Their families, numbered as in the relations. */
  readonly families = new Set<number>();
  readonly texts = new NameIndex();
  private readonly familyIds = new NameIndex();
  private readonly corpus: Corpus;
  private readonly relations: Relations;
  private readonly views: readonly View[];

  constructor(corpus: Corpus, relations: Relations, views: readonly View[]) {
    this.corpus = corpus;
    this.relations = relations;
    this.views = views;
  }

  async add(corpus: Corpus, split: CorpusSplit | undefined): Promise<void> {
    let row = -1;
    for await (const patent of corpus.records()) {
      row++;
      const part = split?.part[row] ?? testPart;
      if (part !== validationPart && part !== testPart) continue;
      this.patents++;
      const same =
        corpus === this.corpus ? [row] : [patent.id, ...patent.aliases].flatMap((id) => this.corpus.resolve(id).rows);
      for (const own of same) {
        this.rows.add(own);
        this.families.add(this.relations.family[own]!);
      }
      if (patent.family !== undefined && this.familyIds.first(patent.family) < 0) this.familyIds.add(patent.family, 0);
      for (const view of this.views) {
        const text = bareText(patent, view);
        if (text !== '' && this.texts.first(text) < 0) this.texts.add(text, 0);
      }
    }
  }

  /**
   * For each row the views (as bits, of those trained on) whose text is held out too. Families of held-out ids are added to
   * `families` on the way.
   */
  async compare(trained: Uint16Array): Promise<Uint16Array> {
    const leaked = new Uint16Array(trained.length);
    let row = -1;
    for await (const patent of this.corpus.records()) {
      row++;
      if (patent.family !== undefined && this.familyIds.first(patent.family) >= 0)
        this.families.add(this.relations.family[row]!);
      for (const [at, view] of this.views.entries()) {
        if ((trained[row]! & (1 << at)) === 0) continue;
        const text = bareText(patent, view);
        if (text !== '' && this.texts.first(text) >= 0) leaked[row]! |= 1 << at;
      }
    }
    return leaked;
  }
}

function bareText(patent: Patent, view: View): string {
  return sectionsOf[view]
    .map((section) => normaliseText(patent[section] ?? ''))
    .filter((section) => section !== '')
    .join('\n');
}

/** Whether two rows are query and relevant document, either way round. */
function judgedPairs({ queries, judged }: Relevance): (a: number, b: number) => boolean {
  const queryOf = new Map(queries.flatMap(({ row }, query) => (row === undefined ? [] : [[row, query] as const])));
  const holds = (query: number | undefined, row: number) => {
    if (query === undefined) return false;
    const { rows, gains } = judged[query]!;
    const at = rows.indexOf(row);
    return at >= 0 && gains[at]! > 0;
  };
  return (a, b) => holds(queryOf.get(a), b) || holds(queryOf.get(b), a);
}

/** The audit as a table of text. */
export function leakageTable(audit: LeakageAudit): string {
  const checks = Object.entries(leakageChecks) as [LeakageCheck, string][];
  const width = Math.max(...checks.map(([, what]) => what.length));
  const lines = checks.map(([check, what]) => {
    const note = audit.counts[check] === 0 ? '' : audit.allowed.includes(check) ? '  allowed' : '  LEAK';
    return `  ${what.padEnd(width)}  ${String(audit.counts[check]).padStart(7)}${note}`;
  });
  return [
    `Leakage audit: ${audit.pairs} pairs against ${audit.heldOut} held-out patents (${audit.heldOutTexts} texts)`,
    ...lines,
  ].join('\n');
}

/** Throws `leakage.found` where a check that is not allowed is above zero. */
export function requireClean(audit: LeakageAudit): void {
  const checks = Object.keys(leakageChecks) as LeakageCheck[];
  const leaks = checks.filter((check) => audit.counts[check] > 0 && !audit.allowed.includes(check));
  if (leaks.length === 0) return;
  throw inputError('training data and test data meet', {
    code: 'leakage.found',
    expected: 'nothing in common',
    found: leaks
      .map((check) => `${audit.counts[check]} ${leakageChecks[check]} (${audit.examples[check]!.join(', ')})`)
      .join('; '),
    hint: 'Make the pairs with the split they are tested under; judge within the test part.',
  });
}
