import type { Emitter } from './announcer.ts';
import { supervisorError } from './errors.ts';

/**
 * Resolves with what `settled` returns as soon as that is not undefined, asked now and after every state change of any
 * plugin; rejects when it throws, with CALL_CANCELLED when the signal aborts, and with INTERNAL_CLOSED when nothing can
 * change any more.
 */
export function until<T>(
  changes: Emitter,
  settled: () => T | undefined,
  { signal, isClosed }: { readonly signal?: AbortSignal | undefined; readonly isClosed: () => boolean },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      changes.off('plugin:state', check);
      changes.off('plugin:removed', check);
      changes.off('instance:removed', check);
      changes.off('supervisor:closed', check);
      signal?.removeEventListener('abort', abort);
    };
    const abort = () => {
      end();
      reject(supervisorError('CALL_CANCELLED', { message: 'Waiting was cancelled.' }));
    };
    const check = () => {
      try {
        const value = settled();
        if (value === undefined && isClosed()) throw supervisorError('INTERNAL_CLOSED');
        if (value === undefined) return;
        end();
        resolve(value);
      } catch (error) {
        end();
        reject(error);
      }
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    changes.on('plugin:state', check);
    changes.on('plugin:removed', check);
    changes.on('instance:removed', check);
    changes.on('supervisor:closed', check);
    check();
  });
}
