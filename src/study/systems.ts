/**
 * The systems of an evaluation, as `--model`, `--dtype` and `--fuse` name them.
 *
 *   bm25             lexical search
 *   lsa              dense vectors fitted on the corpus itself, no weights; `lsa [64 d]`: the leading 64 of its dimensions
 *   FOLDER or ID     a text encoder; NAME=FOLDER gives it a name of one's own
 *   bm25+MODEL       fusion of the two; `--fuse` adds it for every dense model
 *
 * A fused system costs only the fusion: its two parts are systems of their own, run once.
 */
import { basename } from 'node:path';
import { inputError } from '../base/errors.ts';
import { isView, type View, views } from '../corpus/views.ts';
import type { PassageOptions } from '../encode/index.ts';
import type { ModelDtype } from '../model/index.ts';

export type FusionMethod = 'rrf' | 'linear';

/** What vectors are kept of a dense model (`variants.ts`). */
interface Width {
  /** Leading dimensions kept. Default: all, or the single number of the settings. */
  dimensions?: number;
  /** Where several widths of one model are compared: the name they share, and the full width. */
  widths?: { of: string; full: number };
}

export type DenseSystem =
  | ({ kind: 'lsa'; label: string } & Width)
  | ({
      kind: 'encoder';
      label: string;
      /** Folder or id. */
      source: string;
      dtype: ModelDtype;
      /** Most tokens read. Default: the single number of the settings, else the model's limit. */
      length?: number;
      /** Read in passages, of `size` tokens. */
      passages?: PassageOptions;
    } & Width);

export type SystemSpec =
  | { kind: 'bm25'; label: 'bm25' }
  | DenseSystem
  | { kind: 'fused'; label: string; dense: DenseSystem; method: FusionMethod };

export const bm25System: SystemSpec & { kind: 'bm25' } = { kind: 'bm25', label: 'bm25' };

/** A text view with the choice whether patent numbers are taken out of it. */
export interface ViewSpec {
  view: View;
  masked: boolean;
}

/** `full`, or `full-masked`. */
export function viewLabel({ view, masked }: ViewSpec): string {
  return masked ? `${view}-masked` : view;
}

/** Reads view names; `-masked` at the end (or `mask`) takes patent numbers out of the text. */
export function parseViews(names: readonly string[], mask: boolean): ViewSpec[] {
  const specs = names.map((name): ViewSpec => {
    const masked = name.endsWith('-masked');
    const view = masked ? name.slice(0, -'-masked'.length) : name;
    if (!isView(view)) {
      throw inputError(`there is no text view ${JSON.stringify(name)}`, {
        code: 'evaluate.view',
        field: '--view',
        expected: `${views.join(', ')}; with -masked for a text without patent numbers`,
        found: name,
      });
    }
    return { view, masked: masked || mask };
  });
  return unique(specs, viewLabel);
}

/** The systems to run, each once, parts before what is fused from them. */
export function parseSystems(
  models: readonly string[],
  fuse: readonly FusionMethod[],
  dtypes: readonly ModelDtype[] = ['fp32'],
): SystemSpec[] {
  const base: SystemSpec[] = [];
  const fused: SystemSpec[] = [];
  const fusions = (dense: DenseSystem, methods: readonly FusionMethod[]) =>
    methods.map((method): SystemSpec => ({ kind: 'fused', label: `bm25+${dense.label}`, dense, method }));
  for (const model of models) {
    if (model === 'bm25') {
      base.push(bm25System);
      continue;
    }
    const both = /^bm25\+(.+)$/.exec(model)?.[1];
    const systems = denseSystems(both ?? model, dtypes);
    if (both !== undefined) base.push(bm25System);
    base.push(...systems);
    if (both !== undefined && fuse.length === 0) for (const dense of systems) fused.push(...fusions(dense, ['linear']));
  }
  if (fuse.length > 0) {
    const dense = base.filter((system): system is DenseSystem => system.kind === 'lsa' || system.kind === 'encoder');
    if (dense.length === 0) {
      throw inputError('fusion needs a dense model beside bm25', {
        code: 'evaluate.fuse',
        field: '--fuse',
        expected: 'for example --model bm25,lsa --fuse linear',
        found: `--model ${models.join(',')}`,
      });
    }
    base.unshift(bm25System);
    for (const system of dense) fused.push(...fusions(system, fuse));
  }
  const systems = unique([...base, ...fused], identity);
  const labels = Map.groupBy(systems, (system) => `${system.label} ${system.kind === 'fused' ? system.method : ''}`);
  for (const [, same] of labels) {
    if (same.length < 2) continue;
    throw inputError('two models have the same name', {
      code: 'evaluate.names',
      field: '--model',
      found: same.map((system) => (system.kind === 'encoder' ? system.source : system.label)).join(', '),
      hint: 'give them names of your own: --model first=FOLDER,second=FOLDER',
    });
  }
  return systems;
}

function denseSystems(model: string, dtypes: readonly ModelDtype[]): DenseSystem[] {
  const lsa = /^lsa(?: \[(\d+) d\])?$/.exec(model);
  if (lsa !== null) return [{ kind: 'lsa', label: model, ...(lsa[1] ? { dimensions: Number(lsa[1]) } : {}) }];
  const named = /^([^=/\\]+)=(.+)$/.exec(model);
  const source = named?.[2] ?? model;
  const name = named?.[1] ?? basename(source);
  return unique(dtypes, String).map((dtype) => ({
    kind: 'encoder',
    label: withDtype(name, dtype),
    source,
    dtype,
  }));
}

/** `MiniLM-int8`, `MiniLM-int8 [64 d]`: the precision stands before what a variant is called. */
function withDtype(name: string, dtype: ModelDtype): string {
  return dtype === 'fp32' ? name : name.replace(/(?: \[[^\]]*\])?$/, (variant) => `-${dtype}${variant}`);
}

/** The name that `withDtype` was given. */
export function withoutDtype(label: string, dtype: ModelDtype): string {
  return dtype === 'fp32' ? label : label.replace(new RegExp(`-${dtype}(?=$| \\[[^\\]]*\\]$)`), '');
}

function identity(system: SystemSpec): string {
  switch (system.kind) {
    case 'encoder':
      return `${system.source} ${system.dtype}`;
    case 'fused':
      return `${identity(system.dense)} ${system.method}`;
    default:
      return system.label;
  }
}

function unique<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}
