import { describe, expect, it } from 'vitest';
import { planOf, refusalOf, rungs, starts } from './plan-of.ts';

const RMCP = '[dependencies]\nrmcp = { version = "1.7", features = ["server", "transport-io"] }\n';
const crate = (name: string, rest = RMCP): string =>
  `[package]\nname = "${name}"\nversion = "1.0.0"\nedition = "2021"\n${rest}`;
const MAIN = { 'src/main.rs': 'fn main() {}' };
const buildOf = (files: Record<string, string>, given = {}) =>
  planOf(files, given).install[0]?.steps[0]?.args.join(' ');

describe('the program of a Rust project', () => {
  it.each<[string, Record<string, string>, string]>([
    ['src/main.rs is called like the package', { 'Cargo.toml': crate('acme'), ...MAIN }, 'acme'],
    [
      '[[bin]] may call it otherwise (trap 25)',
      { 'Cargo.toml': crate('acme', `[[bin]]\nname = "acme-mcp"\npath = "src/main.rs"\n${RMCP}`), ...MAIN },
      'acme-mcp',
    ],
    [
      'src/bin/x.rs and src/bin/x/main.rs are programs, other files below are not',
      { 'Cargo.toml': crate('acme'), 'src/bin/serve/main.rs': '', 'src/bin/serve/tools.rs': '', 'src/lib.rs': '' },
      'serve',
    ],
    [
      'default-run before any name',
      { 'Cargo.toml': crate('acme', `default-run = "b"\n${RMCP}`), 'src/bin/b.rs': '', 'src/bin/acme-mcp.rs': '' },
      'b',
    ],
    ['like the project', { 'Cargo.toml': crate('x'), 'src/bin/acme.rs': '', 'src/bin/other.rs': '' }, 'acme'],
    ['mcp in its name', { 'Cargo.toml': crate('x'), 'src/bin/x-mcp.rs': '', 'src/bin/import.rs': '' }, 'x-mcp'],
    [
      'a server, not its client',
      { 'Cargo.toml': crate('x'), 'src/bin/client.rs': '', 'src/bin/server.rs': '' },
      'server',
    ],
    [
      'stdio of one per transport',
      { 'Cargo.toml': crate('x'), 'src/bin/mcp_sse.rs': '', 'src/bin/mcp_std_io.rs': '', 'src/bin/mcp_http.rs': '' },
      'mcp_std_io',
    ],
    [
      'the one whose file speaks of MCP',
      { 'Cargo.toml': crate('x'), 'src/bin/a.rs': 'use rmcp::serve_server;', 'src/bin/b.rs': 'fn main() {}' },
      'a',
    ],
    [
      'autobins = false leaves out what is not declared',
      {
        'Cargo.toml': crate('x', `autobins = false\n[[bin]]\nname = "y"\npath = "y.rs"\n${RMCP}`),
        'y.rs': '',
        'src/bin/x-mcp.rs': '',
      },
      'y',
    ],
  ])('%s', (_, files, expected) => {
    const plan = planOf(files, { name: 'acme' });
    expect(plan.start.map(({ entry }) => entry)).toEqual([`target/release/${expected}`]);
    expect(plan.confidence).toBe('high');
    expect(plan.install.every(({ steps }) => steps.at(-1)?.args.join(' ').includes(`--bin ${expected} `))).toBe(true);
  });

  it('says which others there were and why they were passed over', () => {
    const { passedOver } = planOf({ 'Cargo.toml': crate('x'), 'src/bin/x.rs': '', 'src/bin/setup.rs': '' });
    expect(passedOver).toEqual([{ file: 'Cargo.toml', what: 'bin: setup', why: 'is named less like a server than x' }]);
  });

  it('is asked for when several are equal', () => {
    const refusal = refusalOf({ 'Cargo.toml': crate('x'), 'src/bin/red.rs': '', 'src/bin/blue.rs': '' });
    expect(refusal).toMatchObject({ code: 'DETECT_AMBIGUOUS', hint: expect.stringContaining('--bin blue') });
    expect(refusal.message).toContain('blue, red');
  });

  it('is none in a library, and none in what serves nothing', () => {
    const library = refusalOf({ 'Cargo.toml': crate('x'), 'src/lib.rs': '', 'examples/server.rs': '' });
    expect(library.code).toBe('DETECT_NOT_A_SERVER');
    expect(library.evidence).toContainEqual({ file: 'examples/server.rs', says: 'is an example' });
    const client = '[dependencies]\nrmcp = { version = "1", default-features = false, features = ["client"] }\n';
    expect(refusalOf({ 'Cargo.toml': crate('x', client), ...MAIN }).code).toBe('DETECT_NOT_A_SERVER');
    const tool = refusalOf({ 'Cargo.toml': crate('x', '[dependencies]\nclap = "4"\n'), ...MAIN });
    expect(tool.message).toContain('nothing in it says that x is a server');
  });
});

describe('a Cargo workspace', () => {
  const workspace = (rest = '') => `[workspace]\nmembers = ["crates/*"]\n${rest}`;
  const lib = { 'crates/core/Cargo.toml': crate('acme-core', ''), 'crates/core/src/lib.rs': '' };

  it('is planned as a whole: the member that declares the SDK, built in its folder, started from the root', () => {
    const plan = planOf({
      'Cargo.toml': workspace('[workspace.dependencies]\nrmcp = "1"\n[workspace.package]\nrust-version = "1.90"\n'),
      'Cargo.lock': '',
      ...lib,
      'crates/cli/Cargo.toml': crate('acme', '[dependencies]\nclap = "4"\n'),
      'crates/cli/src/main.rs': '',
      'crates/server/Cargo.toml': crate(
        'acme-server',
        'rust-version.workspace = true\n[dependencies]\nrmcp.workspace = true\n',
      ),
      'crates/server/src/main.rs': '',
    });
    expect(plan.start[0]).toMatchObject({
      entry: 'crates/server/target/release/acme-server',
      command: { cwd: '' },
    });
    expect(plan.install[0]).toMatchObject({
      id: 'cargo-build-locked',
      frozen: true,
      steps: [{ cwd: 'crates/server' }],
    });
    expect(plan.newerTools).toEqual([{ name: 'cargo', version: '>=1.90' }]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'uses the SDK through a member',
      {
        'crates/core/Cargo.toml': crate('acme-core'),
        'crates/core/src/lib.rs': '',
        'crates/run/Cargo.toml': crate('run', '[dependencies]\nacme-core = { path = "../core" }\n'),
        'crates/run/src/main.rs': '',
        'crates/xtask/Cargo.toml': crate('xtask', ''),
        'crates/xtask/src/main.rs': '',
      },
      'run',
    ],
    [
      'speaks MCP by hand',
      {
        ...lib,
        'crates/a/Cargo.toml': crate('a', ''),
        'crates/a/src/main.rs': 'match method { "tools/list" => list() }',
        'crates/b/Cargo.toml': crate('b', '[dependencies]\naxum = "0.8"\n'),
        'crates/b/src/main.rs': '',
      },
      'a',
    ],
    [
      'is not excluded, no example and no fuzzing',
      {
        'crates/a/Cargo.toml': crate('a'),
        'crates/a/src/main.rs': '',
        'crates/examples/Cargo.toml': crate('examples'),
        'crates/examples/src/main.rs': '',
        'crates/fuzz/Cargo.toml': crate('fuzz'),
        'crates/fuzz/src/main.rs': '',
      },
      'a',
    ],
  ])('gives the member that %s', (_, files, expected) => {
    expect(starts(planOf({ 'Cargo.toml': workspace(), ...files }))[0]).toMatch(new RegExp(`/release/${expected}$`));
  });

  it('asks by folder when several members are equal, and default-members settle it', () => {
    const files = {
      'crates/red/Cargo.toml': crate('red'),
      'crates/red/src/main.rs': '',
      'crates/blue/Cargo.toml': crate('blue'),
      'crates/blue/src/main.rs': '',
    };
    expect(refusalOf({ 'Cargo.toml': workspace(), ...files })).toMatchObject({
      code: 'DETECT_AMBIGUOUS',
      choices: ['crates/blue', 'crates/red'],
    });
    expect(starts(planOf({ 'Cargo.toml': workspace(), ...files }, { subdir: 'crates/red' }))).toEqual([
      'crates/red/target/release/red @ crates/red',
    ]);
    const narrowed = { 'Cargo.toml': workspace('default-members = ["crates/red"]\n'), ...files };
    expect(starts(planOf(narrowed))).toEqual(['crates/red/target/release/red']);
  });

  it('has members by path, too, and leaves out what it excludes', () => {
    const plan = planOf({
      'Cargo.toml': `${crate('acme', '[dependencies]\nacme-mcp = { path = "mcp" }\n')}[workspace]\nexclude = ["other"]\n`,
      ...MAIN,
      'mcp/Cargo.toml': crate('acme-mcp'),
      'mcp/src/main.rs': '',
      'other/Cargo.toml': crate('other-mcp'),
      'other/src/main.rs': '',
    });
    expect(starts(plan)).toEqual(['mcp/target/release/acme-mcp']);
  });
});

describe('the build of a Rust project', () => {
  it('begins with the lock, and needs none', () => {
    expect(rungs(planOf({ 'Cargo.toml': crate('x'), ...MAIN, 'Cargo.lock': '' }))).toEqual([
      'cargo-build-locked',
      'cargo-build',
      'cargo-build-any-rust',
      'cargo-update',
    ]);
    expect(rungs(planOf({ 'Cargo.toml': crate('x'), ...MAIN }))[0]).toBe('cargo-build');
  });

  it('turns on what the program requires, and what MCP comes with', () => {
    const bin = '[[bin]]\nname = "x"\npath = "src/main.rs"\nrequired-features = ["cli"]\n';
    expect(buildOf({ 'Cargo.toml': crate('x', `${bin}${RMCP}[features]\ncli = []\n`), ...MAIN })).toMatch(
      /--features cli/,
    );
    const optional = '[dependencies]\nrmcp = { version = "1", optional = true }\n';
    const feature = '[features]\nall = ["mcp-server"]\nmcp-server = ["dep:rmcp"]\n';
    expect(buildOf({ 'Cargo.toml': crate('x', optional + feature), ...MAIN })).toMatch(/--features mcp-server/);
    expect(buildOf({ 'Cargo.toml': crate('x', optional), ...MAIN })).toMatch(/--features rmcp/);
    const on = `${optional}${feature}default = ["all"]\n`;
    expect(buildOf({ 'Cargo.toml': crate('x', on), ...MAIN })).not.toMatch(/--features/);
  });

  it('can do without the default features that a missing library of the system is for, and only without those', () => {
    const toml = crate(
      'x',
      `[dependencies]\nrmcp = "1"\nreqwest = "0.12"\nshots = { version = "1", optional = true }\nmail = { version = "1", optional = true }
[features]\ndefault = ["screen", "mail", "log"]\nscreen = ["dep:shots"]\nmail = ["dep:mail"]\nlog = []\n`,
    );
    const locked = (name: string, ...dependencies: string[]) =>
      `[[package]]\nname = "${name}"\nversion = "1.0.0"\ndependencies = [\n${dependencies.map((each) => ` "${each}",\n`).join('')}]\n\n`;
    const lock =
      locked('shots', 'wl 0.2.0') +
      locked('wl', 'wayland-sys') +
      locked('reqwest', 'openssl-sys') +
      locked('mail', 'openssl-sys');
    const { install } = planOf({ 'Cargo.toml': toml, 'Cargo.lock': lock, ...MAIN });
    const frugal = install.at(-1);
    expect(frugal?.id).toBe('cargo-build-without-screen');
    expect(frugal?.cures).toContain('missing-library');
    expect(frugal?.steps[0]?.args.join(' ')).toContain('--no-default-features --features mail,log');
  });

  it.each([
    ['rust-toolchain.toml', '[toolchain]\nchannel = "1.97.1"\n', '>=1.97.1'],
    ['rust-toolchain', '1.89\n', '>=1.89'],
    ['rust-toolchain', '[toolchain]\nchannel = "stable"\n', '>=1.56'],
  ])('knows the Rust that %s was made with, for when another fails', (file, text, expected) => {
    const plan = planOf({ 'Cargo.toml': crate('x'), ...MAIN, [file]: text });
    expect(plan.tools).toEqual([{ name: 'cargo', version: null }]);
    expect(plan.newerTools).toEqual([{ name: 'cargo', version: expected }]);
  });

  it('lets a released Rust compile what was written for nightly', () => {
    const plan = planOf({ 'Cargo.toml': crate('x'), ...MAIN, 'rust-toolchain': 'nightly-2026-01-01' });
    const rung = plan.install.find(({ id }) => id === 'cargo-build-unstable');
    expect(rung).toMatchObject({ cures: ['engine-mismatch'], steps: [{ env: { RUSTC_BOOTSTRAP: '1' } }] });
  });
});

describe('how a Rust program is started', () => {
  const cli = (commands: string, field = 'command: Commands') => ({
    'src/main.rs': `#[derive(Parser, Debug)]\nstruct Cli {\n  #[command(subcommand)]\n  ${field},\n}\n#[derive(Subcommand)]\nenum Commands {\n${commands}\n}\n`,
  });
  const startOf = (files: Record<string, string>) =>
    starts(planOf({ 'Cargo.toml': crate('acme'), ...files }, { name: 'acme' }))[0];
  const block = (...args: string[]) => ({
    'README.md': `{"command": "/path/to/acme", "args": ${JSON.stringify(args)}}`,
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'as its README says, of a command that clap derives',
      { ...cli('  /// Serve\n  McpServer,'), ...block('mcp-server') },
      ' mcp-server',
    ],
    [
      'as its image is',
      { ...cli('  Mcp { port: u16 },\n  Plan,'), Dockerfile: 'FROM a\nENTRYPOINT ["acme"]\nCMD ["mcp"]' },
      ' mcp',
    ],
    [
      'with the command that serves, where it needs one',
      cli('  /// Ask, then plan\n  Plan { all: bool },\n  Serve(ServeArgs),'),
      ' serve',
    ],
    ['with a command renamed', cli('  #[command(name = "stdio", about = "x")]\n  Run,\n  Check,'), ' stdio'],
    [
      'with a command of a command',
      {
        ...cli('  Serve(ServeCommand),\n  Plan,'),
        'src/serve.rs': '#[derive(Subcommand)]\npub enum ServeCommand {\n    /// MCP server\n    MCP,\n    Http,\n}\n',
      },
      ' serve mcp',
    ],
    ['without one, where that has a meaning', cli('  Mcp,\n  Plan,', 'command: Option<Commands>'), ''],
    [
      'with a command, where none given shows help',
      cli('  Mcp,\n  Plan,', 'command: Option<Commands>\n}\nfn main() { None => Cli::command().print_help(), '),
      ' mcp',
    ],
    [
      'with a command that is made by a method',
      { 'src/main.rs': 'Command::new("acme").subcommand_required(true).subcommand(Command::new("serve"))' },
      ' serve',
    ],
    [
      'with its switch for MCP',
      { 'src/main.rs': 'struct Cli {\n  /// Serve\n  #[arg(long)]\n  mcp: bool,\n}' },
      ' --mcp',
    ],
    ['without one, where none serves', cli('  Plan,\n  Apply,'), ''],
  ])('%s', (_, files, expected) => {
    expect(startOf(files)).toBe(`target/release/acme${expected}`);
  });

  it('is told its port by an option that it has', () => {
    const port = (attribute: string, field = 'port') => ({
      'src/main.rs': `struct Cli {\n  #[arg(${attribute})]\n  /// Port\n  ${field}: Option<u16>,\n}`,
    });
    const argsOf = (files: Record<string, string>) => planOf({ 'Cargo.toml': crate('acme'), ...files }).port.args;
    expect(argsOf(port('long, default_value_t = 3000'))).toEqual(['--port', '{port}']);
    expect(argsOf(port('short, long', 'http_port'))).toEqual(['--http-port', '{port}']);
    expect(argsOf(port('long = "listen-port"'))).toEqual(['--listen-port', '{port}']);
    expect(argsOf(port('short'))).toEqual([]);
  });

  it('wants the variables that its source reads', () => {
    const source = `
      let a = std::env::var("ACME_TOKEN")?; let b = env::var_os("ACME_DIR"); const ENV_URL: &str = "ACME_URL";
      #[arg(long, env = "ACME_MODE")] mode: String,
      #[arg(long, env, default_value = "x")]
      pub acme_level: String,
      command.env("NOT_READ", "1");`;
    const { wants } = planOf({ 'Cargo.toml': crate('acme'), 'src/main.rs': source, 'build.rs': 'env::var("OUT_DIR")' });
    expect(wants.map(({ name }) => name)).toEqual(['ACME_DIR', 'ACME_LEVEL', 'ACME_MODE', 'ACME_TOKEN', 'ACME_URL']);
  });
});
