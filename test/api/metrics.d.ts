// What patentlab/metrics exports; written by `npm run api`.

export interface Calibration {
    ece: number;
    /** All bins, also empty ones: the reliability plot. */
    bins: ReliabilityBin[];
    brier: number;
}

export type ClusteringMeasure = (typeof clusteringMeasures)[number];

export type ClusteringMetrics = Record<ClusteringMeasure, number>;

export interface CompareReplicatedInput {
    systems: readonly string[];
    /** Per system, over the same documents and resamples. */
    values: readonly ReplicatedValues[];
    metric: string;
    /** Smallest difference that matters, in units of the metric. Default 0.01. */
    margin?: number;
    /** Draws of seeds. Default 1. */
    seed?: number;
    /** p of the pair of systems `a`, `b` (numbers within `systems`), in place of the share of centred replicates. */
    test?: (a: number, b: number) => number;
    /** The family of hypotheses that a pair belongs to, as in `comparePairs`. Default: all pairs are one family. */
    family?: (a: number, b: number) => string | undefined;
}

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

export interface EstimateOptions {
    /** Default 1. */
    seed?: number;
    /** Default 10,000. */
    resamples?: number;
    /** Coverage of the interval. Default 0.95. */
    level?: number;
}

/** query -> document -> judged gain (0 = judged and not relevant; negative values count as not relevant). */
export type Judgements = Map<string, Map<string, number>>;

/** One label's row of a table. */
export interface LabelScore {
    label: number;
    /** Documents that have it. */
    support: number;
    /** Documents it was predicted for. */
    predicted: number;
    truePositives: number;
    precision: number;
    recall: number;
    f1: number;
}

/** Row r has codes[offsets[r]] to codes[offsets[r + 1] - 1], ascending, each once. */
export interface LabelSets {
    /** [rows + 1] */
    readonly offsets: Uint32Array;
    /** [labels of all rows] */
    readonly codes: Int32Array;
}

/** How a measure is built from one ranking: its family, and the cut or fraction where the family has one. */
export interface Measure {
    family: MeasureFamily;
    /** trec_eval's spelling, e.g. `ndcg_cut_10`. */
    name: string;
    /** The friendly spelling, e.g. `ndcg@10`. */
    label: string;
    /** Rank cut of a `cut` family; share of the relevant (recall point, multiple of R) of a `share` family. */
    at: number;
}

export type MeasureFamily = keyof typeof families;

/** `hamming` is a loss: lower is better. With one label a document `subsetAccuracy` is the accuracy. */
export type MultilabelMeasure = (typeof multilabelMeasures)[number];

export type MultilabelMetrics = Record<MultilabelMeasure, number>;

export interface MultilabelResampling {
    /** Default 1. */
    seed?: number;
    /** Default 10,000. */
    resamples?: number;
}

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

/** One query's ranking. Any order: metrics sort by score down, ties by document id down, as trec_eval does. */
export interface Ranking {
    documents: readonly string[];
    scores: Float64Array | Float32Array | readonly number[];
}

export interface RankingMetrics {
    lrap: number;
    /** Mean average precision over labels with a positive; 0 where there is none. */
    map: number;
    /** Average precision over all decisions; 0 where no document has a label. */
    mapMicro: number;
    /** [labels] average precision of each label; 0 for one without a positive. */
    averagePrecision: Float64Array;
    /** Labels with a positive. */
    rankedLabels: number;
    precisionAt(k: number): number;
    recallAt(k: number): number;
    /** The values behind the means over documents, for `comparePairs`. */
    documents: {
        lrap: Float64Array;
        precisionAt(k: number): Float64Array;
        recallAt(k: number): Float64Array;
    };
}

/** Scores rankings on a fixed list of measures; holds the working arrays, so that one scorer serves any number of queries. */
export declare class RankingScorer {
    readonly measures: readonly Measure[];
    /** Lowest gain that counts as relevant. */
    readonly level: number;
    private readonly discounts;
    private readonly needsUnjudged;
    private ranks;
    private gains;
    private relevantAbove;
    private judgedAbove;
    private leftAbove;
    private positives;
    private retrieved;
    private judgedRetrieved;
    private relevantRetrieved;
    private relevant;
    private notRelevant;
    private ideal;
    private idealCount;
    private order;
    private unjudgedRanks;
    private unjudged;
    /** `level` is the lowest relevant gain, 1 by default. */
    constructor(measures: readonly Measure[], options?: {
        level?: number;
    });
    /**
     * Writes one value a measure to `out` from `offset` on. `gains[0..count)` in rank order, `judged` highest first.
     * Measures of the summary alone give what the summary needs: 1 for `num_q`, a logarithm for the geometric means.
     */
    score(gains: Numbers, count: number, judged: Numbers, out: Float64Array | Float32Array, offset?: number): void;
    private read;
    private readUnjudged;
    private grow;
    private value;
    /** Relevant documents among the first `cut` ranks. */
    private relevantWithin;
    private unjudgedWithin;
    private averagePrecision;
    private reciprocalRank;
    private bpref;
    /** Yilmaz & Aslam 2006: precision at each relevant document, estimated from the judged part of the pool above it. */
    private inferredAveragePrecision;
    private interpolatedPrecision;
    private dcg;
    private idealDcg;
    /** nDCG averaged over the ranks of the relevant documents; one that is not retrieved counts the nDCG of the whole. */
    private ndcgAtRelevant;
    /** nDCG averaged over the ranks at which the ideal order drops to a lower gain, and over the end of a longer ranking. */
    private ndcgAtLevels;
    /** Mean over the relevant of 1 / log2(2 + not relevant documents above). */
    private binaryG;
    /** sum gain / log2(2 + cost so far - gain so far), over the ideal sum; a rank costs its ideal gain, at least 1. */
    private normalisedG;
    /** Moffat & Zobel 2008 with p = 0.9; gains above 1 are scaled by the highest gain judged. */
    private rankBiasedPrecision;
    /** How much higher rbp could be if every unjudged document were as good as can be. */
    private rankBiasedResidual;
    /** The first gains as trec_eval's `relstring` shows them: a digit, `>` above 9, `-` not judged, `.` left unjudged. */
    relevanceString(length?: number): string;
}

export interface ReliabilityBin {
    from: number;
    to: number;
    count: number;
    /** Mean probability, 0 in an empty bin. */
    confidence: number;
    /** Share of positive outcomes, 0 in an empty bin. */
    accuracy: number;
}

/** A measure of one system (of one seed of it) with its values on resamples. */
export interface ReplicatedValue {
    value: number;
    /** [resamples]; empty where there are too few clusters to resample. */
    replicates: Float64Array;
    /** [clusters] the value with one cluster left out, in the same order for all systems. */
    jackknife?: Float64Array;
    /** Independent clusters (families) that were resampled. */
    clusters?: number;
    /** Documents behind the value. */
    documents?: number;
}

/** One value; for a trained system one a seed. */
export type ReplicatedValues = ReplicatedValue | readonly ReplicatedValue[];

/** query -> ranking. */
export type Run = Map<string, Ranking>;

export interface ScoreOptions {
    /** Count every judged topic, also those that the run lacks (trec_eval `-c`). Default false. */
    complete?: boolean;
    /** Look at no more than this many documents a topic (`-M`). Default all. */
    maxDocs?: number;
    /** Lowest gain that counts as relevant (`-l`). Default 1. */
    level?: number;
    /** Also give each topic's first ten gains as text (trec_eval's `relstring`). Default false. */
    relevanceStrings?: boolean;
}

export interface Scores {
    measures: readonly Measure[];
    /** Topics counted, in byte order. */
    topics: string[];
    /** One array a measure, one value a topic; measures that exist only in the summary hold what the summary is made of. */
    values: Float64Array[];
    relevanceStrings?: string[];
    /** Judged topics that the run lacks. */
    missing: string[];
    /** Topics of the run without a judgement. */
    unjudgedTopics: number;
}

export interface SwapTestInput {
    truth: LabelSets;
    /** One a system, for the same documents. */
    predictions: readonly LabelSets[];
    labels: number;
    /** Family of each document, by any number; each document its own where undefined. */
    clusters?: ArrayLike<number> | undefined;
    /** Default 1. */
    seed?: number;
    /** Random assignments of a pair, at least. Default 10,000. */
    resamples?: number;
}

/** One value a query; for a trained system one such array a seed. */
export type SystemValues = Float64Array | readonly Float64Array[];

/** A run as read, with the tag of its last line (trec_eval's `runid`). */
export interface TaggedRun {
    run: Run;
    tag: string;
}

/** What a comparison of two systems may say (design, "Results"). */
export type Verdict = 'better' | 'worse' | 'equivalent' | 'undecided';

/** Every measure with its values on resamples; `families` names the family of each document, each its own where undefined. */
export declare function bootstrapClustering(truth: ArrayLike<number>, assigned: ArrayLike<number>, families?: ArrayLike<number>, { seed, resamples }?: {
    seed?: number;
    resamples?: number;
}): Record<ClusteringMeasure, ReplicatedValue>;

/** Every measure with its values on resamples; `clusters` names the family of each document, each its own where undefined. */
export declare function bootstrapMultilabel(truth: LabelSets, predicted: LabelSets, labels: number, clusters?: ArrayLike<number>, options?: MultilabelResampling): Record<MultilabelMeasure, ReplicatedValue>;

/** Over all decisions of probabilities [documents, labels]. Throws where a probability lies outside 0..1. */
export declare function calibration(truth: LabelSets, probabilities: Float32Array, labels: number, bins?: number): Calibration;

/** The same of every label by itself, in the order of label numbers. */
export declare function calibrationPerLabel(truth: LabelSets, probabilities: Float32Array, labels: number, bins?: number): Calibration[];

export declare const clusteringMeasures: readonly ['vMeasure', 'homogeneity', 'completeness', 'ari', 'ami', 'nmi', 'purity'];

/** All measures; classes and clusters are named by any integers. */
export declare function clusteringMetrics(truth: ArrayLike<number>, assigned: ArrayLike<number>): ClusteringMetrics;

/** All pairs of systems that have a family, in the order (0,1), (0,2), ..., (1,2), ...; see the head of this file. */
export declare function comparePairs(input: PairsInput): Comparison[];

/** All pairs of systems that have a family, in the order (0,1), (0,2), ..., (1,2), ...; `queries` are documents, 0 where no value gives them. */
export declare function compareReplicated(input: CompareReplicatedInput): Comparison[];

/**
 * The version of everything in this folder that decides a number: the measures, their tie rule, the intervals, the tests
 * and the verdicts. It stands in every manifest; it changes whenever the same input would give another number.
 */
export declare const definitionsVersion = "1";

/** F1 of every document, whose mean is `f1Samples`: values for `comparePairs`. */
export declare function documentF1(truth: LabelSets, predicted: LabelSets, labels: number): Float64Array;

/**
 * Mean over queries with its interval. Fewer than two clusters say nothing about spread: lower and upper are then NaN.
 * Throws where a value is not a number or lengths differ.
 */
export declare function estimateMean(values: SystemValues, clusters?: ArrayLike<number>, options?: EstimateOptions): Estimate;

/** `estimateMean` of many columns (systems, metrics) over the same queries: one set of resamples serves all. */
export declare function estimateMeans(columns: readonly SystemValues[], clusters?: ArrayLike<number>, options?: EstimateOptions): Estimate[];

/** Value with its interval; lower and upper are NaN where there are no replicates. */
export declare function estimateReplicated(values: ReplicatedValues, { level, seed }?: {
    level?: number;
    seed?: number;
}): Estimate;

/** Holm's step-down adjustment: p_(i) times the hypotheses not yet rejected, made monotone, at most 1. */
export declare function holm(p: readonly number[]): number[];

/** Label sets from one list of codes a row, in any order; a code given twice counts once. */
export declare function labelSets(rows: readonly ArrayLike<number>[]): LabelSets;

export declare const leftUnjudged = -2;

/** The names that `parseMetric` knows, friendly ones first; `K` stands for any cut, `X` for any share. */
export declare const metricNames: readonly string[];

/** Approximate smallest detectable mean difference of a planned study: `sd` of per-query differences, `queries` of them. */
export declare function minimalDetectableEffect({ sd, queries }: {
    sd: number;
    queries: number;
}): number;

/** All measures, in the order tables show them. */
export declare const multilabelMeasures: readonly ['f1Micro', 'f1Macro', 'f1Weighted', 'f1Samples', 'precisionMicro', 'precisionMacro', 'recallMicro', 'recallMacro', 'hamming', 'subsetAccuracy'];

/** All measures of predictions for the same documents; see the head of this file. */
export declare function multilabelMetrics(truth: LabelSets, predicted: LabelSets, labels: number): MultilabelMetrics;

export declare const notJudged = -1;

/**
 * The measure that a name means: trec_eval's spelling or a friendly one, in any case.
 * Throws `metric.unknown` with the nearest names, `metric.cut` where a cut is missing or not a positive whole number.
 */
export declare function parseMetric(name: string): Measure;

/** Counts, precision, recall and F1 of every label, in the order of label numbers. */
export declare function perLabel(truth: LabelSets, predicted: LabelSets, labels: number): LabelScore[];

/** All measures of scores [documents, labels] (row-major). Throws where a score is not finite or the sizes do not fit. */
export declare function rankingMetrics(truth: LabelSets, scores: Float32Array, labels: number): RankingMetrics;

/** Reads judgements. Throws `trec.columns`, `trec.relevance`, `trec.duplicate` or `trec.empty`. */
export declare function readJudgements(chunks: Chunks, { file }: {
    file: string;
}): Promise<Judgements>;

/** Reads a run. Throws `trec.columns`, `trec.score`, `trec.duplicate` or `trec.empty`. */
export declare function readRun(chunks: Chunks, { file }: {
    file: string;
}): Promise<TaggedRun>;

/** A run as TREC text, topic by topic, documents in the order given, scores in the fewest digits that read back the same. */
export declare function runLines(run: Run, tag: string): Generator<string>;

/** Per-topic values of all measures. Throws `score.topics` where run and judgements share no topic. */
export declare function scoreRun(judgements: Judgements, run: Run, measures: readonly Measure[], options?: ScoreOptions): Scores;

/** The sets of some rows, in the order given; a row may be taken several times. */
export declare function selectLabelSets(sets: LabelSets, rows: ArrayLike<number>): LabelSets;

/** The summary over topics by trec_eval's names: means, sums of the `num_*`, geometric means of the `gm_*`. */
export declare function summary(scores: Scores): Record<string, number>;

/** Per measure the `test` that `compareReplicated` takes; a pair is computed when first asked for, for all measures at once. */
export declare function swapTest(input: SwapTestInput): (measure: MultilabelMeasure) => (a: number, b: number) => number;

/** One decision a document: its most probable label (the lowest number among equals), right where the document has it. */
export declare function topLabelCalibration(truth: LabelSets, probabilities: Float32Array, labels: number, bins?: number): Calibration;

/** One topic's values by trec_eval's names, without the measures that exist only in the summary. */
export declare function topicValues(scores: Scores, t: number): Record<string, number | string>;

/** Every measure that trec_eval prints when asked for all of them, in its order, but for the two that are text. */
export declare const trecMeasures: readonly Measure[];

// Not exported, but named by the declarations above.

declare const families: {
    readonly num_q: {
        readonly kind: 'plain';
        readonly summary: 'sum';
        readonly summaryOnly: true;
    };
    readonly num_ret: {
        readonly kind: 'plain';
        readonly summary: 'sum';
    };
    readonly num_rel: {
        readonly kind: 'plain';
        readonly summary: 'sum';
    };
    readonly num_rel_ret: {
        readonly kind: 'plain';
        readonly summary: 'sum';
    };
    readonly map: {
        readonly kind: 'plain';
        readonly aliases: readonly ["ap"];
    };
    readonly gm_map: {
        readonly kind: 'plain';
        readonly summary: 'geometric';
        readonly summaryOnly: true;
        readonly aliases: readonly ["gmap"];
    };
    readonly Rprec: {
        readonly kind: 'plain';
        readonly label: 'r-precision';
        readonly aliases: readonly ["r_precision", "rprecision", "r-prec"];
    };
    readonly bpref: {
        readonly kind: 'plain';
    };
    readonly recip_rank: {
        readonly kind: 'plain';
        readonly label: 'mrr';
        readonly aliases: readonly ["rr", "reciprocal-rank"];
    };
    readonly iprec_at_recall: {
        readonly kind: 'share';
        readonly defaults: readonly [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
    };
    readonly P: {
        readonly kind: 'cut';
        readonly label: 'p';
        readonly aliases: readonly ["precision", "prec"];
        readonly defaults: readonly [5, 10, 15, 20, 30, 100, 200, 500, 1000];
    };
    readonly recall: {
        readonly kind: 'cut';
        readonly aliases: readonly ["r"];
        readonly defaults: readonly [5, 10, 15, 20, 30, 100, 200, 500, 1000];
    };
    readonly infAP: {
        readonly kind: 'plain';
    };
    readonly gm_bpref: {
        readonly kind: 'plain';
        readonly summary: 'geometric';
        readonly summaryOnly: true;
    };
    readonly Rprec_mult: {
        readonly kind: 'share';
        readonly defaults: readonly [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2];
    };
    readonly utility: {
        readonly kind: 'plain';
    };
    readonly '11pt_avg': {
        readonly kind: 'plain';
    };
    readonly binG: {
        readonly kind: 'plain';
    };
    readonly G: {
        readonly kind: 'plain';
    };
    readonly ndcg: {
        readonly kind: 'plain';
    };
    readonly ndcg_rel: {
        readonly kind: 'plain';
    };
    readonly Rndcg: {
        readonly kind: 'plain';
    };
    readonly ndcg_cut: {
        readonly kind: 'cut';
        readonly label: 'ndcg';
        readonly defaults: readonly [5, 10, 15, 20, 30, 100, 200, 500, 1000];
    };
    readonly map_cut: {
        readonly kind: 'cut';
        readonly label: 'map';
        readonly aliases: readonly ["ap"];
        readonly defaults: readonly [5, 10, 15, 20, 30, 100, 200, 500, 1000];
    };
    readonly recip_rank_cut: {
        readonly kind: 'cut';
        readonly label: 'mrr';
        readonly aliases: readonly ["rr"];
    };
    readonly relative_P: {
        readonly kind: 'cut';
        readonly aliases: readonly ["relative-p"];
        readonly defaults: readonly [5, 10, 15, 20, 30, 100, 200, 500, 1000];
    };
    readonly success: {
        readonly kind: 'cut';
        readonly aliases: readonly ["hit", "hits", "hit_rate", "hit-rate"];
        readonly defaults: readonly [1, 5, 10];
    };
    readonly set_P: {
        readonly kind: 'plain';
    };
    readonly set_relative_P: {
        readonly kind: 'plain';
    };
    readonly set_recall: {
        readonly kind: 'plain';
    };
    readonly set_map: {
        readonly kind: 'plain';
    };
    readonly set_F: {
        readonly kind: 'plain';
        readonly aliases: readonly ["set_f1"];
    };
    readonly num_nonrel_judged_ret: {
        readonly kind: 'plain';
        readonly summary: 'sum';
    };
    readonly rbp: {
        readonly kind: 'plain';
    };
    readonly rbp_resid: {
        readonly kind: 'plain';
    };
    readonly unj: {
        readonly kind: 'cut';
        readonly label: 'unjudged';
        readonly defaults: readonly [5, 10, 20];
    };
};

type Numbers = ArrayLike<number>;

type Chunks = Iterable<string> | AsyncIterable<string>;
