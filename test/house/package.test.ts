/** The package as others see it: what the tarball holds, that it installs, starts, imports and type-checks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { workbookFile } from '../corpus/importer-fixtures.ts';
import { installOffline, link, type Packed, pack } from '../support/packed.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const root = join(import.meta.dirname, '..', '..');
const windows = process.platform === 'win32';

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function run(file: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
    execFile(
      file,
      args,
      { cwd, env: { ...process.env, PATH: path, NO_COLOR: '1', ...env }, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

const node = (args: string[], cwd: string) => run(process.execPath, args, cwd);

describe('the package', () => {
  let folder = '';
  let home = '';
  let packed: Packed;
  const start = (...args: string[]) => node([join(home, 'bin', 'patentlab.js'), ...args], folder);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'patent lab ')); // paths with spaces are paths too
    packed = pack(folder);
    home = installOffline(packed.tarball, folder);
    writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('holds what it needs and nothing else', () => {
    const top = new Set(packed.files.map(({ path }) => path.split('/')[0]));
    const allowed = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'samples', 'studies'];
    assert.deepEqual(
      [...top].filter((name) => !allowed.includes(name!)),
      [],
    );
    for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'bin', 'dist', 'samples'])
      assert.ok(top.has(name), name);
    const paths = packed.files.map(({ path }) => path);
    assert.deepEqual(
      paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')),
      [],
    );
    for (const name of [
      'model/registry.yaml',
      'study/mteb/tasks.yaml',
      'report/style.css',
      'report/client.js',
      'engine/ort.worker.js',
    ]) {
      assert.ok(paths.includes(`dist/${name}`), name);
    }
    assert.ok(packed.unpackedSize < 6e6, `${packed.unpackedSize} bytes unpacked`);
  });

  test('publint and attw find nothing', async () => {
    const tool = (name: string) => join(root, 'node_modules', name);
    const [lint, types] = await Promise.all([
      node([tool('publint/src/cli.js'), 'run', packed.tarball, '--strict'], root),
      node(
        [tool('@arethetypeswrong/cli/dist/index.js'), packed.tarball, '--profile', 'esm-only', '--no-definitely-typed'],
        root,
      ),
    ]);
    assert.equal(lint.code, 0, lint.stdout + lint.stderr);
    assert.equal(types.code, 0, types.stdout + types.stderr);
  });

  test('an old Node gets one clear message', async () => {
    const old = (version: string) =>
      `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;
    for (const version of ['18.20.4', '20.19.0', '22.17.1']) {
      const { code, stdout, stderr } = await node(
        ['--import', old(version), join(home, 'bin', 'patentlab.js'), '--version'],
        folder,
      );
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(
        stderr,
        new RegExp(`^patentlab needs Node 22\\.18 or newer; this is Node ${version}\\.\n {2}to do:`),
      );
      assert.doesNotMatch(stderr, / {4}at /);
    }
    const checkout = ['--import', old('20.19.0'), join(root, 'bin', 'patentlab.js'), '--version'];
    assert.match((await node(checkout, folder)).stdout, /^\d+\.\d+\.\d+\n$/, 'a checkout brings its own Node');
  });

  test('npm starts it by the link in .bin', { skip: windows && 'npm writes a .cmd there' }, async () => {
    const linked = join(folder, 'node_modules', '.bin', 'patentlab');
    chmodSync(join(home, 'bin', 'patentlab.js'), 0o755);
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
    assert.equal((await run(linked, ['--version'], folder)).stdout, `${version}\n`);
    const npx = await run('npx', ['--offline', '--no-install', 'patentlab', '--version'], folder);
    assert.equal(npx.stdout, `${version}\n`, npx.stderr);
  });

  test('the demo runs from it, and its report has its styles and scripts', async () => {
    const outcome = await start('demo', '--home', 'lab', '--quiet');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, / {2}npx patentlab import my-export\.csv --as mine\n {2}npx patentlab evaluate mine/);
    const page = readFileSync(join(folder, 'lab', 'runs', 'demo', 'report.html'), 'utf8');
    assert.ok(page.length < 5e6);
    const styles = readFileSync(join(root, 'src', 'report', 'style.css'), 'utf8');
    assert.match(page, /<style>[\s\S]{1000,}<\/style>/);
    assert.ok(page.includes(/^[^{}]*\{/m.exec(styles)![0].trim().split('\n').at(-1)!.slice(0, 20)));
    assert.match(page, /<script>[\s\S]{500,}<\/script>/);
    assert.doesNotMatch(page, /(?:src|href)="https?:/);
  });

  test('workers, registry, Parquet and ONNX Runtime are found in dist', async () => {
    tinyCheckpoint(join(folder, 'tiny'));
    writeFileSync(join(folder, 'texts.txt'), 'a lens\na hollow probe\n');
    const embed = await start(
      'embed',
      'texts.txt',
      '--model',
      './tiny',
      '--out',
      'vectors.parquet',
      '--home',
      'lab',
      '--json',
    );
    assert.equal(embed.code, 0, embed.stderr);
    assert.equal(JSON.parse(embed.stdout).texts, 2);
    const verify = await start('models', 'verify', './tiny', '--home', 'lab', '--json');
    assert.ok(JSON.parse(verify.stdout).maxDifference < 1e-4, verify.stderr);
    const rows = [
      { id: 'US1A', title: 'lens', cites: 'US2A' },
      { id: 'US2A', title: 'probe', cites: '' },
    ];
    writeFileSync(join(folder, 'patents.xlsx'), workbookFile(rows));
    const sheet = await start('import', 'patents.xlsx', '--as', 'sheet', '--home', 'lab', '--json');
    assert.equal(JSON.parse(sheet.stdout).stored, 2, sheet.stderr);
  });

  test('its modules are imported by name; what is private stays private', async () => {
    writeFileSync(
      join(folder, 'consumer.js'),
      `import { importCorpus, openCorpus, evaluate, compare, encode, loadModel } from 'patentlab';
import { openEngine, input, matmul } from 'patentlab/engine';
import { scoreRun, readRun } from 'patentlab/metrics';
import { Bm25Builder, searchExact } from 'patentlab/retrieve';
const functions = [importCorpus, openCorpus, evaluate, compare, encode, loadModel, openEngine, input, matmul, scoreRun, readRun, searchExact];
const refused = await import('patentlab/dist/base/hash.js').catch((error) => error.code);
console.log(functions.every((f) => typeof f === 'function'), typeof Bm25Builder, refused);
`,
    );
    const { stdout, stderr } = await node(['consumer.js'], folder);
    assert.equal(stdout, 'true function ERR_PACKAGE_PATH_NOT_EXPORTED\n', stderr);
  });

  test('the examples of docs/library.md and docs/engine.md type-check and run against it', async () => {
    const examples = ['library.md', 'engine.md'].flatMap((page) => {
      const text = readFileSync(join(root, 'docs', page), 'utf8').replaceAll('\r\n', '\n');
      return [...text.matchAll(/^```ts run ([\w-]+\.ts)\n([\s\S]*?)^```$/gm)];
    });
    assert.ok(examples.length >= 7);
    for (const [, name, code] of examples) writeFileSync(join(folder, name!), code!);
    link(join(root, 'samples'), join(folder, 'samples'));
    link(join(root, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
    const options = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--noEmit',
    ];
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const names = examples.map(([, name]) => name!);
    const checked = await node([tsc, ...options, '--types', 'node', '--allowImportingTsExtensions', ...names], folder);
    assert.equal(checked.code, 0, checked.stdout);
    for (const name of names) {
      const { code, stdout, stderr } = await node([name], folder);
      assert.equal(code, 0, `${name}: ${stderr}`);
      assert.notEqual(stdout, '', `${name} prints what it found`);
    }
  });
});

test('the lock file names the packages of every platform', async () => {
  const { missingPackages } = (await import(join(root, 'scripts', 'lock.js'))) as {
    missingPackages(lock: unknown): { name: string }[];
  };
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  assert.deepEqual(missingPackages(JSON.parse(text)), [], '`npm run lock` enters them');
  assert.doesNotMatch(text, /"resolved"/, 'no address of a registry');
});
