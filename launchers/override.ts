/** Lays what the caller said over a plan; the caller always wins. */

import { commandCandidate, withToolsFor } from './binary.ts';
import { join, relative } from './paths.ts';
import type { Candidate, Command, Evidence, FileView, LaunchPlan, Overrides } from './plan.ts';

export function applyOverrides(view: FileView, plan: LaunchPlan, overrides: Overrides): LaunchPlan {
  const { command, args = [], install, build, transport, endpoint, port } = overrides;
  const cwd = join(plan.projectDir, overrides.cwd ?? '');
  const found =
    command !== undefined
      ? [commandCandidate(view, 'override', command, cwd)]
      : plan.start.map((candidate) => (overrides.cwd === undefined ? candidate : movedTo(cwd, candidate)));
  const start = found.map((candidate) => withArgs(candidate, args));
  const steps = (given: readonly (readonly string[])[]): Command[] =>
    given.map((words) => commandCandidate(view, 'override', words, plan.projectDir).command);
  const given = [...(command === undefined ? [] : [command]), ...(install ?? []), ...(build ?? [])];
  return {
    ...plan,
    start,
    tools: withToolsFor(
      plan.tools,
      given.flatMap(([program = '']) => program),
    ),
    install:
      install === undefined
        ? plan.install
        : install.length === 0
          ? []
          : [{ id: 'override', cures: 'any', steps: steps(install) }],
    ...(build === undefined ? {} : { build: steps(build), buildOtherwise: [] }),
    transport: transport ?? plan.transport,
    endpoint: endpoint ?? plan.endpoint,
    port: port === undefined ? plan.port : { ...plan.port, fixed: port },
    ...(args.length === 0 ? {} : { args: [...(plan.args ?? []), ...args] }),
    confidence: command === undefined ? plan.confidence : 'high',
    evidence: [...said(overrides), ...plan.evidence],
  };
}

const withArgs = (candidate: Candidate, args: readonly string[]): Candidate =>
  args.length === 0
    ? candidate
    : { ...candidate, command: { ...candidate.command, args: [...candidate.command.args, ...args] } };

/** The same command from another folder: the word that names its file is written anew. */
function movedTo(cwd: string, candidate: Candidate): Candidate {
  const { command } = candidate;
  const files = new Set([candidate.entry, join(candidate.command.cwd, command.args[0] ?? '')]);
  const args = command.args.map((word) => {
    const path = join(command.cwd, word);
    return /[./]/.test(word) && files.has(path) ? relative(cwd, path) : word;
  });
  return { ...candidate, command: { ...command, args, cwd } };
}

function said(overrides: Overrides): Evidence[] {
  const words = (value: unknown): string =>
    Array.isArray(value)
      ? value.map((each) => (Array.isArray(each) ? each.join(' ') : each)).join(', ')
      : String(value);
  return Object.entries(overrides)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({
      file: '',
      // Arguments may be secrets; that there are some is enough.
      says:
        name === 'args'
          ? 'arguments were given'
          : `${name} was given: ${name === 'command' ? (value as readonly string[])[0] : words(value)}`,
    }));
}
