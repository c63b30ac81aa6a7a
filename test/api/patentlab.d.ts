// What patentlab exports; written by `npm run api`.

/** One row of the leaderboard: a system (model, optionally fused) on one corpus and view. */
export interface CellResult {
    corpus: string;
    task: 'retrieval';
    model: string;
    view: string;
    fuse?: string;
    rerank?: RerankedFrom;
    /** Where several widths of one model are compared: the name they share, the dimensions kept, and all there are. */
    width?: {
        of: string;
        dimensions: number;
        full: number;
    };
    queries: number;
    documents: number;
    /** Keys as `ndcg@10`, `recall@100`, `map`, `mrr`, `unjudged@10`. */
    metrics: Record<string, Estimate>;
    cost: Cost;
    manifest: Manifest;
    /** Files of the cell, relative to the report's folder. */
    files: {
        run?: string;
        perQuery?: string;
    };
    /** Chosen by cross-fitting, e.g. the interpolation weight of each fold. */
    chosen?: Record<string, unknown>;
}

/**
 * The patent record. One shape for every source; whatever a source has beyond it is kept under `extra`.
 * Texts are plain text with `\n` between paragraphs. Dates are ISO: `2016-01-25`, `2016-01` or `2016`.
 */
export interface Citation {
    /** Publication number as the source wrote it, normalised (`corpus/numbers.ts`), kind code kept. */
    id: string;
    /** Search-report category where the source has one: X, Y, A, ... */
    category?: string;
    /** Who cited: `examiner`, `applicant`, `search`, `third-party`, ... */
    origin?: string;
}

export interface Corpus {
    readonly name: string;
    /** The corpus's own folder under `<home>/corpora`. */
    readonly directory: string;
    /** Number of patents; rows are 0 to size - 1. */
    readonly size: number;
    /** SHA-256 over all records in order. */
    readonly hash: string;
    /** Counts the imports, from "1". */
    readonly revision: string;
    /** Invented data: every report is stamped with it. */
    readonly invented: boolean;
    readonly sources: readonly CorpusSource[];
    readonly summary: CorpusSummary;
    /** Patents of rows [from, to) in row order, streaming. */
    records(options?: {
        from?: number;
        to?: number;
    }): AsyncIterable<Patent>;
    get(row: number): Promise<Patent>;
    title(row: number): Promise<string>;
    id(row: number): string;
    /** Row of an id, an alias, or a publication number in any form that means one patent only. */
    row(id: string): number | undefined;
    /** Rows a citation means (`store-names.ts`). */
    resolve(citation: string): Resolution;
    /** Rows of the same application as `row`, itself included. */
    sameApplication(row: number): readonly number[];
    /** What relations need of every row, in row order. */
    links(): AsyncIterable<LinkLine[]>;
    /** Hashes all files against the manifest; throws where one differs. */
    verify(): Promise<void>;
    close(): Promise<void>;
}

export interface EmbeddingResults {
    format: 1;
    kind: 'embedding';
    study: string;
    title: string;
    invented: boolean;
    created: string;
    packageVersion: string;
    definitions: string;
    command: string;
    /** First line of the report. */
    relevanceStatement: string;
    margin: number;
    tasks: Task[];
    /** Corpus by corpus, view by view, task by task; those without any finished system are left out. */
    corners: StudyCorner[];
    /** Cells of the study, and how many of them are finished. */
    cells: {
        done: number;
        total: number;
    };
    corpora: {
        name: string;
        card: DataCard;
        /** Absent where nothing learns from it, and all of it is tested on. */
        split?: SplitSummary;
        /** Of the test part, or of all; absent where nothing is searched. */
        queries?: number;
        labels?: LabelCard;
        clusters?: ReductionCard;
        /** Tasks of the study that it has no ground for. */
        lacks: {
            task: Task;
            reason: string;
        }[];
        /** What the recipes had and how they were matched. */
        matched: string;
    }[];
    /** False: recipes had different data, and their order says nothing about them. */
    matched: boolean;
    differences: string[];
    systems: StudySystem[];
    rows: StudyRow[];
    comparisons: StudyComparisons[];
    transfer: TransferCell[];
    trainings: StudyTraining[];
    /** Recipes that a corpus has no signal for. */
    absent: {
        corpus: string;
        recipe: string;
        reason: string;
    }[];
    missingModels: {
        model: string;
        reason: string;
    }[];
    /** Of each evaluation cell. */
    manifests: TaskManifest[];
    warnings: string[];
}

export interface EncodeRequest {
    texts: Iterable<string> | AsyncIterable<string>;
    /** Number of texts, where it is known before they are read: for the progress. */
    count?: number;
    /** Default `document`. */
    role?: Role;
    /** Instead of the model's prompt for the role. */
    prompt?: string;
    /** Most tokens a text may have, special tokens and prompt counted; at most and by default the model's. */
    maxLength?: number;
    /** Cut each text into passages of `maxLength` tokens, each with a vector of its own (`passages.ts`). Default: only its beginning is read. */
    passages?: Omit<PassageWindows, 'size'>;
    /** Matryoshka: keep this many leading values, normalised again. Default all. */
    dimensions?: number;
    /**
     * What the texts are: corpus hash, view, masking, ... The same source must always mean the same texts: where all its
     * vectors are stored, the texts are not even read. Without it the vectors are found text by text.
     */
    source?: Record<string, unknown>;
    /** Word for the progress. Default `encode`. */
    label?: string;
    signal?: AbortSignal;
}

export interface EvaluateOptions {
    platform: Platform;
    home: string;
    /** Names of imported corpora. */
    corpora: readonly string[];
    /** Default retrieval. */
    tasks?: readonly Task[];
    /** `bm25`, `lsa`, model folders or ids, `bm25+MODEL`. Default bm25 and lsa. */
    models?: readonly string[];
    /** Text views, `-masked` for texts without patent numbers. Default TA. */
    views?: readonly string[];
    maskCitations?: boolean;
    /** Fuses bm25 with every dense model. */
    fuse?: readonly FusionMethod[];
    /** Cross-encoders: folders or ids. Each puts the first documents of other systems' rankings in order. */
    rerank?: readonly string[];
    /** The systems whose rankings they put in order, by name (`bm25`, `bm25+MODEL (linear)`). Default: all. */
    rerankOf?: readonly string[];
    /** How many documents of each ranking; no more than `depth`. Default 100, or `depth` where that is less. */
    rerankDepth?: number;
    /** Most tokens of a pair, special ones counted. Default: the cross-encoder's own limit. */
    rerankLength?: number;
    /** Default: the cited documents are relevant. */
    relevance?: Omit<RelevanceOptions, 'seed'>;
    /** Of classification and clustering. */
    labels?: LabelRule;
    /** Of classification. Default knn and logistic. */
    probes?: readonly Probe[];
    clustering?: ClusteringOptions;
    /**
     * Queries and candidates are patents of the test part of this split (default: all patents); classifiers learn from its
     * training part and are scored on its test part (default: families stratified by label); that part alone is clustered.
     */
    split?: SplitOptions;
    /** Documents kept for each query. Default 1000. */
    depth?: number;
    bm25?: Bm25Options;
    analyser?: AnalyserOptions;
    lsaDimensions?: number;
    /** Precisions of encoders: each in every one. Default fp32. */
    dtype?: readonly ModelDtype[];
    /** Most tokens an encoder reads; default the model's own limit. Of several, each model with each (`variants.ts`). */
    length?: number | readonly number[];
    /** Leading dimensions kept. Of several, each model and `lsa` with each and with all. */
    dimensions?: number | readonly number[];
    /** Encoders that read whole texts in passages, beside those that read their beginning. */
    passages?: readonly PassageOptions[];
    /** Only those that read in passages. Default false. */
    passagesOnly?: boolean;
    /** Smallest difference of nDCG that matters. Default 0.01. */
    margin?: number;
    resamples?: number;
    seed?: number;
    threads?: number;
    device?: 'cpu' | 'webgpu' | 'cuda' | 'auto';
    offline?: boolean;
    /** Folder of stored vectors. Default `<home>/vectors`. */
    vectors?: string;
    /** Name of the study: `runs/<study>`. Default `evaluate-<corpora>`. */
    study?: string;
    /** Folder of the report. Default `runs/<study>`. */
    out?: string;
    title?: string;
    /** As the user typed it: printed in the report. */
    command?: string;
    /** Seconds after which no further cell is begun. */
    maxTime?: number;
    /** Measure only: what would be done, and about how long it takes. */
    dryRun?: boolean;
    progress?: Progress;
    signal?: AbortSignal | undefined;
    /** Called after each cell, in the order they finish. */
    onCell?: (line: string) => void;
    /** Kept in every manifest. Default: this package's own. */
    packageVersion?: string;
}

export interface Evaluation {
    results: EvaluationResults;
    /** Folder of the report and the runs. */
    folder: string;
    /** Cells computed now; the others were found finished. */
    computed: number;
}

/** The whole of `results.json`. */
export interface EvaluationResults {
    format: 1;
    title: string;
    /** First line of every report: what counts as relevant and who may be found; without retrieval, what is predicted. */
    relevanceStatement: string;
    invented: boolean;
    created: string;
    packageVersion: string;
    definitions: string;
    command: string;
    cells: CellResult[];
    comparisons: ComparisonTable[];
    viewComparisons: ViewComparison[];
    dataCards: DataCard[];
    recallCurves: RecallCurve[];
    differences: DifferenceShape[];
    winsLosses: WinLoss[];
    strata: Stratum[];
    absentStrata: AbsentStrata[];
    domains: DomainResult[];
    retentions: Retention[];
    /** Fusion sweeps: mean metric for each alpha, for the plot. */
    alphaSweeps: {
        corpus: string;
        view: string;
        dense: string;
        metric: string;
        points: {
            alpha: number;
            value: number;
        }[];
    }[];
    /** Where the task was asked for. */
    classification?: ClassificationResults;
    clustering?: ClusteringResults;
    warnings: string[];
}

export interface ExportOptions {
    to: ExportTarget;
    /** Folder of the export: absent or empty. */
    out: string;
    /** Id by which the registry knows the model; default the folder's name. */
    id?: string;
    /** ONNX: most bytes of weights within `model.onnx`; more go to `model.onnx_data`. Default 1.9e9. */
    inline?: number;
}

export interface ExportResult {
    readonly folder: string;
    readonly to: ExportTarget;
    /** The model's file within the folder, and the bytes of its weights and graph. */
    readonly model: string;
    readonly bytes: number;
    /** ONNX: the version of its ops, and the names of its outputs. */
    readonly opset?: number;
    readonly outputs?: readonly string[];
    /** Largest differences between what was written and the original. */
    readonly checked: Differences;
}

export interface FinetuneOptions {
    corpus: Corpus;
    /** Folder of a checkpoint, or `tiny`: a small encoder made from the seed and the corpus's train part. */
    model: string;
    /** Its id, for the model card and the registry. Default: the folder. */
    modelId?: string;
    /** Folder of the new checkpoint: absent or empty. */
    out: string;
    /** R1, R2, R3, R4, or a sum such as R1+R3. */
    recipe: string;
    recipeOptions?: Omit<RecipeOptions, 'seed'>;
    /** Positives torn from their anchors: what the recipe's pairs are worth shows beside it. Default false. */
    shuffled?: boolean;
    /** Default: by family, with the seed. */
    split?: SplitOptions;
    /** Default 64 pairs; fewer where the corpus has fewer. */
    batchSize?: number;
    /** One of the two; default 1 epoch. */
    epochs?: number;
    maxSteps?: number;
    /** Trains an adapter in place of the model's own weights; the checkpoint holds both merged, and the adapter in `adapter/`. */
    lora?: Omit<LoraOptions, 'seed'>;
    /** Negatives beside those of the batch. Default: none. */
    hardNegatives?: HardNegativeOptions;
    /** Scores before and after training on what is held out, and on the way. Default: none. */
    evaluation?: EvaluationOptions;
    /** Default 2e-5; 2e-4 with LoRA, 5e-4 for `tiny`. */
    learningRate?: number;
    /** Default: linear with a tenth of warm-up. */
    schedule?: Pick<ScheduleOptions, 'kind' | 'warmupRatio'>;
    weightDecay?: number;
    /** Most tokens of a text. Default: the model's own limit. */
    maxLength?: number;
    /** Sequences through the model at a time; fewer need less memory. Default 16. */
    chunk?: number;
    /** Layers are computed a second time on the way back instead of being kept: half the memory and less, a third to a half more time. Default false. */
    recompute?: boolean;
    /** In place of every rate of dropout in the checkpoint's configuration; 0 for none. Default: those rates. */
    dropout?: number;
    /** 1 / temperature. Default 20. */
    scale?: number;
    symmetric?: boolean;
    /** Lengths to which vectors may be cut afterwards. */
    dimensions?: readonly number[];
    maskCitations?: boolean;
    tiny?: TinyOptions;
    seed?: number;
    threads?: number;
    device?: Device | 'auto';
    progress?: Progress;
    signal?: AbortSignal;
}

export interface FinetuneResult {
    readonly checkpoint: string;
    readonly recipe: string;
    readonly plan: TrainingPlan;
    readonly audit: LeakageAudit;
    /** What the split did, in one sentence. */
    readonly split: string;
    readonly records: readonly StepRecord[];
    readonly loss: {
        first: number;
        last: number;
    };
    readonly reloaded: Reloaded;
    /** The step whose parameters the checkpoint holds. */
    readonly step: number;
    readonly hardNegatives?: {
        readonly perPair: number;
        readonly lacking: number;
    };
    /** Where the training was evaluated on its way. */
    readonly validation?: ValidationSummary;
    /** Where an evaluation was asked for and something held out could be scored. */
    readonly comparison?: HeldOutComparison;
    /** What could not be scored, and why. */
    readonly missing: readonly string[];
    readonly seconds: number;
}

export interface HubOptions {
    home: string;
    offline?: boolean;
    /** Branch, tag or commit. Default `main`. */
    revision?: string;
    progress?: Progress;
    signal?: AbortSignal | undefined;
    /** Default `process.env`. */
    env?: Environment;
    /** Folder to put the files in, instead of the one under `home` (air-gapped copies). */
    to?: string;
    /** Ids of known models: those like an id that is not found are named. */
    known?: readonly string[];
    /** Waits between tries in ms, for tests. */
    pauseMs?: number;
}

export interface ImportOptions {
    home: string;
    name: string;
    /** Files, folders and globs. */
    paths: string[];
    /** Format of all files; detected where left out. */
    format?: string;
    /** Field of the record -> path in the row. */
    map?: Record<string, string>;
    /** Element that holds one record, for formats that nest. */
    record?: string;
    /** What happens to a patent whose id is there already. Default `fill`. */
    onConflict?: OnConflict;
    progress?: Progress;
    signal?: AbortSignal;
    /** Marks the corpus as invented data, as records that say `invented: true` do; it is so once anything invented is in it. */
    invented?: boolean;
    /** File operations of the store; tests make them fail. */
    files?: StoreFiles;
}

export interface ImportSummary {
    corpus: string;
    /** Rows read from the sources, rejected ones included. */
    read: number;
    /** Patents in the corpus now. */
    stored: number;
    /** Patents that were not there before. */
    added: number;
    /** Rows whose patent was there already, from this import or an earlier one: merged or replaced. */
    duplicates: number;
    rejected: number;
    /** The file of rejected rows, where there are any. */
    rejects?: string;
    rejectReasons: {
        reason: string;
        count: number;
    }[];
    /** What was done to accepted rows beyond copying (texts cut apart, dates read), with counts. */
    notes: {
        note: string;
        count: number;
    }[];
    /** Distinct citing pairs inside the corpus, from the `cites` lists. */
    citationsInside: number;
    /** Distinct labels. */
    labels: number;
    fields: CorpusSummary['fields'];
    revision: string;
    hash: string;
    invented: boolean;
    sources: CorpusSource[];
    /** For each source, which column fed which field, which columns were left over, and what guessing decided. */
    columns: {
        file: string;
        format: string;
        fields: ColumnPlan['fields'];
        unused: string[];
        notes: string[];
    }[];
    summary: CorpusSummary;
    seconds: number;
}

export interface LoadModelOptions {
    /** Default `fp32`. */
    dtype?: ModelDtype;
    /** Threads of all runs together. Default: the platform's processors. */
    threads?: number;
    /** What computes; `auto` takes CUDA where this installation has it, else the CPU. Default `cpu`. */
    device?: Device | 'auto';
    /** Default `ort`; `reference` is the float64 interpreter of the tests. */
    backend?: 'ort' | 'reference';
    /** Id by which the registry knows the model; default the folder's name. */
    id?: string;
    /** Instead of the pooling that the checkpoint or the registry names. */
    pooling?: PoolingMode;
    /** Instead of the checkpoint's own limit; never beyond what its positions hold. */
    maxLength?: number;
    /** An adapter in PEFT's format beside the weights; `factor` weakens it (0: as without it, 1, the default: as trained). */
    adapter?: {
        folder: string;
        factor?: number;
    };
    /** Text of the registry file; default the packaged `registry.yaml`. */
    registry?: string;
}

/** Of a retrieval cell. */
export interface Manifest extends TaskManifest {
    task: 'retrieval';
    fuse?: string;
    relevance: string;
    onlyEarlier: boolean;
    citationFilter?: {
        category?: readonly string[];
        origin?: readonly string[];
    };
}

export interface ModelFolder {
    id: string;
    folder: string;
    source: 'folder' | 'home' | 'hugging-face-cache' | 'hub';
    /** Commit of the repository, where known. */
    commit?: string;
}

export interface Patent {
    /** Unique within a corpus; usually the publication number. */
    id: string;
    /** Other numbers of the same document. */
    aliases: string[];
    family?: string;
    title?: string;
    abstract?: string;
    /** All claims, one a line, numbers kept. */
    claims?: string;
    firstClaim?: string;
    description?: string;
    /** CPC symbols, `A61B8/08`: no blank, upper case. */
    cpc: string[];
    ipc: string[];
    /** The user's own labels. */
    labels: string[];
    cites: Citation[];
    citedBy: string[];
    dates: PatentDates;
    /** ISO 3166 or WIPO ST.3 two-letter code of the office. */
    country?: string;
    /** ISO 639-1 code of the texts. */
    language?: string;
    extra?: Record<string, unknown>;
}

export interface PatentDates {
    priority?: string;
    filing?: string;
    publication?: string;
    grant?: string;
}

export declare class PatentlabError extends Error {
    readonly name = "PatentlabError";
    readonly code: string;
    readonly kind: FailureKind;
    readonly details: Readonly<FailureDetails>;
    constructor(message: string, details: FailureDetails);
    get exitCode(): 1 | 2;
    /** The whole message as a person reads it: place first, then what is wrong, what was expected, what to do. */
    describe(): string;
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

export interface StudyOptions {
    platform: Platform;
    home: string;
    /** The study's YAML file. */
    file: string;
    /** Its text. Default: read from `file`. */
    text?: string;
    threads?: number;
    device?: 'cpu' | 'webgpu' | 'cuda' | 'auto';
    offline?: boolean;
    /** Folder of the report. Default `runs/<study>`. */
    out?: string;
    /** As the user typed it: printed in the report. */
    command?: string;
    progress?: Progress;
    signal?: AbortSignal | undefined;
    /** Called when all that is not trained is evaluated, then as cells finish, at most every `updateSeconds`. */
    onUpdate?: (results: EmbeddingResults, folder: string) => Promise<void>;
    /** Default 20. */
    updateSeconds?: number;
    /** Kept in every manifest. Default: this package's own. */
    packageVersion?: string;
}

export interface StudyRun {
    results: EmbeddingResults;
    /** Folder of the report and the runs. */
    folder: string;
    /** Checkpoints and cells made now; the others were found finished. */
    computed: {
        checkpoints: number;
        cells: number;
    };
}

export interface TextModel {
    readonly id: string;
    readonly folder: string;
    readonly architecture: EncoderConfig['architecture'];
    readonly config: EncoderConfig;
    /** SHA-256 over every file that can change a vector, with names. */
    readonly hash: string;
    readonly dtype: ModelDtype;
    /** What computes, `auto` decided. */
    readonly device: Device;
    /** Batches that it computes at the same time: so many calls of `encode` are worth having under way. */
    readonly lanes: number;
    /** What computes, as far as vectors depend on it: the library's version, and in 8 bits what the processor can multiply. */
    readonly arithmetic: string;
    readonly parameters: number;
    readonly hiddenSize: number;
    /** Length of a vector that `encode` gives (after the Dense modules). */
    readonly dimensions: number;
    /** Lengths to which a vector may be cut and normalised again, if the model was trained so. */
    readonly matryoshka: readonly number[];
    /** The most tokens a sequence may have, special tokens counted. */
    readonly maxLength: number;
    readonly padId: number;
    /** True: the text is lower-cased before it is tokenised (sentence_bert_config.json). */
    readonly lowercase: boolean;
    readonly pooling: Pooling;
    /** True: the vectors have length 1. */
    readonly normalized: boolean;
    readonly similarity: Similarity;
    readonly prompts: Prompts;
    /** Tensors of the checkpoint that the forward pass does not need (poolers, heads, buffers). */
    readonly ignoredTensors: readonly string[];
    /** The prompt to set before a text of that role; empty where there is none. */
    prompt(role: Role): string;
    /**
     * Vectors [sequences, dimensions] of token id sequences of unequal length (special tokens included, nothing padded).
     * `promptTokens`: leading tokens of each sequence to leave out of the mean where pooling says so.
     */
    encode(sequences: readonly Int32Array[], options?: {
        promptTokens?: number;
    }): Promise<Float32Array>;
    /** The last layer's token states, unpooled. */
    tokenStates(sequences: readonly Int32Array[]): Promise<TokenStates>;
    /** Frees the sessions and the worker; may be called more than once. */
    close(): Promise<void>;
}

export declare class TextVectors {
    /** Vectors: one a text, or one a passage. */
    readonly count: number;
    /** Of texts cut into passages: the row of each one's first vector, and the end [texts + 1]. */
    readonly passageRows: Int32Array | undefined;
    readonly dimensions: number;
    readonly summary: VectorsSummary;
    /** Path of the manifest, where the vectors are on disk. */
    readonly manifest: string | undefined;
    private readonly store;
    private readonly shards;
    private readonly starts;
    private readonly storedDimensions;
    constructor(store: VectorStore, shards: readonly StoredShard[], summary: VectorsSummary, { storedDimensions, manifest }: {
        storedDimensions: number;
        manifest: string | undefined;
    });
    /** Vectors of rows [from, to): float32 [to - from, dimensions], in input order. */
    read(from?: number, to?: number): Promise<Float32Array>;
    /** All vectors in blocks of at most `rows` rows, in input order. */
    blocks(rows?: number): AsyncGenerator<{
        from: number;
        vectors: Float32Array;
    }>;
    private shardOf;
}

export type View = (typeof views)[number];

export interface WrittenReport {
    html: string;
    json: string;
    /** Paths of the tables, the leaderboard first. */
    csv: string[];
}

// exported as compare
/** All pairs of systems that have a family, in the order (0,1), (0,2), ..., (1,2), ...; see the head of this file. */
export declare function comparePairs(input: PairsInput): Comparison[];

// exported as encode
/** One list of texts to vectors, for callers that encode once; `openEncoder` serves those that encode more. */
export declare function encodeTexts(platform: Platform, model: TextModel, { vectors, batchTokens, progress, ...request }: EncodeRequest & EncoderOptions): Promise<TextVectors>;

/** Runs what is missing and gathers everything; the report is written by the caller (`report/`). */
export declare function evaluate(options: EvaluateOptions): Promise<Evaluation>;

export declare function exportModel(platform: Platform, folder: string, options: ExportOptions): Promise<ExportResult>;

/** The folder of a model given by path or id; downloads it where needed and allowed. */
export declare function findModel(id: string, options: HubOptions): Promise<ModelFolder>;

export declare function finetune(platform: Platform, options: FinetuneOptions): Promise<FinetuneResult>;

/** Imports `paths` as corpus `name`. Throws before anything is stored, or stores everything. */
export declare function importCorpus(options: ImportOptions): Promise<ImportSummary>;

/** All corpora of a home, by name. Folders without a manifest are none. */
export declare function listCorpora(home: string): Promise<CorpusEntry[]>;

/**
 * Loads the checkpoint in `folder` (Hugging Face or sentence-transformers layout). The weights are mapped from the file
 * where they are float32, so a model takes little memory of its own until it runs.
 */
export declare function loadModel(platform: Platform, folder: string, options?: LoadModelOptions): Promise<TextModel>;

export declare const nodePlatform: Platform;

/** Opens a corpus. Throws `corpus.unknown`, `corpus.damaged`, `corpus.format`. */
export declare function openCorpus(home: string, name: string): Promise<Corpus>;

/**
 * Runs what is missing of a study and gathers everything; a finished cell is never computed twice. The report is written by
 * `writeStudyReport`.
 */
export declare function runStudy(options: StudyOptions): Promise<StudyRun>;

/**
 * The text of a view; '' where the patent has none of its sections. With `maskCitations`, patent and serial numbers are
 * taken out (`mask.ts`): the record's own number and everything it cites, and whatever else reads as a patent number.
 */
export declare function viewText(patent: Patent, view: View, { maskCitations }?: {
    maskCitations?: boolean;
}): string;

export declare const views: readonly ['T', 'A', 'C1', 'C', 'TA', 'TAC', 'AC', 'full'];

/**
 * Writes the report of an evaluation into `folder` (made where missing; files of an earlier report are replaced).
 * Throws `disk.full` or `disk.forbidden`.
 */
export declare function writeReport(folder: string, results: EvaluationResults): Promise<WrittenReport>;

/**
 * Writes the report of a study into `folder`, as `writeReport` does that of an evaluation; the standings also as
 * `results.parquet`.
 */
export declare function writeStudyReport(folder: string, results: EmbeddingResults): Promise<WrittenReport>;

// Not exported, but named by the declarations above.

export interface FailureDetails {
    /** Stable machine-readable name, e.g. `corpus.unknown`, `safetensors.overlap`. */
    code: string;
    kind?: FailureKind;
    file?: string;
    /** 1-based line of `file`. */
    line?: number;
    field?: string;
    expected?: string;
    found?: string;
    /** What the user can do about it: one imperative sentence. */
    hint?: string;
    cause?: unknown;
}

/** `input`: wrong use or wrong input (exit code 2). `work`: the work itself failed (exit code 1). */
type FailureKind = 'input' | 'work';

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

/** A worker seen from outside. */
export interface WorkerPort {
    post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
    onMessage(listener: (message: unknown) => void): void;
    /** Called once when the worker dies with an error or leaves without having been asked to. */
    onFailure(listener: (error: Error) => void): void;
    terminate(): Promise<void>;
}

export interface Progress {
    /** `unit` is a plural noun: `patents`, `texts`, `queries`. */
    begin(label: string, options?: {
        total?: number;
        unit?: string;
    }): ProgressTask;
    /** A line worth reading once (an estimate, a warning); never part of the result. */
    say(message: string): void;
}

/**
 * Progress of long work as data. Whoever works calls `advance`; whoever shows it (a terminal line, JSON lines on stderr,
 * nothing) implements the interface. Portable; the terminal's form is `base/node/terminal.ts`.
 */
export interface ProgressTask {
    /** More of the task is done; `note` is a short word on what is happening. */
    advance(amount?: number, note?: string): void;
    /** The total became known or changed. */
    total(total: number): void;
    finish(note?: string): void;
}

export type LabelRule = (typeof labelRules)[number];

export declare const labelRules: readonly ['single', 'first', 'frequent', 'rare'];

/**
 * The column names of the common exporters, by field: Lens (CSV and JSON), Google Patents and its BigQuery tables, Espacenet,
 * Derwent, Orbit, PatBase, PatSnap, PatentsView, WIPO Patentscope, DEPATISnet, HUPD, BigPatent, DAPFAM and the plain names
 * people give. Order is preference: for a text or date the first one that a row fills is taken, a list gathers all.
 * Names are compared as `normaliseName` writes them; names with a dot are paths into nested records.
 */
export declare const FIELDS: readonly ['id', 'aliases', 'family', 'familyMembers', 'title', 'abstract', 'claims', 'firstClaim', 'description', 'body', 'cpc', 'ipc', 'labels', 'cites', 'citedBy', 'priority', 'filing', 'publication', 'grant', 'date', 'country', 'kind', 'language'];

export type Field = (typeof FIELDS)[number];

export interface ColumnPlan {
    fields: Partial<Record<Field, {
        paths: string[];
        guessed: boolean;
    }>>;
    /** Columns that no field reads; they are kept under `extra`. */
    unused: string[];
    /** Columns of 0 and 1 whose names are labels. */
    oneHot: string[];
    /** What was decided that a user should know. */
    notes: string[];
    /** Order of day and month in dates such as 03/04/2016; unknown where the sample does not show it. */
    dateOrder?: DateOrder;
    /** Classification symbols stand in the fixed columns of old US tapes. */
    fixedSymbols: boolean;
}

/**
 * Dates in many spellings to ISO: `2016-01-25`, `2016-01` or `2016`, as precise as the source. A date whose order of day and
 * month is not known (`03/04/2016`) keeps its year alone unless the column shows the order elsewhere (`dateOrder`).
 */
export type DateOrder = 'dmy' | 'mdy';

export type LabelField = (typeof labelFields)[number];

export interface LabelTable {
    field: LabelField;
    /** Undefined for the user's own labels, which are taken as they are. */
    level: SymbolLevel | undefined;
    /** Labels of row r: codes[offsets[r]] to codes[offsets[r + 1] - 1], ascending, each once. */
    offsets: Uint32Array;
    codes: Int32Array;
    names: string[];
    /** Hash of each name. */
    hashes: Uint32Array;
}

export type SymbolLevel = (typeof symbolLevels)[number];

export declare const labelFields: readonly ['labels', 'cpc', 'ipc'];

export declare const symbolLevels: readonly ['section', 'class', 'subclass', 'group', 'full'];

export type LinkLine = [
    family: Maybe<string>,
    dates: [priority: Maybe<string>, filing: Maybe<string>, publication: Maybe<string>, grant: Maybe<string>],
    country: Maybe<string>,
    /** Hash, then the number of words. */
    title: Maybe<[string, number]>,
    /** Of its first 300 letters and digits; 0 where it has fewer than 100. */
    abstract: Maybe<string>,
    cites: LinkedCite[],
    citedBy: string[]
];

export type LinkedCite = string | [id: string, category: Maybe<string>, origin: Maybe<string>];

type Maybe<T> = T | 0;

/** One direction of citations, as listed by the row's own record. */
export interface CitationLists {
    /** Slice of row r: [offsets[r], offsets[r + 1]). Within it, no row and no number appears twice. */
    offsets: Uint32Array;
    /** Row of the document; -1 where it is not in the corpus. */
    targets: Int32Array;
    /** Index into `categories`; 0: none given. */
    category: Uint8Array;
    /** Index into `origins`; 0: none given. */
    origin: Uint8Array;
    /** 1 where the entry is a further publication of an application that the entry before means already. */
    further: Uint8Array;
}

export interface RelationCounts {
    /** Entries of all `cites` lists as the sources give them, repeated ones included. */
    total: number;
    inside: number;
    unresolved: number;
    ambiguous: number;
    unreadable: number;
}

export interface Relations {
    rows: number;
    cites: CitationLists;
    citedBy: CitationLists;
    /** Names of the codes; index 0 is ''. */
    categories: string[];
    origins: string[];
    counts: RelationCounts;
    /** Family of each row, numbered from 0. */
    family: Int32Array;
    families: number;
    /** Rows whose family id the source gives. */
    familiesKnown: number;
    /** True where at least one family of two or more was put together by inference (`families.ts`). */
    familyInferred: boolean;
    /** Earliest date of each row in days since 1970-01-01; `unknownDay` where there is none. */
    earliest: Int32Array;
    /** Publication (or grant) day likewise. */
    publication: Int32Array;
    /** Year of publication, else of the earliest date; 0 unknown. */
    year: Int16Array;
    /** Index into `countries`; 0 unknown. */
    country: Uint16Array;
    countries: string[];
}

export interface Relevance {
    /** First line of every report. */
    statement: string;
    /** A patent of the corpus (`row`) or a text. */
    queries: {
        id: string;
        row?: number;
        text?: string;
    }[];
    /** Per query: judged documents, rows ascending, with their gains (0 and below: judged, not relevant). */
    judged: {
        rows: Int32Array;
        gains: Float32Array;
    }[];
    /** Rows a query may not find: itself and its family, ascending. */
    excluded(query: number): Int32Array;
    /** With `onlyEarlier`: a document may be found iff its day is below the query's. */
    documentDay?: Int32Array;
    queryDay?: Int32Array;
    /** Family of each query: what the bootstrap resamples. */
    clusters: Int32Array;
    /** Queries there would be if none were dropped. */
    candidates: number;
    dropped: {
        reason: string;
        count: number;
    }[];
    /** Share of what the queries' sources hold relevant that is in the corpus: nobody can find the rest. */
    recallCeiling: number;
    /** Year and office of each query. */
    years: (string | undefined)[];
    countries: (string | undefined)[];
}

export type RelevanceKind = (typeof relevances)[number];

export interface RelevanceOptions {
    relevance: RelevanceKind;
    /** Search-report categories (X, Y, A, ...); a citation with one of them counts. Default: all citations. */
    categories?: readonly string[] | undefined;
    /** Who cited: examiner, applicant, ... Default: all. */
    origins?: readonly string[] | undefined;
    /** Only documents published before the query's earliest date may be found. Default false. */
    onlyEarlier?: boolean | undefined;
    /** TREC judgement file, for `qrels`. */
    qrels?: string | undefined;
    queriesFile?: string | undefined;
    /** At most this many queries, drawn with `seed`. Default: all. */
    sampleQueries?: number | undefined;
    seed: number;
}

declare const relevances: readonly ['cites', 'cited-by', 'both', 'coupling', 'qrels'];

export interface CorpusSplit {
    readonly corpus: string;
    readonly corpusHash: string;
    /** With defaults filled in: with the corpus's hash all that decides the split. */
    readonly options: Required<FamilySplit> | Required<TimeSplit>;
    /** Part of each row: 0 train, 1 validation, 2 test, 3 dropped. */
    readonly part: Uint8Array;
    /** Group of each row, numbered from 0 in the order of their first rows. */
    readonly group: Int32Array;
    readonly summary: SplitSummary;
}

export interface FamilySplit {
    by: 'family';
    /** Decides, with the families' names, where each goes. */
    seed: number;
    /** Shares of the families; the rest trains. Default 0.1 and 0.2. */
    validation?: number;
    test?: number;
}

export type SplitOptions = FamilySplit | TimeSplit;

export type SplitPart = (typeof splitParts)[number];

export interface SplitSummary {
    /** How it was split, in one sentence. */
    statement: string;
    patents: Record<SplitPart, number>;
    /** Groups: families, with others of the same text. */
    groups: Record<SplitPart, number>;
    dropped: {
        reason: string;
        patents: number;
    }[];
    /** Time: patents in an earlier part than their own day says, because their family is there. */
    movedEarlier: number;
    /** Families put together because texts of theirs are the same. */
    joinedByText: number;
    /** Patents of the largest group. */
    largestGroup: number;
    /** Distinct citations inside the corpus by where both ends lie. `across` ones are removed. */
    citations: {
        train: number;
        validation: number;
        test: number;
        across: number;
    };
}

export interface TimeSplit {
    by: 'time';
    /** First day of the test part: `2010-01-01`, `2010-01` or `2010`. */
    testFrom: string;
    /** First day of the validation part. Default: no validation part. */
    validationFrom?: string;
    /** A family on both sides of a border: all of it to the earlier side (default), or left out. */
    acrossBorder?: 'earlier' | 'drop';
}

export declare const splitParts: readonly ['train', 'validation', 'test', 'dropped'];

export interface StoreFile {
    write(data: Uint8Array): Promise<void>;
    /** Flushes to disk and closes. */
    finish(): Promise<void>;
    /** Closes without flushing. */
    abandon(): Promise<void>;
}

export interface StoreFiles {
    makeFolder(path: string): Promise<void>;
    create(path: string): Promise<StoreFile>;
    /** Replaces `to` by `from` and flushes the folder. */
    move(from: string, to: string): Promise<void>;
    /** Removes a file or a whole folder; silent where there is none. */
    remove(path: string): Promise<void>;
}

export interface CorpusSource {
    /** As the user named it. */
    file: string;
    sha256: string;
    bytes: number;
    /** Rows read from it, rejected ones included. */
    rows: number;
    rejected: number;
}

export type OnConflict = (typeof conflictRules)[number];

export declare const conflictRules: readonly ['fill', 'replace', 'reject'];

export interface Resolution {
    rows: readonly number[];
    ambiguous: boolean;
}

export interface CorpusEntry {
    name: string;
    size: number;
    revision: string;
    hash: string;
    invented: boolean;
    bytes: number;
    /** Why it cannot be read, where it cannot. */
    problem?: string;
}

export interface CitationSummary {
    /** Citations as the sources list them (`cites`). */
    total: number;
    /** Of these, the ones whose document is in the corpus. */
    inside: number;
    unresolved: number;
    /** Inside, but more than one publication of the cited application is there and none is the one written. */
    ambiguous: number;
    /** Citations that are no readable publication number. */
    unreadable: number;
    /** Citing patents with at least one cited document inside, and distinct edges, from `cites` alone. */
    citing: number;
    edges: number;
    /** Distinct edges from `cites` and `citedBy` together. */
    edgesBoth: number;
    /** Cited documents, in the corpus or not, that two or more patents cite; counted among the first 65,536 cited documents. */
    shared: number;
    /** True where there were more cited documents than that: `shared` is a lower bound. */
    sharedAtLeast?: boolean;
}

export interface CorpusSummary {
    patents: number;
    fields: Record<string, TextFieldSummary | ListFieldSummary | {
        present: number;
    }>;
    years: {
        year: string;
        documents: number;
    }[];
    countries: {
        country: string;
        documents: number;
    }[];
    languages: {
        language: string;
        documents: number;
    }[];
    /** Distinct labels (the user's own), with the most frequent. */
    labels: {
        distinct: number;
        top: Counted[];
    };
    /** Four-character CPC and IPC subclasses. */
    cpcSubclasses: {
        distinct: number;
        top: Counted[];
    };
    ipcSubclasses: {
        distinct: number;
        top: Counted[];
    };
    families: {
        known: number;
    };
    citations: CitationSummary;
    supports: Support[];
}

export interface Counted {
    value: string;
    count: number;
}

export interface ListFieldSummary {
    /** Patents with at least one entry. */
    present: number;
    entries: number;
}

export interface Support {
    /** `retrieval by cites`, `classification by labels`, `view TA`, ... */
    what: string;
    supported: boolean;
    /** How many patents carry it, or what is lacking. */
    why: string;
}

export interface TextFieldSummary {
    present: number;
    /** Characters, within 1 %; over the patents that have the field. */
    median: number;
    p90: number;
    longest: number;
}

export declare class TextPrints {
    readonly rows: number;
    /** Hash of each row's id: an order of rows that does not depend on the order of import. */
    readonly idHash: Uint32Array;
    /** 64-bit hash of the family id where the source gives one, else of the id. */
    readonly nameLow: Uint32Array;
    readonly nameHigh: Uint32Array;
    private readonly low;
    private readonly high;
    private readonly long;
    constructor(rows: number);
    set(row: number, patent: Patent): void;
    has(row: number, section: Section): boolean;
    isLong(row: number, section: Section): boolean;
    /** Whether the view has a text at all. */
    hasView(row: number, view: View): boolean;
    /** A name of the section's text; '' where there is none. */
    sectionKey(row: number, section: Section): string;
    /** A name of the view's text: equal names, equal texts section by section. '' where there is none. */
    viewKey(row: number, view: View): string;
    /** Whether two patents have the same text under a view: as comparing `viewKey`, without making names. */
    sameView(a: number, b: number, view: View): boolean;
    /** A name of everything the patent says. */
    wholeKey(row: number): string;
    private keyOf;
}

export type Section = 'title' | 'abstract' | 'firstClaim' | 'claims' | 'description';

export interface EncoderOptions {
    /** Folder of stored vectors (`<home>/vectors`); without it they are kept in memory. */
    vectors?: string;
    /** Tokens of a batch, padding counted. Default 1,024. */
    batchTokens?: number;
    progress?: Progress;
}

export type PassageAggregate = (typeof passageAggregates)[number];

export interface PassageOptions {
    /** Tokens of a passage, special tokens and prompt counted; at most what the model reads. */
    size: number;
    /** Tokens shared with the passage before. */
    overlap: number;
    aggregate: PassageAggregate;
    /** At most so many passages of a document, the first ones. Default: all. */
    most?: number;
    /** A query is its first passage (default), or the mean of all of its own. */
    queries?: 'first' | 'mean';
}

export declare const passageAggregates: readonly ['max', 'mean'];

export interface Shard {
    /** Vectors: one a text, or one a passage. */
    rows: number;
    /** Passages of each text; undefined where every text is one vector. */
    passages?: Int32Array;
    dimensions: number;
    /** Batches whose vectors are there, in plan order; `allBatches` where the window is finished. */
    batches: number;
    truncated: number;
    empty: number;
    tokens: number;
    /** [rows, dimensions] */
    vectors: Float32Array;
}

export interface StoredShard {
    /** SHA-256 of the window's texts: the shard's name. */
    hash: string;
    /** SHA-256 of the shard's content. */
    sha256: string;
    texts: number;
    /** Passages of each text, where texts were cut. */
    passages?: number[];
    tokens: number;
    truncated: number;
    empty: number;
}

/** Manifest of one list of texts. */
interface VectorManifest {
    format: 1;
    settings: Record<string, unknown>;
    /** What the texts are, as far as whoever asked knew it (corpus, its hash and revision, view, masking). */
    source: Record<string, unknown>;
    texts: number;
    dimensions: number;
    tokens: number;
    truncated: number;
    empty: number;
    shards: StoredShard[];
}

export interface VectorStore {
    /** The finished shard of these texts, checked. */
    find(hash: string): Promise<StoredShard | undefined>;
    /** The unfinished one. */
    findPart(hash: string): Promise<Shard | undefined>;
    save(hash: string, shard: Shard): Promise<StoredShard>;
    savePart(hash: string, shard: Shard): Promise<void>;
    /** Values [from, to) of the shard, counted in float32 values. */
    values(hash: string, from: number, to: number): Promise<Float32Array>;
    findManifest(source: Record<string, unknown>): Promise<VectorManifest | undefined>;
    /** Writes the manifest; its path, or undefined where nothing is on disk. */
    saveManifest(manifest: VectorManifest): Promise<string | undefined>;
}

export interface VectorsSummary {
    texts: number;
    dimensions: number;
    /** Special tokens and prompts included. */
    tokens: number;
    /** Texts that were longer than the model reads. */
    truncated: number;
    /** Texts without a word. */
    empty: number;
    /** Texts whose vectors were computed now; the others were found in the cache. */
    computed: number;
    /** Wall time of this call. */
    seconds: number;
}

export type Device = 'cpu' | 'webgpu' | 'cuda';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReliabilityBin {
    from: number;
    to: number;
    count: number;
    /** Mean probability, 0 in an empty bin. */
    confidence: number;
    /** Share of positive outcomes, 0 in an empty bin. */
    accuracy: number;
}

export type ClusteringMeasure = (typeof clusteringMeasures)[number];

export type ClusteringMetrics = Record<ClusteringMeasure, number>;

export declare const clusteringMeasures: readonly ['vMeasure', 'homogeneity', 'completeness', 'ari', 'ami', 'nmi', 'purity'];

export interface PairsInput {
    systems: readonly string[];
    /** Per system, over the same queries in the same order. */
    values: readonly SystemValues[];
    /** Family of each query, by any number; every query on its own where undefined. */
    clusters?: ArrayLike<number> | undefined;
    metric: string;
    /** Smallest difference that matters, in units of the metric. Default 0.01. */
    margin?: number;
    /** Default 1. */
    seed?: number;
    /** Default 10,000. */
    resamples?: number;
    /**
     * The family of hypotheses that a pair of systems, by their places, belongs to: Holm's adjustment goes over each family on its
     * own, and a pair without one is not compared. To be fixed before the values are seen. Default: all pairs are one family.
     */
    family?: (a: number, b: number) => string | undefined;
}

/** One value a query; for a trained system one such array a seed. */
export type SystemValues = Float64Array | readonly Float64Array[];

/** System `a` minus system `b` on one metric over the same queries. */
export interface Comparison {
    metric: string;
    a: string;
    b: string;
    difference: number;
    lower: number;
    upper: number;
    p: number;
    /** Holm-adjusted over all pairs of the table, or of the pair's family. */
    pHolm: number;
    verdict: Verdict;
    /** Smallest true difference that this many queries would detect with 80 % power at 5 %. */
    detectable: number;
    queries: number;
    /** A trained system has fewer than 5 seeds: how much a new training run differs is hardly known. */
    tentative?: true;
}

/** A value with its confidence interval; both ends are NaN where fewer than two independent queries stand behind it. */
export interface Estimate {
    value: number;
    lower: number;
    upper: number;
}

/** What a comparison of two systems may say (design, "Results"). */
export type Verdict = 'better' | 'worse' | 'equivalent' | 'undecided';

/**
 * The model card, README.md of a checkpoint: front matter in YAML as the Hugging Face hub reads it, then what a reader must
 * know. Only what the caller states is written; nothing is guessed, least of all a licence.
 */
export interface ModelCard {
    /** Heading. Default "Patent text encoder". */
    title?: string;
    /** Id of the model that training began from; absent where it began from random weights. */
    baseModel?: string;
    /** SPDX or hub identifier of the licence the checkpoint is under; absent: the card says that it is not stated. */
    license?: string;
    /** ISO 639-1 codes of the texts' languages. */
    languages?: readonly string[];
    /** How it was trained, in sentences. */
    recipe: string;
    /** Settings and results worth a table, in order: name to value. */
    facts?: Readonly<Record<string, string | number>>;
}

export type Activation = 'gelu' | 'gelu_tanh' | 'relu' | 'silu';

/** BERT, RoBERTa and XLM-RoBERTa: post-norm, learned positions, segments. */
export interface BertConfig extends CommonConfig {
    readonly architecture: 'bert';
    readonly modelType: 'bert' | 'roberta' | 'xlm-roberta';
    /** Rows of the position table. */
    readonly positionRows: number;
    readonly segments: number;
    readonly dropout: PostNormDropout;
    /** Set for the RoBERTa family: the first token's position is this id + 1, and a pad token has this id as position. */
    readonly positionPadId?: number;
}

interface CommonConfig {
    readonly modelType: ModelType;
    readonly vocabulary: number;
    readonly hidden: number;
    readonly intermediate: number;
    readonly layers: number;
    readonly heads: number;
    readonly activation: Activation;
    readonly normEpsilon: number;
    readonly padId: number;
    /** The longest sequence, in tokens, that positions exist for. */
    readonly maxPositions: number;
}

export type EncoderConfig = BertConfig | MpnetConfig | ModernBertConfig;

export type ModelType = (typeof supportedModelTypes)[number];

/** ModernBERT: pre-norm, RoPE, gated linear units, global and sliding-window layers. */
export interface ModernBertConfig extends CommonConfig {
    readonly architecture: 'modernbert';
    readonly modelType: 'modernbert';
    readonly layerTypes: readonly ('global' | 'local')[];
    /** A local layer's token sees those at most this far away. */
    readonly window: number;
    readonly globalTheta: number;
    readonly localTheta: number;
    readonly attentionBias: boolean;
    readonly mlpBias: boolean;
    readonly normBias: boolean;
    /** Rates in training: of embeddings; of attention's probabilities and of its output; within the feed-forward. */
    readonly dropout: {
        readonly embedding: number;
        readonly attention: number;
        readonly mlp: number;
    };
}

/** MPNet: as BERT, without segments, with a relative position bias shared by all layers. */
export interface MpnetConfig extends CommonConfig {
    readonly architecture: 'mpnet';
    readonly modelType: 'mpnet';
    readonly positionRows: number;
    readonly positionPadId: number;
    readonly buckets: number;
    readonly dropout: PostNormDropout;
}

/** Rates in training: of embeddings and of the outputs of attention and feed-forward; of attention's probabilities. */
interface PostNormDropout {
    readonly hidden: number;
    readonly attention: number;
}

/** An activation by any of the names that configurations use. */
export declare const activation: z.ZodPipe<z.ZodString, z.ZodTransform<"gelu" | "gelu_tanh" | "relu" | "silu", string>>;

export declare const supportedModelTypes: readonly ['bert', 'roberta', 'xlm-roberta', 'mpnet', 'modernbert'];

/** `vectors` is absent where the written model gives none. */
interface Differences {
    readonly states: number;
    readonly vectors?: number;
}

export type ExportTarget = (typeof exportTargets)[number];

export declare const exportTargets: readonly ['onnx', 'sentence-transformers'];

export interface LoraOptions {
    /** Default 16. */
    rank?: number;
    /** Default: the rank, so that the scale is 1. */
    alpha?: number;
    /** The rate at which entries of the layer's input are dropped on the way to A, in training only. Default 0. */
    dropout?: number;
    /** Rank-stabilised. Default false. */
    rslora?: boolean;
    /** Layers by name, as PEFT reads a list: the whole name, or its end after a dot (`query`). Or a pattern that matches whole names. Default all. */
    targetModules?: readonly string[] | RegExp;
    /** Of A's first values. Default 0. */
    seed?: number;
}

export type Similarity = (typeof similarities)[number];

export declare const poolingModes: readonly ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'];

export declare const similarities: readonly ['cosine', 'dot', 'euclidean', 'manhattan', 'maxsim'];

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

/** `fp32`: as trained. `int8`: linear weights quantised per output channel, activations per token. */
export type ModelDtype = 'fp32' | 'int8';

export interface Pooling {
    modes: readonly PoolingMode[];
    /** False: the prompt's tokens are left out of the pooled mean (`promptTokens` of `encode`). */
    includePrompt: boolean;
    /** Who decided; `default` is the mean, where nobody says anything. */
    source: 'option' | 'checkpoint' | 'registry' | 'default';
}

/** sentence-transformers' names. Several modes are concatenated in this order. */
export type PoolingMode = (typeof poolingModes)[number];

export interface Prompts {
    query: string;
    document: string;
    /** Every prompt the checkpoint or the registry names, by name. */
    named: Readonly<Record<string, string>>;
    /** Where they come from: the checkpoint's own file, the registry, or nowhere. */
    source: 'checkpoint' | 'registry' | 'none';
}

export type Role = 'query' | 'document';

/** States of every token, sequence after sequence: sequence i has rows starts[i] … starts[i + 1] - 1. */
export interface TokenStates {
    /** [tokens, hidden] */
    data: Float32Array;
    /** sequences + 1 row numbers */
    starts: Int32Array;
    hidden: number;
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

export type Bm25Variant = (typeof bm25Variants)[number];

export declare const bm25Variants: readonly ['lucene', 'robertson', 'atire', 'bm25+', 'bm25l'];

export interface MatrixProduct {
    /**
     * a [m, k] times b [n, k] transposed -> [m, n]. The arrays must own their memory: both are handed over and are empty
     * afterwards; or it is shared memory, which stays and must not change until the product is there. Calls may overlap;
     * they are computed in order.
     */
    multiply(a: OwnFloats, m: number, b: OwnFloats, n: number, k: number): Promise<Float32Array>;
    close(): Promise<void>;
}

type OwnFloats = Float32Array<ArrayBuffer> | Float32Array<SharedArrayBuffer>;

export type DecisionRule = keyof typeof decisionSuffixes;

export type Probe = (typeof probes)[number];

/**
 * How probabilities become labels, and the ending of the metrics that say how well: 0.5 for every label; one threshold for all
 * labels, tuned for micro-F1; one for each, tuned for its own F1. Both are cross-fitted, where documents have several labels.
 */
export declare const decisionSuffixes: {
    readonly fixed: '';
    readonly shared: '-shared';
    readonly tuned: '-tuned';
};

export declare const probes: readonly ['knn', 'logistic', 'linear', 'mlp'];

export interface ClassificationCell {
    corpus: string;
    task: 'classification';
    model: string;
    view: string;
    probe: Probe;
    /** Scored. */
    documents: number;
    /** Learnt from. */
    trained: number;
    labels: number;
    /**
     * `micro-f1`, `macro-f1`, `weighted-f1`, `sample-f1`, `subset-accuracy`, `hamming` (also with `-shared` and `-tuned`), `p@k`, `recall@k`,
     * `lrap`, `map`, `ece`, `brier`.
     */
    metrics: Record<string, Estimate>;
    cost: ClassificationCost;
    perLabel: LabelRow[];
    levels: LevelScore[];
    reliability: ReliabilityBin[];
    convergence?: ConvergenceReport;
    /** Labels too rare to have a threshold of their own: they share one. */
    sharedThresholds?: number;
    manifest: ClassificationManifest;
    /** Of the cell, relative to the report's folder. */
    files: {
        predictions?: string;
    };
}

/** All classifiers of one corpus x view on one metric. */
export interface ClassificationComparison {
    corpus: string;
    view: string;
    metric: string;
    margin: number;
    systems: string[];
    pairs: Comparison[];
}

export interface ClassificationCost {
    seconds: number;
    /** Of the vectors, as far as they were not stored before. */
    encodeSeconds?: number;
    /** Where all of them were computed now. */
    documentsPerSecond?: number;
    /** Fitting the probe, and asking it about all test documents. */
    trainSeconds: number;
    predictSeconds: number;
    peakMemoryBytes: number;
    /** Share of texts cut at the length limit, 0..1. */
    truncated?: number;
}

/** Of a classification cell. */
export interface ClassificationManifest extends TaskManifest {
    task: 'classification';
    probe: Probe;
}

export interface ClassificationResults {
    /** What is predicted, learnt from what. */
    statement: string;
    cells: ClassificationCell[];
    comparisons: ClassificationComparison[];
    labelCards: LabelCard[];
}

/** How the training of a probe ended; `knn` has none. */
export interface ConvergenceReport {
    converged: boolean;
    /** Most iterations of a label (logistic), epochs (heads). */
    iterations: number;
    /** Labels that were solved for, and how many of them did not converge. */
    problems: number;
    unconverged: number;
    warnings: string[];
}

/** What was to be predicted, and what was left out. */
export interface LabelCard {
    corpus: string;
    field: LabelField;
    level?: SymbolLevel;
    /** `multi-class`: every document has exactly one label. */
    kind: 'multi-label' | 'multi-class';
    split: string;
    least: number;
    documents: {
        all: number;
        /** Without any label. */
        unlabelled: number;
        /** Whose labels were all left out. */
        emptied: number;
        /** In no part of the split. */
        unsplit: number;
        train: number;
        test: number;
    };
    /** Families of the test part: what is resampled. */
    testFamilies: number;
    labels: {
        found: number;
        kept: number;
        /** With fewer than `least` training documents. */
        rare: number;
        /** With enough of them, but no test document. */
        untested: number;
    };
    /** Labels kept a document. */
    perDocument: {
        mean: number;
        most: number;
    };
}

/** One label's row. */
export interface LabelRow {
    label: string;
    train: number;
    /** Test documents that have it. */
    support: number;
    predicted: number;
    precision: number;
    recall: number;
    f1: number;
    averagePrecision: number;
    /** With the tuned threshold, and that threshold: the mean over the folds. */
    tunedF1?: number;
    threshold?: number;
}

/** Predictions cut to a coarser level of the hierarchy and scored there. */
export interface LevelScore {
    level: SymbolLevel;
    labels: number;
    thresholds: DecisionRule;
    microF1: Estimate;
    macroF1: Estimate;
}

export type Clusterer = (typeof clusterers)[number];

export interface ClusteringOptions {
    /** How documents with several labels come to one. Default: first for CPC and IPC, single for labels of the user's own. */
    reduce?: Reduction;
    /** Default: the number of labels. */
    clusters?: number;
    /** Default kmeans. */
    clusterer?: Clusterer;
    /** Samples that are clustered anew. Default 10. */
    bootstraps?: number;
}

export declare const clusterers: readonly ['kmeans', 'minibatch'];

/** The benchmark's protocol: samples drawn with replacement, each clustered anew. */
export interface BootstrapScores {
    /** Documents of each. */
    size: number;
    vMeasures: number[];
    /** Mean, and standard deviation divided by the number: `v_measure` and `v_measure_std`. */
    mean: number;
    deviation: number;
}

/** One cluster's row. */
export interface ClusterRow {
    cluster: number;
    documents: number;
    /** Share of its most frequent label. */
    purity: number;
    /** Most frequent first. */
    labels: {
        label: string;
        documents: number;
    }[];
}

export interface ClusteringCell {
    corpus: string;
    task: 'clustering';
    model: string;
    view: string;
    documents: number;
    labels: number;
    clusters: number;
    /** `v-measure`, `homogeneity`, `completeness`, `ari`, `ami`, `nmi`, `purity`: means over the seeds. */
    metrics: Record<string, Estimate>;
    runs: SeedRun[];
    bootstraps: BootstrapScores;
    /** Of the clustering with the first seed. */
    perCluster: ClusterRow[];
    perLabel: SpreadLabel[];
    /** Most often together first. */
    mixed: MixedLabels[];
    /** Of the map, where there are documents enough for one. */
    map?: {
        documents: number;
        neighbours: number;
        trustworthiness: number;
    };
    cost: ClusteringCost;
    manifest: ClusteringManifest;
    /** Of the cell, relative to the report's folder. */
    files: {
        assignments?: string;
        map?: string;
    };
}

/** All systems of one corpus and view on one metric. */
export interface ClusteringComparison {
    corpus: string;
    view: string;
    metric: string;
    margin: number;
    systems: string[];
    pairs: Comparison[];
}

export interface ClusteringCost {
    seconds: number;
    /** Of the vectors, as far as they were not stored before. */
    encodeSeconds?: number;
    /** Where all vectors were computed now: documents a second. */
    documentsPerSecond?: number;
    /** All documents, once: the mean over the seeds. */
    clusterSeconds: number;
    bootstrapSeconds: number;
    mapSeconds: number;
    peakMemoryBytes: number;
    /** Share of texts cut at the length limit, 0..1. */
    truncated?: number;
}

/** Of a clustering cell; `seeds` are those of k-means. */
export interface ClusteringManifest extends TaskManifest {
    task: 'clustering';
    clusterer: Clusterer;
}

/** Documents of the best system of a corpus and view in the plane; columns of equal length. */
export interface ClusteringMap {
    corpus: string;
    view: string;
    model: string;
    neighbours: number;
    trustworthiness: number;
    /** Labels, those of most documents first. */
    names: string[];
    ids: string[];
    titles: string[];
    /** Numbers within `names`. */
    labels: number[];
    clusters: number[];
    x: number[];
    y: number[];
}

export interface ClusteringResults {
    /** What is clustered, by which labels it is judged. */
    statement: string;
    cells: ClusteringCell[];
    comparisons: ClusteringComparison[];
    viewComparisons: ClusteringViews[];
    maps: ClusteringMap[];
    cards: ReductionCard[];
    /** Systems without vectors of documents. */
    leftOut: string[];
}

/** The views of one system against one another. */
export interface ClusteringViews {
    corpus: string;
    model: string;
    metric: string;
    margin: number;
    views: string[];
    pairs: Comparison[];
}

/** Two labels in the same clusters. */
export interface MixedLabels {
    a: string;
    b: string;
    /** Chance that a document of `a` and one of `b` lie in one cluster. */
    together: number;
    /** The same for two documents of `a`, of `b`. */
    within: [a: number, b: number];
}

/** What was to be found, and what was left out. */
export interface ReductionCard {
    corpus: string;
    field: LabelField;
    level?: SymbolLevel;
    rule: Reduction;
    /** Of `first`: how often, of documents with several labels, the first is also the first of the alphabet, 0..1. */
    alphabetical?: number;
    least: number;
    /** Which documents were taken at all. */
    split: string;
    documents: {
        all: number;
        /** In another part of the split. */
        unsplit: number;
        unlabelled: number;
        /** With several labels, where the rule takes none of them. */
        several: number;
        /** Of labels that were too small. */
        small: number;
        kept: number;
    };
    families: number;
    labels: {
        used: number;
        dropped: number;
        kept: number;
    };
    /** Documents of the labels kept. */
    sizes: {
        smallest: number;
        median: number;
        largest: number;
        largestLabel: string;
    };
    clusters: number;
}

/** One clustering of all documents. */
export interface SeedRun {
    seed: number;
    iterations: number;
    converged: boolean;
    /** Sum of squared distances to the centres. */
    inertia: number;
    metrics: ClusteringMetrics;
}

/** One label's row. */
export interface SpreadLabel {
    label: string;
    documents: number;
    /** Over how many clusters of equal size it would be spread as widely: exp of the entropy of its clusters. */
    spread: number;
    /** Fullest first. */
    clusters: {
        cluster: number;
        documents: number;
    }[];
}

export type Question = keyof typeof questions;

/** What each question asks, as the report prints it. */
export declare const questions: {
    readonly tuning: 'every recipe and every shuffled control against the model it started from';
    readonly recipes: 'recipes of one model trained on the same corpus against one another, and each against its shuffled control';
    readonly remedies: 'every remedy against the model it started from and against the recipe as it was tuned';
    readonly baselines: 'models as they are, recipes and mixed trainings against the baselines, and the baselines against each other';
    readonly starts: 'models as they are against one another';
};

/** Where systems are compared with one another. */
export interface Corner {
    corpus: string;
    view: string;
    task: Task;
    /** Of classification. */
    probe?: Probe;
}

/** Two systems in the question that they answer. */
export type StudyComparison = Comparison & {
    question: Question;
};

/** The pairs of systems in one corner and on one metric that are tested, Holm-adjusted within each question. */
export interface StudyComparisons extends Corner {
    metric: string;
    margin: number;
    resamples: number;
    pairs: StudyComparison[];
}

/** A corner as the report shows it. */
export interface StudyCorner extends Corner {
    /** The metric that its systems are ranked by. */
    metric: string;
    /** Queries, of the other tasks documents: what is resampled. */
    sample: number;
    /** That may be found, or that the task is done with. */
    documents: number;
}

/** A system in one corner. */
export interface StudyRow extends Corner {
    system: string;
    /** Of the first seed. */
    cost: UseCost;
    metrics: Record<string, Estimate>;
    /** The leading metric of each seed; one value where nothing was trained. */
    seeds: {
        seed?: number;
        value: number;
        cell: string;
    }[];
    /** Fewer than 5 seeds: how much another training would differ is hardly known. */
    tentative: boolean;
}

/** What is evaluated, all its seeds together. */
export interface StudySystem {
    /** As tables name it; unique in the study. */
    name: string;
    role: SystemRole;
    /** Of the study's models; absent for baselines. */
    model?: string;
    recipe?: string;
    /** Corpus whose train part it learnt from; `all corpora` where mixed. */
    trainedOn?: string;
    /** Of remedies: how much of the tuning is kept. */
    weight?: number;
}

export interface StudyTraining {
    hash: string;
    model: string;
    corpus: string;
    recipe: string;
    seed: number;
    pairs: number;
    steps: number;
    loss: {
        first: number;
        last: number;
    };
    curve: {
        step: number;
        loss: number;
    }[];
    seconds: number;
    /** Largest difference between the vectors of the trained weights and of the checkpoint read back. */
    reloaded: number;
    audit: LeakageAudit;
    plan: TrainingPlan;
}

/**
 * `baseline`: bm25, lsa. `start`: a model as it is. `recipe`: trained on one corpus. `control`: on shuffled pairs.
 * `interpolate`, `lora-scale`: the weights between start and tuned. `mixed`: trained on all corpora.
 */
export type SystemRole = 'baseline' | 'start' | 'recipe' | 'control' | 'interpolate' | 'lora-scale' | 'mixed';

/** A trained system against the model it started from. */
export interface TransferCell {
    system: string;
    role: SystemRole;
    model: string;
    recipe: string;
    weight?: number;
    /** Corpus it was trained on; `all corpora` where mixed. */
    from: string;
    /** Corpus it was evaluated on. */
    to: string;
    view: string;
    task: Task;
    probe?: Probe;
    metric: string;
    value: number;
    start: number;
    /** The trained system minus its start. */
    comparison: Comparison;
}

/** What a system costs where it is used, seconds of one document and bytes of it; undefined where vectors were stored before. */
export interface UseCost {
    documentSeconds?: number;
    /** Of one query, or of what the task does to one document. */
    querySeconds?: number;
    bytes?: number;
}

/** Which labels documents have in classification and clustering. */
export interface LabelRule {
    /** Default: the user's own labels, else CPC, else IPC, whichever the corpus has. */
    field?: LabelField;
    /** Depth to which classification symbols are cut. Default subclass. */
    level?: SymbolLevel;
    /** Labels with fewer documents (of classification: to learn from) are left out. Default 5. */
    least?: number;
}

/** A stratification or a measure by domain that a corpus gives no ground for. */
export interface AbsentStrata {
    corpus: string;
    by: Stratum['by'] | 'domain';
    reason: string;
}

/** All systems of one corpus x task x view compared on one metric. */
export interface ComparisonTable {
    corpus: string;
    view: string;
    metric: string;
    margin: number;
    /** As `systemName` writes them; `a` and `b` of the pairs likewise. */
    systems: string[];
    pairs: Comparison[];
}

/** What one system cost on one cell. A fused system needs its two parts, so what they cost is in its numbers. */
export interface Cost {
    seconds: number;
    encodeSeconds?: number;
    searchSeconds: number;
    /** Of a fused system: fusing the lists of all queries, once; `searchSeconds` holds it and the searches of both parts. */
    fusionSeconds?: number;
    /** Of a fused system: choosing its setting by cross-fitting; in `seconds` alone. */
    tuningSeconds?: number;
    /** Of a reranked system: scoring the pairs of all queries; `searchSeconds` holds it and the search of its base. */
    rerankSeconds?: number;
    documentsPerSecond?: number;
    queriesPerSecond?: number;
    peakMemoryBytes: number;
    /** Share of texts cut at the length limit, 0..1. */
    truncated?: number;
    /** Vectors or index on disk or in memory. */
    indexBytes?: number;
}

export interface DataCard {
    corpus: string;
    invented: boolean;
    sources: {
        file: string;
        sha256: string;
        bytes: number;
        rows: number;
        rejected: number;
    }[];
    documents: number;
    years: {
        year: string;
        documents: number;
    }[];
    countries: {
        country: string;
        documents: number;
    }[];
    languages: {
        language: string;
        documents: number;
    }[];
    lengths: {
        field: string;
        present: number;
        median: number;
        p90: number;
    }[];
    citations: {
        total: number;
        resolved: number;
        unresolved: number;
        ambiguous: number;
        /** Share of all citations of the queries whose target is in the corpus: nobody can find the rest. */
        recallCeiling?: number;
    };
    /** Where there was retrieval, as are the judgements and the recall ceiling. */
    queries?: {
        candidates: number;
        used: number;
        dropped: {
            reason: string;
            count: number;
        }[];
    };
    judgements?: {
        relevant: number;
        medianPerQuery: number;
        maxPerQuery: number;
    };
    families: {
        known: number;
        inferred: boolean;
    };
}

/** Per-query differences of a pair, summarised so that 46,069 queries stay readable: a histogram and quantiles. */
export interface DifferenceShape {
    corpus: string;
    view: string;
    metric: string;
    a: string;
    b: string;
    bins: {
        from: number;
        to: number;
        count: number;
    }[];
    wins: number;
    ties: number;
    losses: number;
    quantiles: {
        q: number;
        value: number;
    }[];
}

export interface DomainEstimates {
    in: Estimate;
    out: Estimate;
    /** (IN - OUT) / IN, each mean over its own queries. */
    drop: Estimate;
    /** The same over the queries that have relevant documents in both. */
    dropOfBoth?: Estimate;
}

/** One corpus and view measured over relevant documents IN and OUT of the query's domain (`domain-strata.ts`). */
export interface DomainResult {
    corpus: string;
    view: string;
    metric: string;
    margin: number;
    /** Relevant judgements; `unknown` where query or document has no code. */
    judgements: {
        in: number;
        out: number;
        unknown: number;
    };
    /** Queries and relevant documents by the codes that place them. */
    patents: {
        ipc: number;
        cpc: number;
        none: number;
    };
    queries: {
        in: number;
        out: number;
        both: number;
    };
    systems: Record<string, DomainEstimates>;
    /** All systems against one another over OUT judgements, Holm-corrected over these pairs. */
    outPairs: Comparison[];
    fusions: FusionAcrossDomains[];
}

/** Plain data that `evaluate` takes to make one cell. */
export type EvaluationRequest = Pick<EvaluateOptions, 'corpora' | 'tasks' | 'models' | 'views' | 'maskCitations' | 'fuse' | 'relevance' | 'labels' | 'probes' | 'clustering' | 'split' | 'depth' | 'bm25' | 'analyser' | 'lsaDimensions' | 'dtype' | 'length' | 'dimensions' | 'passages' | 'passagesOnly' | 'margin' | 'resamples' | 'seed' | 'rerank' | 'rerankOf' | 'rerankDepth' | 'rerankLength'>;

/** Does fusing close the gap? The verdicts are in `outPairs`. */
export interface FusionAcrossDomains {
    fused: string;
    dense: string;
    bm25?: string;
    /** Drop of the fused system minus drop of its dense part. */
    dropDifference: Estimate;
}

export interface RecallCurve {
    corpus: string;
    view: string;
    system: string;
    /** Rank cut -> mean recall. */
    points: {
        k: number;
        recall: number;
    }[];
}

/** What a reranked system was made of. */
export interface RerankedFrom {
    /** The system whose rankings were put in order anew, as `systemName` writes it. */
    base: string;
    /** The cross-encoder. */
    model: string;
    /** Documents of each ranking that it put in order. */
    depth: number;
}

/** One model with its vectors cut, over the same queries (`retention.ts`). */
export interface Retention {
    corpus: string;
    view: string;
    metric: string;
    /** The name its widths share. */
    model: string;
    full: {
        system: string;
        dimensions: number;
    };
    /** Widest first; `kept` is the mean over that at full width. */
    cut: {
        system: string;
        dimensions: number;
        kept: Estimate;
    }[];
}

export interface Stratum {
    corpus: string;
    view: string;
    metric: string;
    by: 'year' | 'country' | 'language' | 'length' | 'family' | 'relevant';
    stratum: string;
    queries: number;
    /** system -> estimate. */
    systems: Record<string, Estimate>;
}

export type Task = (typeof tasks)[number];

/** What made a number, whatever the task: enough to make it again (`patentlab repeat`). */
export interface TaskManifest {
    /** Version of this format. */
    format: 1;
    /** Content hash of everything that can change the result; names the cell's folder. */
    cell: string;
    task: Task;
    corpus: {
        name: string;
        hash: string;
        revision: string;
        invented: boolean;
    };
    model: string;
    /** SHA-256 over the model's files; for `bm25` and `lsa` over their settings. */
    modelHash?: string;
    view: string;
    maskCitations: boolean;
    prompt?: {
        query?: string;
        document?: string;
    };
    pooling?: string;
    dimensions?: number;
    length?: number;
    /** Of encoders that read in passages; `length` is then their size. */
    passages?: PassageOptions;
    dtype?: string;
    device: 'cpu' | 'webgpu' | 'cuda';
    /** Of text encoders: what computed, as far as vectors depend on it (the library's version, levels of 8-bit activations). */
    arithmetic?: string;
    settings: Record<string, unknown>;
    seeds: number[];
    packageVersion: string;
    /** Version of the metric and statistics definitions. */
    definitions: string;
    /** Not part of the hash: the options that make this cell again. */
    request: EvaluationRequest;
    /** Not part of the hash: when, where, how long. */
    environment: {
        node: string;
        platform: string;
        processor: string;
        threads: number;
        started: string;
    };
}

/** The views of one system against one another on one metric. */
export interface ViewComparison {
    corpus: string;
    /** The system's name, fused ones as in the leaderboard. */
    model: string;
    metric: string;
    margin: number;
    views: string[];
    estimates: Record<string, Estimate>;
    pairs: Comparison[];
}

/** The queries where two systems differ most. */
export interface WinLoss {
    corpus: string;
    view: string;
    metric: string;
    a: string;
    b: string;
    wins: WinLossRow[];
    losses: WinLossRow[];
}

export interface WinLossRow {
    query: string;
    title: string;
    a: number;
    b: number;
    /** Best rank of a relevant document under each system; undefined where none was found. */
    rankA?: number;
    rankB?: number;
    /** A relevant document that the two systems rank most differently. */
    document?: {
        id: string;
        title: string;
        rankA?: number;
        rankB?: number;
    };
}

export declare const tasks: readonly ['retrieval', 'classification', 'clustering'];

export type FusionMethod = 'rrf' | 'linear';

/**
 * Where a text's tokens are cut into passages: windows of equal length that overlap. The last one is moved back so that it
 * is as long as the others and ends with the text: a window of a few tokens would be a poor text, and as loud as a full one
 * where the best of a document counts.
 */
export interface PassageWindows {
    /** Tokens of a passage, special tokens and prompt counted: as a length limit is. */
    size: number;
    /** Tokens of the text that a passage shares with the one before. */
    overlap: number;
    /** At most so many passages of a text, the first ones. Default: all. */
    most?: number;
}

export interface VocabularyOptions {
    /** Entries, special tokens included. Default 8192. Fewer where the texts run out of frequent pairs; more where the characters alone are more. */
    size?: number;
    /** A pair must stand in the texts this often to become a token. Default 2. */
    minFrequency?: number;
    /** The most frequent characters that are kept; words lose the others. Default 1000. */
    limitAlphabet?: number;
    /** Different words counted at a time. Default 1,000,000 (about 100 MB). */
    maxWords?: number;
}

export interface AnalyserOptions {
    /** `english` (default): Lucene's 33 words; `none`; or a list of one's own, lower-cased. */
    stopWords?: 'english' | 'none' | readonly string[];
    /** `none` (default), or `english`: Snowball's English (Porter2) stemmer, version 3.1. */
    stem?: 'none' | 'english';
}

export interface StepRecord {
    readonly step: number;
    readonly loss: number;
    readonly learningRate: number;
    readonly gradientNorm: number;
    readonly examples: number;
    readonly tokens: number;
    readonly scores?: Readonly<Record<string, number>>;
}

export interface ScheduleOptions {
    kind: 'constant' | 'linear' | 'cosine';
    /** Updates of the whole training. */
    steps: number;
    /** Updates of warm-up; not together with `warmupRatio`. Default 0. */
    warmupSteps?: number;
    /** Their share of all steps, 0 to 1, rounded up. */
    warmupRatio?: number;
    /** Where the cosine ends, as a factor. Default 0. */
    floor?: number;
}

export interface EvaluationOptions {
    /** Steps between two evaluations on the validation part. Default: none; a tenth of the steps where `patience` is given. */
    every?: number;
    /** Stops after so many evaluations without a better one. Default: never. */
    patience?: number;
    /** Most documents of a part that are looked at. Default 2000. */
    documents?: number;
}

/** The model after training against the model before, on what neither was chosen on. */
export interface HeldOutComparison {
    part: HeldOut['part'];
    metric: HeldOut['metric'];
    statement: string;
    /** Queries or pairs. */
    count: number;
    start: Estimate;
    trained: Estimate;
    difference: number;
    lower: number;
    upper: number;
    p: number;
    verdict: Verdict;
}

export interface ValidationSummary {
    metric: HeldOut['metric'];
    /** What was scored, in one sentence. */
    statement: string;
    every: number;
    /** Score of the model before training. */
    start: number;
    scores: {
        step: number;
        score: number;
    }[];
    /** Whose parameters were kept. */
    best: {
        step: number;
        score: number;
    };
    stoppedEarly: boolean;
}

export interface HardNegativeOptions extends Pick<MiningOptions, 'perPair' | 'skip' | 'take'> {
    /** `bm25`, `model` (the one that is trained, as it is before), or the folder of another. */
    by: string;
}

export interface HeldOut {
    readonly part: HeldOutOptions['part'];
    readonly metric: 'ndcg@10' | 'log-probability';
    /** What is scored, in one sentence. */
    readonly statement: string;
    /** Queries or pairs. */
    readonly count: number;
    /** Family of each. */
    readonly clusters: Int32Array;
    /** What queries are judged by, for the leakage audit. */
    readonly relevance?: Relevance;
    /** Queries or anchors, and documents or positives: read anew at each call. */
    texts(): Promise<{
        queries: string[];
        documents: string[];
    }>;
    /** One value a query or pair, from vectors of all texts. */
    values(queries: Float32Array, documents: Float32Array, dimensions: number, product: MatrixProduct): Promise<Float64Array>;
}

export interface HeldOutOptions extends RecipeSources {
    part: Extract<SplitPart, 'validation' | 'test'>;
    recipe: string;
    recipeOptions: RecipeOptions;
    batchSize: number;
    seed: number;
    /** View of queries and documents. */
    view: View;
    maskCitations: boolean;
    /** Most documents. */
    documents: number;
    /** 1 / temperature of the log-probability. */
    scale: number;
}

export interface LeakageAudit {
    /** True where every count is zero. */
    clean: boolean;
    pairs: number;
    heldOut: number;
    /** Distinct texts of held-out patents that were compared. */
    heldOutTexts: number;
    counts: Record<LeakageCheck, number>;
    /** Up to five of each, by publication numbers. */
    examples: Partial<Record<LeakageCheck, string[]>>;
    /** Checks that may be above zero because someone said so. */
    allowed: LeakageCheck[];
}

export type LeakageCheck = keyof typeof leakageChecks;

export declare const leakageChecks: {
    readonly documents: 'pairs with a patent that does not train';
    readonly families: 'pairs with a patent whose family has a held-out member';
    readonly texts: 'pairs with a text that a held-out patent has too';
    readonly citations: 'pairs that are citations across the split';
    readonly judgements: 'pairs that are judged in the evaluation';
    readonly relevant: 'relevant documents of held-out queries that train';
    readonly negatives: 'hard negatives that do not train, or whose family or text is held out';
};

export interface MiningOptions {
    ranker: NegativeRanker;
    related: Relatedness;
    split: CorpusSplit;
    prints: TextPrints;
    seed: number;
    /** Negatives of each pair. Default 1. */
    perPair?: number;
    /** Unrelated documents passed over at the top. Default 10. */
    skip?: number;
    /** Length of the band after them. Default 50. */
    take?: number;
    /** Documents asked of the ranker. Default 4 (skip + take), 200 at least. */
    depth?: number;
    signal?: AbortSignal;
}

/** Whatever can say which patents are near to one: lexical, vectors of a model, anything. */
export interface NegativeRanker {
    /** Goes into the plan: name and settings. */
    readonly settings: Record<string, unknown>;
    /** For each of `rows`, in their order, the nearest rows of the corpus, best first, at most `depth`; the row itself may be there. */
    rank(rows: Int32Array, depth: number): AsyncIterable<Int32Array>;
}

export type Baseline = (typeof baselines)[number];

export interface TrainingPlan {
    recipe: string;
    baseline: Baseline;
    corpus: string;
    corpusHash: string;
    split: CorpusSplit['options'];
    pairs: number;
    /** Of each signal and views: `citations TA-TA`. */
    pairsByKind: Record<string, number>;
    batchSize: number;
    steps: number;
    /** Times each pair is seen, at most; steps · batchSize / pairs. */
    epochs: number;
    seeds: readonly number[];
    /** What decided the pairs. */
    settings: Record<string, unknown>;
}

/** `none`: the recipe itself. `shuffled`: its pairs torn apart. `zero-shot`: the model as it is, nothing is trained. */
export declare const baselines: readonly ['none', 'shuffled', 'zero-shot'];

export interface Reloaded {
    /** Largest difference between vectors of the checkpoint on disk and of the weights in training. */
    readonly maxDifference: number;
    /** LoRA: the same between the merged checkpoint and the adapter beside the model it was trained on, both from disk. */
    readonly adapter?: number;
}

export interface RecipeOptions {
    seed: number;
    /** Most pairs; default all there are. */
    pairs?: number;
    /** Most pairs with the same anchor: default all for citations, 8 for labels. Sections are not concerned. */
    perAnchor?: number;
    /** What R1 and R2 read of a patent. Default TA. */
    view?: View;
    /** R1: only citations of these search-report categories (X, Y, A, ...). Default all. */
    citationCategories?: readonly string[];
    /** R2: default the first that the corpus has of labels, cpc, ipc. */
    labels?: LabelField;
    /** R2 with cpc or ipc: default subclass. */
    level?: SymbolLevel;
    /** R3: views of one patent that make a pair, best first. Default A–C, T–A, T–C. */
    sections?: readonly (readonly [anchor: View, positive: View])[];
    /** R4 and sums: pairs of the signals in proportion to how many there are (default), or in turn. */
    mix?: 'proportional' | 'round-robin';
}

export interface RecipeSources {
    corpus: Corpus;
    relations: Relations;
    split: CorpusSplit;
    prints: TextPrints;
}

export declare class Relatedness {
    private readonly group;
    private readonly citations;
    private readonly labels;
    /** `labels` only where sharing one is what makes a positive (R2, and R4 with R2 in it). */
    constructor(split: CorpusSplit, relations: Relations, labels?: LabelTable);
    /** The same family, or the same text. */
    sameGroup(a: number, b: number): boolean;
    related(a: number, b: number): boolean;
}
