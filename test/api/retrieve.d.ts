// What patentlab/retrieve exports; written by `npm run api`.

/** Takes documents one by one; `finish` gives the index. Memory: 6 bytes a posting, and one open segment. */
export declare class Bm25Builder {
    private readonly settings;
    private readonly segments;
    private kernel;
    private lengths;
    private documents;
    private tokens;
    private documentFrequency;
    private vocabulary;
    private base;
    private filled;
    private openTerms;
    private openCounts;
    private openEnds;
    /** Occurrences in the current document; all zero between documents. */
    private counts;
    constructor(options?: Bm25Options);
    /** Adds the next document (its row is the number of documents before it). Tokens are ids of 0 or more. */
    add(tokens: Tokens): void;
    finish(): Bm25Index;
    /** Turns the open segment term-major by counting sort; scores are counts until the end. */
    private closeSegment;
    private reserve;
}

export declare class Bm25Index {
    readonly settings: Bm25Settings;
    /** Number of documents. */
    readonly size: number;
    private readonly segments;
    /** Score of a token for documents that do not have it (bm25+, bm25l). */
    private readonly absent;
    private counts;
    private collector;
    constructor(settings: Bm25Settings, segments: readonly Segment[], size: number, absent?: Float64Array);
    /** Builds from documents as token ids, in row order, read once. */
    static build(documents: Iterable<Tokens> | AsyncIterable<Tokens>, options?: Bm25Options): Promise<Bm25Index>;
    /** (document, token) pairs. */
    get postings(): number;
    /** Bytes the index holds. */
    get bytes(): number;
    /** The k best documents for a query of token ids; a repeated token counts as often as it stands. */
    search(query: Tokens, { k, tieRank }?: Bm25SearchOptions, candidates?: Candidates): RowRanking;
    /** Rankings of many queries in order, each with what the filter says about it. */
    searchAll(queries: Iterable<Tokens>, options?: Bm25SearchOptions & {
        filter?: CandidateFilter;
    }): Generator<RowRanking>;
    private collectorOf;
    /** Distinct tokens with their counts, and the score every document gets whatever it holds. */
    private weigh;
}

export interface Bm25Options {
    /** Default `lucene`. */
    variant?: Bm25Variant;
    /** Saturation of term frequency, 0 or more; default 1.5. */
    k1?: number;
    /** Strength of length normalisation, 0..1; default 0.75. */
    b?: number;
    /** Floor of bm25+ and bm25l, 0 or more; default 0.5; the others ignore it. */
    delta?: number;
}

export interface Bm25SearchOptions {
    /** How many documents at most; default 1000. */
    k?: number;
    /** Order of equal scores (candidates.ts); by row where not given. */
    tieRank?: Uint32Array;
}

export type Bm25Settings = Readonly<Required<Bm25Options>>;

export type Bm25Variant = (typeof bm25Variants)[number];

/**
 * Who may be found for a query, and in what order equals stand. Rows are places of documents in the corpus.
 *
 * A filter takes the query's own family out (`excluded`) and, with days given, keeps a document only if its day is before
 * the query's day. Ties are broken as trec_eval breaks them: score down, then document id down; searchers get this order
 * as `tieRank`, the rank of each row's id in descending order of strings (compared by code unit).
 */
export interface CandidateFilter {
    /** Rows that query number `query` may not find: its own document and family. */
    excluded?(query: number): ArrayLike<number>;
    /** Day of each document; kept is a document with `documentDay[row] < queryDay[query]`. Both or neither. */
    documentDay?: Int32Array;
    queryDay?: Int32Array;
}

/** What a filter says about one query. */
export interface Candidates {
    excluded: ArrayLike<number>;
    /** Undefined where days do not matter. */
    documentDay: Int32Array | undefined;
    before: number;
}

export interface CrossFit {
    /** Fold of each query. */
    fold: Int32Array;
    /** Index of the setting each query is scored with. */
    chosen: Int32Array;
    /** Value of each query under the setting chosen for it. */
    values: Float64Array;
    /** For each fold the setting chosen on the others, and its mean there. */
    choices: {
        setting: number;
        meanElsewhere: number;
        queries: number;
    }[];
}

export interface CrossFitOptions {
    /** Family of each query; each query is its own family where not given. */
    clusters?: Int32Array;
    /** Number of folds; default 5, never more than there are families. */
    folds?: number;
    seed: number;
}

export interface ExactOptions {
    product: MatrixProduct;
    /** How many documents at most; default 1000. */
    k?: number;
    /** `dot` (default), or `cosine`, which first brings all vectors to length 1. */
    similarity?: 'dot' | 'cosine';
    /** Order of equal scores (candidates.ts); by row where not given. */
    tieRank?: Uint32Array;
    filter?: CandidateFilter;
    /** Documents a product; default 4096. */
    documentBlock?: number;
    /** Queries a product; default 2048. */
    queryBlock?: number;
    signal?: AbortSignal;
}

export interface FuseOptions {
    /** How many documents at most; by default as many as the longest list has. */
    limit?: number;
    /** Order of equal scores (candidates.ts); by row where not given. */
    tieRank?: Uint32Array;
}

export interface MatrixProduct {
    /**
     * a [m, k] times b [n, k] transposed -> [m, n]. The arrays must own their memory: both are handed over and are empty
     * afterwards; or it is shared memory, which stays and must not change until the product is there. Calls may overlap;
     * they are computed in order.
     */
    multiply(a: OwnFloats, m: number, b: OwnFloats, n: number, k: number): Promise<Float32Array>;
    close(): Promise<void>;
}

/** The documents found for one query: score down, ties by tieRank. */
export interface RowRanking {
    rows: Int32Array;
    scores: Float32Array;
}

export declare class TopK {
    private readonly rows;
    private readonly scores;
    private length;
    private sorter;
    /** Scores below this cannot be among the best; equal ones can, by their tie rank. Offers below it are ignored. */
    threshold: number;
    readonly k: number;
    readonly tieRank: Uint32Array | undefined;
    constructor(k: number, tieRank?: Uint32Array);
    /** Takes a document in if it can be among the best; true when the threshold has risen. */
    offer(row: number, score: number): boolean;
    /** The ranking so far; the collector is empty afterwards. */
    take(): RowRanking;
    private before;
    private orderTies;
    /** Quickselect: the best k to the front, and the threshold to the worst of them. */
    private shrink;
    private better;
}

/** Vectors of documents in row order, as often as asked for. */
export interface VectorBlocks {
    count: number;
    dimensions: number;
    /** Blocks of at most `rows` vectors, [rows, dimensions], first to last; `from` is the row of the first. */
    blocks(rows?: number): AsyncIterable<{
        from: number;
        vectors: Float32Array;
    }>;
    /**
     * Where documents have passages: the row of each one's first vector, and the end [documents + 1]. No block ends inside of a
     * document (blocks may then have more rows than asked for), and a document without a passage is never found.
     */
    firsts?: Int32Array;
}

/** 0, step, ..., 1: 21 weights at the default of 0.05. */
export declare function alphaGrid(step?: number): number[];

export declare const bm25Variants: readonly ['lucene', 'robertson', 'atire', 'bm25+', 'bm25l'];

export declare function candidatesOf(filter: CandidateFilter | undefined, query: number): Candidates;

/**
 * `values[s][q]` is the value of query q under setting s; NaN marks a query that does not count (it takes part in no mean,
 * but gets a setting).
 */
export declare function crossFit(values: readonly Float64Array[], { clusters, folds, seed }: CrossFitOptions): CrossFit;

/** Deals families into folds: shuffled by the seed, largest first, each to the fold that has fewest queries. */
export declare function dealFolds(queries: number, clusters: Int32Array | undefined, folds: number, seed: number): Int32Array;

/** Linear interpolation; `alpha` is the weight of the dense list, 0..1. */
export declare function interpolate(dense: RowRanking, sparse: RowRanking, { alpha, ...options }: FuseOptions & {
    alpha: number;
}): RowRanking;

/** (s - min) / (max - min); all 0 where the scores do not differ. */
export declare function minMax(scores: ArrayLike<number>): Float64Array;

export declare function openMatrixProduct(platform: Platform, options?: EngineOptions): Promise<MatrixProduct>;

/** Reciprocal rank fusion of lists that stand in rank order; `k` defaults to 60. */
export declare function rrf(lists: readonly RowRanking[], { k, limit, tieRank }?: FuseOptions & {
    k?: number;
}): RowRanking;

/** The ranks' constants that papers use; 60 is the original one. */
export declare const rrfConstants: readonly number[];

/** Rankings of queries [queries, dimensions], in their order. */
export declare function searchExact(documents: VectorBlocks, queries: Float32Array, options: ExactOptions): Promise<RowRanking[]>;

/** Rankings of one query for each alpha: what a sweep needs, with the lists normalised once. */
export declare function sweepAlpha(dense: RowRanking, sparse: RowRanking, alphas: readonly number[], options?: FuseOptions): RowRanking[];

/** Rank of each row's id in descending order: the document that comes first among equals has rank 0. */
export declare function tieRanks(ids: readonly string[]): Uint32Array;

/** Vectors in memory, [count, dimensions]. */
export declare function vectorArray(vectors: Float32Array, dimensions: number): VectorBlocks;

/** Vectors streamed from little-endian float32 in a file, [count, dimensions] from byte `offset` on. */
export declare function vectorFile({ files }: Platform, path: string, { dimensions, count, offset }: {
    dimensions: number;
    count: number;
    offset?: number;
}): VectorBlocks;

// Not exported, but named by the declarations above.

/** Paths are the platform's own; `join` is the only way to build one. */
export interface Files {
    join(...parts: string[]): string;
    read(path: string): Promise<Uint8Array>;
    readText(path: string): Promise<string>;
    /** Bytes [offset, offset + length) without reading the rest. */
    readRange(path: string, offset: number, length: number): Promise<Uint8Array>;
    /** Size in bytes, or undefined where there is no such file. */
    size(path: string): Promise<number | undefined>;
    list(directory: string): Promise<string[]>;
    /** Writes beside the target, flushes and renames: the target is the old or the new content, never a torn one. */
    writeAtomic(path: string, data: Uint8Array | string | AsyncIterable<Uint8Array>): Promise<void>;
    /** Cuts the file to its first `length` bytes, writes `data` after them, and flushes; made where it is absent. */
    writeAfter(path: string, length: number, data: Uint8Array): Promise<void>;
    /** Gives a file or folder another name on the same disk, flushed; there must be no file or folder of that name. */
    rename(from: string, to: string): Promise<void>;
    makeDirectory(path: string): Promise<void>;
    remove(path: string): Promise<void>;
}

/**
 * The one door between the portable folders (engine, model, tokenizer, encode, metrics) and the machine: files, workers
 * and the ONNX Runtime binding. Node's implementation is `base/node/platform.ts`; a browser can be another. It is passed
 * as an argument, never kept in a global.
 */
export interface Platform {
    readonly name: 'node' | 'browser';
    readonly files: Files;
    /** Starts the module worker at `url`; write it as `workerUrl(import.meta.url, './name.worker')`. */
    spawn(url: URL, options?: {
        name?: string;
        data?: unknown;
    }): WorkerPort;
    /** The text of a file that stands beside a module: `asset(new URL('./registry.yaml', import.meta.url))`. */
    asset(url: URL): Promise<string>;
    /** Logical processors. */
    readonly processors: number;
}

/** A worker seen from outside. */
export interface WorkerPort {
    post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
    onMessage(listener: (message: unknown) => void): void;
    /** Called once when the worker dies with an error or leaves without having been asked to. */
    onFailure(listener: (error: Error) => void): void;
    terminate(): Promise<void>;
}

export interface EngineOptions {
    /** `ort`: ONNX Runtime in a worker (default). `reference`: the float64 interpreter. */
    backend?: 'ort' | 'reference';
    /** `auto` takes CUDA where this installation has it, the CPU otherwise. Default `cpu`. */
    device?: Device | 'auto';
    /** Threads of one operation; the platform's processors by default. */
    threads?: number;
}

export type Device = 'cpu' | 'webgpu' | 'cuda';

export declare class Bm25Kernel {
    private readonly memory;
    private readonly functions;
    private used;
    /** Made anew where the memory has grown. */
    private views;
    /** Room for so many bytes, as its address; undefined where this memory has not got it. */
    take(bytes: number): number | undefined;
    /** The memory as it stands: `take` makes an older answer empty. */
    get buffer(): ArrayBuffer;
    /** Scores of the documents of the segment that is being searched; all zero between searches. */
    get accumulator(): Float32Array;
    /** accumulator[rows[i]] += weight * scores[i] for i < count; addresses of uint16 and float32. */
    scatter(rows: number, scores: number, count: number, weight: number): void;
    /** accumulator += weight * column, for so many documents; the column is padded with zeros to `columnLanes`. */
    addColumn(column: number, documents: number, weight: number): void;
    /** A score that at least k of the first `documents` documents reach, as near the k-th best as one class; above 0. */
    bar(documents: number, k: number): number;
    /** The documents with scores of at least `bar` (above 0), in order; the accumulator is zero afterwards. Valid until the next. */
    gather(documents: number, bar: number): {
        rows: Int32Array;
        scores: Float32Array;
        count: number;
    };
    private view;
}

interface Segment {
    /** Row of its first document. */
    base: number;
    documents: number;
    kernel: Bm25Kernel;
    /** Postings of token t are [starts[t], starts[t + 1]). */
    starts: Int32Array;
    /** Addresses: of documents within the segment, ascending within a token, and of the scores. */
    rows: number;
    scores: number;
    /** Tokens in many documents: addresses of their columns. They have no postings. */
    columns: Map<number, number>;
    /** (document, token) pairs, those in columns too. */
    pairs: number;
}

type Tokens = ArrayLike<number>;

type OwnFloats = Float32Array<ArrayBuffer> | Float32Array<SharedArrayBuffer>;
