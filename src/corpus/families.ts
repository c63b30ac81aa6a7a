/**
 * Families: the patents of one invention. Where the source gives a family id, that is the family. The rest is inferred, and
 * reported as inferred; two patents without known families are put together when
 *   - they are publications of one application (same number, other kind code), or
 *   - they bear the same title and their abstracts begin alike, or
 *   - they bear the same title, go back to the same priority or filing day, and the title has five words or more or they
 *     list a common citation.
 * A shared title alone proves nothing ("Ultrasonic probe" names eleven inventions of thirty years in one real set).
 */
import type { LinkLine } from './links.ts';
import type { Corpus } from './store.ts';
import { NameIndex } from './store-index.ts';

export interface Families {
  /** Family of each row, numbered from 0 in the order of their first rows. */
  family: Int32Array;
  families: number;
  familiesKnown: number;
  familyInferred: boolean;
}

export async function inferFamilies(corpus: Corpus): Promise<Families> {
  const sets = new DisjointSets(corpus.size);
  const names = new NameIndex(corpus.size);
  let known = 0;
  let inferred = false;
  let row = 0;
  const join = (name: string) => {
    const first = names.first(name);
    if (first < 0) names.add(name, row);
    else if (sets.join(first, row)) inferred = true;
  };
  for await (const lines of corpus.links()) {
    for (const line of lines) {
      const [family] = line;
      if (family) {
        known++;
        const first = names.add(`f${family}`, row);
        if (first >= 0) sets.join(first, row);
      } else {
        for (const evidence of evidenceOf(line)) join(evidence);
        for (const other of corpus.sameApplication(row)) if (other < row && sets.join(other, row)) inferred = true;
      }
      row++;
    }
  }
  return { ...sets.numbered(), familiesKnown: known, familyInferred: inferred };
}

/** Two patents with one of these in common are of one family. */
function* evidenceOf([, [priority, filing], , title, abstract, cites]: LinkLine): Generator<string> {
  if (!title) return;
  const [print, words] = title;
  if (abstract) yield `a${print}${abstract}`;
  const day = priority || filing;
  if (!day || day.length < 10) return;
  if (words >= 5) yield `d${print}${day}`;
  else for (const cite of cites) yield `c${print}${day}${typeof cite === 'string' ? cite : cite[0]}`;
}

export class DisjointSets {
  private readonly parent: Int32Array;

  constructor(size: number) {
    this.parent = Int32Array.from({ length: size }, (_, i) => i);
  }

  find(item: number): number {
    const { parent } = this;
    while (parent[item] !== item) {
      parent[item] = parent[parent[item]!]!; // halve the path
      item = parent[item]!;
    }
    return item;
  }

  /** True where the two were apart. The earlier root stays root. */
  join(a: number, b: number): boolean {
    const [x, y] = [this.find(a), this.find(b)];
    if (x === y) return false;
    if (x < y) this.parent[y] = x;
    else this.parent[x] = y;
    return true;
  }

  numbered(): { family: Int32Array; families: number } {
    const family = new Int32Array(this.parent.length);
    let families = 0;
    for (let item = 0; item < family.length; item++) {
      const root = this.find(item);
      family[item] = root === item ? families++ : family[root]!;
    }
    return { family, families };
  }
}
