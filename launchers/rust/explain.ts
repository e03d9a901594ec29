/** What cargo, rustc, the linker, build scripts and Rust programs print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';
import { howToGet, systemLibrary } from './system-libraries.ts';

const PATTERNS: readonly Pattern[] = [
  {
    kind: 'lock-out-of-date',
    pattern:
      /(?:lock file|Cargo\.lock) [^\n]*needs to be updated but --locked|cannot (?:update|create) the lock file|checksum for `([^`]+)` (?:changed|could not be calculated)|failed to parse lock file/,
    says: 'The lock file does not match the manifest',
  },
  {
    kind: 'engine-mismatch',
    pattern: /toolchain '([^']+)' is not installed/,
    says: 'It wants the Rust toolchain $1, which is not installed',
    hint: 'Run `rustup toolchain install $1`.',
  },
  {
    kind: 'engine-mismatch',
    pattern:
      /rustc [\d.]+\S* is not supported by the following packages?:\s*\n\s*(\S+ requires rustc [\d.]+)|requires rustc ([\d.]+) or newer|lock file version `?(\d+)`? (?:requires|was found)/,
    says: 'It needs a newer Rust than is installed: $1',
    hint: 'Run `rustup update stable`, or install a newer Rust.',
  },
  {
    kind: 'engine-mismatch',
    pattern:
      /this version of Cargo is older than the `(\d+)` edition|feature `(edition\d+)` is required|unknown Cargo\.toml feature `([^`]+)`|is not stabilized in this version of Cargo/,
    says: 'It needs a newer Rust than is installed ($1)',
    hint: 'Run `rustup update stable`, or install a newer Rust.',
  },
  {
    kind: 'engine-mismatch',
    pattern:
      /error\[E0554\]|error\[E0658\]: (.+)|the `-Z` flag is only accepted on the nightly|only accepted on the nightly channel/,
    says: 'It uses what only a newer or a nightly Rust can compile',
    hint: 'Run `rustup update stable`; for nightly code build it yourself with `cargo +nightly build --release` and give the program with --command.',
  },
  {
    kind: 'network',
    pattern:
      /failed to (?:get|load source for dependency) `([^`]+)`[\s\S]*?unable to update (?:https?|ssh|git|git\+\w+):/i,
    says: 'The dependency $1 comes by git, and could not be had',
    hint: 'Check that its host can be reached from here; a private one needs a login for git.',
  },
  {
    kind: 'network',
    pattern:
      /failed to download (?:from )?`?([^\s`]+)`?[\s\S]*?(?:[Cc]ouldn't|[Cc]ould not|timed out|SSL|HTTP)|failed to query replaced source registry|spurious network error|\[(?:6|7|28|35|56)\] [^\n]*(?:[Cc]ouldn't|[Cc]ould not|[Tt]imeout|[Ff]ailure|SSL)/,
    says: 'The registry of crates could not be reached',
  },
  {
    kind: 'version-not-found',
    pattern:
      /no matching package (?:named )?`([^`]+)` found|failed to select a version for (?:the requirement )?`([^`]+)`/,
    says: 'There is no version of $1 that it could use',
  },
  {
    kind: 'missing-program',
    pattern: /The pkg-config command could not be (?:found|run)|Could not run `[^`]*pkg-config[^`]*`/,
    says: 'Its build needs pkg-config',
    hint: 'On Debian or Ubuntu `sudo apt install pkg-config`, on macOS `brew install pkg-config`, then try again.',
  },
  {
    kind: 'missing-library',
    pattern: /The system library `([^`]+)` required by crate `[^`]+` was not found/,
    says: 'The system library $1 is missing, or its files for development are',
  },
  {
    kind: 'missing-library',
    pattern:
      /Package '?([\w.+-]+?)'?,? (?:was not found in the pkg-config search path|required by '[^']*', not found)|No package '([\w.+-]+)' found/,
    says: 'The system library $1 is missing, or its files for development are',
  },
  {
    kind: 'missing-library',
    pattern:
      /Could not find directory of (OpenSSL) installation|Unable to find (libclang)|(?:ld|lld|mold)[^\n]*: (?:cannot find|unable to find library|library not found for) -l:?([\w.+-]+)/,
    says: 'The system library $1 is missing, or its files for development are',
  },
  {
    kind: 'missing-library',
    pattern: /error while loading shared libraries: ([\w.+-]+)|dyld[^\n]*: Library not loaded: (\S+)/,
    says: 'The system library $1 is missing',
  },
  {
    kind: 'missing-program',
    pattern: /Could not find `(protoc)`/,
    says: 'Its build needs protoc',
    hint: 'On Debian or Ubuntu `sudo apt install protobuf-compiler`, on macOS `brew install protobuf`, then try again.',
  },
  {
    kind: 'missing-program',
    pattern: /linker `([^`]+)` not found/,
    says: 'Rust needs the linker $1',
    hint: 'Install a C compiler: `sudo apt install build-essential`, on macOS `xcode-select --install`.',
  },
  {
    kind: 'missing-program',
    pattern: /failed to find tool "([^"]+)"|is `([\w+.-]+)` not installed\?/,
    says: 'Its build needs the program $1',
    hint: 'Install it: C compilers are in `build-essential`, CMake is in `cmake`, pkg-config in `pkg-config`.',
  },
  {
    kind: 'unknown',
    pattern: /signal: 9, SIGKILL|\(signal: 9\)/,
    says: 'The compiler was killed; most likely there was too little memory',
    hint: 'Free some memory, or build with fewer jobs: CARGO_BUILD_JOBS=1.',
  },
  {
    kind: 'install-script-failed',
    pattern: /failed to run custom build command for `([^`]+)`/,
    says: 'The build script of $1 failed',
    hint: 'Correct what its last lines name; it may need a program, a library or a download.',
  },
  {
    kind: 'build-failed',
    pattern: /^error\[E\d{4}\]: .+|^error: could not compile `([^`]+)`/m,
    says: 'The Rust compiler found errors',
    hint: 'Report it to the plugin’s authors, or try another commit with --ref.',
  },
  {
    kind: 'entry-missing',
    pattern: /no bin target named `([^`]+)`/,
    says: 'There is no program $1 to build',
  },
  {
    kind: 'missing-argument',
    pattern: /the following required arguments were not provided:\s*\n((?:[ \t]+\S[^\n]*\n?)+)/,
    says: 'It needs the argument $1',
  },
  {
    kind: 'missing-argument',
    pattern: /requires a subcommand but one was not provided\s*(?:\n\s*\[subcommands: ([^\]]+)\])?/,
    says: 'It needs one of its commands: $1',
    hint: 'Pass it after --.',
  },
  {
    kind: 'missing-argument',
    pattern: /^Usage: .*<(?:COMMAND|SUBCOMMAND)>[^\n]*\s*\n+Commands:\s*\n((?:[ \t]+\S[^\n]*\n?)+)/m,
    says: 'It needs one of its commands:\n$1',
    hint: 'Pass it after --.',
  },
  {
    kind: 'missing-argument',
    pattern: /error: (?:unrecognized subcommand|unexpected argument) '([^']+)'/,
    says: 'It does not know the argument $1',
    hint: 'Pass the right ones after --.',
  },
  {
    kind: 'missing-setting',
    pattern: /\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b[^\n]*(?:\bNotPresent\b|environment variable not found)/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-setting',
    pattern: /environment variable not found|\bNotPresent\b/,
    says: 'A setting is missing',
  },
];

/** Patterns see a panic with its message, which stands on the line below, in one line. */
export function explainRust(output: string, exit: ExitLike): Cause {
  const text = output.replaceAll(/^(\s*thread '[^']*'[^\n]* panicked at [^\n]*:\d+:\d+:)\n\s*/gm, '$1 ');
  const found = explainWith(PATTERNS, text, exit);
  const cause = {
    ...found,
    detail: found.detail
      .replaceAll(/\s*\n\s*/g, ', ')
      .replaceAll(/ {2,}/g, ' ')
      .replace(':, ', ': '),
  };
  switch (cause.kind) {
    case 'network':
      return withHost(cause, text);
    case 'missing-library':
      return withPackage(cause);
    case 'unknown':
      return withPanic(cause, text);
    default:
      return cause;
  }
}

function withHost(cause: Cause, text: string): Cause {
  const host = /unable to update (?:[\w+]+:\/\/)(?:[^@/\s]*@)?([^/\s:]+)/i.exec(text)?.[1];
  return host === undefined
    ? cause
    : { ...cause, detail: cause.detail.replace('comes by git,', `comes by git from ${host},`) };
}

function withPackage(cause: Cause): Cause {
  const name = /library (\S+?),? (?:is missing|or its)/.exec(cause.detail)?.[1] ?? '';
  const known = systemLibrary(name) ?? systemLibrary(name.toLowerCase());
  return known === null ? cause : { ...cause, hint: howToGet(known) };
}

function withPanic(cause: Cause, text: string): Cause {
  const message = /^\s*thread '[^']*'[^\n]* panicked at [^\n]*?:\d+:\d+: ([^\n]+)/m.exec(text)?.[1];
  return message === undefined ? cause : { ...cause, detail: `It panicked: “${message}”.` };
}
