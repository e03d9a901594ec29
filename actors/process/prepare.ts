import type { ProcessInput } from '../../machines/contracts.ts';
import type { ActorContext } from '../context.ts';
import { pluginEnv, secretsOf } from '../env.ts';
import { COOKIE_VARIABLE } from '../groups.ts';
import type { PortLeases } from '../ports.ts';
import { addressEnv } from './address-env.ts';
import { type Address, candidateOf, fillIn, needsPort, type ResolvedCommand, resolveCommand } from './command.ts';
import { createPrivateSocket } from './private-socket.ts';
import { resolveReferences } from './references.ts';

/** Everything that one spawn needs. */
export interface Launch {
  readonly command: ResolvedCommand;
  readonly env: Readonly<Record<string, string>>;
  readonly address: Address;
  /** Values that must not be shown, whatever the plugin prints. */
  readonly secrets: readonly string[];
  /** Gives back the port and removes the socket's folder. */
  dispose(): Promise<void>;
}

/** Leases an address where one is needed and builds command and environment. Rejects with a FailureError (LAUNCH_SPAWN, CONFIG_REFERENCE). */
export async function prepareLaunch(
  context: ActorContext,
  ports: PortLeases,
  input: ProcessInput,
  cookie: string,
): Promise<Launch> {
  const { environment, spec, plugin } = input;
  const { plan } = environment;
  const candidate = candidateOf(input);
  const isFixed = plan.port.fixed !== null;
  const port = needsPort(input) ? (plan.port.fixed ?? (await ports.lease())) : null;
  const socket = plan.socket ? await createPrivateSocket(context.store) : null;
  const address: Address = { port, socket: socket?.path ?? null };
  const dispose = async () => {
    if (port !== null && !isFixed) ports.release(port);
    await socket?.remove();
  };
  try {
    const owners = await resolveReferences(spec.env.reveal(), context);
    const own = Object.entries(candidate.command.env ?? {}).map(([name, word]) => [name, fillIn(word, address)]);
    const fixed = { ...addressEnv(plan, address), ...Object.fromEntries(own) };
    // What the owner set, a port for instance, is their decision; only the cookie is ours.
    const extra = { ...fixed, ...owners.env, [COOKIE_VARIABLE]: cookie };
    const env = pluginEnv(context, { plugin, spec, environment, extra });
    return {
      command: resolveCommand(environment, candidate, address),
      env,
      secrets: [...owners.secrets, ...secretsOf(plan, owners.env, context.callerEnv)],
      address,
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
