import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSystems, parseViews, type SystemSpec, viewLabel } from '../../src/study/systems.ts';

const names = (systems: SystemSpec[]) =>
  systems.map((system) => (system.kind === 'fused' ? `${system.label} ${system.method}` : system.label));

test('fusion adds bm25 and one fused system a dense model and method, each once', () => {
  assert.deepEqual(names(parseSystems(['lsa'], ['linear', 'rrf'])), ['bm25', 'lsa', 'bm25+lsa linear', 'bm25+lsa rrf']);
  assert.deepEqual(names(parseSystems(['bm25', 'bm25+lsa', 'lsa'], [])), ['bm25', 'lsa', 'bm25+lsa linear']);
  assert.deepEqual(names(parseSystems(['bm25+lsa'], ['rrf'])), ['bm25', 'lsa', 'bm25+lsa rrf']);
});

test('encoders are named by the last part of their path, by a name of their own, and by precision', () => {
  assert.deepEqual(names(parseSystems(['a/mini', 'x=b/other'], [], ['fp32', 'int8'])), [
    'mini',
    'mini-int8',
    'x',
    'x-int8',
  ]);
  assert.throws(() => parseSystems(['a/model', 'b/model'], []), { code: 'evaluate.names' });
});

test('fusion without a dense model is wrong use', () => {
  assert.throws(() => parseSystems(['bm25'], ['rrf']), { code: 'evaluate.fuse', exitCode: 2 });
});

test('views: masked ones by suffix or for all, unknown ones refused', () => {
  assert.deepEqual(parseViews(['TA', 'full', 'full-masked'], false).map(viewLabel), ['TA', 'full', 'full-masked']);
  assert.deepEqual(parseViews(['TA', 'TA-masked'], true).map(viewLabel), ['TA-masked']);
  assert.throws(() => parseViews(['TAX'], false), { code: 'evaluate.view' });
});
