/** What an evaluation reports for retrieval, under the names of the leaderboard; the first is the headline. */
export const retrievalMetrics = [
  'ndcg@10',
  'ndcg@100',
  'map',
  'mrr',
  'p@10',
  'recall@10',
  'recall@100',
  'r-precision',
  'success@1',
  'success@10',
  'unjudged@10',
] as const;
