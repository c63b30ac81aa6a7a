/** The report of an evaluation: a table for the terminal, and files to show, to keep and to compute with. */
export { renderTerminal, type TerminalOptions } from './terminal.ts';
export { type WrittenReport, writeReport, writeStudyReport } from './write.ts';
