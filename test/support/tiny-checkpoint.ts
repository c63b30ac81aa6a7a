/**
 * A BERT encoder with seeded random weights and the tiny WordPiece tokenizer, as a checkpoint folder in sentence-transformers'
 * layout: for tests of everything that needs a model but not its quality.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stream } from '../../src/base/random.ts';
import { encodeSafetensors } from '../../src/base/safetensors.ts';

export interface TinyShape {
  layers?: number;
  hidden?: number;
  heads?: number;
  /** Most tokens of a text. */
  maxLength?: number;
  seed?: number;
}

export function tinyCheckpoint(folder: string, shape: TinyShape = {}): void {
  const { layers = 1, hidden = 16, heads = 2, maxLength = 32, seed = 1 } = shape;
  const wide = hidden * 4;
  const vocabulary = 400;
  const random = stream(seed, 'tiny-checkpoint');
  const tensors: { name: string; dtype: 'F32'; shape: number[]; data: Uint8Array }[] = [];
  const add = (name: string, sizes: number[], value?: number) => {
    const values = new Float32Array(sizes.reduce((product, size) => product * size, 1));
    for (let i = 0; i < values.length; i++) values[i] = value ?? random.normal() * 0.1;
    tensors.push({ name, dtype: 'F32', shape: sizes, data: new Uint8Array(values.buffer) });
  };
  const norm = (name: string) => {
    add(`${name}.weight`, [hidden], 1);
    add(`${name}.bias`, [hidden], 0);
  };
  const linear = (name: string, out: number, width: number) => {
    add(`${name}.weight`, [out, width]);
    add(`${name}.bias`, [out]);
  };
  add('embeddings.word_embeddings.weight', [vocabulary, hidden]);
  add('embeddings.position_embeddings.weight', [maxLength, hidden]);
  add('embeddings.token_type_embeddings.weight', [2, hidden]);
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${at}.attention.self.${part}`, hidden, hidden);
    linear(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output.LayerNorm`);
    linear(`${at}.intermediate.dense`, wide, hidden);
    linear(`${at}.output.dense`, hidden, wide);
    norm(`${at}.output.LayerNorm`);
  }
  const json = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  mkdirSync(join(folder, '1_Pooling'), { recursive: true });
  cpSync(join(import.meta.dirname, '..', 'fixtures', 'tokenizers', 'wordpiece'), folder, { recursive: true });
  writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(tensors));
  json('config.json', {
    architectures: ['BertModel'],
    model_type: 'bert',
    vocab_size: vocabulary,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: wide,
    hidden_act: 'gelu',
    max_position_embeddings: maxLength,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
    position_embedding_type: 'absolute',
  });
  const type = (name: string) => `sentence_transformers.models.${name}`;
  json('modules.json', [
    { idx: 0, name: '0', path: '', type: type('Transformer') },
    { idx: 1, name: '1', path: '1_Pooling', type: type('Pooling') },
    { idx: 2, name: '2', path: '2_Normalize', type: type('Normalize') },
  ]);
  json('1_Pooling/config.json', { word_embedding_dimension: hidden, pooling_mode_mean_tokens: true });
  json('sentence_bert_config.json', { max_seq_length: maxLength, do_lower_case: false });
}
