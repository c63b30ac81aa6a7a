/** ONNX Runtime on the CPU passes the conformance suite. */
import { after } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openEngine } from '../../src/engine/index.ts';
import { checkBackend } from './conformance.ts';

const engine = await openEngine(nodePlatform, { threads: 2 });
const oracle = await openEngine(nodePlatform, { backend: 'reference' });
after(() => engine.close());

checkBackend('ort on the CPU', async () => ({ engine, oracle }), 12);
