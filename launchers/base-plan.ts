import type { LaunchPlan } from './plan.ts';

/** How a leased port reaches programs that say nothing else: the usual variables, set together so that they agree. */
const USUAL_PORT_VARIABLES = [
  'PORT',
  'MCP_PORT',
  'FASTMCP_PORT',
  'UVICORN_PORT',
  'FLASK_RUN_PORT',
  'SERVER_PORT',
  'GRADIO_SERVER_PORT',
] as const;

/** A plan that knows nothing yet; launchers fill in what they found. */
export function createBasePlan(launcher: string, runtime: string, projectDir: string): LaunchPlan {
  return {
    launcher,
    runtime,
    projectDir,
    tools: [],
    install: [],
    build: [],
    start: [],
    transport: 'auto',
    port: { env: [...USUAL_PORT_VARIABLES], args: [], fixed: null },
    socket: null,
    endpoint: null,
    health: null,
    readyPattern: null,
    env: {},
    wants: [],
    confidence: 'low',
    evidence: [],
    passedOver: [],
  };
}
