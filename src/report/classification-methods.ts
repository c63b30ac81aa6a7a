/** The methods paragraph of classification, generated from cards and manifests. */
import { probeSettings } from '../study/classification/options.ts';
import type { EvaluationResults } from '../study/results.ts';
import { count, listOf } from './format.ts';
import { unique } from './standings.ts';

const told = {
  knn: `k-NN (the share of the ${probeSettings.knn.k} nearest training documents with a label, euclidean distance; for bm25 those that BM25 ranks first)`,
  logistic: `logistic regression (one-vs-rest, softmax where every document has one label; L2, C = ${probeSettings.logistic.C}, stopped at a gradient of ${probeSettings.logistic.tolerance}; for bm25 on TF-IDF rows)`,
  linear: 'a linear head (AdamW, stopped early by a held-out tenth of the training families)',
  mlp: `a perceptron with one hidden layer of ${probeSettings.mlp.head.hidden} (trained likewise)`,
} as const;

/** Paragraphs of plain text; none where classification was not asked for. */
export function classificationMethods({ classification }: EvaluationResults): string[] {
  if (classification === undefined || classification.cells.length === 0) return [];
  const { cells, comparisons, statement, labelCards } = classification;
  const probes = unique(cells.map(({ probe }) => probe)).map((probe) => told[probe]);
  const resamples = unique(cells.flatMap(({ manifest }) => manifest.request.resamples ?? []));
  const margins = unique(comparisons.map(({ margin }) => margin));
  return [
    [
      `Classification. ${statement}`,
      `Labels with fewer than ${listOf(unique(labelCards.map(({ least }) => String(least))))} training documents or without a test document were left out, as were documents with no label left.`,
      `Frozen vectors were read by ${listOf(probes)}; lsa was fitted on the training part alone.`,
      'A label is predicted at a probability of 0.5 or more (k-NN: more than half of the neighbours; one label a document: the likeliest); tuned thresholds are cross-fitted in 5 folds of test families: one for all labels, which maximises micro-F1, and one for each, which maximises that label’s F1.',
    ].join(' '),
    [
      'F1, precision, recall, Hamming loss, subset accuracy, LRAP and average precision are scikit-learn’s (zero_division 0); mAP is the mean over labels.',
      'ECE has 15 bins of equal width over all decisions of documents and labels (of the likeliest label where documents have one).',
      `Intervals are 95 %, over families of test documents: of measures of label sets from ${resamples.length === 1 ? `${count(resamples[0]!)} ` : ''}bootstrap resamples (bias-corrected and accelerated), of mAP, ECE and the Brier score by linearisation.`,
      comparisons.length > 0 &&
        `Classifiers were compared in pairs by swapping the predictions of whole families at random, p values adjusted by Holm over all pairs of one corpus, view and metric, margin ${listOf(margins.map(String))}.`,
    ]
      .filter(Boolean)
      .join(' '),
  ];
}
