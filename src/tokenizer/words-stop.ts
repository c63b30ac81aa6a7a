/**
 * English stop words: the 33 words of Apache Lucene's `EnglishAnalyzer.ENGLISH_STOP_WORDS_SET` (Apache-2.0), the list that
 * most published BM25 runs use, and bm25s too (`STOPWORDS_EN`). It is short on purpose: words that say little in patents
 * ("said", "wherein") already weigh little through their document frequency.
 */
export const englishStopWords: readonly string[] = [
  'a', 'an', 'and', 'are', 'as', 'at', 'be', 'but', 'by', 'for', 'if', 'in', 'into', 'is', 'it', 'no', 'not', 'of', 'on', 'or',
  'such', 'that', 'the', 'their', 'then', 'there', 'these', 'they', 'this', 'to', 'was', 'will', 'with',
]; // biome-ignore format: one list
