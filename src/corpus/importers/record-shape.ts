/**
 * What the sound records of a JSON file have in common: their keys, and how they are laid out. It decides only where the
 * structure of the text does not (`json-siblings.ts`).
 *
 * Layout: where all records but the first begin a line behind the same blanks, and no object inside them does, an object
 * that begins so is a record. That holds for files of one record a line, and for indented ones.
 */
import type { Row } from './importer.ts';

/** Records whose inside is looked at: enough to know it, few enough to cost nothing. */
const WATCHED = 200;
/** Keys remembered; records with keys without end (data as keys) are told by others. */
const MOST_KEYS = 1000;

export class RecordShape {
  /** Keys of all sound records. */
  readonly known = new Set<string>();
  /** Keys of objects inside them. */
  readonly inner = new Set<string>();
  /** Keys that every one of them has; undefined before the first. */
  common: Set<string> | undefined;
  /** The blanks before the first record of a list, where it begins a line: all there is to tell if that one is damaged. */
  firstLead: string | undefined;
  private lead: string | undefined;
  private leadHolds = true;
  private seen = 0;

  /** `lead`: the blanks before the record, after the comma; undefined for the first of a list. */
  learn(row: Row, text: string, lead: string | undefined): void {
    const keys = Object.keys(row);
    if (this.common === undefined) this.common = new Set(keys);
    else for (const key of this.common) if (!Object.hasOwn(row, key)) this.common.delete(key);
    if (this.known.size < MOST_KEYS) for (const key of keys) this.known.add(key);
    if (lead !== undefined) {
      this.lead ??= lead;
      if (lead !== this.lead || !lead.includes('\n')) this.leadHolds = false;
    }
    if (this.seen++ >= WATCHED) return;
    for (const value of Object.values(row)) this.addInner(value);
    // Strings hold no bare line ends, so this finds objects only.
    if (this.lead !== undefined && text.includes(`${this.lead}{`, 1)) this.leadHolds = false;
  }

  private addInner(value: unknown): void {
    if (typeof value !== 'object' || value === null || this.inner.size > MOST_KEYS) return;
    if (!Array.isArray(value)) for (const key of Object.keys(value)) this.inner.add(key);
    for (const part of Object.values(value)) this.addInner(part);
  }

  /** An object behind these blanks can only be a record. */
  isLead(lead: string): boolean {
    return this.leadHolds && (this.lead ?? this.firstLead) === lead;
  }

  /**
   * Keys like those of records: most of the `common` ones, at least as many known as new ones, and one that records have and
   * objects inside them have not.
   */
  isLike(row: Row, common: ReadonlySet<string>): boolean {
    const keys = Object.keys(row);
    const shared = [...common].filter((key) => Object.hasOwn(row, key)).length;
    if (shared < 0.6 * common.size) return false;
    if (this.known.size === 0) return true;
    if (keys.filter((key) => this.known.has(key)).length * 2 < keys.length) return false;
    return keys.some((key) => this.known.has(key) && !this.inner.has(key));
  }

  /**
   * Whether an object stands apart from the items of a list inside a record, whose keys are `items` and those seen before, by
   * two keys that records have and items have not. `shown`: keys of records where none is known yet.
   */
  isApart(row: Row, items: ReadonlySet<string>, shown: ReadonlySet<string>): boolean {
    const ofRecords = this.known.size === 0 ? shown : this.known;
    const own = Object.keys(row).filter((key) => ofRecords.has(key) && !this.inner.has(key) && !items.has(key));
    return own.length >= 2;
  }
}
