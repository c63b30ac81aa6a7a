/**
 * A cross-encoder of a real encoder's size: its weights with a classifier drawn at random. Good for measuring speed, of no
 * use for ranking.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { encodeSafetensors, openSafetensors, readFloat32, type TensorToStore } from '../../src/base/safetensors.ts';

/** Writes one made of the BERT encoder in `source` to the empty folder `target`. */
export async function randomCrossEncoder(source: string, target: string): Promise<void> {
  const { tensors } = await openSafetensors(nodePlatform.files, join(source, 'model.safetensors'));
  const stored: TensorToStore[] = [];
  const add = (name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>) =>
    stored.push({ name, dtype: 'F32', shape: [...shape], data: new Uint8Array(values.buffer) });
  for (const [name, tensor] of tensors)
    if (!name.endsWith('position_ids'))
      add(`bert.${name}`, tensor.shape, await readFloat32(nodePlatform.files, tensor));
  const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8')) as { hidden_size: number };
  const random = stream(1, 'classifier');
  add(
    'classifier.weight',
    [1, config.hidden_size],
    Float32Array.from({ length: config.hidden_size }, () => random.normal()),
  );
  add('classifier.bias', [1], new Float32Array(1));
  writeFileSync(join(target, 'model.safetensors'), encodeSafetensors(stored));
  const classes = { id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } };
  const architectures = ['BertForSequenceClassification'];
  writeFileSync(join(target, 'config.json'), JSON.stringify({ ...config, architectures, ...classes }));
  copyFileSync(join(source, 'tokenizer.json'), join(target, 'tokenizer.json'));
  const tokenizer = JSON.parse(readFileSync(join(source, 'tokenizer_config.json'), 'utf8')) as object;
  writeFileSync(join(target, 'tokenizer_config.json'), JSON.stringify({ ...tokenizer, model_max_length: 512 }));
}
