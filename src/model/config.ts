/**
 * `config.json` of a Hugging Face checkpoint, reduced to what the forward pass needs, with one reading of the fields that
 * have changed names over the years. What the forward pass would silently get wrong (another activation, relative
 * positions in BERT, scaled RoPE, a decoder) is refused by name.
 */
import { z } from 'zod';
import { inputError, quoteFound } from '../base/errors.ts';

export const supportedModelTypes = ['bert', 'roberta', 'xlm-roberta', 'mpnet', 'modernbert'] as const;
export type ModelType = (typeof supportedModelTypes)[number];
export type Activation = 'gelu' | 'gelu_tanh' | 'relu' | 'silu';

interface CommonConfig {
  readonly modelType: ModelType;
  readonly vocabulary: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
  readonly padId: number;
  /** The longest sequence, in tokens, that positions exist for. */
  readonly maxPositions: number;
}

/** Rates in training: of embeddings and of the outputs of attention and feed-forward; of attention's probabilities. */
interface PostNormDropout {
  readonly hidden: number;
  readonly attention: number;
}

/** BERT, RoBERTa and XLM-RoBERTa: post-norm, learned positions, segments. */
export interface BertConfig extends CommonConfig {
  readonly architecture: 'bert';
  readonly modelType: 'bert' | 'roberta' | 'xlm-roberta';
  /** Rows of the position table. */
  readonly positionRows: number;
  readonly segments: number;
  readonly dropout: PostNormDropout;
  /** Set for the RoBERTa family: the first token's position is this id + 1, and a pad token has this id as position. */
  readonly positionPadId?: number;
}

/** MPNet: as BERT, without segments, with a relative position bias shared by all layers. */
export interface MpnetConfig extends CommonConfig {
  readonly architecture: 'mpnet';
  readonly modelType: 'mpnet';
  readonly positionRows: number;
  readonly positionPadId: number;
  readonly buckets: number;
  readonly dropout: PostNormDropout;
}

/** ModernBERT: pre-norm, RoPE, gated linear units, global and sliding-window layers. */
export interface ModernBertConfig extends CommonConfig {
  readonly architecture: 'modernbert';
  readonly modelType: 'modernbert';
  readonly layerTypes: readonly ('global' | 'local')[];
  /** A local layer's token sees those at most this far away. */
  readonly window: number;
  readonly globalTheta: number;
  readonly localTheta: number;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly normBias: boolean;
  /** Rates in training: of embeddings; of attention's probabilities and of its output; within the feed-forward. */
  readonly dropout: { readonly embedding: number; readonly attention: number; readonly mlp: number };
}

export type EncoderConfig = BertConfig | MpnetConfig | ModernBertConfig;

/** MPNet's padding index is a constant of its code, whatever its configuration says. */
const mpnetPadId = 1;
/** Likewise its number of buckets. */
export const mpnetBuckets = 32;

const activations: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

const size = z.number().int().positive();
const dropoutRate = z.number().min(0).lt(1);
/** An activation by any of the names that configurations use. */
export const activation = z.string().transform((name, context) => {
  const known = Object.hasOwn(activations, name) ? activations[name]! : undefined;
  if (known === undefined) {
    context.addIssue({
      code: 'custom',
      message: `unknown activation; supported: ${Object.keys(activations).join(', ')}`,
    });
    return z.NEVER;
  }
  return known;
});

const bertShape = z.object({
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  intermediate_size: size,
  hidden_act: activation.default('gelu'),
  hidden_dropout_prob: dropoutRate.default(0.1),
  attention_probs_dropout_prob: dropoutRate.default(0.1),
  layer_norm_eps: z.number().positive().default(1e-12),
  max_position_embeddings: size,
  type_vocab_size: size.default(2),
  pad_token_id: z.number().int().nonnegative().nullish(),
  position_embedding_type: z.literal('absolute').nullish(),
  is_decoder: z.literal(false).nullish(),
  add_cross_attention: z.literal(false).nullish(),
});

const rope = z.object({
  rope_theta: z.number().positive().optional(),
  rope_type: z.literal('default').optional(),
  partial_rotary_factor: z.literal(1).optional(),
});

const modernBertShape = z.object({
  vocab_size: size.default(50368),
  hidden_size: size.default(768),
  num_hidden_layers: size.default(22),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(1152),
  hidden_activation: activation.default('gelu'),
  embedding_dropout: dropoutRate.default(0),
  attention_dropout: dropoutRate.default(0),
  mlp_dropout: dropoutRate.default(0),
  norm_eps: z.number().positive().default(1e-5),
  norm_bias: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  max_position_embeddings: size.default(8192),
  pad_token_id: z.number().int().nonnegative().nullish(),
  local_attention: size.default(128),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
  global_attn_every_n_layers: size.default(3),
  global_rope_theta: z.number().positive().nullish(),
  local_rope_theta: z.number().positive().nullish(),
  rope_parameters: z.object({ full_attention: rope.nullish(), sliding_attention: rope.nullish() }).nullish(),
  rope_scaling: z.null().optional(),
});

/** Reads the text of a `config.json`; `file` names it in errors. */
export function readEncoderConfig(text: string, file: string): EncoderConfig {
  const json = parseJsonFile(text, file);
  const modelType = (json as { model_type?: unknown } | null)?.model_type;
  if (!supportedModelTypes.includes(modelType as ModelType)) {
    throw inputError('this model architecture is not supported', {
      code: 'model.architecture',
      file,
      field: 'model_type',
      expected: supportedModelTypes.join(', '),
      found: modelType === undefined ? 'nothing' : quoteFound(modelType),
      hint: "a checkpoint's own code is never run: choose a model of a supported architecture (`patentlab models list`)",
    });
  }
  if (modelType === 'modernbert') return readModernBert(json, file);
  const raw = check(bertShape, json, file);
  const common = {
    vocabulary: raw.vocab_size,
    hidden: raw.hidden_size,
    intermediate: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: headsThatFit(raw.hidden_size, raw.num_attention_heads, file),
    activation: raw.hidden_act,
    normEpsilon: raw.layer_norm_eps,
    positionRows: raw.max_position_embeddings,
    dropout: { hidden: raw.hidden_dropout_prob, attention: raw.attention_probs_dropout_prob },
  };
  if (modelType === 'mpnet') {
    const { relative_attention_num_buckets: buckets } = check(
      z.object({ relative_attention_num_buckets: size.min(mpnetBuckets).default(mpnetBuckets) }),
      json,
      file,
    );
    const maxPositions = positionsAfter(mpnetPadId, common.positionRows, file);
    const fixed = { architecture: 'mpnet', modelType, padId: mpnetPadId, positionPadId: mpnetPadId } as const;
    return { ...common, ...fixed, buckets, maxPositions };
  }
  if (modelType === 'bert') {
    const padId = raw.pad_token_id ?? 0;
    return {
      ...common,
      architecture: 'bert',
      modelType,
      padId,
      segments: raw.type_vocab_size,
      maxPositions: common.positionRows,
    };
  }
  const padId = raw.pad_token_id ?? 1;
  return {
    ...common,
    architecture: 'bert',
    modelType: modelType as 'roberta' | 'xlm-roberta',
    padId,
    positionPadId: padId,
    segments: raw.type_vocab_size,
    maxPositions: positionsAfter(padId, common.positionRows, file),
  };
}

function readModernBert(json: unknown, file: string): ModernBertConfig {
  const raw = check(modernBertShape, json, file);
  const every = raw.global_attn_every_n_layers;
  const types = raw.layer_types?.map((type) => (type === 'full_attention' ? ('global' as const) : ('local' as const)));
  const layerTypes =
    types ?? Array.from({ length: raw.num_hidden_layers }, (_, layer) => (layer % every === 0 ? 'global' : 'local'));
  if (layerTypes.length !== raw.num_hidden_layers) {
    throw inputError('the list of layer types does not fit the number of layers', {
      code: 'model.config',
      file,
      field: 'layer_types',
      expected: `${raw.num_hidden_layers} entries`,
      found: `${layerTypes.length}`,
    });
  }
  const heads = headsThatFit(raw.hidden_size, raw.num_attention_heads, file);
  if ((raw.hidden_size / heads) % 2 !== 0) {
    throw inputError('rotary positions need heads of even size', {
      code: 'model.config',
      file,
      field: 'num_attention_heads',
      found: `${raw.hidden_size} / ${heads}`,
    });
  }
  return {
    architecture: 'modernbert',
    modelType: 'modernbert',
    vocabulary: raw.vocab_size,
    hidden: raw.hidden_size,
    intermediate: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads,
    activation: raw.hidden_activation,
    normEpsilon: raw.norm_eps,
    padId: raw.pad_token_id ?? 50283,
    maxPositions: raw.max_position_embeddings,
    layerTypes,
    window: Math.floor(raw.local_attention / 2),
    globalTheta: raw.rope_parameters?.full_attention?.rope_theta ?? raw.global_rope_theta ?? 160_000,
    localTheta: raw.rope_parameters?.sliding_attention?.rope_theta ?? raw.local_rope_theta ?? 10_000,
    attentionBias: raw.attention_bias,
    mlpBias: raw.mlp_bias,
    normBias: raw.norm_bias,
    dropout: { embedding: raw.embedding_dropout, attention: raw.attention_dropout, mlp: raw.mlp_dropout },
  };
}

function headsThatFit(hidden: number, heads: number, file: string): number {
  if (hidden % heads === 0) return heads;
  throw inputError('the hidden size is no multiple of the number of heads', {
    code: 'model.config',
    file,
    field: 'num_attention_heads',
    expected: `a divisor of ${hidden}`,
    found: `${heads}`,
  });
}

function positionsAfter(padId: number, rows: number, file: string): number {
  if (rows > padId + 1) return rows - padId - 1;
  throw inputError('the position table holds no positions beyond the pad id', {
    code: 'model.config',
    file,
    field: 'max_position_embeddings',
    expected: `more than ${padId + 1}`,
    found: `${rows}`,
  });
}

/** Parses a JSON file with one clear message where it is none. */
export function parseJsonFile(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw inputError('this is not valid JSON', {
      code: 'model.json',
      file,
      found: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Checks parsed data against a schema; the first thing wrong becomes the message, with the field it stands in. */
export function check<T extends z.ZodType>(schema: T, json: unknown, file: string, code = 'model.config'): z.output<T> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const field = issue.path.join('.');
  let found: unknown = json;
  for (const key of issue.path) found = (found as Record<PropertyKey, unknown> | undefined)?.[key];
  throw inputError('this field does not say what it should', {
    code,
    file,
    ...(field === '' ? {} : { field }),
    expected: issue.message,
    found: found === undefined ? 'nothing' : quoteFound(typeof found === 'object' ? JSON.stringify(found) : found),
  });
}
