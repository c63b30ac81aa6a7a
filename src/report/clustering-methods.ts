/** The methods paragraph of clustering, generated from cards and manifests. */
import { reductionWords } from '../study/clustering/options.ts';
import type { EvaluationResults } from '../study/results.ts';
import { count, listOf, plural } from './format.ts';
import { unique } from './standings.ts';

const clusterers = {
  kmeans: 'k-means (Lloyd’s algorithm, k-means++ starts, one start a seed, at most 300 iterations)',
  minibatch: 'mini-batch k-means (batches of 1,024, k-means++ starts, one start a seed)',
} as const;

/** Paragraphs of plain text; none where clustering was not asked for. */
export function clusteringMethods({ clustering }: EvaluationResults): string[] {
  const first = clustering?.cells[0];
  if (clustering === undefined || first === undefined) return [];
  const { statement, cards, cells, comparisons, viewComparisons } = clustering;
  const { runs, bootstraps, manifest } = first;
  const margins = unique([...comparisons, ...viewComparisons].map(({ margin }) => margin));
  const resamples = manifest.request.resamples;
  const sizes = unique(cells.map((cell) => count(cell.bootstraps.size)));
  return [
    [
      `Clustering. ${statement}`,
      `One label a document: ${listOf(unique(cards.map(({ rule }) => reductionWords[rule])))}; labels with fewer than ${listOf(unique(cards.map(({ least }) => String(least))))} documents were left out, and their documents.`,
      `Vectors, as the models make them, were clustered by ${clusterers[manifest.clusterer]} with ${plural(runs.length, 'seed')}; lsa was fitted on all documents of the corpus.`,
      `In the manner of the Massive Text Embedding Benchmark ${plural(bootstraps.vMeasures.length, 'sample')} of ${listOf(sizes)} documents, drawn with replacement and the same for all systems, were clustered anew by mini-batch k-means (batches of 512) into as many clusters as there are labels.`,
      'Maps are UMAP layouts by cosine (15 neighbours, minimal distance 0.1) of a sample in which each label has its share; trustworthiness is Venna and Kaski’s.',
    ].join(' '),
    [
      'V-measure, homogeneity, completeness, ARI, AMI (arithmetic mean) and NMI are scikit-learn’s; purity is the share of documents in the most frequent label of their cluster.',
      `Values are means over the seeds of k-means. Their 95 % intervals cover which documents were there (families resampled${resamples === undefined ? '' : ` ${count(resamples)} times`} with each clustering held fixed) and where k-means began; not what clustering another sample would have found.`,
      margins.length > 0 &&
        `Systems, and views of one system, were compared in pairs on the same resamples, seeds drawn anew; p is the share of centred resamples at least as far from 0, adjusted by Holm over all pairs of a table, margin ${listOf(margins.map(String))}.`,
    ]
      .filter(Boolean)
      .join(' '),
  ];
}
