/** `patentlab/retrieve`: lexical and exact dense search over rows, and their fusion. */
export {
  Bm25Builder,
  Bm25Index,
  type Bm25Options,
  type Bm25SearchOptions,
  type Bm25Settings,
  type Bm25Variant,
  bm25Variants,
} from './bm25.ts';
export { type CandidateFilter, type Candidates, candidatesOf, type RowRanking, tieRanks } from './candidates.ts';
export { type CrossFit, type CrossFitOptions, crossFit, dealFolds } from './cross-fit.ts';
export { type ExactOptions, searchExact, type VectorBlocks, vectorArray, vectorFile } from './exact.ts';
export { alphaGrid, type FuseOptions, interpolate, minMax, rrf, rrfConstants, sweepAlpha } from './fuse.ts';
export { type MatrixProduct, openMatrixProduct } from './matrix-product.ts';
export { TopK } from './top-k.ts';
