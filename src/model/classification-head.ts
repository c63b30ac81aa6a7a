/**
 * The head of a `*ForSequenceClassification` checkpoint with one output: the sequence's first state h to a score. Its names
 * and its form are the architecture's (transformers):
 *
 *   BERT            classifier(tanh(pooler.dense h))
 *   RoBERTa, MPNet  classifier.out_proj(tanh(classifier.dense h))
 *   ModernBERT      classifier(norm(activation(head.dense h))); h may be the mean of all states
 */
import { z } from 'zod';
import { inputError } from '../base/errors.ts';
import type { StoredTensor } from '../base/safetensors.ts';
import { layerNorm, type SequenceLayout, segmentFirst, segmentMean, type Tensor, tanh } from '../engine/index.ts';
import { type Checkpoint, matchTensors } from './checkpoint.ts';
import { type Activation, activation, check, type EncoderConfig } from './config.ts';
import {
  activate,
  type EncoderParameters,
  type ForwardContext,
  linearSpecs,
  normSpecs,
  type ParameterSpec,
} from './forward.ts';

export interface ClassificationHead {
  readonly specs: readonly ParameterSpec[];
  /** Scores [batch, 1] of the last states [tokens, hidden]. */
  forward(states: Tensor, layout: SequenceLayout, parameters: EncoderParameters, context: ForwardContext): Tensor;
}

const modernBertShape = z.object({
  classifier_pooling: z.enum(['cls', 'mean']).default('cls'),
  classifier_bias: z.boolean().default(false),
  classifier_activation: activation.default('gelu'),
  norm_bias: z.boolean().default(false),
  norm_eps: z.number().positive().default(1e-5),
});

/** A head's layers stay in float32: they are small, and rounding them would move every score. */
const exact = { int8: { exact: true } } as const;

/** The head that `config.json` (as `json`, read from `file`) implies. */
export function classificationHead(config: EncoderConfig, json: unknown, file: string): ClassificationHead {
  if (config.architecture === 'modernbert') return modernBertHead(config, check(modernBertShape, json, file));
  const bert = config.modelType === 'bert';
  const [dense, output] = bert ? ['pooler.dense', 'classifier'] : ['classifier.dense', 'classifier.out_proj'];
  return {
    specs: [
      ...linearSpecs(dense, config.hidden, config.hidden, exact),
      ...linearSpecs(output, 1, config.hidden, exact),
    ],
    forward(states, layout, parameters, context) {
      const pooled = tanh(context.linear(segmentFirst(states, layout), parameters, dense)); // [batch, hidden]
      return context.linear(pooled, parameters, output);
    },
  };
}

function modernBertHead(
  { hidden }: EncoderConfig,
  settings: {
    classifier_pooling: 'cls' | 'mean';
    classifier_bias: boolean;
    classifier_activation: Activation;
    norm_bias: boolean;
    norm_eps: number;
  },
): ClassificationHead {
  return {
    specs: [
      ...linearSpecs('head.dense', hidden, hidden, { ...exact, bias: settings.classifier_bias }),
      ...normSpecs('head.norm', hidden, settings.norm_bias),
      ...linearSpecs('classifier', 1, hidden, exact),
    ],
    forward(states, layout, parameters, context) {
      const pooled = (settings.classifier_pooling === 'mean' ? segmentMean : segmentFirst)(states, layout);
      const bent = activate(context.linear(pooled, parameters, 'head.dense'), settings.classifier_activation);
      const normed = layerNorm(
        bent,
        parameters.get('head.norm.weight'),
        settings.norm_bias ? parameters.get('head.norm.bias') : undefined,
        { epsilon: settings.norm_eps },
      );
      return context.linear(normed, parameters, 'classifier');
    },
  };
}

/** The head's tensors in a checkpoint, under its names with or without the model's prefix; throws where it has no such head. */
export function headTensors(
  checkpoint: Checkpoint,
  specs: readonly ParameterSpec[],
  prefixes: readonly string[],
): ReadonlyMap<string, StoredTensor> {
  const stored = new Map<string, StoredTensor>();
  for (const { name } of specs) {
    const found = ['', ...prefixes].map((prefix) => checkpoint.tensors.get(prefix + name)).find((tensor) => tensor);
    if (found !== undefined) stored.set(name, found);
  }
  const output = specs.findLast(({ kind }) => kind === 'linear')!.name;
  const scores = stored.get(output)?.shape[0];
  if (scores === undefined) {
    throw inputError('this model has no classification head: it encodes texts one by one and scores no pairs', {
      code: 'cross-encoder.no-head',
      file: checkpoint.file,
      field: `tensor ${output}`,
      expected: 'a cross-encoder: a checkpoint for sequence classification with one output',
      found: `${checkpoint.tensors.size} tensors of an encoder`,
      hint: 'name it among the models, where it searches by itself',
    });
  }
  if (scores !== 1) {
    throw inputError('this model gives a pair more than one number, and a ranking needs one', {
      code: 'cross-encoder.outputs',
      file: checkpoint.file,
      field: `tensor ${output}`,
      expected: 'one output (num_labels 1)',
      found: `${scores} outputs`,
      hint: 'take a cross-encoder trained to rank; one that tells classes apart (such as entailment) does not',
    });
  }
  return matchTensors({ ...checkpoint, tensors: stored }, specs, []).tensors;
}
