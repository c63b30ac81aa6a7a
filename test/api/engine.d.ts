// What patentlab/engine exports; written by `npm run api`.

export interface AttentionOptions {
    heads: number;
    /** Heads of key and value; a divisor of `heads`, and `heads` by default. */
    keyHeads?: number;
    /** 1/√size by default. */
    scale?: number;
    /** Only rows up to one's own are visible. Default false. */
    causal?: boolean;
    /** Only rows at a distance of at most this are visible. ModernBERT's `local_attention: 128` is a window of 64. */
    window?: number;
    /** Slopes by head (Press et al. 2022), for −slope · |i − j|. */
    alibi?: readonly number[];
    /** Queries at a time in sequences longer than two such blocks. Default 512; not with `bias`, which is as large itself. */
    block?: number;
    /** Added to the scores, [heads, seq, seq] by position in the sequence (MPNet's relative positions). */
    bias?: Tensor;
    /** In training: probabilities are dropped at `rate`, by keys [tokens] of the rows that look; none at rate 0. */
    dropout?: DropoutOptions & {
        rate: number;
    };
}

export interface CompileOptions {
    /** Values of the graph's parameters, by name. */
    parameters?: Parameters;
    /** More session options of ONNX Runtime (profiling, say); no part of the product's promises. */
    sessionOptions?: Readonly<Record<string, unknown>>;
}

export type DataType = 'float32' | 'int32' | 'int64' | 'int8' | 'uint8' | 'bool';

export type Device = 'cpu' | 'webgpu' | 'cuda';

export type Dimension = number | string;

export interface Engine {
    readonly backend: 'ort' | 'reference';
    readonly device: Device;
    readonly threads: number;
    /**
     * What computes, as far as values depend on it: the library with its version and, where `quantised`, how many levels of
     * 8-bit activations this processor multiplies exactly. The number of threads is no part of it: sums are never split.
     */
    arithmetic(options?: {
        quantised?: boolean;
    }): Promise<string>;
    compile<Names extends string>(outputs: Readonly<Record<Names, Tensor>>, options?: CompileOptions): Promise<Program<Names>>;
    /** Parameters that change, held by this engine; not on the reference backend. */
    openTraining(parameters: readonly TrainedParameter[]): Promise<Training>;
    /** Frees everything; programs of this engine cannot run any more. */
    close(): Promise<void>;
}

export interface EngineOptions {
    /** `ort`: ONNX Runtime in a worker (default). `reference`: the float64 interpreter. */
    backend?: 'ort' | 'reference';
    /** `auto` takes CUDA where this installation has it, the CPU otherwise. Default `cpu`. */
    device?: Device | 'auto';
    /** Threads of one operation; the platform's processors by default. */
    threads?: number;
}

/** Values for an input. A bare array may stand where its shape follows from its length and the other feeds. */
export type Feed = TypedArray | {
    readonly data: TypedArray;
    readonly shape: readonly number[];
};

export type Feeds = Readonly<Record<string, Feed>>;

export interface FileRange {
    readonly file: string;
    readonly offset: number;
    readonly bytes: number;
}

export interface Network {
    /** What the layers written so far are made of. */
    readonly parameters: readonly TrainedParameter[];
    /** x [..., in] to [..., out], by `name.weight` [out, in] and, unless `bias` is false, `name.bias` [out]. */
    linear(x: Tensor, name: string, out: number, options?: {
        bias?: boolean;
    }): Tensor;
    /** Rows of the table `name.weight` [rows, width] at `indices` [...]: [..., width]. */
    embedding(indices: Tensor, name: string, rows: number, width: number): Tensor;
    /** x [..., width], each row with mean 0 and variance 1, times `name.weight`, plus `name.bias`. */
    layerNorm(x: Tensor, name: string): Tensor;
}

export interface ParameterValue {
    readonly dtype: StoredType;
    readonly shape: readonly number[];
    /** Little-endian values (a typed array or its bytes), or where they stand in a file. */
    readonly source: TypedArray | FileRange;
}

export type Parameters = Readonly<Record<string, ParameterValue>> | ReadonlyMap<string, ParameterValue> | ((name: string) => ParameterValue | undefined);

export interface Program<Names extends string = string> {
    run(feeds?: Feeds, options?: RunOptions): Promise<Record<Names, Value>>;
    /** Frees the program's memory. */
    close(): Promise<void>;
}

export interface RunOptions {
    /**
     * Hands the feeds' memory over to the worker instead of copying it: the arrays are empty afterwards. Shared memory is
     * never copied nor emptied; it must stay as it is during the run.
     */
    transfer?: boolean;
}

export interface SequenceLayout {
    /** int32 [batch], each at least 1. */
    readonly lengths: Tensor;
    /** int32 [batch, seq] */
    readonly rows: Tensor;
    /** int32 [tokens] */
    readonly slots: Tensor;
    /** int32 [batch] */
    readonly starts: Tensor;
    /** int32 [batch] */
    readonly ends: Tensor;
}

export type Shape = readonly Dimension[];

export type StoredType = DataType | 'float16' | 'bfloat16';

export interface Tensor extends TensorType {
    readonly op: Op;
    readonly inputs: readonly Tensor[];
    readonly attributes: unknown;
}

export interface TrainedParameter {
    readonly name: string;
    readonly shape: readonly number[];
    /** Weight decay acts on it; norms and biases go without. */
    readonly decay: boolean;
    /**
     * A table that is read by `gather`: its gradient comes as the rows that a batch met, never as a whole table. The same
     * numbers, sooner where the table is large. Default false.
     */
    readonly rows?: boolean;
    readonly value: ParameterValue;
}

export interface Training {
    readonly parameters: readonly TrainedParameter[];
    compile<Names extends string>(outputs: Readonly<Record<Names, Tensor>>, options?: TrainingCompileOptions): Promise<TrainingProgram<Names>>;
    /** One AdamW step with the accumulated gradient, which is then forgotten. */
    update(options: UpdateOptions): Promise<UpdateResult>;
    /** Forgets the accumulated gradient without a step: of runs that were to make one together and did not all succeed. */
    forget(): Promise<void>;
    /** A copy. */
    read(part: TrainingPart, name: string): Promise<Float32Array>;
    write(part: TrainingPart, name: string, values: Float32Array): Promise<void>;
    /** A copy of the accumulated gradient. */
    readGradient(name: string): Promise<Float32Array>;
    /** Updates made so far; set when a run is resumed. */
    step(): Promise<number>;
    setStep(step: number): Promise<void>;
    /** Frees parameters and programs. */
    close(): Promise<void>;
}

export interface TrainingCompileOptions {
    /** Which output is the loss, a float32 scalar: `accumulate` needs one. */
    loss?: string;
    /**
     * Recomputation: `accumulate` keeps of its forward pass these tensors only (float32, on the way to the loss) and computes the rest
     * again, segment by segment, on the way back. The memory of activations becomes that of the largest segment, for up to one more
     * forward pass. The states after each layer are what saves most. Default: everything is kept.
     */
    boundaries?: readonly Tensor[];
    /** Values of the parameters that are not trained. */
    parameters?: Parameters;
    /** More session options of ONNX Runtime (profiling, say). */
    sessionOptions?: Readonly<Record<string, unknown>>;
}

/** What a parameter consists of: its values, and AdamW's first and second moments. */
export type TrainingPart = 'weights' | 'first' | 'second';

export interface TrainingProgram<Names extends string = string> {
    /** The outputs, as the parameters are now; gradients stay as they were. */
    run(feeds?: Feeds): Promise<Record<Names, Value>>;
    /** The same, and adds `weight` (default 1) times the gradient of the loss. */
    accumulate(feeds?: Feeds, options?: {
        weight?: number;
    }): Promise<Record<Names, Value>>;
    close(): Promise<void>;
}

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | BigInt64Array | Int8Array | Uint8Array | Uint16Array;

export interface UpdateOptions {
    learningRate: number;
    /** Gradients are scaled down to this global norm where it is larger. Default: never. */
    maxNorm?: number;
    /** Default 0.9, 0.999, 1e-8, 0.01: torch.optim.AdamW's. */
    beta1?: number;
    beta2?: number;
    epsilon?: number;
    weightDecay?: number;
}

export interface UpdateResult {
    /** Of the accumulated gradient, before clipping. Not finite: nothing was changed but the gradient, which is forgotten. */
    readonly gradientNorm: number;
    /** Updates made so far, this one counted if it was made. */
    readonly step: number;
}

/** An output of a run. */
export declare class Value {
    readonly dtype: DataType;
    readonly shape: readonly number[];
    readonly data: TypedArray;
    constructor(dtype: DataType, shape: readonly number[], data: TypedArray);
    /** The values of a float32 output. */
    get floats(): Float32Array;
    /** The values of an int32 output. */
    get integers(): Int32Array;
}

export declare const add: (a: Tensor, b: Tensor | number) => Tensor;

/** query [tokens, heads · size], key and value [tokens, keyHeads · size]; the result is [tokens, heads · size]. */
export declare function attention(query: Tensor, key: Tensor, value: Tensor, layout: SequenceLayout, options: AttentionOptions): Tensor;

/** x spread over the shape of another tensor, whose values do not matter. */
export declare function broadcastLike(x: Tensor, like: Tensor): Tensor;

/** The same values in another element type; floats are cut towards zero, anything but 0 is true. */
export declare function cast(x: Tensor, to: DataType): Tensor;

/** The parts one after another along `axis`. */
export declare function concatenate(parts: readonly Tensor[], axis: number): Tensor;

/** Values that stand in the graph itself: one number (a scalar), or an array with its shape (default: one axis). */
export declare function constant(values: number | readonly number[] | TypedArray, shape?: readonly number[], dtype?: DataType): Tensor;

/** −log softmax(logits)[label] of each row: logits [rows, classes], labels int32 [rows] to [rows]. */
export declare function crossEntropy(logits: Tensor, labels: Tensor): Tensor;

export declare const divide: (a: Tensor, b: Tensor | number) => Tensor;

/** x [..., width] with elements dropped at `rate` (0 to below 1; 0 is x itself) and the rest scaled up. */
export declare function dropout(x: Tensor, rate: number, { keys, site }: DropoutOptions): Tensor;

/**
 * The keys of a batch's rows for one step: for each sample its rows' keys by position, whatever the batch is made of.
 * `samples` are numbers of the samples; a sample that stands twice in a batch draws the same.
 */
export declare function dropoutKeys({ seed, step, samples, lengths, }: {
    seed: number;
    step: number;
    samples: ArrayLike<number>;
    lengths: ArrayLike<number>;
}): Int32Array;

/** bool; broadcasting as everywhere. */
export declare const equal: (a: Tensor, b: Tensor | number) => Tensor;

export declare const erf: (x: Tensor) => Tensor;

export declare const exp: (x: Tensor) => Tensor;

/** Rows of `table` [rows, ...] at `indices` [...]: [...indices, ...rest]. Embedding lookup, padding, unpadding. */
export declare function gather(table: Tensor, indices: Tensor): Tensor;

/** Columns of x [rows, width] at `columns` [n]: [rows, n]. */
export declare function gatherColumns(x: Tensor, columns: Tensor): Tensor;

/** x · Φ(x) (Hendrycks & Gimpel 2016): by erf, or by the tanh approximation ("gelu_new", "gelu_pytorch_tanh"). */
export declare function gelu(x: Tensor, { approximation }?: {
    approximation?: 'none' | 'tanh';
}): Tensor;

/**
 * The derivatives of `loss`, a float32 scalar, by each of `wrt`, each of its tensor's shape: zeros where the loss does not
 * depend on it. `wrt` may be leaves (two of one name are one) or anything on the way. Throws where a way from `wrt` to the loss
 * goes through an op without a gradient.
 */
export declare function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[];

export declare const greater: (a: Tensor, b: Tensor | number) => Tensor;

/** A value given at every run. */
export declare function input(name: string, dtype: DataType, shape: Shape, options?: Pick<InputAttributes, 'derive' | 'scatter'>): Tensor;

/** x over its Euclidean length along the last axis; a length below epsilon (default 1e-12, as PyTorch) counts as epsilon. */
export declare function l2Normalise(x: Tensor, { epsilon }?: {
    epsilon?: number;
}): Tensor;

/** (x − mean) / √(variance + epsilon) · weight + bias over the last axis (Ba et al. 2016). Epsilon: 1e-5 by default. */
export declare function layerNorm(x: Tensor, weight?: Tensor, bias?: Tensor, { epsilon }?: {
    epsilon?: number;
}): Tensor;

/** The length of an axis as a float32 scalar, its name's number at each run. */
export declare function lengthOf(x: Tensor, axis: number): Tensor;

export declare const less: (a: Tensor, b: Tensor | number) => Tensor;

/** x [..., in] by weight [out, in] (Hugging Face's layout), plus bias [out]: [..., out]. */
export declare function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor;

/** x [..., in] by an 8-bit weight [out, in] with scales [out], plus bias [out]. */
export declare function linearInt8(x: Tensor, weight: Tensor, scales: Tensor, bias?: Tensor): Tensor;

export declare const log: (x: Tensor) => Tensor;

/** The logarithm of `softmax`, exact where that would be 0. */
export declare function logSoftmax(x: Tensor, axis?: number): Tensor;

/** a [..., m, k] by b [..., k, n] gives [..., m, n]; the leading axes broadcast. */
export declare function matmul(a: Tensor, b: Tensor, { transposeA, transposeB }?: MatmulOptions): Tensor;

/** Elements that share the maximum share its cotangent evenly. */
export declare const max: (x: Tensor, axis: number, { keepDimensions }?: ReduceOptions) => Tensor;

export declare const mean: (x: Tensor, axis: number, { keepDimensions }?: ReduceOptions) => Tensor;

export declare const multiply: (a: Tensor, b: Tensor | number) => Tensor;

export declare const negate: (x: Tensor) => Tensor;

export declare function network(seed: number): Network;

/** 1 at each row's label, 0 elsewhere, in the shape [rows, classes] of another tensor; labels int32 [rows]. */
export declare function oneHotLike(labels: Tensor, like: Tensor): Tensor;

export declare function openEngine(platform: Platform, { backend, device, threads }?: EngineOptions): Promise<Engine>;

/** A weight, given by name when the graph is compiled. Its shape is all numbers. */
export declare function parameter(name: string, shape: readonly number[], dtype?: DataType): Tensor;

/**
 * The same from any tensors with their cotangents (each of its tensor's shape): the backward pass of a part of a network,
 * where the rest was differentiated apart.
 */
export declare function pullBack(seeds: readonly (readonly [Tensor, Tensor])[], wrt: readonly Tensor[]): Tensor[];

/** A weight [rows, columns] in int8 with a scale a row: value ≈ int8 · scale, the largest of a row at ±127. */
export declare function quantiseWeight(values: Float32Array, rows: number, columns: number): {
    values: Int8Array;
    scales: Float32Array;
};

/** Its derivative at 0 counts as 0. */
export declare const relu: (x: Tensor) => Tensor;

/** The same elements in row-major order under another shape. */
export declare function reshape(x: Tensor, shape: Shape): Tensor;

/** Turns x [tokens, heads · size] by its positions, int32 [tokens]. */
export declare function rotary(x: Tensor, positions: Tensor, options: RotaryOptions): Tensor;

/**
 * The gradients by leaves that are read by `gather` (embedding tables), without the scatter into the whole table: that takes
 * a pass over memory as large as the vocabulary, and ONNX Runtime's is slow. indices [...], rows [...indices, ...rest].
 * Leaves of which `byRows` says no get a dense gradient as `gradients` makes it, so that one walk serves both.
 */
export declare function rowGradients(loss: Tensor, tables: readonly Tensor[], byRows?: (table: Tensor) => boolean): RowGradient[];

/**
 * The sums of `rows` [...indices, ...rest] by index, in the shape [rows, ...rest] of the tensor `like`: the gradient of `gather`.
 * The order of summing does not depend on the threads.
 */
export declare function scatterAddRows(rows: Tensor, indices: Tensor, like: Tensor, { distinct }?: ScatterOptions): Tensor;

/** The first row of each sequence (CLS): [batch, hidden]. */
export declare function segmentFirst(x: Tensor, layout: SequenceLayout): Tensor;

/** The last row of each sequence: [batch, hidden]. */
export declare function segmentLast(x: Tensor, layout: SequenceLayout): Tensor;

/** The mean over each sequence's rows: x [tokens, hidden] to [batch, hidden]. */
export declare function segmentMean(x: Tensor, layout: SequenceLayout): Tensor;

/** The feeds of a layout: the sequences' lengths, in the order of their rows. */
export declare function sequenceFeeds(lengths: ArrayLike<number>, name?: string): Feeds;

/** The symbolic layout; its one value to give at a run is `lengths` (`sequenceFeeds`). */
export declare function sequenceInputs(name?: string): SequenceLayout;

export declare const sigmoid: (x: Tensor) => Tensor;

/** x · sigmoid(x). */
export declare function silu(x: Tensor): Tensor;

/** Elements start to end (excluded) along `axis`. */
export declare function slice(x: Tensor, axis: number, start: number, end: number): Tensor;

/** exp(x) over its sum along `axis` (default: the last). */
export declare function softmax(x: Tensor, axis?: number): Tensor;

/** Cuts `axis` into pieces of the given sizes. */
export declare function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[];

export declare const sqrt: (x: Tensor) => Tensor;

/** x itself, taken for a constant by `gradients`. */
export declare function stopGradient(x: Tensor): Tensor;

export declare const subtract: (a: Tensor, b: Tensor | number) => Tensor;

export declare const sum: (x: Tensor, axis: number, { keepDimensions }?: ReduceOptions) => Tensor;

/** The inverse of broadcasting: sums x over the axes along which `shape` would be spread to fill it. */
export declare function sumTo(x: Tensor, shape: Shape): Tensor;

export declare const tanh: (x: Tensor) => Tensor;

/** Axis i of the result is axis `permutation[i]` of x. */
export declare function transpose(x: Tensor, permutation: readonly number[]): Tensor;

/** a where the condition (bool) holds, b elsewhere. */
export declare function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor;

/** What `layerNorm` gave, before its weight and bias: for layers into which those two are folded. */
export declare function withoutAffine(normalised: Tensor): Tensor;

export declare function zerosLike(like: Tensor): Tensor;

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

export interface DropoutOptions {
    /** int32, one key for each row of x: [...] for x [..., width]. */
    keys: Tensor;
    /** Tells the places of a network apart: equal keys and sites drop the same elements. */
    site: number;
}

interface ScatterOptions {
    /** No index stands twice: a plain, quicker scatter is right. Default false. */
    distinct?: boolean;
}

/** The gradient of a table as sums of rows still to be made: table̅[indices[i]] += rows[i], and `dense` on top. */
export interface RowGradient {
    readonly rows: readonly {
        readonly indices: Tensor;
        readonly rows: Tensor;
    }[];
    /** What does not come through `gather` with any indices; undefined where nothing does. */
    readonly dense: Tensor | undefined;
}

export interface InputAttributes {
    readonly name: string;
    /**
     * Makes the value from other feeds when the caller gives none (padding indices from lengths, say). `feed` reads
     * another input's value, and asks for it by name where it is missing.
     */
    readonly derive?: (feed: (name: string) => TypedArray) => {
        data: TypedArray;
        shape: readonly number[];
    };
    /**
     * For indices whose structure is known: the gradient of `gather(table, indices)` by its table, faster than the scatter of
     * any indices.
     */
    readonly scatter?: (cotangent: Tensor, table: Tensor) => Tensor;
}

/** A node with its attributes' type. */
export type NodeOf<A> = Tensor & {
    readonly attributes: A;
};

/** An op with the type of its attributes forgotten, as the graph's nodes hold it. */
export type Op = OpDefinition<never>;

/** What every op defines. `A` is the type of its attributes. */
export interface OpDefinition<A> {
    readonly name: string;
    /** The result's type; throws where the inputs do not fit. */
    infer(inputs: readonly Tensor[], attributes: A): TensorType;
    /** The meaning, in float64. `shape` is the result's shape in numbers. */
    evaluate(inputs: readonly NdArray[], attributes: A, shape: readonly number[]): NdArray;
    /** Emits ONNX nodes and returns the name of the result. `tensors` are the symbolic inputs of `inputs`. */
    lower(context: Lowering, inputs: readonly string[], attributes: A, tensors: readonly Tensor[], result: Tensor): string;
    /**
     * Reverse mode: from the cotangent of `node` (the loss's derivative by it, of its shape) those of its inputs, each of its
     * input's shape, written with other ops; undefined for an input that none flows to (indices, say).
     */
    gradient?(node: NodeOf<A>, cotangent: Tensor): readonly (Tensor | undefined)[];
}

export interface TensorType {
    readonly dtype: DataType;
    readonly shape: Shape;
}

export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface EmitOptions {
    domain?: string;
}

/** What an op's `lower` may use. */
export interface Lowering {
    readonly device: Device;
    /** Whether the program belongs to a training, whose forward pass may be lowered otherwise. */
    readonly isTraining: boolean;
    /** Levels of 8-bit activations on each side of zero: 127, or 63 where the processor's kernel would overflow. */
    readonly activationLevels: number;
    /** The value of a tensor that is lowered already: any input, and what it was made of. */
    value(tensor: Tensor): string;
    /** Emits a node and returns the name of its first output. */
    emit(type: string, inputs: readonly string[], attributes?: Attributes, options?: EmitOptions): string;
    /** Emits a node with several outputs. */
    emitMany(type: string, inputs: readonly string[], outputs: number, attributes?: Attributes, options?: EmitOptions): string[];
    /**
     * More outputs of the node that made `value`, its first output: what a gradient needs of its op's forward pass. Where
     * another type of node made it (or none in this graph), undefined.
     */
    moreOutputs(value: string, type: string, outputs: number): string[] | undefined;
    /** An initialiser; equal constants are one. */
    constant(values: readonly number[], shape?: readonly number[], dtype?: DataType): string;
    /** The shape as an int64 value: a constant where at most one dimension is named, read from the inputs otherwise. */
    shape(shape: Shape): string;
    /**
     * A graph within a node (a branch, a loop's body): it may name any value that stands outside already. `inputs` are its
     * own; `build` returns the values it gives back.
     */
    subgraph(inputs: readonly OnnxValue[], build: (inner: Lowering) => readonly OnnxValue[]): OnnxGraph;
    /** A value shared under a key: made at its first use. */
    shared(key: string, make: () => string): string;
}

interface MatmulOptions {
    /** Takes the last two axes of the operand the other way round. */
    transposeA?: boolean;
    transposeB?: boolean;
}

/** Arrays of the reference interpreter: row-major float64 with a shape in numbers, whatever the element type. */
export interface NdArray {
    readonly shape: readonly number[];
    readonly data: Float64Array;
}

export type AttributeValue = number | string | boolean | readonly number[] | {
    readonly float: number;
} | OnnxGraph;

/**
 * Writes ONNX models: the few messages of onnx.proto3 that a graph needs, encoded by hand (protobuf wire format: a varint
 * tag `field << 3 | wire type`, then a varint, 4 bytes or a length-prefixed body).
 *
 * Large tensors do not belong in here: a protobuf message ends at 2 GB, and what it holds is copied. They stand as
 * external data: the name of a file (or of a buffer handed over beside the model), an offset and a length.
 */
export type ElementType = 'float32' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int32' | 'uint32' | 'int64' | 'bool';

export interface OnnxGraph {
    name: string;
    nodes: readonly OnnxNode[];
    initializers: readonly OnnxInitializer[];
    inputs: readonly OnnxValue[];
    outputs: readonly OnnxValue[];
}

export interface OnnxInitializer {
    name: string;
    type: ElementType;
    shape: readonly number[];
    /** Little-endian bytes, or where they are. */
    data: Uint8Array | {
        location: string;
        offset: number;
        length: number;
    };
}

export interface OnnxNode {
    type: string;
    domain: string;
    /** '' stands for an optional input or output that is left out. */
    inputs: readonly string[];
    outputs: readonly string[];
    /** Plain numbers are integers; a float is `{ float: 1e-5 }`, as ONNX types its attributes. */
    attributes: Readonly<Record<string, AttributeValue>>;
}

export interface OnnxValue {
    name: string;
    type: ElementType;
    shape: readonly (number | string)[];
}

interface ReduceOptions {
    /** Keeps the axis with length 1. Default false. */
    keepDimensions?: boolean;
}

export interface RotaryOptions {
    heads: number;
    /** Theta: 10000 in the paper. */
    base: number;
    /** Turns back: the gradient. Default false. */
    inverse?: boolean;
}
