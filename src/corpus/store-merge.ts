/**
 * Two records of one patent made one. `fill`: what the first has stays, what it lacks comes from the second, lists are
 * united. `replace`: the second stands in the first's place. Neither argument is changed.
 */
import { normaliseNumber } from './numbers.ts';
import type { Citation, Patent } from './record.ts';

export const conflictRules = ['fill', 'replace', 'reject'] as const;
export type OnConflict = (typeof conflictRules)[number];

export function mergePatents(first: Patent, second: Patent, rule: 'fill' | 'replace'): Patent {
  const aliases = union(first.aliases, first.id === second.id ? second.aliases : [second.id, ...second.aliases]).filter(
    (name) => name !== first.id,
  );
  if (rule === 'replace') return { ...second, id: first.id, aliases };
  const merged: Patent = { ...second, ...first };
  // Claims and first claim belong together: never the first claim of one source beside all claims of another.
  if (first.claims === undefined && first.firstClaim !== undefined && second.claims !== undefined)
    merged.firstClaim = second.firstClaim ?? first.firstClaim;
  merged.aliases = aliases;
  merged.cpc = union(first.cpc, second.cpc);
  merged.ipc = union(first.ipc, second.ipc);
  merged.labels = union(first.labels, second.labels);
  merged.citedBy = union(first.citedBy, second.citedBy, normaliseNumber);
  merged.cites = mergeCitations(first.cites, second.cites);
  merged.dates = { ...second.dates, ...first.dates };
  if (first.extra !== undefined && second.extra !== undefined) merged.extra = { ...second.extra, ...first.extra };
  return merged;
}

function union(a: readonly string[], b: readonly string[], form: (text: string) => string = (text) => text): string[] {
  if (b.length === 0) return [...a];
  const seen = new Set(a.map(form));
  const result = [...a];
  for (const item of b) {
    const key = form(item);
    if (seen.has(key)) continue;
    seen.add(key);
    result.push(item);
  }
  return result;
}

function mergeCitations(a: readonly Citation[], b: readonly Citation[]): Citation[] {
  if (b.length === 0) return [...a];
  const places = new Map(a.map((citation, at) => [normaliseNumber(citation.id), at]));
  const result = [...a];
  for (const citation of b) {
    const key = normaliseNumber(citation.id);
    const at = places.get(key);
    if (at !== undefined) result[at] = { ...citation, ...result[at]! };
    else {
      places.set(key, result.length);
      result.push(citation);
    }
  }
  return result;
}
