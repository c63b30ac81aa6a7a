/** What a mistyped name may have meant: the names nearest to it by edit distance (Levenshtein 1966), or that hold it. */

interface NearestOptions {
  /** How many at most. Default 3. */
  most?: number;
  /** Edits allowed, as a share of the longer name's length. Default 0.4. */
  share?: number;
}

/**
 * The candidates nearest to `name`, best first; upper and lower case do not matter. Of ids (`owner/name`) the names are
 * compared, and where they are equally near the owners too.
 */
export function nearest(
  name: string,
  candidates: readonly string[],
  { most = 3, share = 0.4 }: NearestOptions = {},
): string[] {
  const wanted = name.toLowerCase();
  return candidates
    .map((candidate) => {
      const id = candidate.toLowerCase();
      return { candidate, distance: apart(lastPart(wanted), lastPart(id)), whole: editDistance(wanted, id) };
    })
    .filter(({ distance }) => distance <= share)
    .sort((a, b) => a.distance - b.distance || a.whole - b.whole)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

function lastPart(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/** Edits as a share of the longer name; a name of four letters or more that is part of the other is near too. */
function apart(a: string, b: string): number {
  const longer = Math.max(a.length, b.length, 1);
  const distance = editDistance(a, b) / longer;
  const shorter = Math.min(a.length, b.length);
  return shorter >= 4 && (a.includes(b) || b.includes(a))
    ? Math.min(distance, 0.3 + (longer - shorter) / 1e4)
    : distance;
}

/** Least number of insertions, deletions and substitutions of characters that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}
