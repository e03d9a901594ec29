import { PLUGIN_STATES, type PluginState } from '../../../machines/states.ts';
import { SupervisorError, supervisorError } from '../../errors.ts';
import type { PluginStatus, Supervisor } from '../../options.ts';

/**
 * Resolves when it is in that state; `ready` also when it is idle, which is ready with nothing to do. Rejects with its failure
 * once it is parked: then nothing happens by itself any more.
 */
export async function waitForState(
  supervisor: Supervisor,
  plugin: string,
  wanted: string,
  signal: AbortSignal,
): Promise<PluginStatus> {
  if (!PLUGIN_STATES.includes(wanted as PluginState)) {
    throw supervisorError('CONFIG_INVALID', {
      message: `'${wanted}' is no state of a plugin; expected ${PLUGIN_STATES.join(', ')}.`,
    });
  }
  return new Promise((resolve, reject) => {
    const end = (finish: () => void) => {
      for (const off of offs) off();
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const look = () => {
      let status: PluginStatus;
      try {
        status = supervisor.status(plugin);
      } catch (error) {
        return end(() => reject(error));
      }
      const { state, subState, failure } = status;
      if (state === wanted || (wanted === 'ready' && state === 'idle')) end(() => resolve(status));
      else if (subState === 'parked' && failure !== null && wanted !== 'absent')
        end(() => reject(new SupervisorError(failure, plugin)));
    };
    const onAbort = () => end(() => reject(supervisorError('CALL_CANCELLED', { message: 'Nobody waits any more.' })));
    // Whether it is parked is decided right after the state was told.
    const offs = [
      supervisor.on('plugin:state', (change) => {
        if (change.plugin === plugin) queueMicrotask(look);
      }),
      supervisor.on('plugin:removed', (removed) => {
        if (removed.plugin === plugin) look();
      }),
      supervisor.on('supervisor:closed', () =>
        end(() => reject(supervisorError('INTERNAL_CLOSED', { message: 'The daemon is closing.' }))),
      ),
    ];
    signal.addEventListener('abort', onAbort, { once: true });
    look();
  });
}
