import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { toSemver } from '../../launchers/php/project.ts';
import { createPhpLauncher } from '../../launchers/php.ts';
import { json, planOf, refusalOf, rungs, starts, toolOf } from './plan-of.ts';

const SDK = { 'mcp/sdk': '^0.3' };
const composer = (fields: object = {}): string =>
  json({ name: 'acme/weather-mcp', require: { php: '>=8.1', ...SDK }, ...fields });
const SERVER =
  '<?php\nrequire __DIR__ . "/vendor/autoload.php";\nuse Mcp\\Server;\nuse Mcp\\Server\\Transport\\StdioTransport;\n$server = Server::builder()->build();\n$server->run(new StdioTransport());\n';
const WEB =
  '<?php\nuse Mcp\\Server\\Transport\\StreamableHttpTransport;\n$request = $creator->fromGlobals();\n$server->run(new StreamableHttpTransport($request));\n';
const OPTIONS = 'php -d display_errors=stderr -d log_errors=0 -d html_errors=0 -d output_buffering=0';

describe('the start of a PHP project', () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      'the package’s bin',
      {
        'composer.json': composer({ bin: ['bin/weather-mcp'] }),
        'bin/weather-mcp': '#!/usr/bin/env php\n<?php\nrequire "x";',
        'server.php': SERVER,
      },
      ['bin/weather-mcp'],
    ],
    [
      'the bin for stdio before the one for HTTP, a helper not at all',
      {
        'composer.json': composer({ bin: ['bin/patch-sdk.php', 'bin/server-http.php', 'bin/server-stdio.php'] }),
        'bin/server-http.php': SERVER,
        'bin/server-stdio.php': SERVER,
        'bin/patch-sdk.php': '<?php echo 1;',
      },
      ['bin/server-stdio.php', 'bin/server-http.php'],
    ],
    [
      'a program in bin that nothing names',
      { 'composer.json': composer(), 'bin/server.php': SERVER, 'bin/console': '#!/usr/bin/env php\n<?php' },
      ['bin/server.php'],
    ],
    [
      'a program in bin by the class that it uses, without a composer.json',
      {
        'bin/mcp-phpstan': '#!/usr/bin/env php\n<?php\nuse App\\Server;\n(new Server())->run();',
        'src/Server.php': "<?php\nclass Server { function a() { return 'tools/list'; } }",
        'autoload.php': '<?php',
      },
      ['bin/mcp-phpstan'],
    ],
    [
      'server.php',
      {
        'composer.json': composer(),
        'server.php': SERVER,
        'src/Server.php': '<?php\nfinal class Server\n{\n  use McpServer;\n}\n',
        'tests/server.php': SERVER,
      },
      ['server.php'],
    ],
    ['mcp-server.php without a composer.json', { 'mcp-server.php': SERVER }, ['mcp-server.php']],
    [
      'Laravel’s local server',
      {
        'composer.json': composer({ require: { 'laravel/mcp': '^0.1' } }),
        artisan: '#!/usr/bin/env php\n<?php',
        'routes/ai.php': "<?php\nMcp::web('/mcp/w', W::class);\nMcp::local('weather', W::class);",
      },
      ['artisan mcp:start weather'],
    ],
    [
      'another package’s command for Laravel',
      { 'composer.json': composer({ require: { 'php-mcp/laravel': '^3' } }), artisan: '<?php' },
      ['artisan mcp:serve'],
    ],
    [
      'Symfony’s bundle',
      {
        'composer.json': composer({ require: { 'symfony/mcp-bundle': '^0.1' } }),
        'bin/console': '#!/usr/bin/env php\n<?php',
      },
      ['bin/console mcp:server'],
    ],
    [
      'a command of the application’s own',
      {
        'composer.json': composer(),
        'bin/console': '#!/usr/bin/env php\n<?php',
        'src/Command/McpCommand.php': "<?php\n#[AsCommand(name: 'app:mcp', description: 'x')]\nclass McpCommand {}",
        'src/Command/ListCommand.php': "<?php\n#[AsCommand('mcp:list')]\nclass L {}",
      },
      ['bin/console app:mcp'],
    ],
  ])('is %s', (_, files, expected) => {
    const plan = planOf(files);
    expect(starts(plan)).toEqual(expected.map((each) => `${OPTIONS} ${each}`));
    expect(plan).toMatchObject({ launcher: 'php', runtime: 'php' });
  });

  it('is PHP’s own web server for a page, at a leased port', () => {
    const plan = planOf({ 'composer.json': composer(), 'public/index.php': WEB });
    expect(starts(plan)).toEqual([`${OPTIONS} -S {host}:{port} public/index.php`]);
    expect(plan.confidence).toBe('medium');
  });

  it('passes over a page beside a program', () => {
    const plan = planOf({ 'composer.json': composer(), 'server.php': SERVER, 'public/index.php': WEB });
    expect(starts(plan)).toEqual([`${OPTIONS} server.php`]);
    expect(plan.passedOver.map(({ file }) => file)).toEqual(['public/index.php']);
  });
});

describe('the install of a PHP project', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['without a lock', {}, ['composer-install', 'composer-install-no-scripts', 'composer-install-no-extensions']],
    [
      'by the lock first',
      { 'composer.lock': '{}' },
      ['composer-install', 'composer-install-no-scripts', 'composer-update', 'composer-install-no-extensions'],
    ],
    [
      'the autoloader alone where no package is required',
      {
        'composer.json': json({
          require: { php: '^8.1', 'ext-json': '*' },
          'require-dev': { 'phpunit/phpunit': '^10' },
        }),
      },
      ['composer-dump-autoload'],
    ],
  ])('is %s', (_, more, expected) => {
    const plan = planOf({ 'composer.json': composer(), 'server.php': SERVER, ...more });
    expect(rungs(plan)).toEqual(expected);
    expect(plan.install[0]?.steps[0]).toMatchObject({ program: 'composer' });
    expect(toolOf(plan, 'composer')).toEqual({ name: 'composer', version: null });
  });

  it('uses the Composer that the repository carries', () => {
    const plan = planOf({ 'composer.json': composer(), 'composer.phar': '', 'server.php': SERVER });
    expect(plan.install[0]?.steps[0]).toMatchObject({
      program: 'php',
      args: expect.arrayContaining(['composer.phar', 'install']),
    });
    expect(toolOf(plan, 'composer')).toBeUndefined();
  });

  it('installs nothing for scripts without a composer.json', () => {
    expect(planOf({ 'mcp-server.php': SERVER })).toMatchObject({
      install: [],
      tools: [{ name: 'php', version: null }],
    });
  });
});

describe('the version of PHP', () => {
  it.each<[string, string | null, string[], string[]]>([
    ['>=8.1', '>=8.1', ['8.1.0', '8.4.1'], ['8.0.30']],
    ['^8.1 || ^8.2', '^8.1 || ^8.2', ['8.3.0'], ['7.4.0']],
    ['^8.1|^9.0', '^8.1 || ^9.0', ['9.1.0'], ['10.0.0']],
    ['~8.1', '^8.1', ['8.4.0'], ['9.0.0']],
    ['~8.1.2', '~8.1.2', ['8.1.9'], ['8.2.0']],
    ['>=8.1,<8.4', '>=8.1 <8.4', ['8.3.9'], ['8.4.0']],
    ['>= 8.2', '>=8.2', ['8.2.36'], ['8.1.0']],
    ['8.2.*', '8.2.*', ['8.2.5'], ['8.3.0']],
    ['*', null, [], []],
  ])('%s is %s', (constraint, expected, fits, fails) => {
    const range = toSemver(constraint);
    expect(range).toBe(expected);
    if (range === null) return;
    expect(semver.validRange(range)).not.toBeNull();
    expect(fits.filter((version) => !semver.satisfies(version, range))).toEqual([]);
    expect(fails.filter((version) => semver.satisfies(version, range))).toEqual([]);
  });
});

describe('a PHP project as such', () => {
  it('is sure of a program with an SDK, less so of a file without', () => {
    expect(planOf({ 'composer.json': composer(), 'server.php': SERVER }).confidence).toBe('high');
    expect(planOf({ 'mcp-server.php': SERVER }).confidence).toBe('medium');
  });

  it('wants what its source reads, and not what a web server hands over', () => {
    const server = `${SERVER}getenv('ACME_KEY'); $_ENV["ACME_URL"]; env('ACME_MODE', 'x'); $_SERVER['REQUEST_METHOD'];`;
    const { wants } = planOf({ 'composer.json': composer(), 'server.php': server });
    expect(wants.map(({ name }) => name)).toEqual(['ACME_KEY', 'ACME_MODE', 'ACME_URL']);
  });

  it('that is a library is told so', () => {
    const refusal = refusalOf({ 'composer.json': composer(), 'src/Tool.php': '<?php\nclass Tool\n{\n}\n' });
    expect(refusal).toMatchObject({ code: 'DETECT_NOT_A_SERVER' });
    expect(refusal.evidence.map(({ says }) => says)).toContain('requires mcp/sdk, so it may be a library for servers');
  });

  it('with a broken composer.json is told where', () => {
    expect(refusalOf({ 'composer.json': '{"name": "a', 'server.php': SERVER })).toMatchObject({
      code: 'DETECT_BAD_MANIFEST',
    });
  });
});

describe('what Composer and PHP print', () => {
  const { explain } = createPhpLauncher();
  it.each<[string, string, string, RegExp]>([
    [
      'a registry that is out of reach',
      'Loading composer repositories with package information\nThe following exception probably indicates you are offline or have misconfigured DNS resolver(s)\n\nIn CurlDownloader.php line 365:\n\n  curl error 6 while downloading https://packages.example/packages.json: Could not resolve host: packages.example\n',
      'network',
      /packages\.example/,
    ],
    [
      'another version of PHP',
      '  Problem 1\n    - Root composer.json requires php >=8.9 but your php version (8.2.36) does not satisfy that requirement.\n',
      'engine-mismatch',
      /another version of PHP/,
    ],
    [
      'another version of PHP for a locked package',
      'Your lock file does not contain a compatible set of packages. Please run composer update.\n\n  Problem 1\n    - x/y is locked to version 1.0.0 and an update of this package was not requested.\n    - x/y 1.0.0 requires php >=8.4 -> your php version (8.2.36) does not satisfy that requirement.\n',
      'engine-mismatch',
      /8\.4/,
    ],
    [
      'the same at the start',
      'Fatal error: Composer detected issues in your platform: Your Composer dependencies require a PHP version ">= 8.4.0". You are running 8.2.36. in /x/k.php on line 1',
      'engine-mismatch',
      /8\.4/,
    ],
    [
      'an extension that is missing',
      "    - Root composer.json requires PHP extension ext-redis * but it is missing from your system. Install or enable PHP's redis extension.",
      'missing-library',
      /redis/,
    ],
    [
      'a stale lock',
      'Installing dependencies from lock file\n- Required package "x/y" is not present in the lock file.\nThis usually happens when composer files are incorrectly merged',
      'lock-out-of-date',
      /lock file/,
    ],
    [
      'dependencies that are not there',
      "Fatal error: Uncaught Error: Failed opening required '/x/vendor/autoload.php' (include_path='.:/usr/share/php') in /x/a.php:1",
      'missing-module',
      /autoload/,
    ],
    [
      'a class that is not there',
      'Fatal error: Uncaught Error: Class "X\\Y" not found in /x/b.php:1',
      'missing-module',
      /X\\Y/,
    ],
    [
      'a function of an extension',
      'Fatal error: Uncaught Error: Call to undefined function curl_init() in /x/c.php:1',
      'missing-library',
      /curl/,
    ],
    [
      'a database’s driver',
      'Fatal error: Uncaught PDOException: could not find driver in /x/j.php:1',
      'missing-library',
      /extension/,
    ],
    [
      'a method of another version',
      'Fatal error: Uncaught Error: Unknown named parameter $a in /x/i.php:1',
      'incompatible-dependency',
      /version/,
    ],
    ['an entry that is missing', 'Could not open input file: zz.php', 'entry-missing', /zz\.php/],
    [
      'a setting that is missing',
      'Fatal error: Uncaught RuntimeException: API_KEY is required in /x/f.php:1',
      'missing-setting',
      /API_KEY/,
    ],
    [
      'code for another version',
      'Parse error: syntax error, unexpected token "{", expecting "," or ";" in /x/d.php on line 1',
      'unknown',
      /another version of PHP/,
    ],
  ])('%s is told by its cause', (_, output, kind, detail) => {
    const cause = explain(output, { code: 255, signal: null });
    expect(cause.kind, cause.detail).toBe(kind);
    expect(cause.detail).toMatch(detail);
  });
});
