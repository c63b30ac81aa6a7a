/**
 * The engine: symbolic tensors in, numbers out.
 *
 * A model is plain functions over `Tensor`s. Nothing is computed while a graph is written; `engine.compile` lowers it to
 * one ONNX graph that ONNX Runtime executes in a worker thread, or to the readable float64 interpreter (`reference`),
 * which is the oracle of every test.
 *
 *   const x = input('x', 'float32', ['tokens', 384]);
 *   const w = parameter('encoder.dense.weight', [1536, 384]);        // Hugging Face layout: [out, in]
 *   const y = gelu(linear(x, w, parameter('encoder.dense.bias', [1536])));
 *
 *   const engine = await openEngine(platform, { backend: 'ort', threads: 2 });
 *   const program = await engine.compile({ y }, { parameters: { 'encoder.dense.weight': { dtype, shape, source }, ... } });
 *   const { y } = await program.run({ x: values });                 // y.floats: Float32Array, y.shape: [rows, 1536]
 *   await program.close();
 *   await engine.close();
 *
 * Shapes hold numbers and names ('tokens', 'batch', 'seq'): a name is one number a run, equal wherever it stands, and is
 * found from the feeds. Broadcasting follows NumPy (a name broadcasts against 1 only). Position-wise work runs on flat
 * rows [tokens, hidden]; sequences appear only inside `attention` and pooling, through a `SequenceLayout`.
 *
 *   const layout = sequenceInputs();                                   // symbolic: the inputs `layout.*`
 *   attention(query, key, value, layout, { heads: 12 })                // flat [tokens, heads*size] in and out
 *   segmentMean(x, layout), segmentFirst(x, layout)                    // [batch, hidden]
 *   program.run({ ids, ...sequenceFeeds([12, 9, 128]) })               // lengths of the sequences, in row order
 *
 * Gradients are tensors too, made from the loss's graph (gradients.ts), and compiled beside it:
 *
 *   const [toWeight, toBias] = gradients(loss, [weight, bias]);        // loss: a float32 scalar
 *   pullBack([[states, cotangent]], wrt)                               // the same from any tensor with its cotangent
 *   rowGradients(loss, [table])                                        // of embedding tables: rows and their indices
 *
 * Training keeps parameters in the worker (training.ts); `network` makes and lists them. docs/engine.md shows both.
 */
export { type AttentionOptions, attention } from './attention.ts';
export { cast } from './cast.ts';
export { dropout, dropoutKeys } from './dropout.ts';
export {
  add,
  divide,
  equal,
  erf,
  exp,
  gelu,
  greater,
  less,
  log,
  multiply,
  negate,
  relu,
  sigmoid,
  silu,
  sqrt,
  subtract,
  tanh,
  where,
} from './elementwise.ts';
export {
  type CompileOptions,
  type Engine,
  type EngineOptions,
  openEngine,
  type Program,
  type RunOptions,
} from './engine.ts';
export { Value } from './feeds.ts';
export { gather, gatherColumns, scatterAddRows } from './gather.ts';
export { gradients, pullBack, rowGradients } from './gradients.ts';
export {
  constant,
  type DataType,
  type Dimension,
  type Feed,
  type Feeds,
  input,
  parameter,
  type Shape,
  type Tensor,
  type TypedArray,
} from './graph.ts';
export {
  type SequenceLayout,
  segmentFirst,
  segmentLast,
  segmentMean,
  sequenceFeeds,
  sequenceInputs,
} from './layout.ts';
export type { Device } from './lowering.ts';
export { linear, matmul } from './matmul.ts';
export { type Network, network } from './network.ts';
export { l2Normalise, layerNorm, withoutAffine } from './normalisation.ts';
export type { FileRange, Parameters, ParameterValue, StoredType } from './parameters.ts';
export { linearInt8, quantiseWeight } from './quantised.ts';
export { crossEntropy, lengthOf, logSoftmax, max, mean, oneHotLike, softmax, sum, sumTo } from './reduce.ts';
export { rotary } from './rotary.ts';
export { broadcastLike, concatenate, reshape, slice, split, stopGradient, transpose, zerosLike } from './shape.ts';
export type {
  TrainedParameter,
  Training,
  TrainingCompileOptions,
  TrainingPart,
  TrainingProgram,
  UpdateOptions,
  UpdateResult,
} from './training.ts';
