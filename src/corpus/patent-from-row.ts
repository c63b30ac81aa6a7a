/**
 * One row of any source, by the plan of its columns, to one patent. A row without an id or with a value that cannot be
 * what its column means is refused with the field and what stood there; what merely does not parse (an odd date) is
 * kept under `extra` and noted. Notes are fixed phrases, so that an import can count them.
 *
 * Bodies: a text that repeats the abstract at its start loses the repetition, claims at its end move to `claims`, so that
 * no text stands in two fields. Ids and citations are written as `numbers.ts` normalises them.
 */
import { quoteFound } from '../base/errors.ts';
import { claimsInBody, oneLine, splitClaims, unnumbered, withoutAbstract } from './claims.ts';
import type { Field } from './column-names.ts';
import type { ColumnPlan } from './columns.ts';
import { parseDate } from './dates.ts';
import type { Row } from './importers/importer.ts';
import { normaliseNumber } from './numbers.ts';
import { compilePath, type Reader } from './paths.ts';
import { emptyPatent, type Patent } from './record.ts';
import {
  citationsOf,
  classesOf,
  IllTyped,
  itemsOf,
  languageCode,
  numberOf,
  type Text,
  textOf,
  wordOf,
  wordsOf,
} from './values.ts';

export type PatentOutcome =
  | { ok: true; patent: Patent; notes: string[] }
  | { ok: false; reason: string; field?: string; found?: string };

const NOTE_ABSTRACT_REPEATED = 'description began with the abstract again';
const NOTE_CLAIMS_SPLIT = 'claims split off the description';
const DATE_FIELDS = ['priority', 'filing', 'publication', 'grant'] as const;

/** The readers of a plan, compiled once. */
const compiled = new WeakMap<ColumnPlan, Map<Field, Reader[]>>();

function readersOf(plan: ColumnPlan): Map<Field, Reader[]> {
  let readers = compiled.get(plan);
  if (readers === undefined) {
    readers = new Map(
      Object.entries(plan.fields).map(([field, { paths }]) => [field as Field, paths.map(compilePath)]),
    );
    compiled.set(plan, readers);
  }
  return readers;
}

export function patentFromRow(row: Row, plan: ColumnPlan): PatentOutcome {
  const readers = readersOf(plan);
  let field: Field = 'id';
  const notes: string[] = [];
  /** All values of a field's columns. */
  const values = (name: Field): unknown[] => {
    field = name;
    return readers.get(name)?.map((read) => read(row)) ?? [];
  };
  const first = <T>(name: Field, read: (value: unknown) => T | undefined): T | undefined => {
    for (const value of values(name)) {
      const found = read(value);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  try {
    const numbers = documentNumbers(values('id'), plan);
    if (numbers.length === 0) return { ok: false, reason: 'the row has no id', field: 'id' };
    const patent = emptyPatent(numbers[0]!);
    for (const value of [...numbers.slice(1), ...values('aliases').flatMap((value) => wordsOf(value))]) {
      if (value !== patent.id && !patent.aliases.includes(value)) patent.aliases.push(value);
    }
    const title = first('title', textOf);
    const abstract = first('abstract', textOf);
    if (title !== undefined) patent.title = oneLine(title.text);
    if (abstract !== undefined) patent.abstract = abstract.text;
    readTexts(patent, first, notes);
    for (const value of values('cpc')) merge(patent.cpc, classesOf(value, plan.fixedSymbols));
    for (const value of values('ipc')) merge(patent.ipc, classesOf(value, plan.fixedSymbols));
    for (const value of values('labels')) merge(patent.labels, wordsOf(value));
    for (const column of plan.oneHot) if (isSet(row[column])) patent.labels.push(column);
    readRelations(patent, values, plan);
    readDates(patent, values, plan, notes);
    readOffice(patent, first, title ?? abstract);
    keepExtra(patent, row, plan);
    return { ok: true, patent, notes };
  } catch (error) {
    if (!(error instanceof IllTyped)) throw error;
    const found = typeof error.found === 'object' ? JSON.stringify(error.found) : String(error.found);
    return { ok: false, reason: `expected ${error.message}`, field, found: quoteFound(found) };
  }
}

type First = <T>(name: Field, read: (value: unknown) => T | undefined) => T | undefined;
type Values = (name: Field) => unknown[];

/** The numbers of a document: an id column may hold several publications of one application. */
function documentNumbers(values: readonly unknown[], plan: ColumnPlan): string[] {
  for (const value of values) {
    const text =
      value !== null && typeof value === 'object' && !Array.isArray(value) ? numberOf(value as Row) : undefined;
    const words = text !== undefined ? [text] : Array.isArray(value) ? wordsOf(value) : idWords(wordOf(value));
    const numbers = words.flatMap((word) => {
      const written = own(word);
      const number = documentId(written, plan);
      return number === written ? [number] : [number, written];
    });
    if (numbers.length > 0) return numbers;
  }
  return [];
}

function idWords(text: string | undefined): string[] {
  if (text === undefined) return [];
  const pieces = text.split(/\s*(?:;;|[;|\n])\s*/).filter((piece) => piece !== '');
  return pieces.length > 1 && pieces.every((piece) => /\d{3}/.test(piece) && piece.length < 30) ? pieces : [text];
}

/**
 * An id in the spelling of publication numbers where it surely is one: it bears its country, or its column says so. Any
 * other id (a bare number may be anything) stays as it is.
 */
function documentId(text: string, plan: ColumnPlan): string {
  return /^[A-Z]{2}[-\s]?\S*\d/.test(text) || numbersArePatents(plan) ? own(normaliseNumber(text)) : text;
}

/** The id column holds patent numbers by its name, so that numbers without a country are US numbers. */
function numbersArePatents(plan: ColumnPlan): boolean {
  const path = plan.fields.id?.paths[0] ?? '';
  return /^(?:publication|patent|pub|publn)[ _-]*(?:number|no|num|nr)\b|^(?:wku|pn|display key)$/i.test(path);
}

/** A copy of its own: a slice would keep the whole read buffer alive as long as the number. */
function own(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

function readTexts(patent: Patent, first: First, notes: string[]): void {
  const claims = first('claims', claimsOf);
  let description = first('description', textOf)?.text ?? first('body', textOf)?.text;
  if (description !== undefined && patent.abstract !== undefined) {
    const rest = withoutAbstract(description, patent.abstract);
    if (rest !== undefined) {
      description = rest;
      notes.push(NOTE_ABSTRACT_REPEATED);
    }
  }
  let list = claims;
  if (description !== undefined) {
    const split = claimsInBody(description);
    if (split !== undefined) {
      description = split.description;
      list ??= split.claims;
      notes.push(NOTE_CLAIMS_SPLIT);
    }
    if (description !== '') patent.description = description;
  }
  const one = first('firstClaim', textOf)?.text;
  if (list !== undefined && list.length > 0) {
    patent.claims = list.join('\n');
    patent.firstClaim = unnumbered(list[0]!);
  }
  if (one !== undefined) patent.firstClaim = unnumbered(oneLine(one));
}

/** Claims as a list: of a text by its numbers, of a list one an item. */
function claimsOf(value: unknown): string[] | undefined {
  if (Array.isArray(value) && value.length > 1 && value.every((item) => typeof item === 'string')) {
    const items = value.map(oneLine).filter((item) => item !== '');
    return items.length === 0 ? undefined : items;
  }
  const text: Text | undefined = textOf(value);
  return text === undefined ? undefined : splitClaims(text.text);
}

function readRelations(patent: Patent, values: Values, plan: ColumnPlan): void {
  const seen = new Set<string>();
  // A bare number next to bare ids is one of those, next to publication numbers it is a US patent.
  const bare = /^\d+$/.test(patent.id) && !numbersArePatents(plan);
  const number = (id: string) => own(bare && /^\d+$/.test(id) ? id : normaliseNumber(id));
  for (const value of values('cites')) {
    for (const citation of citationsOf(value)) {
      const id = number(citation.id);
      if (seen.has(id)) continue;
      seen.add(id);
      patent.cites.push({ ...citation, id });
    }
  }
  for (const value of values('citedBy'))
    merge(
      patent.citedBy,
      citationsOf(value).map(({ id }) => number(id)),
    );
  for (const value of values('family')) {
    const family = wordOf(value);
    if (family === undefined) continue;
    patent.family = own(family);
    break;
  }
  if (patent.family !== undefined) return;
  const members = values('familyMembers').flatMap((value) =>
    itemsOf(value).map((item) => {
      const found = item !== null && typeof item === 'object' ? numberOf(item as Row) : wordOf(item);
      return found === undefined ? undefined : normaliseNumber(found);
    }),
  );
  // Every member lists the same members, so the first of them in order names the family.
  const known = members.filter((member) => member !== undefined).sort();
  if (known.length > 0) patent.family = own([patent.id, ...known].sort()[0]!);
}

function readDates(patent: Patent, values: Values, plan: ColumnPlan, notes: string[]): void {
  for (const name of DATE_FIELDS) {
    for (const value of values(name)) {
      const found = datesOf(value, plan);
      if (found === undefined) continue;
      if (found === null) {
        const path = plan.fields[name]!.paths[0]!;
        notes.push(`${name} date not understood`);
        patent.extra = { ...patent.extra, [path]: value };
        continue;
      }
      patent.dates[name] = found;
      break;
    }
  }
}

/** The date of a value; of a list of dates the earliest. */
function datesOf(value: unknown, plan: ColumnPlan): string | null | undefined {
  if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    if (!Array.isArray(value)) throw new IllTyped('a date', value);
    const found = value.map((item) => datesOf(item, plan)).filter((date) => typeof date === 'string');
    return found.sort()[0];
  }
  if (typeof value === 'boolean') throw new IllTyped('a date', value);
  const date = parseDate(value, plan.dateOrder);
  if (date !== null || typeof value !== 'string' || !/[;|,\n]/.test(value)) return date;
  const found = value
    .split(/[;|,\n]+/)
    .map((part) => parseDate(part, plan.dateOrder))
    .filter((part) => typeof part === 'string');
  return found.sort()[0] ?? null;
}

function readOffice(patent: Patent, first: First, text: Text | undefined): void {
  const country = first('country', wordOf)?.toUpperCase();
  const known =
    country !== undefined && /^[A-Z]{2}$/.test(country)
      ? country
      : /^([A-Z]{2})[-\s]?(?:RE|PP|D|H|T)?\d/.exec(patent.id)?.[1];
  if (known !== undefined) patent.country = known;
  const language = first('language', wordOf);
  const code = text?.language ?? (language === undefined ? undefined : languageCode(language));
  if (code !== undefined) patent.language = code;
}

/** Columns without a field, but for empty ones. */
function keepExtra(patent: Patent, row: Row, plan: ColumnPlan): void {
  for (const column of plan.unused) {
    const value = row[column];
    if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    patent.extra ??= {};
    patent.extra[column] = value;
  }
}

function merge(list: string[], items: readonly string[]): void {
  for (const item of items) if (!list.includes(item)) list.push(item);
}

function isSet(value: unknown): boolean {
  return value === 1 || value === '1' || value === true || value === '1.0';
}
