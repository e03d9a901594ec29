import { describe, expect, it } from 'vitest';
import type { CauseKind } from '../../launchers/plan.ts';
import { createPythonLauncher } from '../../launchers/python.ts';

const launcher = createPythonLauncher();
const causeOf = (output: string) => launcher.explain(output, { code: 1, signal: null });

/** What uv 0.13, pip 26, Poetry 2.5, Playwright 1.5x and CPython 3.12 and 3.13 printed. */
describe('what a Python plugin lacks of this machine', () => {
  it.each<[CauseKind, string, string]>([
    [
      'missing-program',
      'pg_config',
      '         Error: pg_config executable not found.\n\n         pg_config is required to build psycopg2 from source.  Please add the directory\n\nhint: Build failures usually indicate a problem with the package or the build environment',
    ],
    [
      'missing-program',
      'g++',
      "  × Failed to build `ujson==5.10.0`\n         error: [Errno 2] No such file or directory: 'g++'\n\nhint: Build failures usually indicate a problem with the package or the build environment",
    ],
    [
      'missing-program',
      'cc',
      '  × Failed to build `pydantic-core==2.27.1`\n         error: linker `cc` not found\n           |\n           = note: No such file or directory (os error 2)\n         💥 maturin failed',
    ],
    ['missing-program', 'Rust', "  × Failed to build `x`\n      error: can't find Rust compiler\n"],
    [
      'missing-program',
      'ffmpeg',
      '  File "/usr/lib/python3.12/subprocess.py", line 1955, in _execute_child\n    raise child_exception_type(errno_num, err_msg, err_filename)\nFileNotFoundError: [Errno 2] No such file or directory: \'ffmpeg\'',
    ],
    [
      'missing-library',
      'Python.h',
      '  × Failed to build `x==1`\n      x.c:1:10: fatal error: Python.h: No such file or directory\n      compilation terminated.',
    ],
    [
      'missing-library',
      'libxml/xmlversion.h',
      '      src/lxml/etree.c: fatal error: libxml/xmlversion.h: No such file or directory',
    ],
    [
      'missing-library',
      'libportaudio.so.2',
      'OSError: libportaudio.so.2: cannot open shared object file: No such file or directory',
    ],
    [
      'missing-library',
      'libGL.so.1',
      'ImportError: libGL.so.1: cannot open shared object file: No such file or directory',
    ],
    [
      'missing-library',
      'PortAudio',
      "    raise OSError('PortAudio library not found')\nOSError: PortAudio library not found",
    ],
    ['missing-library', 'libmagic', 'ImportError: failed to find libmagic.  Check your installation'],
    ['missing-library', 'tkinter', "ModuleNotFoundError: No module named '_tkinter'"],
    [
      'missing-library',
      'GLIBC_2.38',
      "ImportError: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by x.so)",
    ],
    [
      'missing-browser',
      'playwright install',
      "playwright._impl._errors.Error: BrowserType.launch: Executable doesn't exist at /root/.cache/ms-playwright/chromium_headless_shell-1255/chrome-headless-shell-linux64/chrome-headless-shell\n║ Please run the following command to download new browsers: ║\n║     playwright install                                     ║",
    ],
    ['missing-service', 'display', '  File "<frozen os>", line 685, in __getitem__\nKeyError: \'DISPLAY\''],
    [
      'missing-service',
      'keyring',
      'keyring.errors.NoKeyringError: No recommended backend was available. Install a recommended 3rd party backend package',
    ],
    [
      'missing-service',
      'localhost:19530',
      '    +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |     raise MilvusException(\n    | pymilvus.exceptions.MilvusException: <MilvusException: (code=2, message=Fail connecting to server on localhost:19530, illegal connection params or server unavailable)>\n    +------------------------------------',
    ],
    [
      'network',
      'https://git.example.invalid/acme/foo.git/',
      "error: Failed to download and build `foo @ git+https://git.example.invalid/acme/foo.git`\n  cause: Git operation failed\n         fatal: unable to access 'https://git.example.invalid/acme/foo.git/': Could not resolve host: git.example.invalid",
    ],
    [
      'needs-login',
      'login',
      'error: No solution found when resolving dependencies\n  cause: Because foo-private-x was not found in the package registry and you require foo-private-x, we can conclude that your requirements are unsatisfiable.\n\nhint: An index URL (http://127.0.0.1:18765/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)',
    ],
    [
      'network',
      'could not be reached',
      'error: Request failed after 3 retries in 9.4s\n  cause: Failed to fetch: https://pkgs.example.invalid/simple/foo/\n  cause: error sending request for url (https://pkgs.example.invalid/simple/foo/)\n  cause: dns error',
    ],
    [
      'version-not-found',
      'Windows: pywin32',
      'error: No solution found when resolving dependencies\n  cause: Because pywin32<=306 has no wheels with a matching Python ABI tag (e.g., `cp313`)\n\nhint: Wheels are available for `pywin32` (v312) on the following platforms: `win32`, `win_amd64`, `win_arm64`',
    ],
    [
      'engine-mismatch',
      'Python',
      "error: The requested interpreter resolved to Python 3.11.7, which is incompatible with the project's Python requirement: `>=3.13`",
    ],
  ])('is %s: %s', (kind, name, output) => {
    const cause = causeOf(output);
    expect(cause.kind).toBe(kind);
    expect(`${cause.detail} ${cause.hint}`).toContain(name);
  });
});

describe('what a Python plugin and its dependencies disagree on', () => {
  it.each<[string, string]>([
    [
      'a module that went',
      "ModuleNotFoundError: No module named 'mcp.server.fastmcp'. This is mcp 2.x, where FastMCP was renamed to MCPServer",
    ],
    ['a decorator that went', "AttributeError: 'Server' object has no attribute 'list_tools'"],
    ['a name that went', "ImportError: cannot import name 'Context' from 'mcp.server.fastmcp' (/x/__init__.py)"],
    ['an argument that went', "TypeError: FastMCP.__init__() got an unexpected keyword argument 'dependencies'"],
    ['several arguments that went', "TypeError: FastMCP() got unexpected keyword argument(s): 'dependencies'"],
    [
      'an argument that moved',
      'TypeError: FastMCP() no longer accepts `log_level`. Pass `log_level` to `run_http_async()`, or set FASTMCP_LOG_LEVEL.',
    ],
    ['an annotation', 'pydantic.errors.PydanticUserError: A non-annotated attribute was detected'],
    [
      'a call that the SDK refuses',
      '  File "/x/.venv/lib/python3.13/site-packages/fastmcp/resources/template.py", line 249, in from_function\n    raise ValueError("URI template must contain at least one parameter")\nValueError: URI template must contain at least one parameter',
    ],
  ])('is told by %s', (_, output) => {
    expect(causeOf(output).kind).toBe('incompatible-dependency');
  });

  it('is a module that came with an older release of another', () => {
    expect(causeOf("ModuleNotFoundError: No module named 'httpx'")).toMatchObject({
      kind: 'missing-module',
      detail: expect.stringContaining('httpx'),
    });
  });

  it('is not a setting that a client of its own misses', () => {
    const output =
      '  File "/x/.venv/lib/python3.12/site-packages/acme/api.py", line 21, in __init__\n    raise ValueError(\nValueError: No API key provided. Please set the ACME_API_KEY environment variable.';
    expect(causeOf(output).kind).toBe('missing-setting');
  });
});

describe('what a Python plugin says of itself', () => {
  it.each<[CauseKind, string, string]>([
    [
      'missing-argument',
      '--db-path',
      'usage: w [-h] --db-path DB_PATH\nw: error: the following arguments are required: --db-path',
    ],
    ['missing-argument', '--key', "Usage: w [OPTIONS]\nTry 'w --help' for help.\n\nError: Missing option '--key'."],
    [
      'missing-setting',
      'Project',
      'Traceback (most recent call last):\n  File "x.py", line 34, in __init__\nValueError: Project is required',
    ],
    ['missing-module', 'module', 'ModuleNotFoundError: An HTTP transport library needs to be installed.'],
    ['entry-missing', 'part of a package', 'ImportError: attempted relative import with no known parent package'],
    ['unknown', 'event loop', 'RuntimeError: Already running asyncio in this thread'],
    ['version-not-found', 'registry', '    | Unable to find installation candidates for anyio (4.9.0)'],
  ])('is %s: %s', (kind, name, output) => {
    expect(causeOf(output)).toMatchObject({ kind, detail: expect.stringContaining(name) });
  });
});

it('is told from within the frame of a task group, by its last words', () => {
  const output =
    '  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | OddError: this and that\n    +------------------------------------';
  expect(causeOf(output).detail).toContain('“OddError: this and that”');
});

it('is told from the longest traceback too', () => {
  const frame = (at: number) =>
    `  File "/x/site-packages/fastmcp/a.py", line ${at}, in f\n            call(          x,     y)\n            ~~~~~^^^^^^^^^^`;
  const output = `${Array.from({ length: 400 }, (_, at) => frame(at)).join('\n')}\nWeirdError: no`;
  expect(causeOf(output).detail).toContain('WeirdError');
});
