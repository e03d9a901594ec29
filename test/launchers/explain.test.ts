import { describe, expect, it } from 'vitest';
import type { CauseKind } from '../../launchers/plan.ts';
import { builtIn } from '../../launchers/table.ts';

const causeOf = (launcher: string, output: string, code: number | null = 1) =>
  builtIn.find(({ id }) => id === launcher)!.explain(output, { code, signal: null });

describe('the words of installers and servers', () => {
  it.each<[CauseKind, string, string, RegExp]>([
    ['needs-login', 'node', 'npm error code E401\nnpm error Incorrect or missing password.', /npmrc/],
    ['needs-login', 'node', ' ERR_PNPM_FETCH_401  GET http://host/npm/x: Unauthorized - 401', /npmrc/],
    ['needs-login', 'node', '➤ YN0041: │ x@npm:1.0.0: Invalid authentication (as an anonymous user)', /npmrc/],
    [
      'needs-login',
      'python',
      'error: No solution found when resolving dependencies\n  cause: Because x was not found in the package registry and you require x, we can conclude that your requirements are unsatisfiable.\n\nhint: An index URL (http://host/simple/) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)',
      /pip\.conf/,
    ],
    [
      'needs-login',
      'go',
      'go: corp.test/words@v1.0.0: reading http://host/go/corp.test/words/@v/v1.0.0.mod: 401 Unauthorized',
      /netrc/,
    ],
    [
      'needs-login',
      'rust',
      'Caused by:\n  no token found for `company`, please run `cargo login --registry company`',
      /netrc/,
    ],
    [
      'needs-login',
      'java',
      '[FATAL] Non-resolvable parent POM for corp:x:1.0.0: Could not transfer artifact corp:words:pom:1.0.0 from/to company (http://host/maven/): authentication failed for http://host/maven/corp/words/1.0.0/words-1.0.0.pom, status: 401 Unauthorized',
      /settings\.xml/,
    ],
    [
      'network',
      'node',
      'npm error code E407\nnpm error 407 Proxy Authentication Required - GET http://host/npm/x',
      /HTTP_PROXY/,
    ],
    [
      'network',
      'python',
      'error: Failed to fetch: https://host/simple/x/\n  cause: error sending request for url (https://host/simple/x/)\n  cause: client error (Connect)\n  cause: tunnel error: proxy authorization required',
      /HTTP_PROXY/,
    ],
    [
      'network',
      'go',
      'go: x@v1.0.0: Get "https://host/go/x/@v/v1.0.0.mod": Proxy Authentication Required',
      /HTTP_PROXY/,
    ],
    [
      'network',
      'rust',
      '  [56] Failure when receiving data from the peer (CONNECT tunnel failed, response 407)',
      /HTTP_PROXY/,
    ],
    [
      'network',
      'java',
      '(https://host/maven/): proxy authentication failed for https://host/maven/words-1.0.0.pom, status: 407 Proxy Authentication Required',
      /HTTP_PROXY/,
    ],
    [
      'network',
      'node',
      'npm error code UNABLE_TO_VERIFY_LEAF_SIGNATURE\nnpm error request to https://host/npm/x failed, reason: unable to verify the first certificate',
      /NODE_EXTRA_CA_CERTS/,
    ],
    [
      'network',
      'python',
      'error: Failed to fetch: https://host/simple/x/\n  cause: error sending request for url (https://host/simple/x/)\n  cause: client error (Connect)\n  cause: invalid peer certificate: UnknownIssuer',
      /SSL_CERT_FILE/,
    ],
    [
      'network',
      'python',
      "Could not fetch URL https://host/simple/x/: There was a problem confirming the ssl certificate: HTTPSConnectionPool(host='host', port=443): Max retries exceeded\nERROR: Could not find a version that satisfies the requirement x (from versions: none)\nERROR: No matching distribution found for x",
      /SSL_CERT_FILE/,
    ],
    [
      'network',
      'go',
      'Get "https://host/go/x/@v/v1.0.0.mod": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      /SSL_CERT_FILE/,
    ],
    [
      'network',
      'rust',
      '  [60] SSL peer certificate or SSH remote key was not OK (SSL certificate problem: unable to get local issuer certificate)',
      /SSL_CERT_FILE/,
    ],
  ])('tells the ways of a company’s network: %s, %s', (kind, launcher, output, hint) => {
    expect(causeOf(launcher, output)).toMatchObject({ kind, hint: expect.stringMatching(hint) });
  });

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
      'node',
      "SyntaxError: The requested module 'node:fs' does not provide an export named 'globSync'",
    ],
    [
      'runtime-too-old',
      'node',
      "/x/server.ts:1\nconst x: string = 'a';\n      ^\n\nSyntaxError: Missing initializer in const declaration",
    ],
    [
      'runtime-too-old',
      'node',
      'TypeError [ERR_UNKNOWN_FILE_EXTENSION]: Unknown file extension ".ts" for /x/src/index.ts',
    ],
    [
      'runtime-too-old',
      'node',
      "file:///x/i.mjs:1\nawait using x = 1\n            ^\n\nSyntaxError: Unexpected identifier 'x'",
    ],
    ['runtime-too-old', 'node', 'TypeError: (intermediate value).union is not a function'],
    ['runtime-too-old', 'node', 'TypeError: Object.groupBy is not a function'],
    ['runtime-too-old', 'node', 'SyntaxError: Invalid regular expression: /(?i:a)/: Invalid group'],
    ['runtime-too-old', 'node', 'node: bad option: --experimental-strip-types'],
    ['runtime-too-old', 'node', 'Node.js 22 or higher is required.'],
    [
      'incompatible-dependency',
      'node',
      "SyntaxError: The requested module 'zod' does not provide an export named 'toJSONSchema'",
    ],
    [
      'missing-setting',
      'node',
      "ZodError: [\n  {\n    code: 'invalid_type',\n    expected: 'string',\n    received: 'undefined',\n    path: [Array],",
    ],
    ['missing-setting', 'node', 'ZodError: [ { "code": "invalid_type", "path": [ "AZURE_CLIENT_ID" ] } ]'],
    ['version-not-found', 'node', 'npm error code ENOVERSIONS\nnpm error No versions available for fastmcp'],
    [
      'version-not-found',
      'node',
      'error: No version matching "^7.0.0" found for specifier "semver" (blocked by minimum-release-age: 91311420 seconds)',
    ],
    [
      'version-not-found',
      'node',
      ' ERR_PNPM_NO_MATURE_MATCHING_VERSION  Version 7.8.6 (released 20 days ago) of semver does not meet the minimumReleaseAge constraint',
    ],
    ['version-not-found', 'node', '➤ YN0016: │ semver@npm:^7.0.0: All versions satisfying "^7.0.0" are quarantined'],
    ['missing-module', 'node', "Module not found: Error: Can't resolve 'bufferutil' in '/x/node_modules/ws/lib'"],
    ['missing-module', 'node', 'Error: Cannot find module @rollup/rollup-linux-x64-gnu. npm has a bug related to'],
    ['missing-module', 'node', 'Error: The package "@esbuild/linux-x64" could not be found, and is needed by esbuild.'],
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
    ['missing-argument', 'node', 'Please provide a database URL as a command-line argument'],
    ['missing-argument', 'node', 'Error: expected the folder as first argument'],
    ['missing-setting', 'node', 'Please provide API_KEY as an environment variable or a command line argument'],
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

  it('name the host that npm could not reach', () => {
    const said =
      'npm error code ENOTFOUND\nnpm error network request to https://host.example/a/b.tgz failed, reason: x';
    expect(causeOf('node', said)).toMatchObject({
      kind: 'network',
      detail: expect.stringContaining('The host https://host.example could not be reached'),
    });
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
      kind: 'missing-service',
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

describe('what is of no use before its install script has run', () => {
  const stack = (file: string) => `\nRequire stack:\n- ${file}\n- /x/dist/index.js`;
  it.each([
    [
      'better-sqlite3',
      'Error: Could not locate the bindings file. Tried:\n → /x/node_modules/.pnpm/better-sqlite3@11.1.0/node_modules/better-sqlite3/build/better_sqlite3.node',
    ],
    [
      'canvas',
      `Error: Cannot find module '../build/Release/canvas.node'${stack('/x/node_modules/canvas/lib/bindings.js')}`,
    ],
    [
      'bcrypt',
      `Error: Cannot find module '/x/node_modules/bcrypt/lib/binding/napi-v3/bcrypt_lib.node'${stack('/x/node_modules/bcrypt/bcrypt.js')}`,
    ],
    [
      'isolated-vm',
      `Error: Cannot find module './out/isolated_vm'${stack('/x/node_modules/isolated-vm/isolated-vm.js')}`,
    ],
    [
      '@prisma/client',
      `Error: Cannot find module '.prisma/client/default'${stack('/x/node_modules/@prisma/client/default.js')}`,
    ],
    [
      'node-pty',
      `Error: Failed to load native module: pty.node, checked: build/Release: Error: Cannot find module './prebuilds/linux-x64//pty.node'${stack('/x/node_modules/node-pty/lib/utils.js')}`,
    ],
    ['sharp', 'Error: \nSomething went wrong installing the "sharp" module\n\nCannot find module'],
    [
      'electron',
      'Error: Electron failed to install correctly, please delete node_modules/electron and try installing again',
    ],
    ['@vscode/ripgrep', 'Error: spawn /x/node_modules/@vscode/ripgrep/bin/rg ENOENT'],
    [
      'bufferutil',
      'Error: No native build was found for platform=linux arch=x64 runtime=node abi=115 uv=1 libc=glibc node=20.20.2\n    loaded from: /x/node_modules/bufferutil',
    ],
  ])('is named: %s', (name, said) => {
    expect(causeOf('node', said)).toMatchObject({
      kind: 'held-back',
      detail: expect.stringContaining(`The module ${name} is of no use`),
      hint: `If you trust it, let the script run: --allow-scripts ${name}.`,
    });
  });

  it('is named where npm refuses to fetch it (trap 11)', () => {
    const said =
      'npm error code EALLOWGIT\nnpm error Fetching packages of type "git" have been disabled\nnpm error Refusing to fetch "tiny@git+https://host/o/n.git"';
    expect(causeOf('node', said)).toMatchObject({
      kind: 'held-back',
      detail: expect.stringContaining('tiny@git+https://host/o/n.git'),
      hint: expect.stringContaining('--allow-scripts'),
    });
  });
});
