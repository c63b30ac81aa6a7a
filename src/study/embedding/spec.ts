/**
 * What an embedding study asks, as its YAML file says it: corpora × models × views × recipes × seeds, with controls, transfer and
 * remedies. Every field is checked; an error names file, line and field.
 *
 *   kind: embedding
 *   corpora: [mine, { builtin: assistive-devices }, { name: other, relevance: coupling }]
 *   models: [tiny, all-MiniLM-L6-v2, { name: own, model: ./folder }]
 *   views: [TA, C1]
 *   tasks: [retrieval, classification, clustering]
 *   recipes: [R1, R3, R1+R3, R1+R3 shuffled]
 *   seeds: [1, 2, 3, 4, 5]
 *   training: { steps: 200, batch: 32, rate: 2e-5, maxLength: 128 }
 *   remedies: { interpolate: [0.25, 0.5, 0.75], mixed: true }
 */
import { basename } from 'node:path';
import { isMap, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { inputError, PatentlabError, quoteFound } from '../../base/errors.ts';
import { labelFields, symbolLevels } from '../../corpus/labels.ts';
import { isView, views as knownViews } from '../../corpus/views.ts';
import { defaultMargin, defaultResamples } from '../../metrics/significance.ts';
import { recipeSignals } from '../../tune/recipes.ts';
import { probes } from '../classification/options.ts';
import { clusterers, reductions } from '../clustering/options.ts';
import { builtinLandscapes } from '../landscapes.ts';
import { tasks } from '../results.ts';

/** A recipe, or the control that tears its pairs apart. */
export interface RecipeSpec {
  /** `R1`, `R1+R3 shuffled`. */
  label: string;
  recipe: string;
  shuffled: boolean;
}

const share = z.number().gt(0).lt(1);
const count = z.number().int().positive();
const date = z.string().regex(/^\d{4}(-\d\d){0,2}$/, 'a date such as 2010-01-01');
const name = z.string().regex(/^[A-Za-z0-9][\w.+ -]*$/, 'a name of letters, digits, blanks and . _ + -');
const named = (field: string) => (value: unknown) => (typeof value === 'string' ? { [field]: value } : value);
const distinct = <T extends z.ZodType>(item: T, key: (value: z.output<T>) => string) =>
  z
    .array(item)
    .min(1)
    .refine((list) => new Set(list.map(key)).size === list.length, 'no two that are the same');

const splitShape = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('family'),
    seed: z.number().int().nonnegative().default(1),
    validation: z.number().min(0).lt(1).default(0),
    test: share.default(0.3),
  }),
  z.strictObject({
    by: z.literal('time'),
    testFrom: date,
    validationFrom: date.optional(),
    acrossBorder: z.enum(['earlier', 'drop']).default('earlier'),
  }),
]);

const relevanceShape = z.enum(['cites', 'cited-by', 'both', 'coupling']);

const corpusShape = z.preprocess(
  named('name'),
  z
    .strictObject({
      /** Of an imported corpus. */
      name: z.string().min(1).optional(),
      /** An invented landscape that comes with the package. */
      builtin: z.enum(builtinLandscapes).optional(),
      relevance: relevanceShape.default('cites'),
      onlyEarlier: z.boolean().default(false),
      /** Default: that of the study. */
      split: splitShape.optional(),
      /** False: nothing learns from it, and all of it is tested on. */
      train: z.boolean().default(true),
    })
    .refine((corpus) => (corpus.name === undefined) !== (corpus.builtin === undefined), 'one of name and builtin')
    .refine((corpus) => corpus.train || corpus.split === undefined, 'no split where nothing trains'),
);

const modelShape = z.preprocess(
  named('model'),
  z
    .strictObject({
      /** How the report calls it. Default: the last part of the id or folder. */
      name: name.optional(),
      model: z.string().min(1),
      /** Of `tiny`. */
      tiny: z
        .strictObject({
          layers: count.optional(),
          hidden: count.optional(),
          heads: count.optional(),
          maxLength: count.optional(),
          vocabulary: count.optional(),
          seed: z.number().int().nonnegative().optional(),
        })
        .optional(),
    })
    .transform((model) => ({ ...model, name: model.name ?? basename(model.model) })),
);

const recipeShape = z.string().transform((text, context): RecipeSpec => {
  const [, recipe = '', control] = /^(\S+)(?: (\S+))?$/.exec(text.trim()) ?? [];
  try {
    recipeSignals(recipe);
    if (control === undefined || control === 'shuffled') {
      const shuffled = control === 'shuffled';
      return { label: shuffled ? `${recipe} shuffled` : recipe, recipe, shuffled };
    }
  } catch (error) {
    if (!(error instanceof PatentlabError)) throw error;
  }
  context.addIssue('R1, R2, R3, R4, a sum such as R1+R3, each also with `shuffled` after it');
  return z.NEVER;
});

const viewName = z
  .string()
  .refine((view) => isView(view.replace(/-masked$/, '')), `${knownViews.join(', ')}, each also with -masked`);

const trainingShape = z
  .strictObject({
    /** Most pairs of every recipe; the matched number may be less. */
    pairs: count.optional(),
    steps: count.optional(),
    epochs: count.optional(),
    batch: z.number().int().min(2).default(32),
    rate: z.number().positive().max(1).optional(),
    /** Most tokens of a text, in training and in every evaluation of an encoder. Default: each model's own limit. */
    maxLength: count.optional(),
    /** What R1 and R2 read of a patent. Default: the first of `views`. */
    view: z.string().refine(isView, knownViews.join(', ')).optional(),
    symmetric: z.boolean().default(true),
    /** 1 / temperature. */
    scale: z.number().positive().default(20),
    mix: z.enum(['proportional', 'round-robin']).default('proportional'),
    lora: z
      .strictObject({ rank: count.default(16), alpha: z.number().positive().optional(), dropout: z.number().min(0).lt(1).default(0) })
      .optional(), // biome-ignore format: one line
    /** Negatives of each pair beside those of the batch. Default: none. */
    hardNegatives: z
      .strictObject({
        /** `bm25`, `model` (each model as it is before training), or the folder or id of another encoder. */
        from: z
          .string()
          .min(1)
          .refine((from) => from !== 'tiny', 'bm25, model, or the folder or id of an encoder'),
        /** Of each pair. */
        per: count.default(1),
        /** Unrelated patents passed over at the top, being the likeliest unknown positives. */
        skip: z.number().int().nonnegative().default(10),
      })
      .optional(),
    /** In place of every rate of dropout in a model's configuration, 0 for none. Default: those rates. */
    dropout: z.number().min(0).lt(1).optional(),
  })
  .refine((training) => training.steps === undefined || training.epochs === undefined, 'one of steps and epochs');

const weights = distinct(z.number().gt(0).lt(1), String);
const remediesShape = z.strictObject({
  /** Points on the way from the start's weights (0) to the tuned ones (1). */
  interpolate: weights.optional(),
  /** One model trained on all corpora together, with as many pairs and steps as on one. */
  mixed: z.boolean().default(false),
  /** Factors of the adapter, where `training.lora` is given. */
  loraScale: weights.optional(),
  /** Default: all recipes that are no control. */
  recipes: distinct(recipeShape, ({ label }) => label).optional(),
});

const labelsShape = z.strictObject({
  /** Default: the user's own labels, else CPC, else IPC, whichever a corpus has. */
  field: z.enum(labelFields).optional(),
  /** Depth to which classification symbols are cut. Default subclass. */
  level: z.enum(symbolLevels).optional(),
  /** Labels with fewer documents are left out. */
  least: count.optional(),
});

const clusteringShape = z.strictObject({
  /** How documents with several labels come to one. */
  reduce: z.enum(reductions).optional(),
  clusters: z.number().int().min(2).optional(),
  clusterer: z.enum(clusterers).optional(),
  bootstraps: count.optional(),
});

const baselineNames = ['bm25', 'lsa', 'zero-shot'] as const;

const specShape = z.strictObject({
  kind: z.literal('embedding'),
  /** Folder under `runs`. Default: the file's name. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'letters, digits and . _ -')
    .optional(),
  title: z.string().min(1).optional(),
  corpora: distinct(corpusShape, (corpus) => corpus.name ?? corpus.builtin ?? ''),
  models: distinct(modelShape, (model) => model.name),
  views: distinct(viewName, String).default(['TA']),
  /** What systems are evaluated for. */
  tasks: distinct(z.enum(tasks), String).default(['retrieval']),
  /** Of classification and clustering. */
  labels: labelsShape.prefault({}),
  /** Of classification. */
  probes: distinct(z.enum(probes), String).default(['logistic']),
  clustering: clusteringShape.prefault({}),
  recipes: distinct(recipeShape, ({ label }) => label),
  seeds: distinct(z.number().int().nonnegative(), String).default([1, 2, 3, 4, 5]),
  split: splitShape.default({ by: 'family', seed: 1, validation: 0, test: 0.3 }),
  training: trainingShape.prefault({}),
  /** Every recipe the same number of pairs. */
  matched: z.boolean().default(true),
  /** Rank recipes that had different data all the same. */
  allowUnmatched: z.boolean().default(false),
  baselines: z.array(z.enum(baselineNames)).default([...baselineNames]),
  /** Evaluate on the other corpora too. */
  transfer: z.boolean().default(true),
  remedies: remediesShape.prefault({}),
  /** A model that is not here or cannot run: an error, or named in the report. */
  missingModels: z.enum(['refuse', 'skip']).default('refuse'),
  margin: z.number().gt(0).lt(1).default(defaultMargin),
  resamples: z.number().int().min(100).max(1_000_000).default(defaultResamples),
});

type Parsed = z.output<typeof specShape>;
export type EmbeddingSpec = Omit<Parsed, 'name' | 'title'> & { name: string; title: string };
export type CorpusSpec = Parsed['corpora'][number];
export type ModelSpec = Parsed['models'][number];

/** Reads a study file. Throws `study.spec` with file, line and field. */
export function parseEmbeddingSpec(text: string, file: string): EmbeddingSpec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken !== undefined)
    throw inputError('this file is no YAML', {
      code: 'study.yaml',
      file,
      line: lines.linePos(broken.pos[0]).line,
      found: broken.message.split('\n')[0]!,
    });
  const result = specShape.safeParse(document.toJS() as unknown);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0]! : undefined;
    const path = [...issue.path, ...(unknown === undefined ? [] : [unknown])].map((part) =>
      typeof part === 'symbol' ? String(part) : part,
    );
    const node = closest(document, path);
    const found: unknown = document.getIn(path);
    throw inputError(unknown === undefined ? 'this field does not say what it should' : 'there is no such field', {
      code: 'study.spec',
      file,
      ...(node === undefined ? {} : { line: lines.linePos(node).line }),
      field: path.join('.') || 'kind',
      expected: unknown === undefined ? issue.message : `one of ${fieldsAt(issue.path)}`,
      found: found === undefined ? 'nothing' : quoteFound(typeof found === 'object' ? String(found).trim() : found),
      ...(path[0] === 'kind' ? { hint: 'this version knows the kind embedding' } : {}),
    });
  }
  const spec = result.data;
  const refuse = (field: string, message: string, expected: string): PatentlabError => {
    const node = closest(document, field.split('.'));
    return inputError(message, {
      code: 'study.spec',
      file,
      ...(node === undefined ? {} : { line: lines.linePos(node).line }),
      field,
      expected,
    });
  };
  const { remedies, training, corpora, recipes } = spec;
  if (remedies.loraScale && !training.lora)
    throw refuse('remedies.loraScale', 'there is no adapter to scale down', 'training.lora, or remedies.interpolate');
  if (corpora.every(({ train }) => !train))
    throw refuse('corpora', 'no corpus is trained on', 'one without train: false');
  if (remedies.mixed && corpora.filter(({ train }) => train).length < 2)
    throw refuse('remedies.mixed', 'one corpus alone cannot be mixed', 'two corpora or more that train');
  const strange = remedies.recipes?.find(({ label }) => !recipes.some((recipe) => recipe.label === label));
  if (strange !== undefined)
    throw refuse(
      'remedies.recipes',
      `the study does not train ${strange.label}`,
      recipes.map(({ label }) => label).join(', '),
    );
  for (const [at, model] of spec.models.entries())
    if (model.tiny !== undefined && model.model !== 'tiny')
      throw refuse(`models.${at}.tiny`, 'only `model: tiny` is built from these', 'model: tiny');
  const own =
    spec.name ??
    basename(file)
      .replace(/\.ya?ml$/i, '')
      .replaceAll(/[^\w.-]+/g, '-');
  return { ...spec, name: own, title: spec.title ?? `Study ${own}` };
}

/** Where in the text the innermost part of `path` that is there begins. */
function closest(document: ReturnType<typeof parseDocument>, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const outer = document.getIn(path.slice(0, Math.max(0, length - 1)), true);
    const key = path[length - 1];
    if (length > 0 && isMap(outer)) {
      const pair = outer.items.find((item) => String(item.key) === String(key));
      const start = (pair?.key as { range?: [number, number, number] } | undefined)?.range?.[0];
      if (start !== undefined) return start;
    }
    const node = (length === 0 ? document.contents : document.getIn(path.slice(0, length), true)) as
      | { range?: [number, number, number] | null }
      | undefined
      | null;
    if (node?.range) return node.range[0];
  }
  return undefined;
}

/** Names of the fields that the object at `path` may have. */
function fieldsAt(path: readonly PropertyKey[]): string {
  const shape = path.reduce<unknown>((outer, part) => {
    const shapes = bare(outer);
    return shapes instanceof z.ZodObject
      ? shapes.shape[String(part)]
      : shapes instanceof z.ZodArray
        ? shapes.element
        : undefined;
  }, specShape);
  const inner = bare(shape);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape).join(', ') : 'the fields that docs/study.md names';
}

/** A shape without its default, and without what is made of it before or after. */
function bare(shape: unknown): unknown {
  if (shape instanceof z.ZodOptional || shape instanceof z.ZodDefault || shape instanceof z.ZodPrefault)
    return bare(shape.unwrap());
  if (shape instanceof z.ZodPipe) return bare(shape.in instanceof z.ZodTransform ? shape.out : shape.in);
  return shape;
}
