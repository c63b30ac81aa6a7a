// Writes test/api/*.d.ts (`npm run api`): what the four public modules declare, with the types their declarations name.
// A test holds them equal to the sources, so that every change of the public API is seen in a review.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = { patentlab: 'index', engine: 'engine/index', metrics: 'metrics/index', retrieve: 'retrieve/index' };

/** Name of the public module -> its declarations as text. */
export function publicDeclarations() {
  const folder = mkdtempSync(join(tmpdir(), 'patentlab-api-'));
  try {
    const args = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder];
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...args], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    if (tsc.status !== 0) throw new Error('the declarations could not be built');
    const read = reader();
    return Object.fromEntries(
      Object.entries(modules).map(([name, path]) => [name, describeModule(read, join(folder, `${path}.d.ts`), name)]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describeModule(read, entry, name) {
  const shown = new Map(); // `file#name` -> text
  const named = [];
  for (const [exported, place] of [...read(entry).exports].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = find(read, place);
    const alias = found.name === exported ? '' : `// exported as ${exported}\n`;
    shown.set(found.key, undefined);
    named.push({ ...found, text: alias + found.text });
  }
  // Types that the declarations name although the module does not export them.
  const inner = [];
  for (const item of [...named]) collect(read, item, shown, inner);
  inner.sort((a, b) => (a.key < b.key ? -1 : 1));
  const texts = (list) => list.map(({ text }) => text).join('\n\n');
  const head = `// What ${name === 'patentlab' ? name : `patentlab/${name}`} exports; written by \`npm run api\`.\n\n`;
  const rest = inner.length === 0 ? '' : `\n\n// Not exported, but named by the declarations above.\n\n${texts(inner)}`;
  return `${head}${texts(named)}${rest}\n`;
}

function collect(read, item, shown, inner) {
  const { locals } = read(item.file);
  for (const word of new Set(
    item.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'[^']*'/g, '').match(/\b[A-Za-z_$][\w$]*\b/g),
  )) {
    const place = locals.get(word);
    if (place === undefined) continue;
    const found = find(read, place);
    if (found === undefined || shown.has(found.key)) continue;
    shown.set(found.key, undefined);
    inner.push(found);
    collect(read, found, shown, inner);
  }
}

/** Follows a name through re-exports to its declaration. */
function find(read, { file, name }) {
  const { declarations, exports } = read(file);
  const text = declarations.get(name);
  if (text !== undefined) return { key: `${file}#${name}`, file, name, text };
  const next = exports.get(name);
  return next === undefined ? undefined : find(read, next);
}

/** Reads a declaration file as tsc prints it: statements begin at the left margin and end before the next one. */
function reader() {
  const known = new Map();
  return (file) => {
    if (!known.has(file)) known.set(file, parse(file));
    return known.get(file);
  };
}

function parse(file) {
  const declarations = new Map();
  const locals = new Map();
  const exports = new Map();
  for (const statement of statements(readFileSync(file, 'utf8'))) {
    const code = statement.replace(/^(?:\/\*[\s\S]*?\*\/\s*|\/\/.*\n)*/, '');
    const list = /^(import|export)\s+(?:type\s+)?\{([\s\S]*?)\}(?:\s+from\s+'([^']+)')?/.exec(code);
    if (list) {
      const [, kind, names, from] = list;
      const target = from?.startsWith('.') ? resolve(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')) : undefined;
      for (const part of names.split(',').map((text) => text.trim().replace(/^type\s+/, ''))) {
        if (part === '' || (from !== undefined && target === undefined)) continue;
        const [name, alias = name] = part.split(/\s+as\s+/);
        if (kind === 'import') locals.set(alias, { file: target, name });
        else exports.set(alias, target === undefined ? (locals.get(name) ?? { file, name }) : { file: target, name });
      }
      continue;
    }
    const declared =
      /^(?:export\s+)?(?:declare\s+)?(?:abstract\s+)?(?:const|let|function|class|interface|type)\s+([\w$]+)/.exec(code);
    if (!declared) continue;
    const name = declared[1];
    declarations.set(name, declarations.has(name) ? `${declarations.get(name)}\n${statement}` : statement);
    locals.set(name, { file, name });
    if (code.startsWith('export')) exports.set(name, { file, name });
  }
  return { declarations, locals, exports };
}

function statements(text) {
  const found = [];
  let comment = '';
  let current = [];
  const close = () => {
    if (current.length > 0) found.push(current.join('\n').trimEnd());
    current = [];
  };
  let inComment = false;
  for (const line of text.split('\n')) {
    if (inComment || line.startsWith('/*')) {
      if (!inComment) {
        close();
        comment = '';
      }
      comment += `${line}\n`;
      inComment = !line.trimEnd().endsWith('*/');
    } else if (/^(?:import|export|declare|type|interface|const|let|abstract|class|function)\b/.test(line)) {
      close();
      current = [comment + line];
      comment = '';
    } else current.push(line);
  }
  close();
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(publicDeclarations())) {
    writeFileSync(join(root, 'test', 'api', `${name}.d.ts`), text);
  }
}
