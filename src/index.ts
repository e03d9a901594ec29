/** The public API. Adding a name here is an API decision; test/exports.test.ts pins the list. */

export type { ToolDescription } from '../actors/context.ts';
export type { Launcher, LaunchPlan, PluginSpec, Source } from '../launchers/plan.ts';
export { FAILURES, type Failure, type FailureCode, type Phase } from '../machines/failure.ts';
export type { RestartPolicy, Timing } from '../machines/policy.ts';
export { PLUGIN_STATES, type PluginState } from '../machines/states.ts';
export type { LimitOptions, SandboxOptions } from './confinement.ts';
export { SupervisorError } from './errors.ts';
export { createLogger } from './logger.ts';
export type {
  CallOptions,
  Changes,
  Defaults,
  HistoryEntry,
  Link,
  LogLine,
  MethodCall,
  PluginMetrics,
  PluginOptions,
  PluginStatus,
  StateChange,
  Supervisor,
  SupervisorEvents,
  SupervisorOptions,
  ToolCall,
  ToolResult,
} from './options.ts';
export { planSource } from './plan-source.ts';
export { createSupervisor } from './supervisor.ts';
