/**
 * LoRA training: a checkpoint whose own parameters all stay as they are, with an adapter beside its linear layers that is
 * trained in their place.
 */
import { type ForwardContext, floatContext } from './forward.ts';
import { type LoraAdapter, loraContext, loraParameters, loraSpecs } from './lora.ts';
import type { TrainableModel } from './trainable.ts';

export function withAdapter(model: TrainableModel, adapter: LoraAdapter): TrainableModel {
  const values = loraParameters(adapter);
  const beside = (base: ForwardContext = floatContext) => loraContext(adapter, { base });
  return {
    ...model,
    trained: loraSpecs(adapter).map(({ name, shape }) => ({ name, shape, decay: true, value: values.get(name)! })),
    frozen: new Map([...model.frozen, ...model.trained.map(({ name, value }) => [name, value] as const)]),
    vectors: (context) => model.vectors(beside(context)),
    encoder: (context) => model.encoder(beside(context)),
  };
}
