import type { ProcessInput } from '../../machines/contracts.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { FailureError } from '../failure-error.ts';
import { resolveReferences } from './references.ts';

export interface PreparedRemote {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Values that must not be shown, whatever the server says. */
  readonly secrets: readonly string[];
  /** A file or a command gives some of it: another start may find other values. */
  readonly refreshes: boolean;
}

/**
 * Looks up what address and headers refer to. Rejects with a FailureError: CONFIG_REFERENCE, which names the reference, or
 * CONFIG_INVALID for a value that no header and no address can hold; neither with a value.
 */
export async function prepareRemote(
  context: Pick<ActorContext, 'callerEnv'>,
  { spec: { source, address, headers = NONE } }: ProcessInput,
): Promise<PreparedRemote> {
  const written = address?.reveal().url ?? (source.kind === 'remote' ? source.url : '');
  const place = await resolveReferences({ url: written }, context);
  const told = await resolveReferences(headers.reveal(), context);
  const url = URL.canParse(place.env.url ?? '') ? new URL(place.env.url ?? '') : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid('The address is none when its references have their values.');
  }
  const login = loginOf(url);
  for (const [name, value] of Object.entries(told.env)) {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw invalid(`The header ${name} has a value that no header can hold.`);
  }
  const own = lowered(told.env);
  const query = [...url.searchParams.values()];
  return {
    url,
    headers: login === null || own.authorization !== undefined ? own : { ...own, authorization: login.header },
    secrets: [
      ...place.secrets,
      ...told.secrets,
      // `Bearer abc`: servers quote the token alone.
      ...Object.values(told.env).flatMap((value) => [value, value.replace(/^\w+\s+/, '')]),
      ...(address === undefined ? [] : query),
      ...(login === null ? [] : login.secrets),
    ],
    refreshes: [written, ...Object.values(headers.reveal())].some((text) => /\$\{(file|cmd):/.test(text)),
  };
}

const NONE = { reveal: () => ({}), toJSON: () => ({}) };

/** Takes it out of the address: what is shown and sent there has none. */
function loginOf(url: URL): { readonly header: string; readonly secrets: readonly string[] } | null {
  const { username, password } = url;
  if (username === '' && password === '') return null;
  url.username = '';
  url.password = '';
  const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  return {
    header: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
    secrets: [secret || user, `${user}:${secret}`],
  };
}

const lowered = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]));

const invalid = (message: string) => new FailureError(createFailure('CONFIG_INVALID', { message }));
