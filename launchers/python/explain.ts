/** What uv, pip, Poetry and Python print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

/** What this machine lacks, whatever else the output says; told apart from what is the plugin's own fault. */
const MACHINE: readonly Pattern[] = [
  {
    kind: 'network',
    pattern:
      /unable to access '([^']+)'|fatal: could not read Username for '([^']+)'|Failed to (?:clone|fetch)[^\n]*(?:git\+)?((?:https?|ssh):\/\/[^\s`'"]+\.git)/,
    says: 'A dependency comes from $1, which could not be reached',
    hint: 'Check the network, and that git may read that repository.',
  },
  {
    kind: 'version-not-found',
    pattern: /Wheels are available for `([^`]+)`[^\n]* on the following platforms: `win\w*`(?:, `win\w*`)*\s*$/m,
    says: 'It is made for Windows: $1 has releases for no other system',
    hint: 'Run it on Windows.',
  },
  {
    kind: 'version-not-found',
    pattern: /Wheels are available for `([^`]+)`[^\n]* on the following platforms: `macosx\w*`(?:, `macosx\w*`)*\s*$/m,
    says: 'It is made for macOS: $1 has releases for no other system',
    hint: 'Run it on macOS.',
  },
  {
    kind: 'missing-browser',
    pattern: /Executable doesn't exist at (\S*ms-playwright\S*)|BrowserType\.launch[^\n]*Executable doesn't exist/,
    says: 'It drives a browser that is not installed',
    hint: 'Run `playwright install chromium` for the version that it uses, or install Chromium and name it as its documentation says.',
  },
  {
    kind: 'missing-browser',
    pattern:
      /Chromium distribution '([\w-]+)' is not found|(?:cannot find|unable to find|[Cc]ould not find|no) (Chrome|Chromium|Firefox)(?: binary| browser| executable|$)/m,
    says: 'The browser $1 is not installed',
  },
  {
    kind: 'missing-library',
    pattern:
      /(?:ImportError|OSError): (lib[\w.+-]+\.so[\w.]*): cannot open shared object file|cannot load library '(lib[^']+)'/,
    says: 'The system library $1 is missing',
  },
  {
    kind: 'missing-library',
    pattern: /version `(GLIBC\w*_[\d.]+)' not found/,
    says: 'It needs a newer system: $1 is not there',
    hint: 'Run it on a newer release of the operating system.',
  },
  {
    kind: 'missing-library',
    pattern:
      /failed to find (libmagic)|(PortAudio) library not found|OSError: [^\n]*could not find (?:the )?([\w-]+) library/i,
    says: 'The system library $1 is missing',
  },
  {
    kind: 'missing-library',
    pattern: /fatal error: (Python\.h): No such file/,
    says: 'A package has to be compiled, and the header $1 is missing',
    hint: 'Install Python’s development files (`sudo apt install python3-dev`).',
  },
  {
    kind: 'missing-library',
    pattern: /fatal error: ([\w./+-]+\.h(?:pp)?): No such file|\bld: cannot find -l([\w+-]+)/,
    says: 'A package has to be compiled, and $1 is missing',
    hint: 'Install the development files of that library with the system’s package manager.',
  },
  {
    kind: 'missing-library',
    pattern: /No module named '?_(tkinter|sqlite3|ctypes|bz2|lzma|ssl|curses)\b/,
    says: 'This Python was built without $1',
    hint: 'Install a Python that has it (for tkinter on Debian `sudo apt install python3-tk`).',
  },
  {
    kind: 'missing-program',
    pattern:
      /(pg_config|mysql_config|krb5-config|pkg-config) executable not found|Can not find valid (pkg-config) name/,
    says: 'A package has to be compiled, and there is no $1',
    hint: 'Install $1 with the system’s package manager (on Debian libpq-dev for pg_config).',
  },
  {
    kind: 'missing-program',
    pattern:
      /linker `(cc)` not found|(?:command |program )?'([\w+-]*(?:gcc|g\+\+|clang|cc))' failed: No such file|No such file or directory: '(gcc|g\+\+|cc|c\+\+|clang|cmake|make|ninja)'|(CMake) must be installed/,
    says: 'A package has to be compiled, and there is no $1',
    hint: 'Install a compiler (`sudo apt install build-essential`), or use a Python for which the package has a wheel.',
  },
  {
    kind: 'missing-program',
    pattern:
      /can't find (Rust) compiler|(Cargo), the Rust package manager, is not installed|No such file or directory: '(cargo|rustc)'/,
    says: 'A package has to be compiled, and there is no $1',
    hint: 'Install Rust (rustup), or use a Python for which the package has a wheel.',
  },
  {
    kind: 'missing-program',
    // Started by the program itself; a path would be a file that it wants.
    pattern: /_execute_child[\s\S]*FileNotFoundError: \[Errno 2\] No such file or directory: '([^'/]+)'/,
    says: 'There is no program $1',
    hint: 'Install $1.',
  },
  {
    kind: 'missing-service',
    pattern:
      /KeyError: 'DISPLAY'|no display name and no \$DISPLAY|DisplayConnectionError|cannot connect to X server|couldn't connect to display/,
    says: 'It needs a graphical display',
    hint: 'Run it in a desktop session, or under xvfb-run.',
  },
  {
    kind: 'missing-service',
    pattern:
      /(?:[Ff]ail(?:ed|ure)? (?:to connect|connecting) to|(?:[Cc]ould not|[Cc]annot|[Cc]an't|[Uu]nable to) connect to)[^\n]{0,60}?((?:localhost|127\.0\.0\.1):\d+)/,
    says: 'It needs a service at $1, and nothing answers there',
    hint: 'Start it, or name another place with --env or an argument.',
  },
  {
    kind: 'missing-service',
    pattern: /NoKeyringError|No recommended backend was available/,
    says: 'It keeps its secrets in a keyring, and there is none',
    hint: 'Start a keyring service (gnome-keyring, KWallet), or set PYTHON_KEYRING_BACKEND with --env.',
  },
];

export const PYTHON_PATTERNS: readonly Pattern[] = [
  ...MACHINE,
  {
    kind: 'lock-out-of-date',
    pattern:
      /lockfile at `uv\.lock` needs to be updated|Unable to find lockfile|[Ff]ailed to parse `?uv\.lock|uv\.lock.*(?:unsupported|not compatible)|pyproject\.toml changed significantly since poetry\.lock|poetry\.lock is not up to date|lock file is not compatible with the current version of Poetry|[Hh]ash mismatch|Invalid hash|did not match any known checksums/,
    says: 'The lock file does not match the manifest',
  },
  {
    kind: 'engine-mismatch',
    pattern:
      /incompatible with the project's Python requirement|does not satisfy Python[<>=~!]|requires a different Python|not supported by the project|No interpreter found for|current project's supported Python range|no wheels with a matching Python/,
    says: 'It is made for another version of Python',
    hint: 'Install the Python version that the plugin wants.',
  },
  {
    kind: 'version-not-found',
    pattern:
      /there (?:is|are) no versions? of|was not found in the package registry|because only .* (?:is|are) available|No solution found when resolving|No matching distribution found for|Could not find a version that satisfies|HTTP status client error \(404|doesn't have a source distribution or wheel|has no (?:usable )?(?:wheels|wheel)|SolverProblemError|Unable to find installation candidates|Package \S+ \([^)]*\) not found/i,
    says: 'The registry does not have a version that it wants',
  },
  {
    kind: 'build-failed',
    pattern:
      /Failed to build|Failed building wheel|metadata-generation-failed|subprocess-exited-with-error|build backend returned an error|Multiple top-level packages discovered|Unable to determine which files to ship|Backend subprocess exited/,
    says: 'A package could not be built',
  },
  {
    kind: 'runtime-too-old',
    pattern:
      /cannot import name '\w+' from '(?:typing|enum|asyncio|collections\.abc|datetime|itertools|types)'|No module named '(?:tomllib|asyncio\.taskgroups)'|SyntaxError: (?:invalid syntax|expected ':'|f-string)/,
    says: 'It needs a newer Python than it got',
    hint: 'Install a newer Python.',
  },
  {
    kind: 'incompatible-dependency',
    // A dotted name: the package is there, but has no such module (any more).
    pattern: /No module named '?([A-Za-z_]\w*\.[\w.]+)/,
    says: 'The installed version of a dependency has no $1',
  },
  {
    kind: 'incompatible-dependency',
    pattern:
      /ImportError: cannot import name|AttributeError: (?:module|type object|'\w+' object) [^\n]*has no attribute|got (?:an )?unexpected keyword argument|takes \d+ positional arguments? but|missing \d+ required positional argument|pydantic\.errors\.Pydantic(?:UserError|ImportError)|has been (?:removed|moved)|was removed in|FastMCP\(\) no longer accepts/,
    says: 'A dependency is of a version that it was not written for',
  },
  {
    kind: 'unknown',
    pattern:
      /Already running asyncio in this thread|asyncio\.run\(\) cannot be called from a running event loop|coroutine '([\w.]+)' was never awaited/,
    says: 'Its own code is broken: it starts an event loop within another, or none',
    hint: 'Report it to the plugin’s authors, or try another commit with --ref.',
  },
  {
    kind: 'incompatible-dependency',
    // It calls the SDK in a way that the SDK refuses, before it serves.
    pattern:
      /site-packages\/(fastmcp|mcp)\/[^\n]*\n(?:[ \t][^\n]*\n|\n)*(?:TypeError|ValueError|AttributeError|RuntimeError): /,
    says: 'The installed version of $1 refuses what it does',
  },
  {
    kind: 'entry-missing',
    pattern:
      /attempted relative import with no known parent package|attempted relative import beyond top-level package/,
    says: 'A part of a package was run as a program',
  },
  {
    kind: 'missing-module',
    // Raised by a package that does without one of several others, but not without all.
    pattern: /ModuleNotFoundError: (?!No module)([^\n]+)/,
    says: 'A module is missing',
  },
  { kind: 'missing-module', pattern: /No module named '?([\w.-]+)/, says: 'The module $1 is missing' },
  { kind: 'entry-missing', pattern: /can't open file '([^']+)'/, says: 'The file $1 is not there' },
  {
    kind: 'missing-setting',
    pattern: /KeyError: ['"]([A-Z][A-Z0-9_]{2,})['"]/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-setting',
    pattern: /validation errors? for \w*(?:Settings|Config)\w*\n(\w+)\n/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env, its name in capitals.',
  },
  {
    kind: 'missing-argument',
    pattern: /Error: Missing (?:option|argument|parameter):? ['"]?([\w/ -]+)/,
    says: 'It needs the argument $1',
  },
  {
    kind: 'missing-setting',
    // Said by a constructor before anything is served: a word of its own configuration.
    pattern:
      /^(?:\w+\.)*(?:ValueError|RuntimeError|OSError|Exception|SystemExit): (?!.*[A-Z]_[A-Z])([^\n]{1,60}?) (?:is|are) (?:required|missing|not set|not configured)\b/m,
    says: 'It needs a setting: $1',
    hint: 'See its documentation for how it is given: with --env, or as an argument after --.',
  },
];

/** The frame that Python draws around the errors of a task group. */
const GROUP_FRAME = /^ *(?:\||\+)-*[ ]?/gm;

export const explainPython = (output: string, exit: ExitLike): Cause =>
  explainWith(PYTHON_PATTERNS, output.replaceAll(GROUP_FRAME, ''), exit);
