/**
 * Labels of a corpus's patents as numbers: the user's own labels, or classification symbols cut to a level.
 *
 *   section A   class A61   subclass A61B   group A61B8 (main group)   full A61B8/08
 *
 * Two patents share a label where one of these is the same. Held as compressed sparse rows; texts are not kept.
 */
import { inputError } from '../base/errors.ts';
import { murmur3 } from '../base/random.ts';
import type { Patent } from './record.ts';
import type { Corpus } from './store.ts';

export const labelFields = ['labels', 'cpc', 'ipc'] as const;
export type LabelField = (typeof labelFields)[number];
export const symbolLevels = ['section', 'class', 'subclass', 'group', 'full'] as const;
export type SymbolLevel = (typeof symbolLevels)[number];

export interface LabelTable {
  field: LabelField;
  /** Undefined for the user's own labels, which are taken as they are. */
  level: SymbolLevel | undefined;
  /** Labels of row r: codes[offsets[r]] to codes[offsets[r + 1] - 1], ascending, each once. */
  offsets: Uint32Array;
  codes: Int32Array;
  names: string[];
  /** Hash of each name. */
  hashes: Uint32Array;
}

/** The field a label recipe takes where none is named: the user's own labels, else CPC, else IPC. */
export function defaultLabelField(corpus: Corpus): LabelField | undefined {
  return labelFields.find((field) => patentsWith(corpus, field) > 0);
}

export function patentsWith(corpus: Corpus, field: string): number {
  return corpus.summary.fields[field]?.present ?? 0;
}

export async function loadLabels(
  corpus: Corpus,
  { field, level = 'subclass' }: { field: LabelField; level?: SymbolLevel },
): Promise<LabelTable> {
  if (!symbolLevels.includes(level))
    throw inputError('this is no level of classification symbols', {
      code: 'recipe.level',
      field: 'level',
      expected: symbolLevels.join(', '),
      found: String(level),
    });
  const offsets = new Uint32Array(corpus.size + 1);
  let codes = new Int32Array(1024);
  const known = new Map<string, number>();
  const names: string[] = [];
  let size = 0;
  let row = 0;
  for await (const patent of corpus.records()) {
    const own = new Set<number>();
    for (const name of labelsOf(patent, field, level)) {
      let code = known.get(name);
      if (code === undefined) {
        code = names.push(name) - 1;
        known.set(name, code);
      }
      own.add(code);
    }
    if (size + own.size > codes.length) {
      const larger = new Int32Array(codes.length * 2 + own.size);
      larger.set(codes);
      codes = larger;
    }
    for (const code of [...own].sort((a, b) => a - b)) codes[size++] = code;
    offsets[++row] = size;
  }
  return {
    field,
    level: field === 'labels' ? undefined : level,
    offsets,
    codes: codes.slice(0, size),
    names,
    hashes: Uint32Array.from(names, (name) => murmur3(name)),
  };
}

/** The label of a table that each of the corpus's records names first [rows], -1 where it has none. */
export async function firstLabels(corpus: Corpus, { field, level, names }: LabelTable): Promise<Int32Array> {
  const codes = new Map(names.map((name, code) => [name, code]));
  const first = new Int32Array(corpus.size).fill(-1);
  let row = 0;
  for await (const patent of corpus.records()) {
    const [name] = labelsOf(patent, field, level ?? 'full');
    if (name !== undefined) first[row] = codes.get(name)!;
    row++;
  }
  return first;
}

function* labelsOf(patent: Patent, field: LabelField, level: SymbolLevel): Generator<string> {
  for (const label of patent[field]) {
    const name = field === 'labels' ? label : symbolAt(label, level);
    if (name) yield name;
  }
}

/** A symbol cut to a level; undefined where it does not go so deep. */
export function symbolAt(symbol: string, level: SymbolLevel): string | undefined {
  if (level === 'full') return symbol;
  if (level === 'group') return /^[A-HY]\d\d[A-Z]\d+(?=\/|$)/.exec(symbol)?.[0];
  const length = { section: 1, class: 3, subclass: 4 }[level];
  return symbol.length >= length ? symbol.slice(0, length) : undefined;
}

/** Whether two rows share a label. */
export function shareLabel({ offsets, codes }: LabelTable, a: number, b: number): boolean {
  let [i, j] = [offsets[a]!, offsets[b]!];
  const [endI, endJ] = [offsets[a + 1]!, offsets[b + 1]!];
  while (i < endI && j < endJ) {
    if (codes[i] === codes[j]) return true;
    if (codes[i]! < codes[j]!) i++;
    else j++;
  }
  return false;
}
