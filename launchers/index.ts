/** Public names of `mcp-supervisor/launchers`. Adding a line is an API decision. */

export { createBasePlan } from './base-plan.ts';
export { createBinaryLauncher } from './binary.ts';
export { type ExitLike, explainWith, type Pattern } from './explain.ts';
export { createManifestLauncher } from './manifest.ts';
export { createNodeLauncher } from './node.ts';
export { join } from './paths.ts';
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
export { builtIn, planFor } from './table.ts';
export { type Split, splitCommand } from './words.ts';
