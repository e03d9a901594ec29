import { describe, expect, it } from 'vitest';
import { json, planOf, SDK, starts } from './plan-of.ts';

const SOURCE = {
  'src/cli.ts':
    'option("--transport <kind>"); if (process.argv[2] === "stdio" || process.argv.includes("--stdio")) main();',
};
const PACKAGE = { 'package.json': json({ name: '@acme/weather', bin: 'dist/cli.js', dependencies: SDK }), ...SOURCE };
const readme = (...args: string[]) => ({ 'README.md': `{"command": "npx", "args": ${JSON.stringify(args)}}` });
const firstStart = (files: Record<string, string>, given = {}) => starts(planOf(files, given))[0];

describe('the words that a program wants before it serves', () => {
  it.each<[string, string[], string]>([
    ['a subcommand', ['-y', '@acme/weather@latest', 'stdio'], 'node dist/cli.js stdio'],
    ['a subcommand before settings', ['weather', 'stdio', '--db', '/tmp/x'], 'node dist/cli.js stdio'],
    ['a flag', ['-y', '@acme/weather', '--stdio', '--key=x'], 'node dist/cli.js --stdio'],
    [
      'an option with its value',
      ['/path/to/dist/cli.js', '--transport', 'stdio'],
      'node dist/cli.js --transport stdio',
    ],
    ['a container’s', ['run', '-i', 'ghcr.io/acme/weather:1', 'stdio'], 'node dist/cli.js stdio'],
    ['none, where it is started with settings alone', ['-y', '@acme/weather', '--api-key=x'], 'node dist/cli.js'],
    ['none, where a word follows that they may need', ['weather', 'start', 'prod:stdio'], 'node dist/cli.js'],
    ['none, where another program is meant', ['-y', 'mcp-remote', 'stdio'], 'node dist/cli.js'],
  ])('are read from the README: %s', (_, args, expected) => {
    expect(firstStart({ ...PACKAGE, ...readme(...args) })).toBe(expected);
  });

  it('are those of the first block that names the program', () => {
    const text = `${readme('-y', 'weather')['README.md']}\n${readme('weather', 'stdio')['README.md']}`;
    expect(firstStart({ ...PACKAGE, 'README.md': text })).toBe('node dist/cli.js');
  });

  it('are read from the registry’s entry before the README', () => {
    const server = (identifier: string) => ({
      'server.json': json({ packages: [{ identifier, packageArguments: [{ type: 'named', name: '--stdio' }] }] }),
    });
    expect(firstStart({ ...PACKAGE, ...server('@acme/weather'), ...readme('weather', 'stdio') })).toBe(
      'node dist/cli.js --stdio',
    );
    expect(firstStart({ ...PACKAGE, ...server('other') })).toBe('node dist/cli.js');
  });

  it('are left out when the source does not know them', () => {
    expect(firstStart({ ...PACKAGE, 'src/cli.ts': 'main()', ...readme('weather', 'stdio') })).toBe('node dist/cli.js');
  });

  it('give way to the caller’s arguments and command', () => {
    const files = { ...PACKAGE, ...readme('weather', 'stdio') };
    expect(firstStart(files, { overrides: { args: ['sse'] } })).toBe('node dist/cli.js sse');
    expect(firstStart(files, { overrides: { command: ['node', 'src/x.js'] } })).toBe('node src/x.js');
  });

  it('are read of a block whose command is the program, and of an image’s command behind the README’s `docker run`', () => {
    const block = (command: string, ...args: string[]) => ({ 'README.md': json({ weather: { command, args } }) });
    expect(firstStart({ ...PACKAGE, ...block('weather', 'stdio') })).toBe('node dist/cli.js stdio');
    expect(firstStart({ ...PACKAGE, ...block('other', 'stdio') })).toBe('node dist/cli.js');
    const image = { Dockerfile: 'FROM node\nENTRYPOINT ["node", "dist/cli.js"]\nCMD ["stdio"]\n' };
    const run = block('docker', 'run', '-i', '--rm', 'acme/weather');
    expect(firstStart({ ...PACKAGE, ...run, ...image })).toBe('node dist/cli.js stdio');
    expect(firstStart({ ...PACKAGE, ...block('weather'), ...image })).toBe('node dist/cli.js');
  });

  it('go before options and paths of the caller’s, when they are a subcommand', () => {
    const args = (...given: string[]) => ({ overrides: { args: given } });
    const files = { ...PACKAGE, ...readme('weather', 'stdio') };
    expect(firstStart(files, args('--db', 'x.db'))).toBe('node dist/cli.js stdio --db x.db');
    expect(firstStart(files, args('./data'))).toBe('node dist/cli.js stdio ./data');
    const option = { ...PACKAGE, ...readme('weather', '--transport', 'stdio') };
    expect(firstStart(option, args('--transport', 'sse'))).toBe('node dist/cli.js --transport sse');
  });

  it('go to a jar that the README calls by another version', () => {
    const plan = planOf({
      'pom.xml':
        '<project><artifactId>weather-mcp</artifactId><version>1.0</version><dependencies><dependency><groupId>io.modelcontextprotocol.sdk</groupId><artifactId>mcp</artifactId></dependency></dependencies></project>',
      'src/main/java/a/Main.java':
        'package a;\nclass Main {\n  public static void main(String[] args) { if (args[0].equals("--stdio")) serve(); }\n}\n',
      ...readme('-jar', '/path/to/weather-mcp-0.9-SNAPSHOT-all.jar', '--stdio'),
    });
    expect(starts(plan)[0]).toMatch(/ a\.Main --stdio$/);
  });

  it('go to Python’s console scripts, also to those that only the install shows', () => {
    const plan = planOf({
      'pyproject.toml':
        '[project]\nname = "weather"\ndependencies = ["mcp"]\n[project.scripts]\nweather-mcp = "weather:app"\n[build-system]\nrequires = ["x"]\n',
      'src/weather/__init__.py': '@app.command()\ndef stdio():\n  run()\n',
      ...readme('weather-mcp', 'stdio'),
    });
    expect(starts(plan)[0]).toBe('.venv/bin/python .venv/bin/weather-mcp stdio');
    expect(plan.args).toEqual(['stdio']);
  });
});
