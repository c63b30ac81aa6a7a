/**
 * The version of everything in this folder that decides a number: the measures, their tie rule, the intervals, the tests
 * and the verdicts. It stands in every manifest; it changes whenever the same input would give another number.
 */
export const definitionsVersion = '1';
