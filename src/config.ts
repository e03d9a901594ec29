import { isAbsolute } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Fields, isFields } from '../actors/fields.ts';
import { fingerprintOf } from '../actors/store/keys.ts';
import type { Overrides, PluginSpec } from '../launchers/plan.ts';
import { splitCommand } from '../launchers/words.ts';
import type { FailureDetails } from '../machines/failure.ts';
import { defaultRestartPolicy, defaultTiming } from '../machines/policy.ts';
import {
  areLimits,
  areNames,
  isSandbox,
  isUser,
  LIMITS_EXPECTED,
  SANDBOX_EXPECTED,
  toLimits,
  toSandbox,
} from './confinement.ts';
import { createSecrets } from './credential.ts';
import { supervisorError } from './errors.ts';
import { INSTANCES_EXPECTED, isInstances, toInstances } from './instance-options.ts';
import type { PluginOptions, SupervisorOptions } from './options.ts';
import { areHeaders, remoteProblem, transportOf } from './remote-options.ts';
import { parseRemote, parseSource } from './source.ts';
import { isToolFilter } from './tool-filter.ts';

/** Idle stop when nothing is said: 5 min. */
const IDLE_STOP = 5 * 60_000;

const TRANSPORTS = ['auto', 'stdio', 'streamable-http', 'sse', 'http'];
const oneOf = (values: readonly string[]) => ({
  expected: values.map((value) => `'${value}'`).join(', '),
  fits: (value: unknown) => values.includes(value as string),
});
const kind = (expected: string, fits: (value: unknown) => boolean) => ({ expected, fits });
const text = kind('a string', (value) => typeof value === 'string');
const isText = text.fits;
const isWords = (value: unknown) => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText));
/** A big integer and an object that holds itself are none. */
function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}
const isDuration = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value > 0;
/** They become arguments of package managers: nothing that could be an option. */
const PACKAGE = /^(@[\w.-]+\/)?\w[\w.-]*$/;
const commands = kind('a list of commands', (value) => Array.isArray(value) && value.every(isWords));

/** Every option of a plugin and what it takes; an option that is not here is refused by name. */
const FIELDS: Readonly<Record<keyof PluginOptions, { expected: string; fits: (value: unknown) => boolean }>> = {
  source: text,
  url: text,
  headers: kind('an object of strings, by the names of headers', areHeaders),
  type: oneOf(['stdio', 'http', 'sse', 'streamable-http']),
  ref: text,
  subdir: text,
  command: kind('a command line or a non-empty list of strings', isWords),
  args: kind('a list of strings', (value) => Array.isArray(value) && value.every(isText)),
  env: kind('an object of strings', (value) => isFields(value) && Object.values(value).every(isText)),
  envPolicy: kind(
    "'minimal', 'inherit', or a list of names such as AWS_*",
    (value) => value === 'minimal' || value === 'inherit' || areNames(value),
  ),
  limits: kind(LIMITS_EXPECTED, areLimits),
  user: kind('a name, a uid or uid:gid', isUser),
  sandbox: kind(SANDBOX_EXPECTED, isSandbox),
  cwd: text,
  transport: oneOf(TRANSPORTS),
  endpoint: text,
  port: kind(
    'a port number',
    (value) => Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536,
  ),
  protocol: oneOf(['auto', 'legacy', 'modern']),
  interactive: kind(
    'true, false or an object of capabilities',
    (value) => typeof value === 'boolean' || (isFields(value) && isJson(value)),
  ),
  tools: kind('an object of lists of globs (allow, deny)', isToolFilter),
  instances: kind(INSTANCES_EXPECTED, isInstances),
  install: commands,
  build: commands,
  allowScripts: kind(
    'true or a list of package names',
    (value) => value === true || (Array.isArray(value) && value.every((name) => isText(name) && PACKAGE.test(name))),
  ),
  activation: oneOf(['lazy', 'eager', 'manual']),
  restart: oneOf(['permanent', 'transient', 'temporary']),
  liveness: kind('milliseconds or false', (value) => value === false || isDuration(value)),
  idleStop: kind('milliseconds or false', (value) => value === false || isDuration(value)),
  timeouts: kind(
    'an object of milliseconds (clone, install, start, call)',
    (value) =>
      isFields(value) &&
      Object.entries(value).every(
        ([name, limit]) => ['clone', 'install', 'start', 'call'].includes(name) && isDuration(limit),
      ),
  ),
};

/** What they hold is not shown. */
const SECRET_FIELDS = ['env', 'headers', 'url'];

/** Names of all of them. */
export const PLUGIN_OPTIONS: readonly string[] = Object.keys(FIELDS);

const isFunction = (value: unknown) => typeof value === 'function';
/** Zero and Infinity make sense for most of them; no number is too large for a timer (`machines/policy`). */
const numbers = (names: readonly string[], fits: (value: unknown) => boolean = (value) => Number(value) >= 0) =>
  kind(`an object of numbers (${names.join(', ')})`, (value) => {
    if (!isFields(value)) return false;
    // null is never.
    const isLeftOut = (name: string, number: unknown) =>
      number === undefined || (['idleStop', 'liveness'].includes(name) && number === null);
    const given = Object.entries(value).filter(([name, number]) => !isLeftOut(name, number));
    return given.every(([name, number]) => names.includes(name) && typeof number === 'number' && fits(number));
  });
const isCount = (value: unknown) => Number.isInteger(value) && (value as number) > 0;
const LEVELS = ['debug', 'info', 'warn', 'error'];

/** Every option of the supervisor itself. */
const OPTIONS: Readonly<Record<keyof SupervisorOptions, { expected: string; fits: (value: unknown) => boolean }>> = {
  home: kind('a path', (value) => isText(value) && value !== ''),
  plugins: kind('an object of plugins by name', isFields),
  defaults: kind('an object of plugin options', isFields),
  logger: kind(`an object with the functions ${LEVELS.join(', ')}`, (value) =>
    LEVELS.every((level) => isFunction((value as Fields | null)?.[level])),
  ),
  launchers: kind('a list of launchers', Array.isArray),
  trace: kind('true or false', (value) => typeof value === 'boolean'),
  offline: kind('true or false', (value) => typeof value === 'boolean'),
  logFiles: kind('true or false', (value) => typeof value === 'boolean'),
  inspect: kind('a function', isFunction),
  timing: numbers(Object.keys(defaultTiming)),
  restartPolicy: numbers(Object.keys(defaultRestartPolicy)),
  limits: numbers(['maxMessage', 'maxResult', 'maxFiles', 'maxSource'], (value) => Number(value) > 0),
  slots: numbers(['install', 'launch'], isCount),
  env: kind('an object of variables', isFields),
};

/** CONFIG_INVALID names the option, what was expected and what came. */
export function checkOptions(options: SupervisorOptions): void {
  if (!isFields(options)) throw supervisorError('CONFIG_INVALID', { message: 'The options must be an object.' });
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as keyof SupervisorOptions] : undefined;
    if (rule === undefined) {
      throw supervisorError('CONFIG_INVALID', {
        message: `There is no option '${name}'.`,
        hint: `Known options: ${Object.keys(OPTIONS).join(', ')}.`,
      });
    }
    if (!rule.fits(value)) {
      throw supervisorError('CONFIG_INVALID', { message: `The option '${name}' must be ${rule.expected}.` });
    }
  }
}

/** Plugin names go into folder names, URLs and tool prefixes. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw supervisorError('CONFIG_INVALID', {
    message: `'${name}' can't be a plugin's name: use letters, digits, '.', '_' and '-', at most 100, starting with a letter or digit.`,
  });
}

/** The spec of a plugin as its owner wrote it; CONFIG_INVALID names the field, what was expected and what came. */
export function toSpec(
  name: string,
  plugin: string | PluginOptions,
  defaults: Omit<PluginOptions, 'source' | 'ref' | 'subdir'> = {},
): PluginSpec {
  checkName(name);
  const given = typeof plugin === 'string' ? { source: plugin } : plugin;
  if (!isFields(given)) throw invalid(name, 'expected a source or an object of options', given);
  const options = { ...defaults, ...given } as PluginOptions;
  // Both: variables and limits of the defaults count beside the plugin's own.
  for (const [field, value] of [...Object.entries(defaults), ...Object.entries(given)]) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof PluginOptions] : undefined;
    if (rule === undefined) {
      throw invalid(name, `unknown option '${field}'`, undefined, {
        hint: `Known options: ${Object.keys(FIELDS).join(', ')}.`,
      });
    }
    if (!rule.fits(value))
      throw invalid(name, `'${field}' must be ${rule.expected}`, SECRET_FIELDS.includes(field) ? undefined : value);
  }
  if (options.url !== undefined && options.source !== undefined) {
    throw invalid(name, "'source' and 'url' exclude each other", undefined);
  }
  if (options.source === undefined && options.url === undefined) {
    const hint = "Give a source, or the 'url' of a server that runs elsewhere.";
    throw invalid(name, "'source' is missing", undefined, { hint });
  }
  // A bare command has no project folder that its own could be below.
  const runsIn =
    /^\s*--\s/.test(options.source ?? '') && options.cwd && isAbsolute(options.cwd) ? options.cwd : undefined;
  const pin = { ref: options.ref, subdir: options.subdir };
  const { source, credential, address, command, args } =
    options.url === undefined
      ? parseSource(options.source ?? '', { ...pin, ...(runsIn === undefined ? {} : { cwd: runsIn }) })
      : parseRemote(options.url, pin);
  const problem = remoteProblem(source, given as PluginOptions);
  if (problem !== null) throw invalid(name, problem, undefined);
  const headers = source.kind === 'remote' ? { ...defaults.headers, ...options.headers } : {};
  const transport = transportOf(options);
  return {
    source,
    ...(credential === null ? {} : { credential }),
    ...(address === undefined ? {} : { address: createSecrets({ url: address }) }),
    ...(Object.keys(headers).length === 0 ? {} : { headers: createSecrets(headers) }),
    overrides: overridesOf({
      ...(command === undefined ? {} : { command }),
      ...options,
      ...(transport === undefined ? {} : { transport }),
      ...(args === undefined ? {} : { args: [...args, ...(options.args ?? [])] }),
      ...(runsIn === undefined ? {} : { cwd: '' }),
    }),
    env: createSecrets({ ...defaults.env, ...options.env }),
    // A command that the user typed runs as it would without us.
    envPolicy: options.envPolicy ?? (source.kind === 'command' ? 'inherit' : 'minimal'),
    ...confinementOf({ ...options, limits: { ...defaults.limits, ...options.limits } }),
    restart: options.restart ?? 'transient',
    activation: options.activation ?? 'lazy',
    idleStop: options.idleStop === false ? null : (options.idleStop ?? IDLE_STOP),
    ...(options.liveness === undefined ? {} : { liveness: options.liveness === false ? null : options.liveness }),
    protocol: options.protocol ?? 'auto',
    ...interactionOf(options),
    ...(options.tools === undefined ? {} : { tools: options.tools }),
    ...(options.instances === undefined ? {} : { instances: toInstances(options.instances) }),
    timeouts: { ...defaults.timeouts, ...options.timeouts },
  };
}

/** True when nothing differs that decides how the plugin is made and launched; the rest counts without a restart. */
export const launchesAlike = (a: PluginSpec, b: PluginSpec): boolean => isDeepStrictEqual(launchOf(a), launchOf(b));

/** True when the two say the same in every respect. */
export const saysTheSame = (a: PluginSpec, b: PluginSpec): boolean =>
  launchesAlike(a, b) && isDeepStrictEqual(policyOf(a), policyOf(b));

/** Changes with whatever may change what the plugin lists; a login plays no part in it. */
export function catalogKey(spec: PluginSpec): string {
  const { credential, ...launch } = launchOf(spec);
  return fingerprintOf({ ...launch, tools: spec.tools });
}

const policyOf = ({ restart, activation, idleStop, liveness, tools, instances, timeouts }: PluginSpec) => ({
  ...{ restart, activation, idleStop, liveness, tools, instances, timeouts },
});

function launchOf({ env, credential, address, headers, ...spec }: PluginSpec) {
  const { restart, activation, idleStop, liveness, tools, instances, timeouts, ...launch } = spec;
  const secrets = {
    env: env.reveal(),
    credential: credential?.reveal(),
    url: address?.reveal(),
    headers: headers?.reveal(),
  };
  return { ...launch, ...secrets };
}

function interactionOf({ interactive }: PluginOptions): Pick<PluginSpec, 'interactive' | 'clientCapabilities'> {
  if (interactive === undefined) return {};
  return typeof interactive === 'boolean' ? { interactive } : { clientCapabilities: interactive };
}

/** No part of `overrides`: another limit makes no plan and no install stale. */
function confinementOf({ limits = {}, user, sandbox }: PluginOptions): Pick<PluginSpec, 'limits' | 'user' | 'sandbox'> {
  const walls = sandbox === undefined ? null : toSandbox(sandbox);
  return {
    ...(Object.keys(limits).length === 0 ? {} : { limits: toLimits(limits) }),
    ...(user === undefined ? {} : { user }),
    ...(walls === null ? {} : { sandbox: walls }),
  };
}

function overridesOf(options: PluginOptions): Overrides {
  const words = (value: string | readonly string[]) => (typeof value === 'string' ? split(value) : value);
  const { args, cwd, transport, endpoint, port, command, install, build, allowScripts } = options;
  return {
    ...(command === undefined ? {} : { command: words(command) }),
    ...(args === undefined ? {} : { args }),
    ...(cwd === undefined || cwd === '' ? {} : { cwd }),
    ...(transport === undefined ? {} : { transport }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(port === undefined ? {} : { port }),
    ...(install === undefined ? {} : { install: install.map(words) }),
    ...(build === undefined ? {} : { build: build.map(words) }),
    ...(allowScripts === undefined ? {} : { allowScripts }),
  };
}

function invalid(name: string, expectation: string, got: unknown, details: FailureDetails = {}) {
  const shown = got === undefined ? '' : `, got ${shownValue(got)}`;
  return supervisorError('CONFIG_INVALID', { message: `Plugin '${name}': ${expectation}${shown}.`, ...details }, name);
}

/** A big integer and an object that holds itself are no JSON. */
function shownValue(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, 100);
  } catch {
    return `a value of type ${typeof value}`;
  }
}

function split(line: string): readonly string[] {
  const split = splitCommand(line);
  if (split.ok) return split.words;
  throw supervisorError('CONFIG_INVALID', { message: `The command \`${line}\` ${split.problem}.` });
}
