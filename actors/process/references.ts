/**
 * Secrets that stand elsewhere: `${env:NAME}`, `${file:path}` and `${cmd:line}` (for `sh`) in the values that a plugin's owner
 * gave. Only those: what comes with a plugin (its manifest, its .env) stays as it is written. They are resolved anew at each
 * start and kept nowhere.
 */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { FailureError } from '../failure-error.ts';

/** `$${env:X}` is the text `${env:X}` itself. */
const REFERENCE = /(\$?)\$\{(env|file|cmd):([^}]*)\}/g;

/** A password manager may ask its owner for a finger. */
const COMMAND_TAKES_AT_MOST = 60_000;
/** Larger is no secret. */
const MAX_BYTES = 64 * 1024;

export interface Resolved {
  readonly env: Readonly<Record<string, string>>;
  /** What the references stood for, to keep it out of logs. */
  readonly secrets: readonly string[];
}

/** Rejects with CONFIG_REFERENCE, which names the variable and the reference and never a value. */
export async function resolveReferences(
  values: Readonly<Record<string, string>>,
  { callerEnv }: Pick<ActorContext, 'callerEnv'>,
): Promise<Resolved> {
  const env: Record<string, string> = {};
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    let text = '';
    let end = 0;
    for (const match of value.matchAll(REFERENCE)) {
      const [whole, escaped, kind, target = ''] = match;
      text += value.slice(end, match.index);
      end = match.index + whole.length;
      if (escaped !== '') {
        text += whole.slice(1);
        continue;
      }
      const secret = await READERS[kind as keyof typeof READERS](target.trim(), callerEnv).catch((error: Error) => {
        throw failed(name, whole, error);
      });
      secrets.push(secret);
      text += secret;
    }
    env[name] = text + value.slice(end);
  }
  return { env, secrets };
}

/** Values of the caller's own variables that are referred to: those that are known without reading or running anything. */
export const referredTo = (values: Readonly<Record<string, string>>, callerEnv: ActorContext['callerEnv']): string[] =>
  Object.values(values).flatMap((value) =>
    [...value.matchAll(REFERENCE)].flatMap(([, escaped, kind, target = '']) =>
      escaped === '' && kind === 'env' ? (callerEnv[target.trim()] ?? []) : [],
    ),
  );

type Read = (target: string, callerEnv: ActorContext['callerEnv']) => Promise<string>;

const READERS = {
  env: async (name, callerEnv) => {
    const value = callerEnv[name];
    if (value === undefined) throw new Error('there is no such variable');
    return value;
  },
  file: async (path, callerEnv) => {
    const file = path.startsWith('~/') ? join(callerEnv.HOME ?? homedir(), path.slice(2)) : path;
    if (!file.startsWith('/')) throw new Error('the path must be absolute, or begin with ~/');
    const text = await readFile(file, 'utf8');
    if (text.length > MAX_BYTES) throw new Error('the file is too large for a secret');
    return withoutLineEnd(text);
  },
  cmd: async (line, callerEnv) => {
    const { stdout } = await promisify(execFile)('sh', ['-c', line], {
      env: callerEnv,
      timeout: COMMAND_TAKES_AT_MOST,
      maxBuffer: MAX_BYTES,
      killSignal: 'SIGKILL',
    });
    return withoutLineEnd(stdout);
  },
} as const satisfies Record<string, Read>;

const withoutLineEnd = (text: string) => text.replace(/\r?\n$/, '');

function failed(name: string, reference: string, error: Error): FailureError {
  const { code, killed } = error as NodeJS.ErrnoException & { killed?: boolean };
  const why =
    killed === true
      ? 'the command took too long'
      : code === 'ENOENT'
        ? 'it was not found'
        : typeof code === 'number'
          ? `the command ended with exit code ${code}`
          : code === undefined
            ? error.message
            : `it can't be read (${code})`;
  return new FailureError(
    createFailure('CONFIG_REFERENCE', {
      message: `The variable ${name} refers to ${reference}, which has no value: ${why}.`,
      data: { variable: name, reference },
    }),
  );
}
