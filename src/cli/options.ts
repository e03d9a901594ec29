/** The options that every `<source>` takes, and what they mean to the library. */

import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { supervisorError } from '../errors.ts';
import type { PluginOptions } from '../options.ts';

/** As commander hands them over. */
export interface Flags {
  readonly json?: boolean;
  readonly ref?: string;
  readonly subdir?: string;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly command?: string;
  readonly transport?: NonNullable<PluginOptions['transport']>;
  readonly endpoint?: string;
  /** Package names between commas, or `all`. */
  readonly allowScripts?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
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
  command
    .option('--json', 'print JSON: the result on stdout, an error on stderr')
    .option('--ref <ref>', 'branch, tag or commit to use')
    .option('--subdir <folder>', 'folder inside the source')
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
      '--home <folder>',
      'where clones and installs are kept (default: $MCP_SUPERVISOR_HOME, ~/.local/share/mcp-supervisor)',
    )
    .option('--offline', 'use only what was cloned and installed before, and say what is missing')
    .option(
      '--verbose',
      'a line on stderr for every state and for all that git, installers and the plugin print; detect: the whole plan',
    );

/** What the flags say about the plugin; CONFIG_INVALID names a variable or file that is wrong, never a value. */
export async function toPluginOptions(
  { source, flags, pluginArgs }: Invocation,
  env: NodeJS.ProcessEnv,
): Promise<PluginOptions> {
  const { ref, subdir, command, transport, endpoint, allowScripts } = flags;
  const variables = { ...(await readEnvFiles(flags.envFile ?? [])), ...readEnvFlags(flags.env ?? [], env) };
  const limit = limitOf(flags);
  return {
    source,
    ...(ref === undefined ? {} : { ref }),
    ...(subdir === undefined ? {} : { subdir }),
    ...(command === undefined ? {} : { command }),
    ...(pluginArgs.length === 0 ? {} : { args: pluginArgs }),
    ...(transport === undefined ? {} : { transport }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(allowScripts === undefined ? {} : { allowScripts: packagesOf(allowScripts) }),
    ...(Object.keys(variables).length === 0 ? {} : { env: variables }),
    ...(limit === null ? {} : { timeouts: { clone: limit, install: limit, start: limit, call: limit } }),
  };
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
