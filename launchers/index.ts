/** Public names of `mcp-supervisor/launchers`. Adding a line is an API decision. */

export { createBasePlan } from './base-plan.ts';
export { createBinaryLauncher } from './binary.ts';
export { createDenoLauncher } from './deno.ts';
export { createDockerLauncher } from './docker.ts';
export { type Dockerfile, readDockerfile } from './dockerfile.ts';
export { createDotnetLauncher } from './dotnet.ts';
export { type ExitLike, explainWith, type Pattern } from './explain.ts';
export { createGoLauncher } from './go.ts';
export { createJavaLauncher } from './java.ts';
export { createManifestLauncher } from './manifest.ts';
export { createNodeLauncher } from './node.ts';
export { createPackageLauncher } from './package.ts';
export { join } from './paths.ts';
export { createPhpLauncher } from './php.ts';
export {
  type Candidate,
  type Cause,
  type CauseKind,
  type Command,
  type Evidence,
  type FileView,
  isRefusal,
  type Launcher,
  type LaunchPlan,
  type Overrides,
  type PassedOver,
  type PluginSpec,
  type Refusal,
  type Rung,
  type Setting,
  type Source,
  type Tool,
  type Transport,
} from './plan.ts';
export { createPythonLauncher } from './python.ts';
export { createRubyLauncher } from './ruby.ts';
export { createRustLauncher } from './rust.ts';
export { builtIn, planFor } from './table.ts';
export { type Split, splitCommand } from './words.ts';
