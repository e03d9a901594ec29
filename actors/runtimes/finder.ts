import { realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { Tool } from '../../launchers/plan.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import { jobNetworkEnv } from '../env/network.ts';
import { jobEnv } from '../env.ts';
import { FailureError } from '../failure-error.ts';
import { withoutLogins } from '../redact.ts';
import type { Runtimes, RuntimesContext, Toolset } from '../runtimes.ts';
import { runStep, type StepResult } from '../step.ts';
import { withTemp } from '../with-temp.ts';
import { type Fetching, fetched, fetchedName, fetchTool, recipeFor } from './fetch.ts';
import {
  type Asking,
  allPythons,
  askCargo,
  askPython,
  askVersion,
  cargoHome,
  type Found,
  managedCargos,
  managedDenos,
  managedDotnets,
  managedGos,
  managedNodes,
  managedPhps,
  managedRubies,
  onPath,
} from './find.ts';
import { missingRuntime } from './hints.ts';
import { findJdk } from './jdks.ts';
import { newestFirst, satisfies } from './versions.ts';

/** Scripts that start a JVM. */
const ON_JAVA = new Set(['mvn', 'gradle', 'jbang']);

/** The work behind `createRuntimes`, loaded at its first question. */
export function createFinder(context: RuntimesContext): Runtimes {
  const { store, callerEnv, log } = context;
  const known = new Map<string, Found>();
  const versions = new Map<string, Promise<Found | null>>();

  // npm and its like are scripts for `env node`: ours is the last resort where PATH has none.
  const PATH = [...(callerEnv.PATH ?? '').split(delimiter), dirname(process.execPath)].join(delimiter);
  const environment = (tool: string, extra: Readonly<Record<string, string>> = {}, java?: string) =>
    jobEnv(context, { path: [], programs: { [tool]: '', ...(java && { java }) } }, { PATH, ...extra });

  const asking = async (tool: string, signal: AbortSignal): Promise<Asking> => {
    // A shell may have a JAVA_HOME that is gone, or no Java on PATH, and then these do not even tell their version.
    const java = ON_JAVA.has(tool) ? (await find({ name: 'java', version: null }, signal)).found?.program : undefined;
    return { cwd: store.home, env: environment(tool, {}, java), signal };
  };

  /** Asks a program once; a question that was cut short by one caller's signal is asked again by the next. */
  async function ask(tool: string, program: string, signal: AbortSignal): Promise<Found | null> {
    const key = `${tool}:${program}`;
    for (;;) {
      const asked = versions.get(key) ?? asking(tool, signal).then((how) => askWith(tool)(program, how));
      versions.set(key, asked);
      try {
        const answer = await asked;
        // It may be mended before the next question.
        if (answer === null) versions.delete(key);
        return answer;
      } catch (error) {
        if (versions.get(key) === asked) versions.delete(key);
        signal.throwIfAborted();
        if (error instanceof FailureError) throw error;
      }
    }
  }

  async function find(tool: Tool, signal: AbortSignal): Promise<{ found: Found | null; others: Found[] }> {
    const fits = ({ version }: Found) => satisfies(tool.name, version, tool.version);
    if (tool.name === 'python') {
      const all = await Promise.all((await allPythons(callerEnv)).map((python) => ask('python', python, signal)));
      const answered = all.filter((each) => each !== null).sort((a, b) => newestFirst(a.version, b.version));
      const preferred = answered.find((each) => fits(each) && satisfies('python', each.version, tool.prefers ?? null));
      return { found: preferred ?? answered.find(fits) ?? null, others: answered };
    }
    if (tool.name === 'java') return findJdk(tool, callerEnv, (java) => ask('java', java, signal));
    const others: Found[] = [];
    for await (const program of places(tool.name)) {
      const answer =
        program === process.execPath && tool.name === 'node'
          ? { program, version: process.versions.node }
          : await ask(tool.name, program, signal);
      if (answer === null) continue;
      if (fits(answer)) return { found: answer, others };
      if (others.every((other) => other.program !== answer.program)) others.push(answer);
    }
    return { found: null, others };
  }

  /** Where to look for a tool, best place first; later places are not looked at once one fits. */
  async function* places(name: string): AsyncGenerator<string> {
    const isNode = process.versions.bun === undefined && process.versions.deno === undefined;
    if (name === 'node' && isNode) yield process.execPath;
    // npm belongs to its Node: the one beside ours, before another Node's.
    const besides = name === 'npm' && isNode ? await onPath(name, { PATH: dirname(process.execPath) }) : [];
    const managed = await managedApart(name, callerEnv);
    const paths = await onPath(name, callerEnv);
    // A shim obeys the version file of the folder that it is started in, which is the plugin's: what it stands for, first.
    const isLate = (path: string) => managed.length > 0 && path.includes('/shims/');
    yield* new Set([...besides, ...paths.filter((path) => !isLate(path)), ...managed, ...paths.filter(isLate)]);
    if (name === 'node') yield* await managedNodes(callerEnv);
    if (name === 'go') yield* await managedGos(callerEnv);
    if (name === 'dotnet') yield* managedDotnets(callerEnv);
    if (name === 'cargo') yield* await managedCargos(callerEnv);
    if (name === 'rustup') yield join(cargoHome(callerEnv), 'bin', 'rustup');
  }

  async function locate(tool: Tool, signal: AbortSignal): Promise<Found> {
    const key = `${tool.name} ${tool.version} ${tool.prefers}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const { found, others } = await find(tool, signal);
    const located = found ?? (await fetch(tool, others, signal));
    known.set(key, located);
    return located;
  }

  async function fetch(tool: Tool, others: readonly Found[], signal: AbortSignal): Promise<Found> {
    const recipe = recipeFor(tool);
    if (recipe === null) throw new FailureError(missingRuntime(tool, others));
    const name = fetchedName(recipe);
    const dir = join(store.runtimeDir(tool.name), name);
    const need = async (needed: 'npm' | 'python' | 'uv' | 'rustup') => {
      // Whoever fetches npm packages needs no particular npm; pip comes with every Python that uv supports.
      const version = needed === 'python' ? '>=3.8' : null;
      // What fetches a Python can't wait for a Python to be fetched.
      if (needed === 'python') return (await find({ name: needed, version }, signal)).found?.program;
      return (await locate({ name: needed, version }, signal).catch(unlessAborted(signal)))?.program;
    };
    const work = async () => {
      const before = await fetched(dir);
      if (before !== null) return before;
      log.info({ tool: tool.name, wanted: tool.version }, `fetching ${name} into the home`);
      return withTemp(store, 'fetch', (TMPDIR) => {
        const run: Fetching['run'] = async (program, args, env = {}) => {
          const step = { plugin: tool.name, stream: 'install' as const, program, args, cwd: dir };
          const network = await jobNetworkEnv(context);
          const output: typeof context.output = (line) => context.output({ ...line, text: withoutLogins(line.text) });
          const masked = { ...context, output };
          const result = await runStep(
            masked,
            { ...step, env: environment('npm', { TMPDIR, ...network, ...env }) },
            signal,
          );
          return { ...result, tail: result.tail.map(withoutLogins) };
        };
        return fetchTool(recipe, {
          dir,
          run,
          need,
          ask: async (program) => askWith(tool.name)(program, await asking(tool.name, signal)),
        });
      });
    };
    const before = await fetched(dir);
    if (before === null && context.offline === true) throw new FailureError(notHere(tool, others));
    const result = before ?? (await store.withLock(`runtime:${tool.name}:${name}`, signal, work));
    if (result !== null && 'program' in result) {
      if (satisfies(tool.name, result.version, tool.version)) return result;
      throw new FailureError(missingRuntime(tool, [...others, result]));
    }
    throw new FailureError(notFetched(tool, others, result));
  }

  return {
    check: (tools, signal) =>
      Promise.all(
        tools.map(async (tool) => {
          const { found, others } = await find(tool, signal);
          signal.throwIfAborted();
          const fetchable = found === null && context.offline !== true && recipeFor(tool) !== null;
          const hint = found === null && !fetchable ? missingRuntime(tool, others).hint : '';
          return { name: tool.name, wanted: tool.version, found, fetchable, hint };
        }),
      ),
    async provide(tools, signal) {
      await store.open();
      // All of them to the end: what one failure leaves running would outlive the job that asked.
      const settled = await Promise.allSettled(tools.map((tool) => locate(tool, signal)));
      signal.throwIfAborted();
      const located: Found[] = [];
      for (const result of settled) {
        if (result.status === 'fulfilled') located.push(result.value);
        else if (result.reason instanceof FailureError) return { ok: false, failure: result.reason.failure };
        else throw result.reason;
      }
      return { ok: true, toolset: await toolset(tools, located, callerEnv) };
    },
  };
}

const askWith = (tool: string) =>
  tool === 'python'
    ? askPython
    : tool === 'cargo'
      ? askCargo
      : (program: string, asking: Asking) => askVersion(tool, program, asking);

const managedApart = async (name: string, callerEnv: RuntimesContext['callerEnv']): Promise<string[]> =>
  name === 'ruby' || name === 'bundle'
    ? managedRubies(name, callerEnv)
    : name === 'php'
      ? managedPhps(callerEnv)
      : name === 'deno'
        ? managedDenos(callerEnv)
        : [];

async function toolset(
  tools: readonly Tool[],
  located: readonly Found[],
  callerEnv: RuntimesContext['callerEnv'],
): Promise<Toolset> {
  const programs: Record<string, string> = {};
  const versions: Record<string, string> = {};
  const path = new Set<string>();
  for (const [index, { name }] of tools.entries()) {
    const found = located[index];
    if (found === undefined) continue;
    programs[name] = found.program;
    versions[name] = found.version;
    if (name === 'python') programs.python3 = found.program;
    // A folder such as /usr/bin, put first without need, would hide everything that the user put before it.
    const [first = ''] = await onPath(name === 'python' ? 'python3' : name, callerEnv);
    if ((await real(first)) !== (await real(found.program))) path.add(dirname(found.program));
  }
  return { programs, versions, path: [...path] };
}

const real = (path: string): Promise<string> => realpath(path).catch(() => path);

const UNREACHABLE =
  /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|name resolution|onnection (refused|reset|timed out|broken)|dns error|NewConnectionError|error sending request/;

function notHere(tool: Tool, others: readonly Found[]): Failure {
  const wanted = `${tool.name}${tool.version === null ? '' : ` ${tool.version}`}`;
  const have = others.length === 0 ? 'none is' : `only ${others.map(({ version }) => version).join(', ')} is`;
  return createFailure('INSTALL_OFFLINE', {
    message: `Offline, and the plugin needs ${wanted}: ${have} installed here, and it was not fetched before.`,
    data: { missing: 'runtime', tool: tool.name, wanted: tool.version },
  });
}

function notFetched(tool: Tool, others: readonly Found[], result: StepResult | null): Failure {
  if (tool.name === 'python' && result !== null) return noPython(tool, others, result);
  if (result === null || !UNREACHABLE.test(result.stderr)) return missingRuntime(tool, others, result?.tail ?? []);
  return createFailure('INSTALL_NETWORK', {
    message: `The plugin needs ${tool.name}, which is not installed here, and its registry could not be reached.`,
    exit: result.exit,
    stderrTail: result.tail,
    data: { tool: tool.name, wanted: tool.version },
  });
}

/** What is missing stays so until somebody installs it or the download works: both are said. */
function noPython(tool: Tool, others: readonly Found[], result: StepResult): Failure {
  const missing = missingRuntime(tool, others, result.tail);
  const why = UNREACHABLE.test(result.stderr)
    ? 'the host of uv’s builds could not be reached'
    : 'uv could not fetch one';
  return { ...missing, message: `${missing.message} Nor could it be fetched: ${why}.`, exit: result.exit };
}

const unlessAborted = (signal: AbortSignal) => (thrown: unknown) => {
  if (signal.aborted || !(thrown instanceof FailureError)) throw thrown;
  return undefined;
};
