/** The commands and their words; each command's file is loaded when it is chosen. */

import { Command, CommanderError } from 'commander';
import { type SupervisorError, supervisorError } from '../errors.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { toCallInvocation, toInvocation } from './invocation.ts';
import {
  addLogOptions,
  addNamedOptions,
  addServeOptions,
  addSourceOptions,
  type Flags,
  waitOption,
} from './options.ts';
import type { PluginFlags } from './plugins/contracts.ts';
import { asSupervisorError, errorAsJson, errorAsText } from './render-error.ts';
import type { ServeFlags } from './serve/options.ts';
import type { CommandContext } from './session.ts';
import { runGuarded, type Shutdown } from './shutdown.ts';
import { CLEAR, createTerminal, type Terminal } from './terminal.ts';
import { packageVersion } from './version.ts';

type Run = (context: CommandContext) => Promise<number>;

const SOURCE =
  'git URL, owner/name, folder (./plugin), archive (./x.mcpb), npm:name or pypi:name; [#ref][:subdir] may follow; mcp+https://host/mcp for a server that runs elsewhere; or none, and a command behind --';

const EXIT_CODES = `
Exit codes: 0 ok · 1 a fault here · 2 your input · 3 the plugin
            4 the tool says error · 130 interrupted`;

/** Runs the command line to its end and exits the process. */
export async function runProgram(argv: readonly string[]): Promise<never> {
  const terminal = createTerminal(process);
  const json = argv.slice(0, endOfOurs(argv)).includes('--json');
  const code = await runGuarded(process, (shutdown) => runCommand(argv, terminal, shutdown), {
    async failed(thrown) {
      const error = asSupervisorError(thrown);
      await terminal.stderr.write(json ? errorAsJson(error) : errorAsText(error, terminal.stderr));
      return exitCodeOf(error);
    },
    async interrupted(signal) {
      const error = supervisorError('CALL_CANCELLED', { message: `Interrupted by ${signal}.`, hint: '' });
      const echo = terminal.stderr.isTerminal ? CLEAR : '';
      await terminal.stderr.write(json ? errorAsJson(error) : `${echo}Interrupted by ${signal}; stopping …\n`);
    },
  });
  process.exit(code);
}

async function runCommand(argv: readonly string[], terminal: Terminal, shutdown: Shutdown): Promise<number> {
  const split = endOfOurs(argv);
  let chosen: Run | null = null;
  const help = { out: '', err: '' };
  const program = createProgram(argv.slice(split + 1), help, (run) => {
    chosen = run;
  });
  try {
    await program.parseAsync(argv.slice(0, split), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    await terminal.stdout.write(help.out);
    await terminal.stderr.write(help.err);
    if (error.exitCode === 0) return EXIT.ok;
    refuseWindows();
    if (error.code === 'commander.help') return EXIT.input;
    throw usageError(error, program, argv);
  }
  refuseWindows();
  const run = chosen as Run | null;
  return run === null ? EXIT.input : run({ terminal, shutdown, env: process.env });
}

function refuseWindows(): void {
  if (process.platform === 'win32') throw supervisorError('CONFIG_UNSUPPORTED_PLATFORM');
}

/** Everything behind the first `--` belongs to the plugin. */
const endOfOurs = (argv: readonly string[]): number => (argv.includes('--') ? argv.indexOf('--') : argv.length);

/** Commander's words in our shape: "error: unknown option '--jsn'\n(Did you mean --json?)". */
function usageError({ message, code }: CommanderError, program: Command, argv: readonly string[]): SupervisorError {
  const [, text = message, suggestion] = /^(?:error: )?(.*?)(?:\n\((Did you mean [^)]*)\))?$/s.exec(message) ?? [];
  const command = program.commands.find((each) => argv.includes(each.name()));
  const help = `See mcp-supervisor ${command === undefined ? '' : `${command.name()} `}--help`;
  const forPlugin = code === 'commander.unknownOption' || code === 'commander.excessArguments';
  return supervisorError('CONFIG_INVALID', {
    message: `${text[0]?.toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`,
    hint: suggestion ?? (forPlugin ? `${help}; arguments for the plugin itself go after --.` : `${help}.`),
  });
}

function createProgram(
  pluginArgs: readonly string[],
  help: { out: string; err: string },
  choose: (run: Run) => void,
): Command {
  const program = new Command('mcp-supervisor')
    .description(
      'Give it a git URL; call its tools. Clones, installs, starts, calls and stops MCP servers in any language.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        help.out += text;
      },
      writeErr: (text) => {
        help.err += text;
      },
      // Said by the one place that prints errors.
      outputError: () => {},
    })
    .addHelpText('after', `\nExamples:\n${EXAMPLES}${EXIT_CODES}\nArguments after -- go to the plugin itself.`);

  const source = (line: string, description: string, example: string) =>
    addSourceOptions(program.command(line))
      .description(description)
      .argument('[source]', SOURCE)
      .usage('[options] <source>')
      .addHelpText('after', `\nExample:\n  ${example}\n${EXIT_CODES}`);

  source('detect', 'print the launch plan and why; runs nothing of the plugin', 'mcp-supervisor detect ./my-server')
    .option('--strict', 'for authors: say what would make the repository unambiguous; exit 3 if anything is in doubt')
    .action((given: string | undefined, flags: Flags) =>
      choose(async (context) =>
        (await import('./detect.ts')).detect(await toInvocation('detect', given, { flags, pluginArgs }), context),
      ),
    );
  source('tools', 'start the plugin and list its tools', 'mcp-supervisor tools owner/name#:src/time').action(
    (given: string | undefined, flags: Flags) =>
      choose(async (context) =>
        (await import('./tools.ts')).tools(await toInvocation('tools', given, { flags, pluginArgs }), context),
      ),
  );
  source('call', 'call one tool and print its result', 'mcp-supervisor call ./my-server add a=1 b=2')
    .usage('[options] <source> <tool> [arguments...]')
    .argument('[tool]', 'name of the tool; for a plain HTTP plugin also the JSON to send')
    .argument('[arguments...]', "name=value typed by the tool's schema, name:=json, a JSON object, @file, - for stdin")
    .action((given: string | undefined, tool: string | undefined, rest: readonly string[], flags: Flags) =>
      choose(async (context) => {
        const words = [given, tool, ...rest].filter((word) => word !== undefined);
        return (await import('./call.ts')).call(await toCallInvocation(words, { flags, pluginArgs }, context), context);
      }),
    );
  source(
    'run',
    'run the plugin in the foreground until Ctrl-C',
    'mcp-supervisor run ./my-server -- --root /data',
  ).action((given: string | undefined, flags: Flags) =>
    choose(async (context) =>
      (await import('./run.ts')).run(await toInvocation('run', given, { flags, pluginArgs }), context),
    ),
  );
  addServe(program, pluginArgs, choose);
  addPluginCommands(program, choose);
  return program;
}

/** Commands on plugins by name: the daemon's, or those of the configuration. */
function addPluginCommands(program: Command, choose: (run: Run) => void): void {
  const command = (line: string, description: string) =>
    addNamedOptions(program.command(line)).description(description);
  const listed = (names: readonly string[], flags: PluginFlags) =>
    choose(async (context) => (await import('./plugins/list.ts')).list({ names, flags }, context));

  command('list', 'list the plugins and how they are')
    .alias('ls')
    .action((flags: PluginFlags) => listed([], flags));
  command('status', 'print all that is known of a plugin; without a name as list does')
    .alias('ps')
    .argument('[names...]', 'names of plugins')
    .action(listed);
  for (const [name, description] of DRIVES) {
    const drive = command(name, description)
      .argument('[names...]', 'names of plugins')
      .option('--all', 'every plugin')
      .addOption(waitOption());
    if (name === 'wait') drive.option('--for <state>', 'the state to wait for (default: ready)');
    drive.action((names: readonly string[], flags: PluginFlags) =>
      choose(async (context) => (await import('./plugins/drive.ts')).drive(name, { names, flags }, context)),
    );
  }
  addLogOptions(command('logs', 'print what a plugin printed, from its log file'))
    .argument('<name>', 'name of a plugin')
    .action((name: string, flags: PluginFlags) =>
      choose(async (context) => (await import('./plugins/logs.ts')).logs({ names: [name], flags }, context)),
    );
  command('history', 'print what a plugin went through')
    .argument('<name>', 'name of a plugin')
    .action((name: string, flags: PluginFlags) =>
      choose(async (context) => (await import('./plugins/history.ts')).history({ names: [name], flags }, context)),
    );
}

const DRIVES = [
  ['start', 'start plugins of the daemon; returns when they are ready'],
  ['stop', 'stop plugins of the daemon; returns when nothing of them is left'],
  ['restart', 'stop plugins of the daemon and start them again'],
  ['reset', 'forget the failures of plugins of the daemon: the next call starts them'],
  ['wait', 'wait until plugins of the daemon are ready, or in another state'],
] as const;

function addServe(program: Command, pluginArgs: readonly string[], choose: (run: Run) => void): void {
  addServeOptions(program.command('serve'))
    .description('run the gateway: REST and MCP for web applications and AI clients')
    .argument('[source]', 'with --stdio: a source, or a plugin of the configuration; without one, all of these')
    .usage('[options] · serve --stdio [options] [source]')
    .addHelpText(
      'after',
      `\nExamples:\n  mcp-supervisor serve --detach\n  mcp-supervisor serve --stdio owner/name\n${EXIT_CODES}`,
    )
    .action((source: string | undefined, flags: ServeFlags & Flags) =>
      choose(async (context) => (await import('./serve.ts')).serve({ flags, source, pluginArgs }, context)),
    );
}

const EXAMPLES = `  mcp-supervisor call https://github.com/owner/name.git echo message=hello
  mcp-supervisor call ./my-server search '{"query": "xstate"}' limit:=5 --json
  mcp-supervisor tools owner/name#v1.2:src/time --env API_KEY
  mcp-supervisor run ./my-server -- --root /data
  mcp-supervisor tools -- node ./server.js
`;
