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
 */
export { type AttentionOptions, attention } from './attention.ts';
export { cast } from './cast.ts';
export {
  add,
  divide,
  erf,
  exp,
  gelu,
  log,
  multiply,
  negate,
  relu,
  sigmoid,
  silu,
  sqrt,
  subtract,
  tanh,
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
export { gather, gatherColumns } from './gather.ts';
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
export { l2Normalise, layerNorm } from './normalisation.ts';
export type { FileRange, Parameters, ParameterValue, StoredType } from './parameters.ts';
export { linearInt8, quantiseWeight } from './quantised.ts';
export { max, mean, softmax, sum } from './reduce.ts';
export { rotary } from './rotary.ts';
export { concatenate, reshape, slice, split, transpose } from './shape.ts';
