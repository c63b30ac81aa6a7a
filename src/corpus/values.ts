/**
 * What a value of a source means, whatever shape it came in: a text (perhaps in several languages), a list of words, of
 * classification symbols, of citations. `IllTyped` is thrown where a value cannot mean that at all.
 */

import type { Row } from './importers/importer.ts';
import type { Citation } from './record.ts';
import { normaliseSymbol, symbolsIn } from './symbols.ts';

/** A value of the wrong kind: the row is rejected, its neighbours are not. */
export class IllTyped extends Error {
  readonly found: unknown;

  constructor(expected: string, found: unknown) {
    super(expected);
    this.found = found;
  }
}

/** Texts that stand for "none" in exports. */
const NOTHING = /^(?:null|none|nan|n\/a|-)$/i;

export interface Text {
  text: string;
  language?: string;
}

const TEXT_KEYS = ['text', 'value', 'content', 'claim_text', '#text', '_', '$'];
const LANGUAGE_KEYS = ['language', 'lang', '@lang', 'xml:lang'];

/** A text; of several languages English, else the first. Lists of parts are joined by newlines. */
export function textOf(value: unknown): Text | undefined {
  if (typeof value === 'string') return cleanText(value);
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'object') throw new IllTyped('text', value);
  if (!Array.isArray(value)) return textOfObject(value as Row);
  const parts = value.map(textOf).filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  const languages = new Set(parts.map((part) => part.language));
  const language = languages.has('en') ? 'en' : parts[0]!.language;
  // Parts of one language belong together; other languages are other versions of the same text.
  const text = parts
    .filter((part) => languages.size === 1 || part.language === language)
    .map((part) => part.text)
    .join('\n');
  return language === undefined ? { text } : { text, language };
}

function textOfObject(value: Row): Text | undefined {
  const languageKey = LANGUAGE_KEYS.find((key) => typeof value[key] === 'string');
  const language = languageKey === undefined ? undefined : languageCode(value[languageKey] as string);
  const key = TEXT_KEYS.find((name) => name in value) ?? Object.keys(value).find((name) => Array.isArray(value[name]));
  if (key === undefined) {
    // { en: "...", de: "..." }
    const tagged = Object.entries(value).filter(([name, item]) => /^[a-z]{2}$/i.test(name) && typeof item === 'string');
    if (tagged.length === 0) throw new IllTyped('text', value);
    return textOf(tagged.map(([name, item]) => ({ text: item, language: name })));
  }
  const inner = textOf(value[key]);
  if (inner === undefined) return undefined;
  const known = inner.language ?? language;
  return known === undefined ? { text: inner.text } : { text: inner.text, language: known };
}

function cleanText(value: string): Text | undefined {
  const text = value.includes('\r') ? value.replace(/\r\n?/g, '\n').trim() : value.trim();
  return text === '' || (text.length < 5 && NOTHING.test(text)) ? undefined : { text };
}

const LANGUAGES = new Map(
  'eng en ger de deu de fre fr fra fr spa es jpn ja chi zh zho zh kor ko english en german de french fr spanish es japanese ja chinese zh korean ko'
    .match(/\S+ \S+/g)!
    .map((pair) => pair.split(' ') as [string, string]),
);

/** `EN`, `eng`, `en-US`, `English` -> `en`. */
export function languageCode(value: string): string | undefined {
  const code = value.trim().toLowerCase();
  return LANGUAGES.get(code) ?? /^([a-z]{2})(?:$|[-_])/.exec(code)?.[1];
}

/** One word or number as text. */
export function wordOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') {
    const text = value.trim();
    return text === '' || NOTHING.test(text) ? undefined : text;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return String(value);
  throw new IllTyped('one text', value);
}

/** Items of a list, or of a text that holds one: JSON or Python notation, or split at `;;`, line ends, `;`, `|`, `,`. */
export function itemsOf(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item) => (typeof item === 'string' ? [item] : itemsOf(item)));
  if (typeof value === 'string') return splitList(value);
  return [value];
}

const SEPARATORS = [';;', '\n', ';', '|', ','] as const;

export function splitList(text: string): string[] {
  const trimmed = text.trim();
  if (trimmed === '' || NOTHING.test(trimmed)) return [];
  if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
    const listed = listNotation(trimmed);
    if (listed !== undefined) return listed;
  }
  const separator = SEPARATORS.find((candidate) => trimmed.includes(candidate));
  const pieces = separator === undefined ? [trimmed] : trimmed.split(separator);
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '');
}

/** `["a", "b"]` or `['a', 'b']`. */
function listNotation(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string' || typeof item === 'number'))
      return value.map(String);
  } catch {
    const items = [...text.slice(1, -1).matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s,'"]+)/g)];
    return items.map(([, single, double, bare]) => single ?? double ?? bare ?? '').filter((item) => item !== '');
  }
  return undefined;
}

/** Words of a list, each once, in order. */
export function wordsOf(value: unknown): string[] {
  const words = new Set<string>();
  for (const item of itemsOf(value)) {
    const word =
      typeof item === 'object' ? wordOf(firstOf(item as Row, ['label', 'name', 'id', 'value', 'text'])) : wordOf(item);
    if (word !== undefined) words.add(word);
  }
  return [...words];
}

const SYMBOL_KEYS = [
  'code',
  'symbol',
  'classification_symbol',
  'text',
  'id',
  'cpc',
  'ipc',
  'cpc_subclass_id',
  'cpc_group_id',
  'classifications',
];

/** Classification symbols, each once, in order; what is not a symbol is left out. */
export function classesOf(value: unknown, fixed: boolean): string[] {
  const found = new Set<string>();
  const add = (item: unknown): void => {
    if (item === null || item === undefined) return;
    if (typeof item === 'string') {
      const whole = item.length <= 12 ? normaliseSymbol(item, fixed) : undefined;
      if (whole !== undefined) found.add(whole);
      else for (const symbol of symbolsIn(item, fixed)) found.add(symbol);
    } else if (Array.isArray(item)) item.forEach(add);
    else if (typeof item === 'object') add(firstOf(item as Row, SYMBOL_KEYS));
    else throw new IllTyped('classification symbols', item);
  };
  add(value);
  return [...found];
}

const NUMBER_KEYS = [
  'publication_number', 'publicationNumber', 'patent_number', 'document_number', 'citation_patent_id', 'cited_patent_id',
  'number', 'id', 'ucid', 'display_key', 'patent_id', 'cited_publication_number', 'docdb_id',
]; // biome-ignore format: one list

/** Citations of a list: publication numbers, or objects that hold one with its category and origin. */
export function citationsOf(value: unknown): Citation[] {
  const found = new Map<string, Citation>();
  for (const item of itemsOf(value)) {
    const citation = citationOf(item);
    if (citation === undefined) continue;
    const known = found.get(citation.id);
    if (known === undefined) found.set(citation.id, citation);
    else found.set(citation.id, { ...citation, ...known });
  }
  return [...found.values()];
}

function citationOf(item: unknown): Citation | undefined {
  if (item === null || typeof item !== 'object') {
    const id = documentNumber(wordOf(item));
    return id === undefined ? undefined : { id };
  }
  const row = item as Row;
  const inner = (row.patcit ?? row.patent ?? row) as Row;
  const id = numberOf(inner);
  if (id === undefined) return undefined;
  const category = firstOf(row, ['category', 'citation_category', 'categories']);
  const origin = firstOf(row, ['origin', 'type', 'cited_phase', 'cited_by', 'citedPhase']);
  const citation: Citation = { id };
  const letters = Array.isArray(category) ? category.join('') : category;
  if (typeof letters === 'string' && letters.trim() !== '') citation.category = letters.trim();
  if (typeof origin === 'string' && origin.trim() !== '') citation.origin = originName(origin.trim());
  return citation;
}

/** The number of a document given as an object: a field that holds it, or office, number and kind apart. */
export function numberOf(row: Row): string | undefined {
  const document = (row.document_id ?? row.publication_reference ?? row) as Row;
  const number = firstOf(document, ['doc_number', 'docNumber', 'doc-number']);
  if (number !== undefined && number !== null) {
    const country = firstOf(document, ['jurisdiction', 'country', 'country_code']) ?? '';
    return documentNumber(`${country}${String(number)}${firstOf(document, ['kind', 'kind_code']) ?? ''}`);
  }
  const direct = firstOf(row, NUMBER_KEYS);
  return direct === undefined ? undefined : documentNumber(wordOf(direct));
}

/** A citation is a number of a document (short, no prose); other literature is passed over. */
function documentNumber(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 60) return undefined;
  const number = text.replace(/\s+\((?:19|20)[\d\-./]+\)$/, '').trim();
  if (number.length > 40) return undefined;
  return !/\s/.test(number) || (/\d{3}/.test(number) && !/[a-z]{5}/i.test(number)) ? number : undefined;
}

/** BigQuery's three letters in words; other names in lower case. */
const ORIGINS = new Map([
  ['SEA', 'search'], ['ISR', 'search'], ['SUP', 'search'], ['PRS', 'pre-search'], ['EXA', 'examiner'], ['APP', 'applicant'],
  ['OPP', 'opposition'], ['FOP', 'opposition'], ['TPO', 'third-party'], ['APL', 'appeal'], ['CH2', 'chapter-2'], ['115', 'rule-115'],
]); // biome-ignore format: one table

function originName(origin: string): string {
  return ORIGINS.get(origin.toUpperCase()) ?? origin.toLowerCase();
}

function firstOf(row: Row, keys: readonly string[]): unknown {
  for (const key of keys) {
    const value = Object.hasOwn(row, key) ? row[key] : undefined;
    if (value !== undefined && value !== null && value !== '') return value;
  }
  return undefined;
}
