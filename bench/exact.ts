/**
 * Exact dense search against the bare matrix product: 2,000 queries, 100,000 documents, 384 dimensions, the best 100 of
 * each. The peer is ONNX Runtime multiplying the same blocks and doing nothing else, in this thread, in turn with ours;
 * a ratio of 0.5 says that all of the search takes twice the time of its multiplications.
 *
 *   npm run bench -- exact [rounds=3] [documents=100000] [queries=2000] [k=100] [threads=all]
 */
import * as ort from 'onnxruntime-node';
import { nodePlatform } from '../src/base/node/platform.ts';
import { stream } from '../src/base/random.ts';
import { encodeModel } from '../src/engine/onnx.ts';
import { searchExact, vectorArray } from '../src/retrieve/exact.ts';
import { openMatrixProduct } from '../src/retrieve/matrix-product.ts';
import { median, report } from './support/measurement.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const rounds = Number(settings.rounds ?? 3);
const documents = Number(settings.documents ?? 100_000);
const queries = Number(settings.queries ?? 2000);
const k = Number(settings.k ?? 100);
const threads = Number(settings.threads ?? nodePlatform.processors);
const dimensions = 384;
const block = 4096;

function unitVectors(name: string, count: number): Float32Array {
  const random = stream(1, name);
  const vectors = Float32Array.from({ length: count * dimensions }, () => random.uniform() - 0.5);
  for (let at = 0; at < vectors.length; at += dimensions) {
    let squares = 0;
    for (let i = at; i < at + dimensions; i++) squares += vectors[i]! ** 2;
    for (let i = at, scale = 1 / Math.sqrt(squares); i < at + dimensions; i++) vectors[i]! *= scale;
  }
  return vectors;
}

/** Gemm of a [m, k] and b [n, k] transposed, by ONNX Runtime alone. */
const session = await ort.InferenceSession.create(
  encodeModel(
    {
      name: 'product',
      nodes: [{ type: 'Gemm', domain: '', inputs: ['a', 'b'], outputs: ['c'], attributes: { transB: 1 } }],
      initializers: [],
      inputs: [
        { name: 'a', type: 'float32', shape: ['m', 'k'] },
        { name: 'b', type: 'float32', shape: ['n', 'k'] },
      ],
      outputs: [{ name: 'c', type: 'float32', shape: ['m', 'n'] }],
    },
    { '': 20 },
  ),
  { intraOpNumThreads: threads },
);
const corpus = unitVectors('documents', documents);
const asked = unitVectors('queries', queries);

async function bareProducts(): Promise<number> {
  const left = new ort.Tensor('float32', asked, [queries, dimensions]);
  const started = performance.now();
  for (let from = 0; from < documents; from += block) {
    const rows = Math.min(block, documents - from);
    const part = corpus.subarray(from * dimensions, (from + rows) * dimensions);
    await session.run({ a: left, b: new ort.Tensor('float32', part, [rows, dimensions]) });
  }
  return (performance.now() - started) / 1000;
}

const product = await openMatrixProduct(nodePlatform, { threads });
async function search(): Promise<number> {
  const started = performance.now();
  await searchExact(vectorArray(corpus, dimensions), asked, { product, k, documentBlock: block });
  return (performance.now() - started) / 1000;
}

const [ours, bare]: [number[], number[]] = [[], []];
for (let round = 0; round <= rounds; round++) {
  const seconds = [await search(), await bareProducts()] as const;
  if (round === 0) continue; // warms up
  ours.push(seconds[0]);
  bare.push(seconds[1]);
}
await product.close();
const work = (2 * queries * documents * dimensions) / 1e9;
const [mine, peer] = [work / median(ours), work / median(bare)];
const name = `${queries} queries, ${documents} x ${dimensions}, best ${k}, ${threads} threads`;
report({
  bench: 'exact',
  case: name,
  ours: mine,
  peer,
  peerName: 'ONNX Runtime Gemm',
  ratio: mine / peer,
  unit: 'GFLOP/s',
});
