import { describe, expect, it } from 'vitest';
import type { CauseKind } from '../../launchers/plan.ts';
import { builtIn } from '../../launchers/table.ts';

const causeOf = (launcher: string, output: string, code: number | null = 1) =>
  builtIn.find(({ id }) => id === launcher)!.explain(output, { code, signal: null });

describe('the words of installers and servers', () => {
  it.each<[CauseKind, string, string]>([
    [
      'lock-out-of-date',
      'node',
      'npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync.',
    ],
    [
      'lock-out-of-date',
      'node',
      ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with package.json',
    ],
    ['lock-out-of-date', 'node', 'error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.'],
    [
      'lock-out-of-date',
      'node',
      '➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.',
    ],
    ['lock-out-of-date', 'node', 'error: lockfile had changes, but lockfile is frozen'],
    [
      'lock-out-of-date',
      'python',
      'error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.',
    ],
    [
      'lock-out-of-date',
      'python',
      'pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock` to fix the lock file.',
    ],
    [
      'version-not-found',
      'node',
      'npm error code ETARGET\nnpm error notarget No matching version found for is-even@99.0.0.',
    ],
    ['version-not-found', 'node', 'npm error code E404\nnpm error 404 Not Found - GET https://registry.example/x'],
    ['version-not-found', 'node', '➤ YN0082: │ is-even@npm:99.0.0: No candidates found'],
    ['version-not-found', 'node', 'error Couldn\'t find any versions for "is-even" that matches "99.0.0"'],
    [
      'version-not-found',
      'node',
      'error: No version matching "99.0.0" found for specifier "is-even" (but package exists)',
    ],
    [
      'version-not-found',
      'python',
      'error: No solution found when resolving dependencies\n  cause: Because there is no version of mcp==99.0 and you require mcp==99.0, we can conclude that your requirements are unsatisfiable.',
    ],
    ['version-not-found', 'python', 'Package six (1.17.0) not found.'],
    ['version-not-found', 'python', 'ERROR: No matching distribution found for mcp==99'],
    [
      'install-script-failed',
      'node',
      'npm error code 1\nnpm error path /x/node_modules/ripgrep\nnpm error command failed\nnpm error command sh -c node ./postinstall.js\nnpm error Error: getaddrinfo ENOTFOUND downloads.example',
    ],
    ['install-script-failed', 'node', '.../esbuild postinstall$ node install.js\n.../esbuild postinstall: Failed'],
    [
      'missing-program',
      'node',
      '> x@1.0.0 prepare\n> husky\n\nsh: 1: husky: not found\nnpm error code 127\nnpm error command failed',
    ],
    [
      'engine-mismatch',
      'node',
      ' ERR_PNPM_UNSUPPORTED_ENGINE  Unsupported environment (bad pnpm and/or Node.js version)',
    ],
    [
      'engine-mismatch',
      'python',
      "error: The requested interpreter resolved to Python 3.11.7, which is incompatible with the project's Python requirement: `>=3.99`",
    ],
    [
      'engine-mismatch',
      'python',
      '  cause: Because the current Python version (3.11.7) does not satisfy Python>=3.99 and x depends on Python>=3.99, we can conclude',
    ],
    [
      'incompatible-dependency',
      'node',
      'npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree',
    ],
    [
      'incompatible-dependency',
      'node',
      "SyntaxError: The requested module 'zod' does not provide an export named 'z4'",
    ],
    ['incompatible-dependency', 'python', "ModuleNotFoundError: No module named 'mcp.server.fastmcp'"],
    ['incompatible-dependency', 'python', "AttributeError: 'Server' object has no attribute 'list_tools'"],
    ['incompatible-dependency', 'python', "ImportError: cannot import name 'FastMCP' from 'mcp.server'"],
    ['incompatible-dependency', 'python', "TypeError: FastMCP() got unexpected keyword argument(s): 'dependencies'"],
    ['missing-module', 'python', "ModuleNotFoundError: No module named 'httpx'"],
    [
      'missing-module',
      'node',
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /x/dist/index.js",
    ],
    [
      'entry-missing',
      'node',
      "Error: Cannot find module '/x/dist/index.js'\n    at Module._load\n    at node:internal/main\n  code: 'MODULE_NOT_FOUND',\n  requireStack: []",
    ],
    [
      'build-failed',
      'node',
      "src/index.ts(12,7): error TS2345: Argument of type 'string' is not assignable\nnpm error code 2\nnpm error command failed",
    ],
    ['build-failed', 'python', '  × Failed to build `weather @ file:///x`\n  ├─▶ The build backend returned an error'],
    ['runtime-too-old', 'node', 'Error [ERR_UNKNOWN_BUILTIN_MODULE]: No such built-in module: node:sqlite'],
    [
      'runtime-too-old',
      'python',
      "ImportError: cannot import name 'Self' from 'typing' (/usr/lib/python3.10/typing.py)",
    ],
    ['network', 'node', 'npm error code ENOTFOUND\nnpm error network request to https://registry.example/x failed'],
    ['network', 'python', 'error: Failed to fetch: `http://index.example/simple/x/`\n  cause: tcp connect error'],
    [
      'missing-argument',
      'python',
      'usage: server [-h] --db-path DB_PATH\nserver: error: the following arguments are required: --db-path',
    ],
    ['missing-argument', 'python', "Usage: server [OPTIONS]\n\nError: Missing option '--db-path'."],
    ['missing-argument', 'node', 'Usage: mcp-server-filesystem <allowed-directory> [additional-directories...]'],
    [
      'port-taken',
      'python',
      "[Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use",
    ],
    ['unknown', 'node', 'something odd'],
  ])('mean %s (%s: %s)', (kind, launcher, output) => {
    expect(causeOf(launcher, output).kind).toBe(kind);
    // A manifest's plan may be of any runtime.
    expect(causeOf('manifest', output).kind).toBe(kind);
  });

  it.each([
    'Error: BRAVE_API_KEY environment variable is required',
    'Neither FIRECRAWL_API_KEY nor FIRECRAWL_API_URL is provided',
    'Error: FIRECRAWL_API_KEY is required',
    'ValueError: Valid ALLOWED_DIR is required',
    'Missing required environment variables: TRELLO_API_KEY, TRELLO_TOKEN',
    'Please set the OPENAI_API_KEY',
    "KeyError: 'NOTION_TOKEN'",
    'Error: No API key provided. Set it in the environment.',
    'pydantic_core.ValidationError: 1 validation error for Settings\napi_key\n  Field required',
    'fatal: ACCESS_TOKEN must be set',
  ])('mean a missing setting: %s', (output) => {
    expect(causeOf('python', output).kind).toBe('missing-setting');
  });

  it('name the setting and how to pass it', () => {
    expect(causeOf('node', 'at x\nError: BRAVE_API_KEY environment variable is required\n    at y')).toEqual({
      kind: 'missing-setting',
      detail: 'The setting BRAVE_API_KEY is missing (“Error: BRAVE_API_KEY environment variable is required”).',
      hint: 'Pass it with --env BRAVE_API_KEY=value.',
    });
  });

  it('are not taken from warnings', () => {
    const output =
      "npm warn EBADENGINE Unsupported engine {\nnpm warn EBADENGINE   required: { node: '>=99' },\nnpm error something else";
    expect(causeOf('node', output)).toMatchObject({
      kind: 'unknown',
      detail: expect.stringContaining('something else'),
    });
  });

  it('are not needed to see that a program is missing', () => {
    expect(causeOf('node', '', 127).kind).toBe('missing-program');
    expect(causeOf('node', '', 3)).toMatchObject({
      kind: 'unknown',
      detail: 'It ended with exit code 3 and said nothing.',
    });
  });

  it('tell a file of the plugin’s own from a package', () => {
    const said = "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/x/tree/dist/a.js' imported from /x/tree/bin/b.js";
    expect(causeOf('node', said)).toMatchObject({
      kind: 'entry-missing',
      detail: expect.stringContaining('Its own file /x/tree/dist/a.js is not there'),
    });
    expect(causeOf('node', "Cannot find module '/x/node_modules/y/z.js' imported from /x/b.js").kind).toBe(
      'missing-module',
    );
  });

  it('know a git dependency that could not be fetched', () => {
    const said = "fatal: unable to access 'https://git.example/x.git/': Could not resolve host: git.example";
    expect(causeOf('python', said).kind).toBe('network');
  });

  it.each([
    [
      "npm error code E404\nnpm error 404 Not Found - GET https://r.example/@a%2fb\nnpm error 404  The requested resource '@a/b@^1' could not be found or you do not have permission",
      '@a/b@^1',
    ],
    ['npm error code ETARGET\nnpm error notarget No matching version found for left-pad@^99.0.0.', 'left-pad@^99.0.0'],
    ['error Couldn\'t find any versions for "left-pad" that matches "99"', 'left-pad'],
    ['➤ YN0035: │ @a/core@npm:1.0.2: Package not found', '@a/core@npm:1.0.2'],
  ])('name the package that the registry does not have: %#', (said, name) => {
    expect(causeOf('node', said)).toMatchObject({
      kind: 'version-not-found',
      detail: expect.stringContaining(`The registry does not have ${name} (“`),
    });
  });

  it('point to the documentation where there are no words at all', () => {
    expect(causeOf('node', '').hint).toContain('documentation');
  });

  it('takes a notice for no cause', () => {
    const said =
      '⚠ Scanner in free mode. Set SCANNER_API_KEY to use yours.\nerror: Security scanner failed: getaddrinfo ENOTFOUND api.scanner.example';
    expect(causeOf('node', said).kind).toBe('network');
  });

  it('does not take a server’s own log for a compiler’s', () => {
    expect(causeOf('node', '[ERROR] Failed to start: boom').kind).toBe('unknown');
    expect(causeOf('node', '✘ [ERROR] Expected ";"').kind).toBe('build-failed');
  });

  it.each([
    [
      'node',
      '[ERROR] Redis: connect ECONNREFUSED 127.0.0.1:6379, going on without\nError: connect ECONNREFUSED 127.0.0.1:5432 {\n  code: ECONNREFUSED,\n}',
      '5432',
    ],
    [
      'python',
      'psycopg.OperationalError: connection to server at "localhost" (::1), port 5432 failed: Connection refused',
      '5432',
    ],
    ['python', 'redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused.', '6379'],
    [
      'python',
      "ConnectionError: HTTPConnectionPool(host='localhost', port=9200): Max retries exceeded with url: /",
      '9200',
    ],
  ])('name the port of a service that is not running: %s %#', (launcher, said, port) => {
    expect(causeOf(launcher, said)).toMatchObject({
      kind: 'network',
      detail: expect.stringContaining(`at port ${port},`),
      hint: expect.stringContaining(`Start what belongs at port ${port} `),
    });
  });

  it.each([
    ['python', "FileNotFoundError: [Errno 2] No such file or directory: '/x/tree/logs/a.log'", '/x/tree/logs/a.log'],
    ['node', "Error: ENOENT: no such file or directory, open 'config.json'", 'config.json'],
  ])('name the file that is not in the repository: %s', (launcher, said, file) => {
    expect(causeOf(launcher, said)).toMatchObject({
      detail: expect.stringContaining(`It wants ${file}, which the repository does not hold`),
      hint: expect.stringContaining('copy of the repository'),
    });
  });

  it('blame the plugin for a mistake in its code', () => {
    expect(causeOf('python', "Traceback:\n  x\nNameError: name 'List' is not defined").hint).toContain('authors');
  });

  it('quotes what is wrong rather than the usage before it', () => {
    const said = 'Usage: duck [OPTIONS]\nTry --help.\n\nError: In-memory databases require the --read-write flag.';
    expect(causeOf('python', said, 2)).toMatchObject({
      kind: 'missing-argument',
      detail: expect.stringContaining('In-memory databases require the --read-write flag'),
    });
  });

  it('are read at the end of a long output and at the beginning of a long line only', () => {
    const early = `EADDRINUSE\n${'x'.repeat(100)}\n`.padEnd(300 * 1024, 'minified line\n');
    expect(causeOf('node', early).kind).toBe('unknown');
    expect(causeOf('node', `${early}EADDRINUSE ${'e'.repeat(100_000)}`).kind).toBe('port-taken');
    expect(causeOf('node', `${'e'.repeat(100_000)} EADDRINUSE`).kind).toBe('unknown');
  });
});
