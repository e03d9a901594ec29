/** How the git program is run: quiet, hookless, never asking, and with the user's own ways to log in. */

import type { Credential, Source } from '../../launchers/plan.ts';
import type { ActorContext } from '../context.ts';
import { proxyEnv } from '../env/proxy.ts';

type GitSource = Extract<Source, { kind: 'git' }>;

/**
 * Settings that stand before every command. A repository's files are strangers' work: no hook, no template, no file
 * system monitor of the user may run on them, and no background maintenance may outlive the command.
 */
export const GIT_SETTINGS: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.autocrlf=false',
  // Names that are .git to another file system: a home may lie on one.
  'core.protectHFS=true',
  'core.protectNTFS=true',
  // One pack, whatever its size: what arrives is watched there.
  'fetch.unpackLimit=1',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
  'log.showSignature=false',
  'submodule.recurse=false',
].flatMap((setting) => ['-c', setting]);

/** Of the caller's GIT_ variables only those on how to connect: the rest points at another repository, or traces logins. */
const KEPT = /^GIT_(SSH|SSL|HTTP|PROXY|CONFIG|EXEC_PATH)/;

export function gitEnv(
  { callerEnv }: Pick<ActorContext, 'callerEnv'>,
  source: GitSource,
  credential: Credential | undefined,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(callerEnv)) {
    if (value !== undefined && (!name.startsWith('GIT_') || KEPT.test(name))) env[name] = value;
  }
  return {
    ...env,
    ...proxyEnv(env),
    // Messages are matched by text.
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    // Empty, not unset: git would go on to core.askPass and SSH_ASKPASS, which may open a window.
    GIT_ASKPASS: '',
    SSH_ASKPASS_REQUIRE: 'never',
    // ext:: and other helpers run programs of the repository's choice; file is for sources that the user named so.
    GIT_ALLOW_PROTOCOL: source.url.startsWith('file:') ? 'https:http:ssh:file' : 'https:http:ssh',
    ...loginFor(source, credential, Number(env.GIT_CONFIG_COUNT ?? 0)),
  };
}

/** ssh that fails rather than asks. For those who have no command of their own: theirs may be another program. */
export const QUIET_SSH = { GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=20' };

export const isSsh = (url: string): boolean => url.startsWith('ssh://') || !url.includes('://');

/** Answers git's question from two variables of its environment: neither the arguments nor a file hold the login. */
const HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$MCP_SUPERVISOR_GIT_USER" "$MCP_SUPERVISOR_GIT_PASSWORD"; }; f';

/** Settings by environment, for the source's host alone: a submodule elsewhere must not be offered this login. */
function loginFor(source: GitSource, credential: Credential | undefined, count: number): Record<string, string> {
  if (credential === undefined || isSsh(source.url)) return {};
  const scope = `credential.${new URL(source.url).origin}`;
  const password = credential.reveal();
  const settings: [string, string][] =
    // A user alone: their own helper may know the password. With both, no other helper is asked, nor told the login.
    password === ''
      ? [
          [`${scope}.username`, credential.username],
          [`${scope}.helper`, HELPER],
        ]
      : [
          [`${scope}.helper`, ''],
          [`${scope}.helper`, HELPER],
        ];
  return Object.fromEntries([
    ['MCP_SUPERVISOR_GIT_USER', credential.username],
    ['MCP_SUPERVISOR_GIT_PASSWORD', password],
    ['GIT_CONFIG_COUNT', String(count + settings.length)],
    ...settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${count + index}`, key],
      [`GIT_CONFIG_VALUE_${count + index}`, value],
    ]),
  ]);
}
