/**
 * A small BERT encoder from nothing: a WordPiece vocabulary trained on the texts, and random weights as BERT begins with
 * (Devlin et al. 2019; transformers' `_init_weights`):
 *
 *   linear weights and embeddings ~ normal(0, 0.02); biases 0; norms 1 and 0; the row of [PAD] 0
 *
 * By default 2 layers of 128 (Turc et al. 2019's BERT-tiny), mean pooling, vectors of length 1. Every tensor is drawn from a stream of
 * its own name, so that the same texts, options and seed give the same bytes, and another number of layers the same
 * embeddings. The folder is a complete sentence-transformers checkpoint.
 */
import { inputError } from '../base/errors.ts';
import type { Files } from '../base/platform.ts';
import { stream } from '../base/random.ts';
import { encodeSafetensors } from '../base/safetensors.ts';
import { trainWordPiece, type Vocabulary, type VocabularyOptions, wordPieceFiles } from '../tokenizer/index.ts';
import { architectureOf } from './architectures.ts';
import { type ModelCard, modelCard } from './card.ts';
import { readEncoderConfig } from './config.ts';
import { linearSpecs, type ParameterSpec } from './forward.ts';
import { plainModules, poolingConfig, writeFolder, writeJson } from './save.ts';

export interface TinyOptions {
  /** Of the weights. Default 0. */
  seed?: number;
  /** Default 2. */
  layers?: number;
  /** Default 128; a multiple of `heads`. */
  hidden?: number;
  /** Default 2. */
  heads?: number;
  /** Width of the feed-forward layers. Default 4 × hidden. */
  intermediate?: number;
  /** Longest text in tokens, special ones counted. Default 256. */
  maxLength?: number;
  /** Default 8192 entries. */
  vocabulary?: VocabularyOptions;
  /** Fields of the model card. */
  card?: Partial<ModelCard>;
  /** True: a folder that is there already is replaced. Default false. */
  replace?: boolean;
}

export interface TinyModel {
  readonly folder: string;
  readonly vocabulary: Vocabulary;
  /** Numbers in all weights. */
  readonly parameters: number;
}

/** BERT's standard deviation of new weights. */
const spread = 0.02;

/** Makes the checkpoint `folder`; `texts` are read once. */
export async function createTinyModel(
  files: Files,
  folder: string,
  texts: Iterable<string> | AsyncIterable<string>,
  options: TinyOptions = {},
): Promise<TinyModel> {
  const { seed = 0, layers = 2, hidden = 128, heads = 2, intermediate = 4 * hidden, maxLength = 256 } = options;
  for (const [field, value] of Object.entries({ layers, hidden, heads, intermediate, maxLength })) {
    const least = field === 'maxLength' ? 3 : 1;
    if (!Number.isSafeInteger(value) || value < least)
      throw inputError('a model cannot be made with this setting', {
        code: 'model.tiny',
        field,
        expected: `a whole number, at least ${least}`,
        found: String(value),
      });
  }
  if (!Number.isSafeInteger(seed))
    throw inputError('a seed is a whole number', { code: 'model.tiny', field: 'seed', found: String(seed) });

  let made: TinyModel | undefined;
  await writeFolder(files, folder, { replace: options.replace ?? false }, async (target) => {
    const vocabulary = await trainWordPiece(texts, options.vocabulary);
    const json = {
      architectures: ['BertModel'],
      model_type: 'bert',
      vocab_size: vocabulary.tokens.length,
      hidden_size: hidden,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      intermediate_size: intermediate,
      hidden_act: 'gelu',
      hidden_dropout_prob: 0.1,
      attention_probs_dropout_prob: 0.1,
      max_position_embeddings: maxLength,
      type_vocab_size: 2,
      initializer_range: spread,
      layer_norm_eps: 1e-12,
      pad_token_id: 0,
      position_embedding_type: 'absolute',
      dtype: 'float32',
    };
    const config = readEncoderConfig(JSON.stringify(json), files.join(folder, 'config.json'));
    // The pooler serves no vector; without it transformers would report missing weights.
    const specs = [...architectureOf(config).parameters(config), ...linearSpecs('pooler.dense', hidden, hidden)];
    const tensors = specs.map((spec) => ({
      name: spec.name,
      dtype: 'F32' as const,
      shape: spec.shape,
      data: initialWeight(spec, seed),
    }));
    const write = (name: string, data: string | Uint8Array) => files.writeAtomic(files.join(target, name), data);
    const settings = (name: string, value: unknown) => writeJson(files, files.join(target, ...name.split('/')), value);
    for (const [name, text] of Object.entries(wordPieceFiles(vocabulary.tokens, maxLength).names))
      await write(name, text);
    await settings('config.json', json);
    await write('model.safetensors', encodeSafetensors(tensors, { format: 'pt' }));
    const normalize = { idx: 2, name: '2', path: '2_Normalize', type: 'sentence_transformers.models.Normalize' };
    await settings('modules.json', [...plainModules, normalize]);
    await settings('1_Pooling/config.json', poolingConfig({ modes: ['mean'], includePrompt: true }, hidden));
    await settings('sentence_bert_config.json', { max_seq_length: maxLength, do_lower_case: false });
    await settings('config_sentence_transformers.json', {
      prompts: { query: '', document: '' },
      default_prompt_name: null,
      similarity_fn_name: 'cosine',
    });
    const recipe = `Untrained: random weights (seed ${seed}), vocabulary of ${vocabulary.tokens.length} entries from ${vocabulary.texts} texts.`;
    await write('README.md', modelCard({ title: 'Small text encoder', recipe, ...options.card }));
    made = { folder, vocabulary, parameters: tensors.reduce((total, { data }) => total + data.length, 0) };
  });
  return made!;
}

function initialWeight({ name, shape, kind }: ParameterSpec, seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if (kind === 'bias' || (kind === 'norm' && name.endsWith('.bias'))) return values;
  if (kind === 'norm') return values.fill(1);
  const random = stream(seed, 'tiny', name);
  for (let i = 0; i < values.length; i++) values[i] = spread * random.normal();
  if (name === 'embeddings.word_embeddings.weight') values.fill(0, 0, shape[1]);
  return values;
}
