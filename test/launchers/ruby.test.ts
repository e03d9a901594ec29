import { describe, expect, it } from 'vitest';
import { toSemver } from '../../launchers/ruby/project.ts';
import { createRubyLauncher } from '../../launchers/ruby.ts';
import { planOf, refusalOf, rungs, starts, toolOf } from './plan-of.ts';

const GEMFILE = 'source "https://gems.example"\n# gem "rails"\ngem "mcp", "~> 0.8"\n';
const gemspec = (fields: string, name = 'weather-mcp'): string =>
  `Gem::Specification.new do |spec|\n  spec.name = "${name}"\n  spec.required_ruby_version = ">= 3.1.0"\n  spec.bindir = "exe"\n${fields}\n  spec.add_dependency "mcp", "~> 0.8"\nend\n`;
const SERVER =
  '#!/usr/bin/env ruby\nrequire "mcp"\nserver = MCP::Server.new(name: "x")\nMCP::Server::Transports::StdioTransport.new(server).open\n';
const RUN = 'ruby -rbundler/setup';

describe('the start of a Ruby project', () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      'the program that the gemspec names',
      {
        Gemfile: 'gemspec',
        'weather-mcp.gemspec': gemspec('  spec.executables = ["weather-mcp"]'),
        'exe/weather-mcp': '#!/usr/bin/env ruby\nrequire "weather"\n',
        'lib/weather.rb': 'MCP::Server',
      },
      ['ruby -Ilib -rbundler/setup exe/weather-mcp'],
    ],
    [
      'the one named like the gem, of all that git lists',
      {
        Gemfile: 'gemspec',
        'weather-mcp.gemspec': gemspec('  spec.executables = spec.files.grep(%r{\\Aexe/}) { |f| File.basename(f) }'),
        'exe/weather-setup': SERVER,
        'exe/weather-mcp': SERVER,
        'lib/weather.rb': '',
      },
      ['ruby -Ilib -rbundler/setup exe/weather-mcp'],
    ],
    [
      'names in words, in the usual folder',
      {
        Gemfile: 'gemspec',
        'w.gemspec': gemspec('  spec.bindir = "bin"\n  s.executables = %w[weather]', 'w').replace(
          'spec.bindir = "exe"\n',
          '',
        ),
        'bin/weather': SERVER,
        'bin/console': '#!/usr/bin/env ruby',
      },
      [`${RUN} bin/weather`],
    ],
    [
      'a program in bin that serves',
      { Gemfile: GEMFILE, 'bin/console': SERVER, 'bin/things_mcp_server': SERVER, 'bin/test_connection': SERVER },
      [`${RUN} bin/things_mcp_server`],
    ],
    [
      'a program in bin that calls what serves in lib, without a Gemfile',
      {
        'bin/run_server.rb': '#!/usr/bin/env ruby\nrequire_relative "../lib/random_server"\nRandomServer.new.run',
        'lib/random_server.rb': 'when "tools/list"',
      },
      ['ruby -Ilib bin/run_server.rb'],
    ],
    [
      'server.rb',
      { Gemfile: GEMFILE, 'server.rb': SERVER, 'client.rb': SERVER, 'test/server_test.rb': SERVER },
      [`${RUN} server.rb`],
    ],
    [
      'a lone script that reads its requests itself',
      {
        'sys-tools-mcp.rb':
          '$stdin.each_line do |line|\n  request = JSON.parse(line)\n  case request["method"] when "tools/list" then x end\nend\nputs({jsonrpc: "2.0"})\nrun\n',
      },
      ['ruby sys-tools-mcp.rb'],
    ],
    [
      'the file named like the repository before server.rb',
      { Gemfile: GEMFILE, 'weather.rb': SERVER, 'server.rb': SERVER },
      [`${RUN} weather.rb`, `${RUN} server.rb`],
    ],
    [
      'a main guard in lib',
      {
        Gemfile: GEMFILE,
        'lib/weather/server.rb': 'require "mcp"\nclass S; end\nif __FILE__ == $0\n  MCP::Server.new\nend\n',
      },
      ['ruby -Ilib -rbundler/setup lib/weather/server.rb'],
    ],
    [
      'a rack application, by its own server',
      {
        Gemfile: 'gem "fast-mcp"\ngem "puma"\n',
        'config.ru': 'run App',
        'app/tools/a.rb': 'class A < FastMcp::Tool; end',
      },
      [`${RUN} -e load Gem.bin_path("puma", "puma") -- --bind tcp://{host}:{port} config.ru`],
    ],
    [
      'a rack application without Puma',
      { Gemfile: 'gem "fast-mcp"\ngem "rackup"\n', 'config.ru': 'run App' },
      [`${RUN} -e load Gem.bin_path("rackup", "rackup") -- --host {host} --port {port} config.ru`],
    ],
  ])('is %s', (_, files, expected) => {
    const plan = planOf(files);
    expect(starts(plan)).toEqual(expected);
    expect(plan).toMatchObject({ launcher: 'ruby', runtime: 'ruby' });
  });

  it('names the helpers that it passed over', () => {
    const plan = planOf({ Gemfile: GEMFILE, 'bin/weather': SERVER, 'bin/weather-setup': SERVER });
    expect(plan.passedOver).toEqual([
      { file: 'bin/weather-setup', what: 'bin: weather-setup', why: 'is a helper beside the server by its name' },
    ]);
  });
});

describe('the install of a Ruby project', () => {
  const LOCK = 'DEPENDENCIES\n  mcp\n';
  it.each<[string, Record<string, string>, string[]]>([
    ['by the Gemfile', { Gemfile: GEMFILE, 'server.rb': SERVER }, ['bundle-install']],
    [
      'by the lock first',
      { Gemfile: GEMFILE, 'Gemfile.lock': LOCK, 'server.rb': SERVER },
      ['bundle-install-frozen', 'bundle-install', 'bundle-update'],
    ],
    [
      'by gems.rb and gems.locked',
      { 'gems.rb': GEMFILE, 'gems.locked': LOCK, 'server.rb': SERVER },
      ['bundle-install-frozen', 'bundle-install', 'bundle-update'],
    ],
    [
      'by the gemspec alone',
      { 'w.gemspec': gemspec('  spec.executables = ["w"]'), 'exe/w': SERVER },
      ['bundle-init-install'],
    ],
    [
      'by a script’s own list',
      {
        'server.rb': `require "bundler/inline"\ngemfile do\n  source "https://gems.example"\n  gem "fast-mcp", "1.0.0"\n  gem "rack"\nend\n${SERVER}`,
      },
      ['gem-install'],
    ],
    ['not needed for a lone script', { 'server.rb': SERVER }, []],
  ])('is %s', (_, files, expected) => {
    expect(rungs(planOf(files))).toEqual(expected);
  });

  it('keeps gems in the tree, without those for development, whatever a committed configuration says', () => {
    const plan = planOf({
      Gemfile: GEMFILE,
      'Gemfile.lock': LOCK,
      '.bundle/config': 'BUNDLE_PATH: "/x"',
      'server.rb': SERVER,
    });
    const [command] = plan.install[0]?.steps ?? [];
    expect(command).toMatchObject({ program: 'ruby', args: ['-S', 'bundle', 'install'], cwd: '' });
    expect(command?.env).toMatchObject({
      BUNDLE_PATH: 'vendor/bundle',
      BUNDLE_WITHOUT: 'development:test',
      BUNDLE_FROZEN: 'true',
    });
    expect(plan.env).toMatchObject({
      BUNDLE_PATH: 'vendor/bundle',
      BUNDLE_APP_CONFIG: command?.env?.BUNDLE_APP_CONFIG,
    });
  });

  it('starts a script with its own gems where they were put', () => {
    const plan = planOf({
      'server.rb': `require "bundler/inline"\ngemfile do\n  gem "fast-mcp", "1.0.0"\nend\n${SERVER}`,
    });
    expect(plan.install[0]?.steps[0]?.args.slice(-3)).toEqual(['--install-dir', 'vendor/bundle', 'fast-mcp:1.0.0']);
    expect(plan.start[0]?.command).toMatchObject({ args: ['server.rb'], env: { GEM_HOME: 'vendor/bundle' } });
  });

  it('uses the Gemfile above a folder that has none', () => {
    const plan = planOf({ Gemfile: GEMFILE, 'examples/server.rb': SERVER }, { subdir: 'examples' });
    expect(plan.install[0]?.steps[0]?.cwd).toBe('');
    expect(starts(plan)).toEqual([`${RUN} server.rb @ examples`]);
  });
});

describe('the version of Ruby', () => {
  it.each<[string, Record<string, string>, string | null]>([
    ['the Gemfile’s', { Gemfile: `ruby "3.3.2"\n${GEMFILE}` }, '3.3.2'],
    ['the Gemfile’s range', { Gemfile: `ruby ">= 3.1", "< 3.5"\n${GEMFILE}` }, '>=3.1.0 <3.5.0'],
    [
      'that of the file that the Gemfile names',
      { Gemfile: `ruby file: ".ruby-version"\n${GEMFILE}`, '.ruby-version': 'ruby-3.2.2\n' },
      '3.2.2',
    ],
    ['the gemspec’s', { Gemfile: 'gemspec', 'w.gemspec': gemspec('') }, '>=3.1.0'],
    ['any, where only a version manager is told', { Gemfile: GEMFILE, '.ruby-version': '3.4.1' }, null],
  ])('is %s', (_, files, expected) => {
    expect(toolOf(planOf({ ...files, 'server.rb': SERVER }), 'ruby')).toEqual({ name: 'ruby', version: expected });
  });

  it('shows what its authors use', () => {
    const plan = planOf({ Gemfile: GEMFILE, '.tool-versions': 'nodejs 20\nruby 3.4.1\n', 'server.rb': SERVER });
    expect(plan.evidence).toContainEqual(
      expect.objectContaining({ file: '.tool-versions', says: 'was written with Ruby 3.4.1' }),
    );
  });

  it.each<[string[], string | null]>([
    [['~> 3.1'], '>=3.1.0 <4.0.0'],
    [['~> 3.1.2'], '>=3.1.2 <3.2.0'],
    [['>= 3.0', '!= 3.1.1'], '>=3.0.0'],
    [['3.3'], '3.3'],
    [['= 3.2.1'], '3.2.1'],
    [['whatever'], null],
  ])('reads %j as %s', (requirements, expected) => {
    expect(toSemver(requirements)).toBe(expected);
  });
});

describe('a Ruby project as such', () => {
  it('is sure of a program with an SDK, less so of a file without', () => {
    expect(planOf({ Gemfile: GEMFILE, 'bin/weather': SERVER }).confidence).toBe('high');
    expect(planOf({ 'server.rb': SERVER }).confidence).toBe('medium');
    expect(planOf({ Gemfile: 'gem "sinatra"', 'config.ru': 'run App' }).confidence).toBe('low');
  });

  it('wants what its source reads', () => {
    const server = `${SERVER}ENV["ACME_KEY"]; ENV.fetch('ACME_URL', nil); ENV["BUNDLE_GEMFILE"] ||= "x"`;
    expect(planOf({ Gemfile: GEMFILE, 'server.rb': server }).wants.map(({ name }) => name)).toEqual([
      'ACME_KEY',
      'ACME_URL',
    ]);
  });

  it('that is a library is told so', () => {
    const refusal = refusalOf({ Gemfile: 'gemspec', 'w.gemspec': gemspec(''), 'lib/w.rb': 'module W; end' });
    expect(refusal).toMatchObject({ code: 'DETECT_NOT_A_SERVER' });
    expect(refusal.evidence.map(({ says }) => says)).toContain('depends on mcp, so it may be a library for servers');
  });
});

describe('what Bundler and Ruby print', () => {
  const { explain } = createRubyLauncher();
  it.each<[string, string, string, RegExp]>([
    [
      'a registry that is out of reach',
      'Could not reach host index.gems.example. Check your network connection and try\nagain.',
      'network',
      /index\.gems\.example/,
    ],
    [
      'the same, once the lock’s Bundler could not be had either',
      'Bundler 2.3.27 is running, but your lockfile was generated with 2.6.2. Installing Bundler 2.6.2 and restarting using that version.\nThere was an error installing the locked bundler version (2.6.2), rerun with the `--verbose` flag for more details. Going on using bundler 2.3.27.\nCould not reach host index.gems.example. Check your network connection and try\nagain.',
      'network',
      /index\.gems\.example/,
    ],
    [
      'another version of Ruby',
      'Your Ruby version is 3.1.7, but your Gemfile specified 3.4.1',
      'engine-mismatch',
      /3\.4\.1/,
    ],
    [
      'another version of Ruby for the gem',
      'Bundler found conflicting requirements for the Ruby  version:\n  In Gemfile:\n    x was resolved to 0.1, which depends on\n      Ruby  (>= 3.4)\n\n  Current Ruby  version:\n    Ruby  (= 3.1.7)',
      'engine-mismatch',
      /another version of Ruby/,
    ],
    [
      'a stale lock',
      'You are trying to install in deployment mode after changing\nyour Gemfile. Run `bundle install` elsewhere and add the\nupdated Gemfile.lock to version control.\n\nThe dependencies in your gemfile changed',
      'lock-out-of-date',
      /lock file/,
    ],
    [
      'a lock for another platform',
      'Your bundle only supports platforms ["arm64-darwin-23"] but your local platform\nis x86_64-linux. Add the current platform to the lockfile with',
      'lock-out-of-date',
      /lock file/,
    ],
    [
      'a gem that is not there',
      "/usr/lib/ruby/3.1.0/bundler/resolver.rb:235:in `block in verify_gemfile_dependencies_are_found!': Could not find gem 'mcp' in locally installed gems. (Bundler::GemNotFound)\n\tfrom /usr/lib/ruby/3.1.0/bundler/resolver.rb:228:in `map!'",
      'version-not-found',
      /mcp/,
    ],
    [
      'a file that is missing',
      "<internal:/usr/lib/ruby/vendor_ruby/rubygems/core_ext/kernel_require.rb>:85:in `require': cannot load such file -- foo_bar (LoadError)\n\tfrom -e:1:in `<main>'",
      'missing-module',
      /foo_bar/,
    ],
    ['an entry that is missing', 'ruby: No such file or directory -- zz.rb (LoadError)', 'entry-missing', /zz\.rb/],
    ['Ruby without Bundler', 'ruby: No such file or directory -- bundle (LoadError)', 'missing-program', /Bundler/],
    [
      'a setting by its key',
      '-e:1:in `fetch\': key not found: "API_KEY" (KeyError)\n\tfrom -e:1:in `<main>\'',
      'missing-setting',
      /API_KEY/,
    ],
    [
      'a setting by words',
      "-e:1:in `<main>': API_TOKEN environment variable is required (RuntimeError)",
      'missing-setting',
      /API_TOKEN/,
    ],
    [
      'a newer language',
      "-e:1:in `block in <main>': undefined local variable or method `it' for main:Object (NameError)\n\np [1].map { it }",
      'runtime-too-old',
      /newer Ruby/,
    ],
    [
      'a newer core class',
      "-e:1:in `<main>': uninitialized constant Data (NameError)\n\nD = Data.define(:a)",
      'runtime-too-old',
      /newer Ruby/,
    ],
    [
      'a constant of another version',
      "-e:1:in `<main>': uninitialized constant MCP::Server::Transports (NameError)",
      'incompatible-dependency',
      /version/,
    ],
  ])('%s is told by its cause', (_, output, kind, detail) => {
    const cause = explain(output, { code: 1, signal: null });
    expect(cause.kind, cause.detail).toBe(kind);
    expect(cause.detail).toMatch(detail);
  });
});
