import { describe, expect, it } from 'vitest';
import { isRefusal, type Launcher, type LaunchPlan } from '../../launchers/plan.ts';
import { builtIn, planFor } from '../../launchers/table.ts';
import { createFileView } from '../support/file-view.ts';
import { createSpec } from '../support/spec.ts';
import { json, planOf, refusalOf, rungs, SDK, starts } from './plan-of.ts';

const NODE = json({ name: 'weather', bin: 'dist/index.js', dependencies: SDK });
const WRAPPER = json({ name: 'weather', bin: 'run.js' });
const PYTHON =
  '[project]\nname = "weather"\ndependencies = ["mcp"]\n[project.scripts]\nweather = "weather:main"\n[build-system]\nrequires = ["x"]\n';

describe('of several runtimes in one folder', () => {
  it('the one that declares an MCP SDK is taken', () => {
    expect(planOf({ 'package.json': WRAPPER, 'run.js': '', 'pyproject.toml': PYTHON }).runtime).toBe('python');
    expect(
      planOf({ 'package.json': NODE, 'pyproject.toml': '[project]\nname = "ocr"\ndependencies = ["markitdown"]\n' })
        .runtime,
    ).toBe('node');
  });

  it('the first of the table is taken when both do', () => {
    expect(planOf({ 'package.json': NODE, 'pyproject.toml': PYTHON }).runtime).toBe('node');
  });

  it('a broken file of one does not hide the other', () => {
    expect(planOf({ 'package.json': '{', 'pyproject.toml': PYTHON }).runtime).toBe('python');
  });

  it('a launcher of the caller’s own comes before ours', () => {
    const node = builtIn.find(({ id }) => id === 'node')!;
    const mine: Launcher = {
      ...node,
      id: 'mine',
      plan: (...given) => ({ ...(node.plan(...given) as LaunchPlan), launcher: 'mine' }),
    };
    const made = planFor(
      createFileView({ 'package.json': NODE, 'mcp-supervisor.yaml': 'command: ./x' }),
      createSpec(),
      [mine, ...builtIn],
    );
    expect(isRefusal(made) || made.launcher).toBe('mine');
  });
});

describe('a folder that is no server', () => {
  it.each<[string, Record<string, string>, string]>([
    ['empty', {}, 'is empty'],
    ['documentation', { 'README.md': '# Hello', 'docs/index.md': '' }, 'says how to start a server'],
    [
      'with examples only',
      { 'examples/a/package.json': NODE, 'docs/b/pyproject.toml': PYTHON },
      'says how to start a server',
    ],
    [
      'a library',
      { 'package.json': json({ name: 'left-pad', main: 'index.js' }), 'index.js': 'module.exports = () => 1;' },
      'left-pad is a Node package',
    ],
  ])('%s is refused with what was looked for', (_, files, words) => {
    const refusal = refusalOf(files);
    expect(refusal.code).toBe('DETECT_NOT_A_SERVER');
    expect(refusal.message).toContain(words);
    expect(refusal.hint).not.toBe('');
    expect(refusal.evidence.length).toBeGreaterThan(2);
  });

  it('a library whose example serves names the example', () => {
    const refusal = refusalOf({
      'package.json': json({ name: 'kit', main: 'index.js', types: 'x.d.ts' }),
      'examples/time/package.json': NODE,
      'examples/README.md': '',
    });
    expect(refusal.code).toBe('DETECT_NOT_A_SERVER');
    expect(refusal.hint).toContain('--subdir examples/time');
  });

  it.each([
    ['package.json', '{\n  "name": "x",\n  "bin": \n}', 'package.json:4: is not valid JSON'],
    ['package.json', '[]', 'package.json: holds a list'],
    ['pyproject.toml', '[project]\nname = "x\n', 'pyproject.toml:2: is not valid TOML'],
  ])('a broken %s is refused with its line', (file, text, words) => {
    expect(refusalOf({ [file]: text })).toMatchObject({
      code: 'DETECT_BAD_MANIFEST',
      message: expect.stringContaining(words),
    });
  });

  it('a language without a launcher is named, also with a wrapper package beside it', () => {
    expect(refusalOf({ 'mix.exs': '', 'package.json': WRAPPER, 'npm/package.json': NODE })).toMatchObject({
      code: 'DETECT_UNSUPPORTED',
      message: expect.stringContaining('Elixir'),
    });
    expect(planOf({ 'mix.exs': '', 'pyproject.toml': PYTHON }).runtime).toBe('python');
  });

  it('a subfolder that is not there is named', () => {
    expect(refusalOf({ 'package.json': NODE }, { subdir: 'packages/x' }).message).toContain('no folder packages/x');
  });
});

describe('a root without a manifest (trap 34)', () => {
  it('has the one server below for its project', () => {
    const plan = planOf({ 'README.md': '', 'servers/weather/pyproject.toml': PYTHON, 'docs/package.json': NODE });
    expect(plan.projectDir).toBe('servers/weather');
    expect(plan.evidence[0]).toEqual({ file: 'servers/weather', says: 'is the only server below' });
  });

  it('asks when there are several, of whatever language', () => {
    expect(
      refusalOf(
        { 'src/a/package.json': NODE, 'src/b/pyproject.toml': PYTHON, 'src/b/weather/__init__.py': '' },
        { name: 'servers' },
      ),
    ).toMatchObject({
      code: 'DETECT_AMBIGUOUS',
      choices: ['src/a', 'src/b'],
    });
  });

  it('looks deeper than two levels only where it finds nothing before, and no deeper than four', () => {
    expect(planOf({ 'a/b/c/package.json': NODE }).projectDir).toBe('a/b/c');
    expect(planOf({ 'a/b/c/package.json': NODE, 'd/package.json': NODE }).projectDir).toBe('d');
    expect(refusalOf({ 'a/b/c/d/e/package.json': NODE }).code).toBe('DETECT_NOT_A_SERVER');
  });
});

describe('what the caller says', () => {
  it('is a plan of its own where no launcher knows the folder', () => {
    const plan = planOf({ 'run.sh': '' }, { overrides: { command: ['./run.sh', '--x'], args: ['y'] } });
    expect(plan).toMatchObject({ launcher: 'binary', install: [], start: [{ id: 'override', entry: 'run.sh' }] });
    expect(starts(plan)).toEqual(['./run.sh --x y']);
  });

  it('replaces the start and keeps the install', () => {
    const plan = planOf(
      { 'package.json': NODE, 'package-lock.json': '{}' },
      { overrides: { command: ['node', 'dist/other.js'] } },
    );
    expect(starts(plan)).toEqual(['node dist/other.js']);
    expect(plan.start[0]?.entry).toBe('dist/other.js');
    expect(rungs(plan)[0]).toBe('npm-ci');
  });

  it('is heard where the rules alone would refuse', () => {
    const library = json({ name: 'lib', main: 'index.js', types: 'x.d.ts', dependencies: SDK });
    expect(
      planOf({ 'package.json': library }, { overrides: { command: ['node', 'examples/server.js'] } }).runtime,
    ).toBe('node');
  });

  it('takes a bare name for a file of the plugin before a program', () => {
    expect(starts(planOf({ server: '' }, { overrides: { command: ['server'] } }))).toEqual(['./server']);
    expect(starts(planOf({ 'a.txt': '' }, { overrides: { command: ['server'] } }))).toEqual(['server']);
    expect(starts(planOf({ 'a/server': '' }, { subdir: 'a', overrides: { command: ['./server'] } }))).toEqual([
      'a/server @ a',
    ]);
    expect(starts(planOf({}, { overrides: { command: ['/usr/bin/env', 'x'] } }))).toEqual(['/usr/bin/env x']);
  });

  it('replaces install and build, or leaves them out', () => {
    const files = { 'package.json': json({ name: 'w', bin: 'd.js', scripts: { build: 'tsc' }, dependencies: SDK }) };
    const given = planOf(files, { overrides: { install: [['npm', 'install', '--offline']], build: [['make']] } });
    expect(given.install).toMatchObject([
      { id: 'override', cures: 'any', steps: [{ program: 'npm', args: ['install', '--offline'] }] },
    ]);
    expect(given.build).toMatchObject([{ program: 'make' }]);
    expect(planOf(files, { overrides: { install: [], build: [] } })).toMatchObject({ install: [], build: [] });
  });

  it('sets transport, endpoint and port over a manifest', () => {
    const plan = planOf(
      { 'plugin.yaml': 'command: ./x\ntransport: stdio\nport: 1234' },
      { overrides: { transport: 'sse', endpoint: '/events', port: 8080 } },
    );
    expect(plan).toMatchObject({ transport: 'sse', endpoint: '/events', port: { fixed: 8080 } });
  });

  it('moves the working folder, and what the command names with it', () => {
    expect(starts(planOf({ 'package.json': NODE }, { overrides: { cwd: 'data' } }))).toEqual([
      'node ../dist/index.js @ data',
    ]);
  });

  it('is evidence, without its arguments, which may be secret', () => {
    const { evidence } = planOf(
      { 'package.json': NODE },
      { overrides: { args: ['--token', 'hush'], transport: 'stdio' } },
    );
    expect(JSON.stringify(evidence)).not.toContain('hush');
    expect(evidence[0]).toEqual({ file: '', says: 'arguments were given' });
  });
});
