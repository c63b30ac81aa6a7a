import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anchor, escapeHtml, html, jsonIsland, Markup } from '../../src/report/markup.ts';

test('strings are text, markup is markup, nothing is nothing', () => {
  const inner = html`<b>${'a & b'}</b>`;
  assert.equal(
    html`<p title="${'"x" <y>'}">${[inner, 1, undefined, false, null]}</p>`.text,
    '<p title="&quot;x&quot; &lt;y&gt;"><b>a &amp; b</b>1</p>',
  );
  assert.equal(html`${new Markup('<i>')}`.text, '<i>');
});

test('no text, whatever it holds, opens a tag or leaves an attribute', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { maxLength: 60 }), (units) => {
      const text = String.fromCharCode(...units);
      const escaped = escapeHtml(text);
      assert.doesNotMatch(escaped, /[<>"']/);
      assert.doesNotMatch(escaped, /&(?!(amp|lt|gt|quot|#39);)/);
      assert.ok(escaped.isWellFormed());
    }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('<', '</script>', '<!--', '&', '"', "'", '\u0000', '\uD800', 'ä', '\u2028'), {
        maxLength: 12,
      }),
      (parts) => {
        assert.doesNotMatch(escapeHtml(parts.join('')).replace('\u0000', '<'), /[<>"']/);
      },
    ),
  );
});

test('data in a page comes back as it was and cannot end its element', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('</script>', '<!--<script>', '\u2028'), (value, hostile) => {
      const island = jsonIsland('data', { value, hostile }).text;
      const body = island.slice(island.indexOf('>') + 1, island.lastIndexOf('</script>'));
      assert.doesNotMatch(body, /[<>&\u2028\u2029]/);
      assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify({ value, hostile })));
    }),
  );
});

test('an id holds only what an id may', () => {
  assert.equal(anchor('cell', 'a"b c/ü'), 'cell-a-b-c-');
});
