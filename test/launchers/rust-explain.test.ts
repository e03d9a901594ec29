/** Every text here was printed by cargo 1.95, rustc, a build script or a program made with clap 4. */

import { describe, expect, it } from 'vitest';
import { explainRust } from '../../launchers/rust/explain.ts';

const explain = (output: string, code = 101) => explainRust(output, { code, signal: null });

describe('why a Rust build failed', () => {
  it.each<[string, string, string]>([
    [
      'cannot update the lock file',
      `error: cannot update the lock file /x/Cargo.lock because --locked was passed to prevent this
help: to generate the lock file without accessing the network, remove the --locked flag and use --offline instead.`,
      'lock-out-of-date',
    ],
    [
      'no such version',
      'error: failed to select a version for the requirement `json = "^99"`\ncandidate versions found which didn\'t match: 0.12.4\nlocation searched: crates.io index',
      'version-not-found',
    ],
    [
      'no such crate',
      'error: no matching package named `not-there` found\nlocation searched: crates.io index',
      'version-not-found',
    ],
    [
      'an older rustc',
      'error: rustc 1.95.0 is not supported by the following package:\n  tc@0.1.0 requires rustc 1.99\n',
      'engine-mismatch',
    ],
    [
      'an older cargo',
      'error: failed to parse manifest at `/x/Cargo.toml`\n\nCaused by:\n  failed to parse the `edition` key\n\nCaused by:\n  this version of Cargo is older than the `2027` edition, and only supports `2015` and `2018` editions.',
      'engine-mismatch',
    ],
    [
      'a toolchain that is not there',
      "error: toolchain '1.97.1-x86_64-unknown-linux-gnu' is not installed\nhelp: run `rustup toolchain install` to install it",
      'engine-mismatch',
    ],
    [
      'code for nightly',
      'error[E0554]: `#![feature]` may not be used on the stable release channel\n --> src/main.rs:1:1\nerror: could not compile `x` (bin "x") due to 1 previous error',
      'engine-mismatch',
    ],
    [
      'a library of tomorrow',
      'error[E0658]: use of unstable library feature `core_intrinsics`\n --> src/main.rs:1:20\nerror: could not compile `x` (bin "x") due to 1 previous error',
      'engine-mismatch',
    ],
    [
      'wrong code',
      'error[E0308]: mismatched types\n --> src/main.rs:1:24\nerror: could not compile `x` (bin "x") due to 1 previous error',
      'build-failed',
    ],
    [
      'the registry of crates',
      'error: failed to get `clap` as a dependency of package `x v0.1.0 (/x)`\n\nCaused by:\n  download of config.json failed\n\nCaused by:\n  failed to download from `https://index.example/config.json`\n\nCaused by:\n  [7] Could not connect to server (Failed to connect to 127.0.0.1 port 9 after 0 ms: Could not connect to server)',
      'network',
    ],
    [
      'the linker',
      'error: linker `cc` not found\n  |\n  = note: No such file or directory (os error 2)\n\nerror: could not compile `x` (bin "x") due to 1 previous error',
      'missing-program',
    ],
    [
      'a C compiler',
      'error: failed to run custom build command for `ring v0.17.14`\n  --- stderr\n\n  error occurred in cc-rs: failed to find tool "cc": No such file or directory (os error 2)',
      'missing-program',
    ],
    [
      'protoc',
      'error: failed to run custom build command for `proto v0.1.0 (/x)`\n  called `Result::unwrap()` on an `Err` value: Custom { kind: NotFound, error: "Could not find `protoc`. If `protoc` is installed, try setting the `PROTOC` environment variable" }',
      'missing-program',
    ],
    [
      'pkg-config',
      'error: failed to run custom build command for `openssl-sys v0.9.118`\n  cargo:warning=Could not find directory of OpenSSL installation\n  The pkg-config command could not be found.\n\n  Most likely, you need to install a pkg-config package for your OS.',
      'missing-program',
    ],
    [
      'a build script',
      "error: failed to run custom build command for `x v0.1.0 (/x)`\n\nCaused by:\n  process didn't exit successfully: `/x/build-script-build` (exit status: 101)\n  --- stderr\n  thread 'main' (12) panicked at build.rs:1:12:\n  no model file",
      'install-script-failed',
    ],
    ['a program that was never declared', 'error: no bin target named `y` in default-run packages', 'entry-missing'],
  ])('%s', (_, output, kind) => {
    expect(explain(output).kind).toBe(kind);
  });

  it('names the library of the system, and the package that has it', () => {
    const alsa = explain(`error: failed to run custom build command for \`alsa-sys v0.3.1\`
  pkg-config exited with status code 1
  > PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --libs --cflags alsa
  The system library \`alsa\` required by crate \`alsa-sys\` was not found.`);
    expect(alsa).toMatchObject({
      kind: 'missing-library',
      hint: expect.stringContaining('apt install libasound2-dev'),
    });
    expect(alsa.detail).toContain('alsa');
    const openssl = explain('  Could not find directory of OpenSSL installation, and this `-sys` crate cannot proceed');
    expect(openssl.hint).toMatch(/libssl-dev.*brew install openssl/);
    const linked = explain(
      'error: linking with `cc` failed: exit status: 1\n  = note: rust-lld: error: unable to find library -lxdo\n          collect2: error: ld returned 1 exit status',
    );
    expect(linked).toMatchObject({ kind: 'missing-library', hint: expect.stringContaining('libxdo-dev') });
    expect(explain('rust-lld: error: unable to find library -lzzz').detail).toContain('zzz');
  });

  it('says of a dependency by git from where it comes', () => {
    const { kind, detail } = explain(`error: failed to get \`rmcp\` as a dependency of package \`x v0.1.0 (/x)\`

Caused by:
  failed to load source for dependency \`rmcp\`

Caused by:
  unable to update https://user@git.example/o/rust-sdk?rev=abc1234

Caused by:
  failed to resolve address for git.example: Name or service not known; class=Net (12)`);
    expect(kind).toBe('network');
    expect(detail).toMatch(/dependency rmcp comes by git from git\.example,/);
  });
});

describe('why a Rust program ended', () => {
  it.each<[string, string, string, RegExp]>([
    [
      'arguments',
      "error: the following required arguments were not provided:\n  --acme-key <ACME_KEY>\n  <DIRS>...\n\nUsage: acme mcp --acme-key <ACME_KEY> <DIRS>...\n\nFor more information, try '--help'.",
      'missing-argument',
      /argument --acme-key <ACME_KEY>, <DIRS>\.\.\./,
    ],
    [
      'a command',
      'Usage: acme <COMMAND>\n\nCommands:\n  mcp   Start\n  plan  Plan\n\nOptions:\n  -h, --help  Print help',
      'missing-argument',
      /commands: mcp Start, plan Plan[^-]*$/,
    ],
    [
      'an argument that it has not',
      "error: unexpected argument '--zz' found\n\nUsage: acme [OPTIONS]\n\nFor more information, try '--help'.",
      'missing-argument',
      /does not know the argument --zz/,
    ],
    [
      'a setting, named',
      "\nthread 'main' (8904) panicked at src/main.rs:6:95:\nPLAN_KEY must be set: NotPresent\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
      'missing-setting',
      /setting PLAN_KEY is missing/,
    ],
    [
      'a setting without a name',
      "\nthread 'main' (8906) panicked at src/main.rs:6:188:\ncalled `Result::unwrap()` on an `Err` value: NotPresent\nnote: run with `RUST_BACKTRACE=1`",
      'missing-setting',
      /A setting is missing/,
    ],
    ['anyhow’s word for it', 'Error: environment variable not found', 'missing-setting', /A setting is missing/],
    [
      'a panic',
      "\nthread 'main' (7) panicked at src/main.rs:3:5:\nindex out of bounds: the len is 0 but the index is 0\nnote: run with `RUST_BACKTRACE=1`",
      'unknown',
      /It panicked: “index out of bounds/,
    ],
    ['a program', "Error: Terraform binary 'terraform' not found in PATH", 'missing-program', /no program Terraform/],
    ['a program by its name', 'Error: ffmpeg is not installed or not in PATH', 'missing-program', /ffmpeg/],
    [
      'a shared library',
      './acme: error while loading shared libraries: libasound.so.2: cannot open shared object file: No such file or directory',
      'missing-library',
      /libasound\.so\.2/,
    ],
  ])('%s', (_, output, kind, detail) => {
    const cause = explain(output, 2);
    expect(cause.kind).toBe(kind);
    expect(cause.detail).toMatch(detail);
  });
});
