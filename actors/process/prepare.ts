import type { ProcessInput } from '../../machines/contracts.ts';
import { type Confined, confine, unconfined } from '../confinement.ts';
import { type ContainerEngine, removeContainers, withoutSecrets } from '../container-engine.ts';
import type { ActorContext } from '../context.ts';
import { pluginNetworkEnv } from '../env/network.ts';
import { pluginEnv, secretsOf, settingsTaken } from '../env.ts';
import { FailureError } from '../failure-error.ts';
import { COOKIE_VARIABLE } from '../groups.ts';
import type { PortLeases } from '../ports.ts';
import { addressEnv } from './address-env.ts';
import { type Address, candidateOf, fillIn, needsPort, type ResolvedCommand, resolveCommand } from './command.ts';
import { containerWords, forContainer, isContainer, isForEngine } from './container.ts';
import { isForeignBinary } from './executable.ts';
import { createPrivateSocket } from './private-socket.ts';
import { resolveReferences } from './references.ts';
import { spawnFailure } from './spawn-failure.ts';

/** Everything that one spawn needs. */
export interface Launch {
  readonly command: ResolvedCommand;
  readonly env: Readonly<Record<string, string>>;
  readonly address: Address;
  /** What stands around the command, which is in it already. */
  readonly confined: Confined;
  /** Values that must not be shown, whatever the plugin prints. */
  readonly secrets: readonly string[];
  /** Of a start that is a container: who is to remove it, should we not live to. */
  readonly engine: ContainerEngine | null;
  /** Gives back the port, removes the socket's folder, and a container that is left. */
  dispose(): Promise<void>;
}

/**
 * Leases an address where one is needed, builds command and environment, and confines them. Rejects with a FailureError:
 * LAUNCH_SPAWN, CONFIG_REFERENCE, and those of `confine`.
 */
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
  let engine: ContainerEngine | null = null;
  let confined: Confined | null = null;
  const dispose = async () => {
    if (engine !== null) await removeContainers(engine, cookie);
    await confined?.dispose();
    if (port !== null && !isFixed) ports.release(port);
    await socket?.remove();
  };
  try {
    const owners = await resolveReferences(spec.env.reveal(), context);
    const own = Object.entries(candidate.command.env ?? {}).map(([name, word]) => [name, fillIn(word, address)]);
    const fixed = { ...addressEnv(plan, address), ...Object.fromEntries(own) };
    // What the owner set, a port for instance, is their decision; only the cookie is ours.
    const extra = { ...fixed, ...owners.env, [COOKIE_VARIABLE]: cookie };
    const network = await pluginNetworkEnv(context);
    const env = pluginEnv(context, { plugin, spec, environment, network, extra });
    const names = [...settingsTaken(plan, context.callerEnv, spec.envPolicy), ...Object.keys(owners.env)];
    const told = isContainer(candidate)
      ? forContainer(
          candidate,
          [...new Set(names)].filter((name) => !isForEngine(name)),
          cookie,
          containerWords(spec, port !== null, context.callerEnv.HOME),
        )
      : candidate;
    const command = resolveCommand(environment, told, address);
    if (await isForeignBinary(command.program)) {
      throw new FailureError(spawnFailure({ code: 'ENOEXEC' }, command, input.generation));
    }
    if (isContainer(candidate)) engine = { program: command.program, env };
    // The engine confines a container; around its client nothing would be gained.
    confined =
      engine !== null ? unconfined({ command, env }) : await confine(context, { input, command, env, address, cookie });
    return {
      command: confined.command,
      env: confined.env,
      confined,
      secrets: [...owners.secrets, ...secretsOf(plan, owners.env, context.callerEnv, spec.envPolicy)],
      engine: engine && withoutSecrets(engine),
      address,
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
