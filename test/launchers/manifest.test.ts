import { describe, expect, it } from 'vitest';
import { json, planOf, refusalOf, rungs, SDK, starts, toolOf } from './plan-of.ts';

const plan = (yaml: string, files: Record<string, string> = {}) => planOf({ 'mcp-supervisor.yaml': yaml, ...files });
const refusal = (yaml: string, files: Record<string, string> = {}) =>
  refusalOf({ 'mcp-supervisor.yaml': yaml, ...files });
const NODE = {
  'package.json': json({ name: 'weather', bin: 'dist/cli.js', scripts: { build: 'tsc' }, dependencies: SDK }),
  'package-lock.json': '{}',
};

describe('our manifest', () => {
  it.each([
    '.quore/plugin.yaml',
    '.quore/plugin.yml',
    'plugin.yaml',
    'plugin.yml',
    'mcp-supervisor.yaml',
    'mcp-supervisor.yml',
  ])('is read from %s', (file) => {
    expect(planOf({ [file]: 'command: ./run' })).toMatchObject({ launcher: 'manifest', confidence: 'high' });
  });

  it('says everything at once', () => {
    const made = plan(`
name: weather
description: for people
runtime: binary
command: ./bin/weather "two words" --flag
args: [--more, 1]
env: {MODE: fast, RETRIES: 3, DEBUG: false}
cwd: data
transport: streamableHttp
endpoint: /v1/mcp
port: {env: WEATHER_PORT, arg: --listen=}
install: make deps
build: ["make", ["make", "all"]]
health: /healthz
ready: 'listening on \\d+'
`);
    expect(made).toMatchObject({
      runtime: 'binary',
      start: [
        {
          id: 'manifest',
          entry: 'data/bin/weather',
          command: { program: 'data/bin/weather', args: ['two words', '--flag', '--more', '1'], cwd: 'data' },
        },
      ],
      env: { MODE: 'fast', RETRIES: '3', DEBUG: 'false' },
      transport: 'streamable-http',
      endpoint: '/v1/mcp',
      port: { env: ['WEATHER_PORT'], args: ['--listen={port}'], fixed: null },
      install: [{ steps: [{ program: 'make', args: ['deps'] }] }],
      build: [
        { program: 'make', args: [] },
        { program: 'make', args: ['all'] },
      ],
      health: '/healthz',
      readyPattern: 'listening on \\d+',
    });
  });

  it.each([
    ['3000', { env: [], args: [], fixed: 3000 }],
    ['{env: PORT}', { env: ['PORT'], args: [], fixed: null }],
    ['{env: [PORT, HTTP_PORT]}', { env: ['PORT', 'HTTP_PORT'], args: [], fixed: null }],
    ['{arg: --port}', { env: [], args: ['--port', '{port}'], fixed: null }],
    ['{arg: "--addr=127.0.0.1:{port}"}', { env: [], args: ['--addr=127.0.0.1:{port}'], fixed: null }],
  ])('takes the port %s', (written, port) => {
    expect(plan(`command: ./run\nport: ${written}`).port).toEqual(port);
  });

  it('hands over a Unix socket', () => {
    expect(plan('command: ./run\nsocket: {arg: --socket, env: SOCK}').socket).toEqual({
      env: ['SOCK'],
      args: ['--socket', '{socket}'],
    });
  });

  it.each([
    ['streamable-http', 'streamable-http'],
    ['streamable_http', 'streamable-http'],
    ['streamableHttp', 'streamable-http'],
    ['SSE', 'sse'],
    ['http', 'http'],
    ['stdio', 'stdio'],
    ['auto', 'auto'],
  ])('takes the transport %s', (written, transport) => {
    expect(plan(`command: ./run\ntransport: ${written}`).transport).toBe(transport);
  });

  it('wins over bin, and leaves install and build to the runtime', () => {
    const made = plan('entry: dist/server.js\nargs: --fast', NODE);
    expect(starts(made)).toEqual(['node dist/server.js --fast']);
    expect(made.start[0]?.entry).toBe('dist/server.js');
    expect(rungs(made)[0]).toBe('npm-ci');
    expect(made.runtime).toBe('node');
    expect(toolOf(made, 'npm')).toBeDefined();
  });

  it('without command and entry keeps the runtime’s start', () => {
    const made = plan('transport: stdio\nargs: [--stdio]\nenv: {A: b}', NODE);
    expect(starts(made)).toEqual(['node dist/cli.js --stdio']);
    expect(made.transport).toBe('stdio');
  });

  it('starts an entry with what its ending asks for', () => {
    expect(starts(plan('entry: server.mjs'))).toEqual(['node server.mjs']);
    expect(starts(plan('entry: server.py'))).toEqual(['python server.py']);
    expect(starts(plan('entry: bin/serve'))).toEqual(['bin/serve']);
    expect(starts(plan('entry: serve'))).toEqual(['./serve']);
    expect(starts(plan('entry: a/server.js\ncwd: a/b'))).toEqual(['node ../server.js @ a/b']);
  });

  it('names the tools of its commands', () => {
    expect(toolOf(plan('command: node server.js'), 'node')).toEqual({ name: 'node', version: null });
    expect(plan('command: python3 -m weather').tools).toEqual([{ name: 'python', version: null }]);
  });

  it('installs nothing when it says so', () => {
    expect(plan('entry: server.js\ninstall: false\nbuild: []', NODE)).toMatchObject({ install: [], build: [] });
  });
});

describe('a bad manifest is refused with file, field, expectation and what it holds', () => {
  it.each([
    ['an unknown field', 'comand: ./run', '`comand`', 'Did you mean `command`?'],
    ['an unknown field like no other', 'command: ./run\nfoo: 1', '`foo`', 'The fields are'],
    ['a wrong type', 'command: 3', 'field `command`: expected a command, as text or as a list of words, got 3', ''],
    ['an unknown runtime', 'runtime: cobol\ncommand: ./run', 'got "cobol"', ''],
    ['an unknown transport', 'command: ./run\ntransport: carrier-pigeon', 'expected one of stdio', ''],
    ['a port out of range', 'command: ./run\nport: 70000', 'expected a port from 1 to 65535, got 70000', ''],
    ['a port of another shape', 'command: ./run\nport: {flag: --port}', 'or {arg: --port}, got an object', ''],
    ['a shell operator', 'command: cd x && ./run', 'the shell operator &&', ''],
    ['a shell variable', 'command: ./run $HOME', '$HOME, which only a shell', ''],
    ['an open quote', 'command: ./run "x', 'never closed', ''],
    ['a folder outside', 'command: ./run\ncwd: ../x', 'inside the plugin’s folder', ''],
    ['a list for env', 'command: ./run\nenv: [A=b]', 'expected names and values, got a list', ''],
    ['a nested value in env', 'command: ./run\nenv: {A: {b: c}}', 'text for A, got an object', ''],
    ['a pattern that is none', 'command: ./run\nready: "("', 'a regular expression', ''],
    ['an endpoint that is no path', 'command: ./run\nendpoint: mcp', 'a path such as /mcp', ''],
    ['nothing to start', 'transport: stdio', 'neither `command` nor `entry`', ''],
    ['a list', '- a\n- b', 'holds a list where an object', ''],
    ['broken YAML', 'command: ./run\nenv: {a: b', 'mcp-supervisor.yaml:', ''],
  ])('%s', (_, yaml, words, hint) => {
    const made = refusal(yaml);
    expect(made.code).toBe('DETECT_BAD_MANIFEST');
    expect(made.message).toContain('mcp-supervisor.yaml');
    expect(made.message).toContain(words);
    expect(made.hint).toContain(hint);
  });

  it('and a broken package.json is too, when its rules are needed', () => {
    expect(refusal('entry: a.js', { 'package.json': '{"name": "x",\n "bin": }' }).message).toMatch(/^package\.json:2/);
  });
});

describe('a plugin.yaml of another tool', () => {
  it.each([
    ['without a field of ours', 'name: x\nversion: 1\nkeywords: [a]\n'],
    ['of Helm', 'name: x\nversion: 0.1.0\nusage: do things\ncommand: "$HELM_PLUGIN_DIR/bin/x"\n'],
    ['of Helm, newer', 'name: x\napiVersion: v1\ntype: cli/v1\nruntime: subprocess\n'],
    [
      'of a catalogue, with fields of other shapes under names of ours',
      'name: x\ndisplay_name: X\ncategories: [a]\nruntime: {language: typescript}\ninstall: {npx: x}\ntransport: [stdio]\n',
    ],
  ])('%s is passed over', (_, yaml) => {
    expect(planOf({ 'plugin.yaml': yaml, ...NODE }).launcher).toBe('node');
  });

  it.each([
    ['one unknown field is a typing error', 'runtime: node\ncolour: red\n', 'unknown field `colour`'],
    ['a command makes it ours', 'command: ./x\nlicence: MIT\ntags: [a]\n', 'unknown field `licence`'],
  ])('is told from ours: %s', (_, yaml, words) => {
    expect(refusalOf({ 'plugin.yaml': yaml, ...NODE }).message).toContain(words);
  });
});
