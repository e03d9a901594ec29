/** The options that every `<source>` takes, and what they mean to the library. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EnvPolicy } from '../../launchers/plan.ts';
import { supervisorError } from '../errors.ts';
import type { PluginOptions } from '../options.ts';
import type { Configured } from './named.ts';

/** As commander hands them over. */
export interface Flags {
  readonly json?: boolean;
  readonly ref?: string;
  readonly subdir?: string;
  /** Address of a server that runs elsewhere, in place of a source. */
  readonly url?: string;
  /** `Name: value` each. */
  readonly header?: readonly string[];
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly command?: string;
  readonly transport?: NonNullable<PluginOptions['transport']>;
  readonly endpoint?: string;
  /** Package names between commas, or `all`. */
  readonly allowScripts?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
  /** `minimal`, `inherit`, or names between commas. */
  readonly envPolicy?: string;
  /** `name=value` each. */
  readonly limit?: readonly string[];
  readonly user?: string;
  readonly sandbox?: boolean;
  /** False takes it away; commander says true when nothing was said. */
  readonly network?: boolean;
  readonly allowRead?: readonly string[];
  readonly allowWrite?: readonly string[];
  readonly home?: string;
  /** Nothing is asked of the network. */
  readonly offline?: boolean;
  readonly verbose?: boolean;
  /** `detect` alone: a repository that leaves room for doubt is an error. */
  readonly strict?: boolean;
}

/** One command on one source. */
export interface Invocation {
  readonly source: string;
  readonly flags: Flags;
  /** What stood behind `--`. */
  readonly pluginArgs: readonly string[];
  /** The source is the name of a plugin that the configuration defines. */
  readonly named?: Configured;
}

const TRANSPORTS: readonly NonNullable<PluginOptions['transport']>[] = [
  'auto',
  'stdio',
  'streamable-http',
  'sse',
  'http',
];

const collect = (value: string, before: readonly string[] = []) => [...before, value];

function seconds(value: string): number {
  const number = Number(value);
  if (/^\d*\.?\d+$/.test(value) && number > 0 && number <= 86_400) return number;
  throw new InvalidArgumentError('Expected seconds, more than 0 and at most 86400.');
}

export const addSourceOptions = (command: Command): Command =>
  addPluginOptions(
    command
      .option('--json', 'print JSON: the result on stdout, an error on stderr')
      .option('--url <address>', 'a server that runs elsewhere, https://host/mcp, in place of a source'),
  )
    .option('--home <folder>', HOME)
    .option('--offline', 'use only what was cloned and installed before, and say what is missing')
    .option(
      '--verbose',
      'a line on stderr for every state and for all that git, installers and the plugin print; detect: the whole plan',
    );

/** What the plugin is and how it runs: the same wherever a source is given. */
const addPluginOptions = (command: Command): Command =>
  command
    .option('--ref <ref>', 'branch, tag or commit to use')
    .option('--subdir <folder>', 'folder inside the source')
    .option(
      '--header <Name: value>',
      'send this header to a server that runs elsewhere; ${env:NAME}, ${file:path} or ${cmd:line} may stand in the value (repeatable)',
      collect,
    )
    .option('--env <NAME=value>', 'set a variable of the plugin; NAME alone takes yours (repeatable)', collect)
    .option('--env-file <file>', 'read variables of the plugin from NAME=value lines (repeatable)', collect)
    .option('--command <line>', 'the command that starts the plugin, instead of the detected one')
    .addOption(new Option('--transport <kind>', 'how it talks (default: found out)').choices(TRANSPORTS))
    .option('--endpoint <path>', 'path under which it answers over HTTP, e.g. /mcp (default: found out)')
    .option(
      '--allow-scripts <packages>',
      'Node packages (a,b) that may run the install scripts that npm, pnpm, Yarn or Bun hold back; or all',
      collect,
    )
    .option(
      '--timeout <seconds>',
      'seconds that each step may take (default: 300 to clone, 1200 to install, 60 to start, 60 to answer)',
      seconds,
    )
    .option(
      '--env-policy <policy>',
      'what it gets of your environment: minimal (default), inherit, or names to add (AWS_*,GH_TOKEN)',
    )
    .option(
      '--limit <name=value>',
      'end it when it takes more: memory=512M, processes=50, cpuTime=<seconds>, files=200, cpu=0.5 (repeatable)',
      collect,
    )
    .option('--user <name>', 'run it as this user, uid or uid:gid (root only)')
    .option('--sandbox', 'run it in a sandbox (bubblewrap): the system read-only, no home, its data folder writable')
    .option('--no-network', 'a sandbox without a network')
    .option('--allow-read <path>', 'a path that it may read in its sandbox (repeatable)', collect)
    .option('--allow-write <path>', 'a path that it may write to in its sandbox (repeatable)', collect);

function portNumber(value: string): number {
  if (/^\d+$/.test(value) && Number(value) < 65_536) return Number(value);
  throw new InvalidArgumentError('Expected a port number, or 0 for a free one.');
}

const HOME = 'where clones and installs are kept (default: $MCP_SUPERVISOR_HOME, ~/.local/share/mcp-supervisor)';

export const addServeOptions = (command: Command): Command =>
  addPluginOptions(
    command
      .addOption(
        new Option('--port <number>', 'port to listen on; 0 takes a free one (default: 7420)')
          .argParser(portNumber)
          .env('MCP_SUPERVISOR_PORT'),
      )
      .option(
        '--host <address>',
        'address to listen on; where others can reach it a token is needed (default: 127.0.0.1)',
      )
      .option('--config <file>', 'configuration (default: config.yaml in the home, else in ~/.config/mcp-supervisor)')
      .option('--home <folder>', HOME)
      .addOption(new Option('--auth <when>', 'when a token is needed').choices(['off-loopback', 'always']))
      .option('--allow-host <name>', 'another name under which it may be addressed (repeatable)', collect)
      .option('--allow-origin <origin>', 'a web page that may use it, e.g. https://app.example (repeatable)', collect)
      .option('--detach', 'run it in the background; returns when it answers')
      .option('--status', 'print how the running one is')
      .option('--stop', 'end the running one')
      .option('--stdio', 'speak MCP on stdin and stdout: the line for the configuration of an AI client')
      .option('--profile <name>', 'with --stdio: only this part of the plugins')
      .option('--offline', 'use only what was cloned and installed before, and say what is missing')
      .option('--verbose', 'show all that git, installers and the plugins print')
      .option('--json', 'print JSON lines on stdout')
      .helpOption('-h, --help', 'print help')
      .optionsGroup('With --stdio and a source:'),
  );

/** Of the commands on plugins by name. */
export const addNamedOptions = (command: Command): Command =>
  command.option('--json', 'print JSON: the result on stdout, an error on stderr').option('--home <folder>', HOME);

export const waitOption = (): Option =>
  new Option('--timeout <seconds>', 'seconds to wait for it (default: as long as it takes)').argParser(seconds);

export const addLogOptions = (command: Command): Command =>
  command
    .option('-f, --follow', 'go on with what is printed from now on')
    .option('-n, --lines <number>', 'lines from the end (default: 100)', lineCount);

function lineCount(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Expected a number of lines.');
}

/** What the flags say about the plugin; CONFIG_INVALID names a variable or file that is wrong, never a value. */
export async function toPluginOptions(
  { source, flags, pluginArgs }: Invocation,
  env: NodeJS.ProcessEnv,
): Promise<PluginOptions> {
  const { ref, subdir, command, transport, endpoint, allowScripts } = flags;
  const variables = { ...(await readEnvFiles(flags.envFile ?? [])), ...readEnvFlags(flags.env ?? [], env) };
  const limit = limitOf(flags);
  return {
    ...(flags.url === undefined ? { source } : { url: flags.url }),
    ...(flags.header === undefined ? {} : { headers: readHeaderFlags(flags.header) }),
    ...(ref === undefined ? {} : { ref }),
    ...(subdir === undefined ? {} : { subdir }),
    ...(command === undefined ? {} : { command }),
    ...(pluginArgs.length === 0 ? {} : { args: pluginArgs }),
    ...(transport === undefined ? {} : { transport }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(allowScripts === undefined ? {} : { allowScripts: packagesOf(allowScripts) }),
    ...(Object.keys(variables).length === 0 ? {} : { env: variables }),
    ...(limit === null ? {} : { timeouts: { clone: limit, install: limit, start: limit, call: limit } }),
    ...confinementOf(flags),
  };
}

/** Any word on the sandbox asks for one. */
function confinementOf(flags: Flags): Partial<PluginOptions> {
  const { envPolicy, limit, user, sandbox, network, allowRead, allowWrite } = flags;
  const isPlain = network !== false && allowRead === undefined && allowWrite === undefined;
  const more = {
    ...(network === false ? ({ network: 'off' } as const) : {}),
    ...(allowRead === undefined ? {} : { read: allowRead.map(absolute) }),
    ...(allowWrite === undefined ? {} : { write: allowWrite.map(absolute) }),
  };
  return {
    ...(envPolicy === undefined ? {} : { envPolicy: policyOf(envPolicy) }),
    ...(limit === undefined ? {} : { limits: Object.fromEntries(limit.map(readLimit)) }),
    ...(user === undefined ? {} : { user }),
    ...(isPlain ? (sandbox === true ? { sandbox } : {}) : { sandbox: more }),
  };
}

const absolute = (path: string): string => (path.startsWith('~/') ? path : resolve(path));

const policyOf = (policy: string): EnvPolicy =>
  policy === 'minimal' || policy === 'inherit' ? policy : policy.split(',').filter((name) => name !== '');

/** The library says what it takes; here only that it is one of each. */
function readLimit(flag: string): readonly [string, string | number] {
  const [, name, value = ''] = /^([A-Za-z]+)=(.+)$/.exec(flag) ?? [];
  if (name === undefined) {
    throw supervisorError('CONFIG_INVALID', {
      message: `--limit ${flag}: expected name=value.`,
      hint: 'Give --limit memory=512M, processes=50, cpuTime=60, files=200 or cpu=0.5; one flag for each.',
    });
  }
  return [name, name === 'memory' || Number.isNaN(Number(value)) ? value : Number(value)];
}

function packagesOf(given: readonly string[]): true | readonly string[] {
  const names = given.flatMap((list) => list.split(',')).filter((name) => name !== '');
  return names.includes('all') ? true : names;
}

/** `--timeout` in milliseconds; null when it was not given. */
const limitOf = ({ timeout }: Flags): number | null => (timeout === undefined ? null : Math.ceil(timeout * 1000));

function readEnvFlags(flags: readonly string[], env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    flags.map((flag) => {
      const equals = flag.indexOf('=');
      const name = equals < 0 ? flag : flag.slice(0, equals);
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw badEnv(`'${name}' is not the name of a variable.`);
      const value = equals < 0 ? env[name] : flag.slice(equals + 1);
      if (value === undefined) throw badEnv(`--env ${name}: there is no such variable in your environment.`);
      return [name, value];
    }),
  );
}

/** Never shown, right or wrong: a header is most often a secret. */
function readHeaderFlags(flags: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    flags.map((flag) => {
      const [, name, value = ''] = /^([^:\s]+):\s*(.*)$/s.exec(flag) ?? [];
      if (name !== undefined) return [name, value.trim()];
      throw supervisorError('CONFIG_INVALID', {
        message: 'A --header is no name and value.',
        hint: "Give --header 'Name: value'.",
      });
    }),
  );
}

async function readEnvFiles(paths: readonly string[]): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is no such file' : (error.code ?? error.message);
      throw badEnv(`--env-file ${path}: ${why}.`);
    });
    Object.assign(variables, parseEnv(text));
  }
  return variables;
}

const badEnv = (message: string) =>
  supervisorError('CONFIG_INVALID', {
    message,
    hint: 'Give --env NAME=value, --env NAME, or --env-file with NAME=value lines.',
  });
