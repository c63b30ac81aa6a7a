/**
 * Which column means what: guessed from the names of a sample of rows (`column-names.ts`) and their values, overridden by
 * `--map field=path`. The plan is made once a file; every row is then read by it (`patent-from-row.ts`).
 *
 * Guesses that need values:
 * - Columns of nothing but 0 and 1, named like CPC or IPC subclasses (five or more) or simply many (ten or more), are labels, one a column.
 * - A column `date` does not say which date it is. US grants are published on Tuesdays and US applications on Thursdays: if the
 *   sample has twenty such documents or more and nine in ten fall on their day, it is the publication date; if fewer than half
 *   do, it is not, and stands under `filing` as the earliest date known. Otherwise it stays under `extra`. Each case is noted.
 */
import { inputError } from '../base/errors.ts';
import { FIELDS, type Field, meaningsOf } from './column-names.ts';
import { type DateOrder, dateOrder, parseDate, weekday } from './dates.ts';
import type { Row } from './importers/importer.ts';
import { compilePath, rootsOf, samplePaths } from './paths.ts';
import { isFixedWidth } from './symbols.ts';

export interface ColumnPlan {
  fields: Partial<Record<Field, { paths: string[]; guessed: boolean }>>;
  /** Columns that no field reads; they are kept under `extra`. */
  unused: string[];
  /** Columns of 0 and 1 whose names are labels. */
  oneHot: string[];
  /** What was decided that a user should know. */
  notes: string[];
  /** Order of day and month in dates such as 03/04/2016; unknown where the sample does not show it. */
  dateOrder?: DateOrder;
  /** Classification symbols stand in the fixed columns of old US tapes. */
  fixedSymbols: boolean;
}

export interface PlanOptions {
  /** Field -> path, or several joined by `|`: the first that a row fills, of lists all. One of them must be there. */
  map?: Record<string, string>;
  file: string;
}

const DATES = ['priority', 'filing', 'publication', 'grant'] as const;
/** CPC and IPC subclasses: `A61B`. */
const SUBCLASS = /^[A-HY]\d\d[A-Z]$/;

export function isKnownColumn(name: string): boolean {
  return meaningsOf(name).length > 0;
}

/** Plans from the first rows of a file (a few hundred are plenty). Throws where a mapped column or every id is missing. */
export function planColumns(sample: readonly Row[], { map = {}, file }: PlanOptions): ColumnPlan {
  const columns = columnsOf(sample);
  const fields: ColumnPlan['fields'] = {};
  const notes: string[] = [];
  const taken = new Set<string>();
  for (const [name, path] of Object.entries(map)) {
    const field = mappedField(name, file);
    const paths = mappedPaths(path, field, sample, columns, file);
    fields[field] = { paths, guessed: false };
    for (const each of paths) for (const root of rootsOf(each, columns)) taken.add(root);
  }
  const oneHot = fields.labels === undefined ? oneHotColumns(sample, columns) : [];
  const hot = new Set(oneHot);
  for (const [field, paths] of guesses(sample, columns, taken, hot)) fields[field] ??= { paths, guessed: true };
  composeId(fields, columns);
  if (fields.id === undefined && sample.length > 0) throw noId(columns, file);
  if (fields.date !== undefined) placeDate(fields, sample, notes);
  if (oneHot.length > 0)
    notes.push(`${oneHot.length} columns of 0 and 1 are read as labels (${oneHot.slice(0, 3).join(', ')}, ...)`);
  const used = new Set(oneHot);
  for (const { paths } of Object.values(fields))
    for (const path of paths) for (const root of rootsOf(path, columns)) used.add(root);
  const order = dateOrder(
    valuesOf(
      sample,
      DATES.flatMap((field) => fields[field]?.paths ?? []),
    ),
  );
  return {
    fields,
    unused: [...columns].filter((column) => !used.has(column)),
    oneHot,
    notes,
    ...(order === undefined ? {} : { dateOrder: order }),
    fixedSymbols: isFixedWidth(
      valuesOf(sample, [...(fields.ipc?.paths ?? []), ...(fields.cpc?.paths ?? [])]).flatMap((value) =>
        typeof value === 'string'
          ? [value]
          : Array.isArray(value)
            ? value.filter((item) => typeof item === 'string')
            : [],
      ),
    ),
  };
}

function columnsOf(sample: readonly Row[]): Set<string> {
  const columns = new Set<string>();
  for (const row of sample) for (const name of Object.keys(row)) columns.add(name);
  return columns;
}

function valuesOf(sample: readonly Row[], paths: readonly string[]): unknown[] {
  const readers = paths.map(compilePath);
  return sample.flatMap((row) => readers.map((read) => read(row)));
}

function mappedField(name: string, file: string): Field {
  const wanted = name
    .trim()
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replace(/dates?$/, '');
  const field = FIELDS.find((candidate) => candidate.toLowerCase() === (wanted === '' ? 'date' : wanted));
  if (field !== undefined) return field;
  throw inputError(`--map names a field that patents do not have`, {
    code: 'import.map.field',
    file,
    field: name,
    expected: `one of ${FIELDS.join(', ')}`,
    found: name,
    hint: 'Write --map field=path, the field of the patent first.',
  });
}

function mappedPaths(
  text: string,
  field: Field,
  sample: readonly Row[],
  columns: ReadonlySet<string>,
  file: string,
): string[] {
  const paths = columns.has(text) ? [text] : text.split('|').map((path) => path.trim());
  if (sample.length === 0 || paths.some((path) => isThere(path, sample, columns))) return paths;
  throw inputError('--map names a column that the file does not have', {
    code: 'import.map.column',
    file,
    field,
    expected: `one of ${shortList(samplePaths(sample))}`,
    found: text,
    hint: 'Name a column of the file; inside records write a.b, lists[].name or lists[0].name.',
  });
}

/** A nested path may be empty in the whole sample where its column is. */
function isThere(path: string, sample: readonly Row[], columns: ReadonlySet<string>): boolean {
  const roots = rootsOf(path, columns);
  if (!roots.every((root) => columns.has(root))) return false;
  if (columns.has(path)) return true;
  const read = compilePath(path);
  return sample.some((row) => hasValue(read(row))) || !sample.some((row) => roots.some((root) => hasValue(row[root])));
}

function hasValue(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
}

/** Fields with the columns that may mean them, best first. */
function guesses(
  sample: readonly Row[],
  columns: ReadonlySet<string>,
  taken: ReadonlySet<string>,
  hot: ReadonlySet<string>,
): Map<Field, string[]> {
  const found = new Map<Field, { path: string; order: number }[]>();
  for (const path of samplePaths(sample)) {
    const [root] = rootsOf(path, columns);
    if (hot.has(root!) || taken.has(root!)) continue;
    // Inside records only names that are known as whole paths count.
    const nested = !columns.has(path);
    for (const { field, order } of meaningsOf(path)) {
      if (nested && !path.includes('.')) continue;
      found.set(field, [...(found.get(field) ?? []), { path, order }]);
    }
  }
  const chosen = new Map<Field, string[]>();
  for (const [field, candidates] of found)
    chosen.set(
      field,
      candidates.sort((a, b) => a.order - b.order).map(({ path }) => path),
    );
  const id = chosen.get('id');
  if (id !== undefined) {
    // The other numbers of a document are aliases where they are numbers of documents, never where they count something.
    chosen.set('id', id.slice(0, 1));
    const aliases = (chosen.get('aliases') ?? []).filter((path) => path !== id[0]);
    if (aliases.length > 0) chosen.set('aliases', aliases);
    else chosen.delete('aliases');
  }
  return chosen;
}

/** Lens and other records keep office, number and kind apart: together they are the publication number. */
function composeId(fields: ColumnPlan['fields'], columns: ReadonlySet<string>): void {
  const id = fields.id;
  if (id !== undefined && !id.guessed) return;
  const number = ['doc_number', 'docNumber', 'Document Number'].find((name) => columns.has(name));
  const country = fields.country?.paths[0];
  const kind = fields.kind?.paths[0];
  if (number === undefined || country === undefined) return;
  if (id !== undefined && !/^(?:doc[ _]?number|document number|lens[ _]?id|id)$/i.test(id.paths[0]!)) return;
  const template = `{${country}}{${number}}${kind === undefined ? '' : `{${kind}}`}`;
  const lens = ['lens_id', 'Lens ID'].filter((name) => columns.has(name) && !fields.aliases?.paths.includes(name));
  if (lens.length > 0) fields.aliases = { paths: [...(fields.aliases?.paths ?? []), ...lens], guessed: true };
  fields.id = { paths: [template], guessed: true };
}

function noId(columns: ReadonlySet<string>, file: string) {
  return inputError('no column holds the number of the patent', {
    code: 'import.no-id',
    file,
    field: 'id',
    expected: 'a column such as publication_number, patent_id or id',
    found: columns.size === 0 ? 'no columns' : `columns ${shortList(columns)}`,
    hint: 'Name it with --map id=COLUMN, or the list of records with --record.',
  });
}

function shortList(names: ReadonlySet<string>): string {
  const all = [...names];
  return all.length <= 40 ? all.join(', ') : `${all.slice(0, 40).join(', ')} and ${all.length - 40} more`;
}

function oneHotColumns(sample: readonly Row[], columns: ReadonlySet<string>): string[] {
  if (sample.length === 0) return [];
  const binary = [...columns].filter(
    (column) => meaningsOf(column).length === 0 && sample.every((row) => isBit(row[column])),
  );
  const classes = binary.filter((column) => SUBCLASS.test(column));
  return classes.length >= 5 ? classes : binary.length >= 10 ? binary : [];
}

function isBit(value: unknown): boolean {
  return (
    value === 0 ||
    value === 1 ||
    value === '0' ||
    value === '1' ||
    value === true ||
    value === false ||
    value === '0.0' ||
    value === '1.0'
  );
}

/** Decides what a column named `date` is; see the head of this file. */
function placeDate(fields: ColumnPlan['fields'], sample: readonly Row[], notes: string[]): void {
  const { paths, guessed } = fields.date!;
  const path = paths[0]!;
  const readId = compilePath(fields.id!.paths[0]!);
  const readDate = compilePath(path);
  let known = 0;
  let onDay = 0;
  for (const row of sample) {
    const date = parseDate(readDate(row));
    const id = readId(row);
    const expected = typeof id === 'string' || typeof id === 'number' ? publicationWeekday(String(id)) : undefined;
    const day = typeof date === 'string' ? weekday(date) : undefined;
    if (expected === undefined || day === undefined) continue;
    known++;
    if (day === expected) onDay++;
  }
  const told = `the kind of date in "${path}" is not named`;
  const remedy = `say which with --map publication=${path} (or priority, filing, grant)`;
  if (known >= 20 && onDay >= 0.9 * known && fields.publication === undefined) {
    delete fields.date;
    fields.publication = { paths, guessed };
    notes.push(`${told}; ${onDay} of ${known} fall on the day of the week of US publications: read as publication`);
  } else if (known >= 20 && onDay < 0.5 * known && fields.filing === undefined) {
    delete fields.date;
    fields.filing = { paths, guessed };
    notes.push(
      `${told}; it is not the publication (${onDay} of ${known} fall on its day of the week): kept as filing, the earliest date known; ${remedy}`,
    );
  } else {
    delete fields.date;
    notes.push(`${told}: kept under extra only; ${remedy}`);
  }
}

/** Tuesday for US grants since 1880 or so, Thursday for US applications; unknown for others. */
function publicationWeekday(id: string): number | undefined {
  const match = /^(?:US[-\s]?)?(?:(\d{11}|\d{10})[-\s]?A?\d?|((?:RE|D|PP)?\d{5,8})[-\s]?[A-Z]?\d?)$/i.exec(id.trim());
  if (match === null) return undefined;
  return match[1] === undefined ? 2 : 4;
}
