/** What uv, pip, Poetry and Python print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

export const PYTHON_PATTERNS: readonly Pattern[] = [
  {
    kind: 'lock-out-of-date',
    pattern:
      /lockfile at `uv\.lock` needs to be updated|Unable to find lockfile|[Ff]ailed to parse `?uv\.lock|uv\.lock.*(?:unsupported|not compatible)|pyproject\.toml changed significantly since poetry\.lock|poetry\.lock is not up to date|lock file is not compatible with the current version of Poetry|[Hh]ash mismatch/,
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
      /there (?:is|are) no versions? of|was not found in the package registry|because only .* (?:is|are) available|No solution found when resolving|No matching distribution found for|Could not find a version that satisfies|HTTP status client error \(404|doesn't have a source distribution or wheel|has no (?:usable )?(?:wheels|wheel)|SolverProblemError|Package \S+ \([^)]*\) not found/i,
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
      /ImportError: cannot import name|AttributeError: (?:module|type object|'\w+' object) [^\n]*has no attribute|got (?:an )?unexpected keyword argument|takes \d+ positional arguments? but|missing \d+ required positional argument|pydantic\.errors\.Pydantic(?:UserError|ImportError)|has been (?:removed|moved)|was removed in/,
    says: 'A dependency is of a version that it was not written for',
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
];

export const explainPython = (output: string, exit: ExitLike): Cause => explainWith(PYTHON_PATTERNS, output, exit);
