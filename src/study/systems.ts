/**
 * The systems of an evaluation, as `--model` and `--fuse` name them.
 *
 *   bm25             lexical search
 *   lsa              dense vectors fitted on the corpus itself, no weights
 *   FOLDER or ID     a text encoder
 *   bm25+MODEL       fusion of the two; `--fuse` adds it for every dense model
 *
 * A fused system costs only the fusion: its two parts are systems of their own, run once.
 */
import { inputError } from '../base/errors.ts';
import { isView, type View, views } from '../corpus/views.ts';

export type FusionMethod = 'rrf' | 'linear';

export type SystemSpec =
  | { kind: 'bm25'; model: 'bm25' }
  | { kind: 'lsa'; model: 'lsa' }
  | { kind: 'encoder'; model: string }
  | { kind: 'fused'; model: string; dense: string; method: FusionMethod };

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
export function parseSystems(models: readonly string[], fuse: readonly FusionMethod[]): SystemSpec[] {
  const base: SystemSpec[] = [];
  const fused: SystemSpec[] = [];
  for (const model of models) {
    const lexical = /^bm25\+(.+)$/.exec(model)?.[1];
    if (lexical === undefined) {
      base.push(single(model));
      continue;
    }
    base.push(single('bm25'), single(lexical));
    for (const method of fuse.length > 0 ? fuse : (['linear'] as const)) {
      fused.push({ kind: 'fused', model: `bm25+${lexical}`, dense: lexical, method });
    }
  }
  if (fuse.length > 0) {
    const dense = base.filter(({ kind }) => kind !== 'bm25');
    if (dense.length === 0 && fused.length === 0) {
      throw inputError('fusion needs a dense model beside bm25', {
        code: 'evaluate.fuse',
        field: '--fuse',
        expected: 'for example --model bm25,lsa --fuse linear',
        found: `--model ${models.join(',')}`,
      });
    }
    if (dense.length > 0) base.unshift(single('bm25'));
    for (const { model } of dense) {
      for (const method of fuse) fused.push({ kind: 'fused', model: `bm25+${model}`, dense: model, method });
    }
  }
  return unique([...base, ...fused], (spec) => (spec.kind === 'fused' ? `${spec.model} ${spec.method}` : spec.model));
}

function single(model: string): SystemSpec {
  if (model === 'bm25' || model === 'lsa') return { kind: model, model } as SystemSpec;
  return { kind: 'encoder', model };
}

function unique<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}
