/** `mcp-supervisor/machines`: the charts and their contracts. Adding a name here is an API decision. */

export { completeAttempt, nextAttempt } from './attempts.ts';
export type {
  Attempt,
  Checkout,
  CloneActor,
  CloneInput,
  DetectActor,
  DetectInput,
  Environment,
  InstallActor,
  InstallInput,
  JobCommand,
  JobEnded,
  JobResult,
  PluginActors,
  ProbeActor,
  ProbeEvent,
  ProbeInput,
  ProcessActor,
  ProcessCommand,
  ProcessEvent,
  ProcessInput,
  Survey,
  SurveyActor,
  SurveyInput,
  SweepActor,
  SweepInput,
} from './contracts.ts';
export type {
  CallVerdict,
  PluginCommand,
  PluginEvent,
  PluginReport,
  Slot,
  SupervisorCommand,
  SupervisorDecision,
  SupervisorEmitted,
  TrafficEvent,
} from './events.ts';
export {
  createFailure,
  type Exit,
  FAILURES,
  type Failure,
  type FailureCode,
  type FailureDetails,
  isPermanent,
  type Phase,
} from './failure.ts';
export type { Leader, Outcome, PluginContext, PluginInput, Service } from './plugin/context.ts';
export { type PluginMachine, pluginMachine } from './plugin.ts';
export {
  type Bounds,
  decideRestart,
  defaultBounds,
  defaultRestartPolicy,
  defaultTiming,
  type RestartDecision,
  type RestartHistory,
  type RestartPolicy,
  type Timing,
} from './policy.ts';
export { PLUGIN_STATES, type PluginState, STAGES, type Stage, stateName, subState } from './states.ts';
export type { Member, SupervisorContext, SupervisorInput } from './supervisor/context.ts';
export { type SupervisorMachine, supervisorMachine } from './supervisor.ts';
