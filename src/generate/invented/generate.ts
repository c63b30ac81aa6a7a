/**
 * Invented patents from a landscape and a seed: what the demo, the examples and the tests use in place of real data.
 *
 * A family is drawn first: one or two themes, three to five concepts, a device, a problem. Its members (one to three, in
 * different countries) say the same things in other words. Each section has a style of its own: titles use plain names,
 * abstracts plain or middling ones, claims the most formal ones, descriptions all of them at length; so a title and a
 * claim of one patent share few words, as in real patents.
 *
 * Citations go from later to earlier families. The chance grows with shared concepts (noisily), a tenth are random, and
 * some point outside the landscape, so that no model can be perfect. Equal seeds give equal bytes.
 */
import { type RandomStream, stream } from '../../base/random.ts';
import { emptyPatent, type Patent } from '../../corpus/record.ts';
import type { Concept, Landscape } from './landscape.ts';
import { abstractOf, claimsOf, descriptionOf, type Invention, titleOf } from './sections.ts';

interface GenerateOptions {
  /** Number of patents. Default 300. */
  patents?: number;
  seed?: number;
  /** First and last year of filing. */
  years?: [number, number];
  /** Multiplies the length of descriptions. Default 1 (about 250 words). */
  length?: number;
}

interface Family {
  index: number;
  invention: Invention;
  themes: number[];
  concepts: number[];
  /** Priority day, days since 1970. */
  day: number;
  members: Patent[];
}

const countries = ['US', 'EP', 'WO', 'CN', 'JP'] as const;
const kinds = { US: ['A1', 'B2'], EP: ['A1', 'B1'], WO: ['A1', 'A2'], CN: ['A', 'B'], JP: ['A', 'B2'] } as const;

/** Draws the patents of a landscape, oldest first. */
export function generatePatents(landscape: Landscape, options: GenerateOptions = {}): Patent[] {
  const { patents = 300, seed = 1, years = [1998, 2021], length = 1 } = options;
  const draw = stream(seed, 'invented', landscape.name);
  const families: Family[] = [];
  for (let made = 0; made < patents; made += families.at(-1)!.members.length) {
    families.push(drawFamily(landscape, families.length, patents - made, years, length, draw));
  }
  families.sort((a, b) => a.day - b.day || a.index - b.index);
  for (const [at, family] of families.entries())
    cite(family, families.slice(0, at), stream(seed, landscape.name, 'cites', family.index));
  return families
    .flatMap((family) => family.members)
    .sort((a, b) => order(a.dates.publication!, b.dates.publication!) || order(a.id, b.id));
}

function drawFamily(
  landscape: Landscape,
  index: number,
  room: number,
  years: [number, number],
  length: number,
  draw: RandomStream,
): Family {
  const themes = [draw.integer(landscape.themes.length)];
  if (draw.uniform() < 0.35) {
    const second = draw.integer(landscape.themes.length);
    if (second !== themes[0]) themes.push(second);
  }
  const pool = themes.flatMap((theme) => landscape.themes[theme]!.concepts.map((_, at) => theme * 100 + at));
  const concepts = draw.shuffle(pool).slice(0, 3 + draw.integer(3));
  const invention: Invention = {
    device: draw.pick(landscape.devices),
    problem: draw.pick(landscape.problems),
    concepts: concepts.map((key) => conceptOf(landscape, key)),
  };
  const first = Date.UTC(years[0], 0, 1) / 86_400_000;
  const last = Date.UTC(years[1], 11, 31) / 86_400_000;
  const day = first + draw.integer(last - first);
  const share = draw.uniform();
  const size = Math.min(room, share < 0.7 ? 1 : share < 0.9 ? 2 : 3);
  const offices = draw.shuffle([...countries]).slice(0, size);
  if (!offices.includes('US') && draw.uniform() < 0.4) offices[0] = 'US';
  const family: Family = { index, invention, themes, concepts, day, members: [] };
  for (const [at, country] of offices.entries()) {
    family.members.push(drawMember(landscape, family, country, at, length, draw));
  }
  return family;
}

function drawMember(
  landscape: Landscape,
  family: Family,
  country: (typeof countries)[number],
  member: number,
  length: number,
  draw: RandomStream,
): Patent {
  const { invention, themes, index, day } = family;
  const publicationDay = day + 540 + draw.integer(40);
  const year = isoDay(publicationDay).slice(0, 4);
  const serial = String(landscape.serials + index * 7 + member).padStart(7, '0');
  const number =
    country === 'US' || country === 'WO' ? `${year}${country === 'US' ? serial : serial.slice(1)}` : `9${serial}`;
  const patent = emptyPatent(`${country}${number}${draw.pick(kinds[country])}`);
  const codes = themes.flatMap((theme) => landscape.themes[theme]!.ipc.filter(() => draw.uniform() < 0.6));
  if (codes.length === 0) codes.push(landscape.themes[themes[0]!]!.ipc[0]!);
  const claims = claimsOf(invention, draw);
  return {
    ...patent,
    family: `${landscape.name}-${index}`,
    title: titleOf(invention, draw),
    abstract: abstractOf(invention, draw),
    claims: claims.join('\n'),
    firstClaim: claims[0]!,
    description: descriptionOf(invention, length, draw),
    ipc: codes,
    cpc: codes.filter(() => draw.uniform() < 0.9),
    labels: themes.map((theme) => landscape.themes[theme]!.label),
    dates: { priority: isoDay(day), filing: isoDay(day + 300 + draw.integer(65)), publication: isoDay(publicationDay) },
    country,
    language: 'en',
    extra: { invented: true },
  };
}

function cite(family: Family, earlier: readonly Family[], draw: RandomStream): void {
  const own = new Set(family.concepts);
  for (const patent of family.members) {
    const candidates = earlier.filter((other) => other.day + 600 < family.day).slice(-160);
    for (const other of candidates) {
      const shared = other.concepts.filter((key) => own.has(key)).length;
      const sameDevice = other.invention.device === family.invention.device ? 1.5 : 1;
      const chance = [0.004, 0.05, 0.3, 0.6, 0.8, 0.9][shared]! * sameDevice;
      if (draw.uniform() >= Math.min(chance, 0.95)) continue;
      const cited = draw.pick(other.members);
      patent.cites.push({
        id: cited.id,
        category: shared >= 3 ? draw.pick(['X', 'Y']) : draw.pick(['Y', 'A', 'A']),
        origin: draw.pick(['applicant', 'examiner', 'examiner']),
      });
    }
    // Real citation lists lead out of any collection: what is not in the set cannot be found.
    for (let i = draw.integer(4); i > 0; i--) {
      patent.cites.push({ id: `US${3_000_000 + draw.integer(2_000_000)}A`, category: 'A', origin: 'examiner' });
    }
  }
}

function conceptOf(landscape: Landscape, key: number): Concept {
  return landscape.themes[Math.floor(key / 100)]!.concepts[key % 100]!;
}

function isoDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
