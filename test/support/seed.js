// Loaded before every test file: property tests draw from PATENTLAB_TEST_SEED where it is set, else from a new seed each run.
import fc from 'fast-check';

const seed = process.env.PATENTLAB_TEST_SEED;
if (seed) fc.configureGlobal({ seed: Number(seed) });
