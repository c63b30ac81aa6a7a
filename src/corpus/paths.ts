/**
 * Paths into a row: `title`, `biblio.title`, `citation[].publication_number`, `title_localized[0].text`, and templates
 * that join several, `{jurisdiction}{doc_number}{kind}`. A column whose whole name is the path (CSV headers may hold dots
 * and brackets) comes first. A name after a list reads that name of every item, with or without `[]`.
 */
import type { Row } from './importers/importer.ts';

type Step = { key: string } | { index: number } | 'each';

/** Reads a value; `undefined` where the row has none. `[]` gives a flat list. */
export type Reader = (row: Row) => unknown;

export function compilePath(path: string): Reader {
  if (/\{[^{}]+\}/.test(path)) return compileTemplate(path);
  const steps = parseSteps(path);
  if (steps.length === 1) return (row) => (Object.hasOwn(row, path) ? row[path] : undefined);
  return (row) => (Object.hasOwn(row, path) ? row[path] : follow(row, steps, 0));
}

/** `a.b[].c[0]` -> a, b, each, c, 0. */
function parseSteps(path: string): Step[] {
  const steps: Step[] = [];
  for (const part of path.split('.')) {
    const [, name, brackets] = /^([^[\]]*)((?:\[\d*\])*)$/.exec(part) ?? [undefined, part, ''];
    if (name !== '') steps.push({ key: name! });
    for (const [, index] of brackets!.matchAll(/\[(\d*)\]/g))
      steps.push(index === '' ? 'each' : { index: Number(index) });
  }
  return steps;
}

function follow(value: unknown, steps: readonly Step[], from: number): unknown {
  let current = value;
  for (let i = from; i < steps.length; i++) {
    if (current === null || typeof current !== 'object') return undefined;
    const step = steps[i]!;
    if (step === 'each' || ('key' in step && Array.isArray(current))) {
      const items = Array.isArray(current) ? current : [current];
      const rest = step === 'each' ? i + 1 : i;
      return items.flatMap((item) => {
        const found = follow(item, steps, rest);
        return found === undefined || found === null ? [] : found;
      });
    }
    const key = 'key' in step ? step.key : step.index;
    current = Object.hasOwn(current, key) ? (current as Record<string | number, unknown>)[key] : undefined;
  }
  return current;
}

/** Every part must be there, but for a last one (a kind code may be missing). */
function compileTemplate(template: string): Reader {
  const parts = [...template.matchAll(/\{([^{}]+)\}|([^{}]+)/g)].map(([, path, text]) =>
    path === undefined ? text! : compilePath(path),
  );
  return (row) => {
    let joined = '';
    for (const [index, part] of parts.entries()) {
      const value = typeof part === 'string' ? part : part(row);
      if (value === undefined || value === null || value === '') {
        if (index === parts.length - 1 && index > 0) return joined;
        return undefined;
      }
      if (typeof value === 'object') return value;
      joined += String(value);
    }
    return joined;
  };
}

/** First names of the columns a path reads (several for a template). */
export function rootsOf(path: string, columns: ReadonlySet<string>): string[] {
  const templates = [...path.matchAll(/\{([^{}]+)\}/g)];
  if (templates.length > 0) return templates.flatMap(([, part]) => rootsOf(part!, columns));
  if (columns.has(path)) return [path];
  return [/^[^.[]*/.exec(path)![0]];
}

/** Paths that sample rows have, lists marked by `[]`: for guessing columns and for error messages. At most `limit`. */
export function samplePaths(rows: readonly Row[], limit = 2000): Set<string> {
  const paths = new Set<string>();
  const visit = (value: unknown, path: string, depth: number): void => {
    if (paths.size >= limit || depth > 8 || value === null || typeof value !== 'object') return;
    if (Array.isArray(value)) {
      for (const item of value.slice(0, 3)) visit(item, `${path}[]`, depth + 1);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      const inner = path === '' ? key : `${path}.${key}`;
      paths.add(inner);
      visit(item, inner, depth + 1);
    }
  };
  for (const row of rows) visit(row, '', 0);
  return paths;
}
