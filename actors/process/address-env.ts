import type { LaunchPlan } from '../../launchers/plan.ts';
import { type Address, LOOPBACK } from './command.ts';

type Variables = Readonly<Record<string, string>>;

/** How an address reaches a plugin by environment: the plan's variables, else all the usual ones, set to agree. */
export function addressEnv({ port, socket }: LaunchPlan, address: Address): Variables {
  const all = (names: readonly string[], value: string) => Object.fromEntries(names.map((name) => [name, value]));
  if (address.socket !== null) return all(socket?.env ?? [], address.socket);
  if (address.port === null) return {};
  const value = String(address.port);
  return { ...HOSTS, ...(port.env.length > 0 ? portVariables(port.env, value) : usualPorts(value)) };
}

/** Some take a whole address (ASPNETCORE_URLS). */
const portVariables = (names: readonly string[], port: string): Variables =>
  Object.fromEntries(names.map((name) => [name, /_URLS?$/.test(name) ? `http://${LOOPBACK}:${port}` : port]));

/** Host variables of the frameworks below; most default to every interface of the machine. */
const HOSTS: Variables = {
  HOST: LOOPBACK,
  MCP_HOST: LOOPBACK,
  FASTMCP_HOST: LOOPBACK,
  UVICORN_HOST: LOOPBACK,
  FLASK_RUN_HOST: LOOPBACK,
  SERVER_ADDRESS: LOOPBACK,
  ROCKET_ADDRESS: LOOPBACK,
};

/** Platforms-as-a-service and Node by PORT; FastMCP; uvicorn; Flask; Spring; ASP.NET; Rocket; Gradio. */
const usualPorts = (port: string): Variables => ({
  PORT: port,
  MCP_PORT: port,
  FASTMCP_PORT: port,
  UVICORN_PORT: port,
  FLASK_RUN_PORT: port,
  SERVER_PORT: port,
  ASPNETCORE_URLS: `http://${LOOPBACK}:${port}`,
  ROCKET_PORT: port,
  GRADIO_SERVER_PORT: port,
});
