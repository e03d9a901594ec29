import { unknownPlugin } from '../../errors.ts';
import type { Supervisor } from '../../options.ts';
import type { HttpExchange } from '../contracts.ts';
import { HttpError } from '../http/http-error.ts';

/**
 * The plugin that the path names. Throws CONFIG_UNKNOWN_PLUGIN for one that the caller may not see; whether there is such a
 * one at all, the supervisor says itself.
 */
export function requirePlugin(supervisor: Supervisor, { path, principal: { view } }: HttpExchange): string {
  const name = path[1] ?? '';
  if (view.profile === null) return name;
  const known = supervisor.list().filter(view.hasPlugin);
  if (known.includes(name)) return name;
  throw unknownPlugin(name, known, 'There are none.');
}

/** Starting and stopping is the owner's: a profile is a part of what may be used, not of what may be run. */
export function requireOwner({ principal }: HttpExchange): void {
  if (principal.view.profile !== null)
    throw new HttpError('HTTP_FORBIDDEN', 'A profile may call plugins, not run them.');
}
