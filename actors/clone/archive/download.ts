import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Credential, SourceOf } from '../../../launchers/plan.ts';
import { createFailure, type FailureCode } from '../../../machines/failure.ts';
import type { ActorContext } from '../../context.ts';
import { FailureError } from '../../failure-error.ts';
import { createHttpAgent, MOST_REDIRECTS, redirectOf } from '../http-agent.ts';
import { createMask } from '../mask.ts';
import { netrcLogin } from '../netrc.ts';
import { networkHint } from '../network-hint.ts';
import { archiveFailure } from './archive-failure.ts';

export interface Download {
  readonly source: SourceOf<'archive'>;
  readonly credential: Credential | undefined;
  /** Where it is written; does not exist yet. */
  readonly file: string;
}

/**
 * Fetches an archive through the user's proxy and returns its SHA-256. The login goes to its own host only. Fails with
 * CLONE_NOT_FOUND, CLONE_AUTH, CLONE_UNKNOWN_HOST, CLONE_NETWORK, CLONE_TOO_LARGE or CLONE_FAILED.
 */
export async function download(context: ActorContext, wanted: Download, signal: AbortSignal): Promise<string> {
  const { request } = await import('undici');
  const { location } = wanted.source;
  const dispatcher = await createHttpAgent(context.callerEnv);
  const login = await loginOf(wanted, context);
  const mask = createMask(wanted.credential);
  try {
    let url = location;
    for (let redirects = 0; ; redirects += 1) {
      const headers = {
        'user-agent': 'mcp-supervisor',
        ...(new URL(url).origin === new URL(location).origin ? login : {}),
      };
      const response = await request(url, { dispatcher, signal, headers });
      const next = redirectOf(url, response.statusCode, response.headers.location);
      if (next === null || redirects === MOST_REDIRECTS) return await save(response, wanted, context);
      await response.body.dump();
      url = next;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FailureError) throw error;
    throw networkFailure(location, error, mask);
  } finally {
    await dispatcher.destroy().catch(() => {});
  }
}

/** The address's own login, else the user's for its host. */
async function loginOf({ source, credential }: Download, { callerEnv }: ActorContext): Promise<Record<string, string>> {
  const login =
    credential === undefined
      ? await netrcLogin(callerEnv, new URL(source.location).hostname)
      : { username: credential.username, password: credential.reveal() };
  if (login === null) return {};
  return { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` };
}

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array> & { dump(): Promise<void> };
}

async function save({ statusCode, headers, body }: Response, { source, file }: Download, { limits }: ActorContext) {
  const { location } = source;
  if (statusCode !== 200) {
    await body.dump().catch(() => {});
    throw statusFailure(location, statusCode);
  }
  const announced = Number(headers['content-length'] ?? 0);
  const hash = createHash('sha256');
  const target = await open(file, 'wx', 0o600);
  try {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (Math.max(bytes, announced) > limits.maxSource) {
        const data = { maxSource: limits.maxSource };
        throw archiveFailure('CLONE_TOO_LARGE', `at ${location} has more than ${limits.maxSource} bytes`, data);
      }
      hash.update(chunk);
      await target.writeFile(chunk);
    }
  } finally {
    await target.close();
  }
  return hash.digest('hex');
}

function statusFailure(location: string, status: number): FailureError {
  const [code, says]: readonly [FailureCode, string] =
    status === 404 || status === 410
      ? ['CLONE_NOT_FOUND', `There is nothing at ${location}`]
      : status === 401 || status === 403
        ? ['CLONE_AUTH', `${location} is private`]
        : status === 407 || status === 429 || status >= 500
          ? ['CLONE_NETWORK', `${location} could not be had now`]
          : ['CLONE_FAILED', `${location} could not be downloaded`];
  const hint =
    code === 'CLONE_AUTH'
      ? 'Write the login before the host (https://user:token@host/…) or into ~/.netrc, or download it and give the file.'
      : networkHint(String(status));
  return new FailureError(
    createFailure(code, { message: `${says} (HTTP ${status}).`, hint, data: { url: location, status } }),
  );
}

function networkFailure(location: string, error: unknown, mask: (text: string) => string): FailureError {
  const { code, message } = error as NodeJS.ErrnoException;
  const isUnknown = code === 'ENOTFOUND';
  const said = mask(message || String(code ?? error));
  if (code === 'ENOSPC' || code === 'EDQUOT') throw error;
  return new FailureError(
    createFailure(isUnknown ? 'CLONE_UNKNOWN_HOST' : 'CLONE_NETWORK', {
      message: isUnknown
        ? `The host of ${location} is not known.`
        : `${location} could not be reached, or the transfer broke. (${said})`,
      hint: networkHint(said),
      data: { url: location },
    }),
    { cause: error },
  );
}
