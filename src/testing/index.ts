/** `mcp-supervisor/testing`: the doubles that our own tests use. Adding a name here is an API decision. */

export { createTestClock, type TestClock } from './clock.ts';
export { createHarness, type Harness, type HarnessOptions } from './harness.ts';
export {
  sampleAttempt,
  sampleCheckout,
  sampleEnvironment,
  samplePlan,
  samplePlanWithCandidates,
  sampleSpec,
  sampleSurvey,
} from './samples.ts';
export {
  createScriptedActors,
  type PluginScript,
  type Scripted,
  type ScriptedActors,
  type ScriptedJob,
  type ScriptedProbe,
  type ScriptedProcess,
  type ScriptedSurvey,
  type ScriptedSweep,
} from './scripted.ts';
