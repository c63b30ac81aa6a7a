/**
 * Variants of one dense model in one evaluation: token budgets, truncated dimensions, passages.
 *
 *   --length 128,256          MiniLM [128 tokens], MiniLM [256 tokens]
 *   --dimensions 64,128       MiniLM, MiniLM [64 d], MiniLM [128 d]: the full width too, which costs nothing beside it
 *   --passages size=256,...   MiniLM, MiniLM [passages max]
 *
 * Every way to read (a budget, a passage setting) is combined with every width; the widths of one way share its vectors, so
 * that none is encoded twice. A single length or width is no variant but a setting: it leaves names as they are. What a model
 * does not have, more dimensions or a longer text than it reads, is left out and said. `lsa` has widths only: leading
 * dimensions of its truncated SVD.
 */
import { inputError } from '../base/errors.ts';
import { checkPassages, type PassageOptions } from '../encode/index.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import type { DenseSystem, SystemSpec } from './systems.ts';

/** What a model has, as far as variants depend on it. */
export interface ModelLimits {
  dimensions: number;
  maxLength: number;
}

type VariantSettings = Pick<EvaluateSettings, 'length' | 'dimensions' | 'passages' | 'passagesOnly'>;

type Numbers = number | readonly number[] | undefined;

/** The only value of a setting that may be a list; undefined where there are several, or none. */
export function single(values: Numbers): number | undefined {
  const distinct = distinctOf(values);
  return distinct.length === 1 ? distinct[0] : undefined;
}

/** The values of a list of several; none where there are fewer. */
function several(values: Numbers): number[] {
  const distinct = distinctOf(values);
  return distinct.length > 1 ? distinct : [];
}

function distinctOf(values: Numbers): number[] {
  return [...new Set(typeof values === 'number' ? [values] : values)].sort((a, b) => a - b);
}

/** True where systems have to be expanded. */
export function hasVariants({ length, dimensions, passages = [] }: VariantSettings): boolean {
  return several(length).length > 0 || several(dimensions).length > 0 || passages.length > 0;
}

/** All systems with every dense one, also inside of others, replaced by its variants; and what was left out. */
export async function expandSystems(
  systems: readonly SystemSpec[],
  settings: VariantSettings,
  limitsOf: (system: DenseSystem) => Promise<ModelLimits>,
): Promise<{ systems: SystemSpec[]; warnings: string[] }> {
  if (settings.passages?.length && !systems.some(({ kind }) => kind === 'encoder'))
    throw inputError('nothing here reads texts in passages', {
      code: 'evaluate.passages',
      field: '--passages',
      expected: 'a text encoder among the models',
      found: systems.map(({ label }) => label).join(', '),
    });
  const warnings = new Set<string>();
  const expanded: SystemSpec[] = [];
  for (const system of systems) {
    const dense = system.kind === 'fused' ? system.dense : system;
    if (dense.kind === 'bm25') {
      expanded.push(system);
      continue;
    }
    const variants = variantsOf(dense, settings, await limitsOf(dense), (left) => warnings.add(left));
    for (const variant of variants)
      expanded.push(system.kind === 'fused' ? { ...system, dense: variant, label: `bm25+${variant.label}` } : variant);
  }
  return { systems: expanded, warnings: [...warnings] };
}

/** The variants of one model, as `settings` ask for them. */
function variantsOf(
  system: DenseSystem,
  settings: VariantSettings,
  limits: ModelLimits,
  leftOut: (why: string) => void,
): DenseSystem[] {
  const widths = [
    undefined, // the full width
    ...several(settings.dimensions).filter((width) => {
      if (width > limits.dimensions)
        leftOut(`${system.label} has ${limits.dimensions} dimensions: not cut to ${width}.`);
      return width < limits.dimensions;
    }),
  ];
  const cut = (dense: DenseSystem, words: readonly string[]) =>
    widths.map((width): DenseSystem => {
      const suffix = [...words, ...(width === undefined ? [] : [`${width} d`])].join(', ');
      return {
        ...dense,
        ...(width === undefined ? {} : { dimensions: width }),
        ...(widths.length > 1
          ? { widths: { of: suffixed(dense.label, words.join(', ')), full: limits.dimensions } }
          : {}),
        label: suffixed(dense.label, suffix),
      };
    });
  const variants = readingsOf(system, settings, limits, leftOut).flatMap(({ dense, words }) => cut(dense, words));
  // One variant alone with a name that says what it is: a cell made again.
  return variants.length === 1 && system.label.endsWith(']') ? [{ ...variants[0]!, label: system.label }] : variants;
}

function suffixed(label: string, suffix: string): string {
  return suffix === '' ? label : `${label} [${suffix}]`;
}

interface Reading {
  dense: DenseSystem;
  words: string[];
}

/** The ways in which texts are read. */
function readingsOf(
  system: DenseSystem,
  { length, passages: given = [], passagesOnly = false }: VariantSettings,
  { maxLength }: ModelLimits,
  leftOut: (why: string) => void,
): Reading[] {
  if (system.kind === 'lsa') return [{ dense: system, words: [] }];
  const readings: Reading[] = [];
  const lengths = several(length);
  if (!passagesOnly && lengths.length === 0) readings.push({ dense: system, words: [] });
  if (!passagesOnly) {
    for (const tokens of lengths) {
      if (tokens > maxLength) leftOut(`${system.label} reads ${maxLength} tokens: not tried with ${tokens}.`);
      else readings.push({ dense: { ...system, length: tokens }, words: [`${tokens} tokens`] });
    }
    // All asked for more than the model reads: then what it reads.
    if (readings.length === 0)
      readings.push({ dense: { ...system, length: maxLength }, words: [`${maxLength} tokens`] });
  }
  const passages = [...new Map(given.map((options) => [JSON.stringify(options), options])).values()];
  const short = passages.map(({ aggregate }) => `passages ${aggregate}`);
  for (const [i, options] of passages.entries()) {
    const { size, overlap, most, queries } = options;
    const alone = short.indexOf(short[i]!) === short.lastIndexOf(short[i]!);
    const more = [`${size}-${overlap}`, ...(most ? [`most ${most}`] : []), ...(queries ? [`queries ${queries}`] : [])];
    if (size > maxLength) leftOut(`${system.label} reads ${maxLength} tokens: its passages are no longer than that.`);
    readings.push({
      dense: { ...system, passages: { ...options, size: Math.min(size, maxLength) } },
      words: [alone ? short[i]! : [short[i]!, ...more].join(' ')],
    });
  }
  return readings;
}

/** `size=256,overlap=64,aggregate=max`, with `most=N` and `queries=mean` where wanted; throws where it is something else. */
export function parsePassages(text: string): PassageOptions {
  const wrong = (found: string) =>
    inputError('passages are not described so', {
      code: 'evaluate.passages',
      field: '--passages',
      expected: 'size=N,overlap=N,aggregate=max|mean, then most=N and queries=first|mean where wanted',
      found,
      hint: 'for example --passages size=256,overlap=64,aggregate=max',
    });
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const match = /^\s*(?:(size|overlap|most)\s*=\s*(\d+)|(aggregate|queries)\s*=\s*(\w+))\s*$/.exec(part);
    const [name, value] = [match?.[1] ?? match?.[3], match?.[2] ?? match?.[4]];
    if (name === undefined || value === undefined || fields.has(name)) throw wrong(part);
    fields.set(name, value);
  }
  const number = (name: string, otherwise: number) => (fields.has(name) ? Number(fields.get(name)) : otherwise);
  if (!fields.has('size')) throw wrong(text);
  const size = number('size', 0);
  const [aggregate, queries] = [fields.get('aggregate') ?? 'max', fields.get('queries')];
  return checkPassages({
    size,
    overlap: number('overlap', Math.floor(size / 4)),
    aggregate: aggregate as PassageOptions['aggregate'],
    ...(fields.has('most') ? { most: number('most', 0) } : {}),
    ...(queries === undefined ? {} : { queries: queries as 'first' | 'mean' }),
  });
}
