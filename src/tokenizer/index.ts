/** Text to token ids, as a checkpoint's own tokenizer does it. */
export { hashTexts, type TokenBatch, tokenizePassages, tokenizeTexts } from './batch.ts';
export { loadTokenizer, readTokenizerFiles } from './load.ts';
export type { PassageWindows } from './passages.ts';
export { type HeldTexts, startTokenizerThread, type TokenizeOptions, TokenizerThread } from './thread.ts';
export { type EncodedText, TextTokenizer, type TokenizerFiles, type TokenizerOptions } from './tokenizer.ts';
export { specialTokens, wordPieceFiles } from './wordpiece-files.ts';
export { trainWordPiece, type Vocabulary, type VocabularyOptions } from './wordpiece-training.ts';
