/** What the .NET SDK, MSBuild, NuGet and the runtime print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

export const DOTNET_PATTERNS: readonly Pattern[] = [
  {
    kind: 'engine-mismatch',
    pattern: /Requested SDK version: ([\d.\w-]+)|A compatible (?:installed )?\.NET(?: Core)? SDK .*?was not found/,
    says: 'Its global.json wants a .NET SDK that is not installed: $1',
    hint: 'Install that version of the .NET SDK.',
  },
  {
    kind: 'runtime-too-old',
    pattern: /NETSDK1045:[^\n]*?targeting \.NET (?:Core )?([\d.]+)|error NETSDK1045/,
    says: 'It is made for .NET $1, which the installed SDK is too old for',
    hint: 'Install the .NET SDK $1 or newer.',
  },
  {
    kind: 'runtime-too-old',
    pattern:
      /You must install or update \.NET to run this application[\s\S]*?version '([\d.]+)'|framework 'Microsoft\.\w+\.App', version '([\d.]+)'[^\n]*was not found/,
    says: 'It needs the .NET runtime $1, which is not installed',
    hint: 'Install the .NET SDK $1 or newer; for web servers with the ASP.NET Core runtime.',
  },
  {
    kind: 'network',
    pattern: /error NU1301[^\n]*|Unable to load the service index for source (\S+)|Retrying 'FindPackagesByIdAsync/,
    says: 'A NuGet source could not be reached',
    hint: 'Check the network and your NuGet.Config, then try again.',
  },
  {
    kind: 'lock-out-of-date',
    pattern: /error NU1004/,
    says: 'The lock file does not match the project',
  },
  {
    kind: 'version-not-found',
    pattern: /error NU110[123]: (?:Unable to find (?:a stable )?package )?([\w.]+)|error NU1102|error NU1605/,
    says: 'NuGet does not have $1 as it is wanted',
  },
  {
    kind: 'missing-program',
    pattern: /NETSDK1147:[^\n]*?following workloads must be installed: ([\w-]+)|error NETSDK1147/,
    says: 'It needs the workload $1 of the .NET SDK',
    hint: 'Run `dotnet workload install $1`.',
  },
  {
    kind: 'missing-library',
    pattern:
      /Couldn't find a valid ICU package|libicu|DllNotFoundException: Unable to load shared library '([^']+)'|libssl/,
    says: 'It needs a library of the system',
    hint: 'Install what the last lines name (`sudo apt install libicu-dev`, or set DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1).',
  },
  {
    kind: 'build-failed',
    pattern: /\berror (?:CS|FS|BC|MSB|NETSDK|NU)\d+|Build FAILED|error : /,
    says: 'The build failed',
  },
  {
    kind: 'missing-setting',
    pattern:
      /(?:ArgumentNullException|InvalidOperationException|OptionsValidationException)[^\n]*?['"(]?([A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)+)/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-service',
    pattern:
      /SqlException[^\n]*(?:network-related|server was not found)|NpgsqlException[^\n]*(?:Failed to connect|refused)|Connection refused \(([\w.-]+:\d+)\)/,
    says: 'It needs a database or another service that it could not reach',
  },
  {
    kind: 'entry-missing',
    pattern: /The application to execute does not exist: '([^']+)'|The application '([^']+)' does not exist/,
    says: 'There is no $1 to start',
  },
  {
    kind: 'missing-module',
    pattern: /Could not load file or assembly '([\w.]+)/,
    says: 'The assembly $1 is missing',
  },
];

export const explainDotnet = (output: string, exit: ExitLike): Cause => explainWith(DOTNET_PATTERNS, output, exit);
