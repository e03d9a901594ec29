import type { Confinement } from '../../actors/confinement/describe.ts';
import type { ToolCheck } from '../../actors/runtimes.ts';
import type { Command, LaunchPlan } from '../../launchers/plan.ts';
import type { Environment } from '../../machines/contracts.ts';
import { printable } from '../printable.ts';
import { confinementRows } from './render-confinement.ts';
import type { Output } from './terminal.ts';
import { wrap } from './wrap.ts';

export interface PlanReport {
  readonly name: string;
  readonly source: string;
  readonly commit: string;
  readonly plan: LaunchPlan;
  /** Names of the caller's variables that the plugin would get. */
  readonly settings: readonly string[];
  /** What this machine has for each of the plan's tools. */
  readonly tools: readonly ToolCheck[];
  /** How an earlier start installed it; null when none did. Default null. */
  readonly installed?: Pick<Environment, 'rung' | 'fallbacks'> | null;
  /** What would confine a start; null (default) for nothing. */
  readonly confinement?: Confinement | null;
  /** With every fallback, variable and port name, rather than what a first look needs. */
  readonly full: boolean;
}

/** Narrower than this, the answers stand below their labels. */
const BESIDE = 60;
/** Names of port variables that a first look needs. */
const FEW = 3;

/** The plan and why, for a person: one labelled row per question. */
export function planAsText(report: PlanReport, { style, columns }: Pick<Output, 'style' | 'columns'>): string {
  const { plan, full } = report;
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['source', [report.source + showCommit(report.commit)]],
    ['project', plan.launcher === 'remote' ? [] : [plan.projectDir === '' ? 'the root folder' : plan.projectDir]],
    [
      'runtime',
      plan.launcher === 'remote'
        ? []
        : [plan.runtime + (plan.launcher === plan.runtime ? '' : ` (found by ${plan.launcher})`)],
    ],
    ['needs', report.tools.map(toolRow)],
    ['install', full ? plan.install.flatMap(rungRows) : installRows(plan)],
    ['installed', installedRows(report)],
    [
      'build',
      plan.build.length === 0
        ? []
        : [plan.build.map(showCommand).join(' && ') + (plan.rebuild ? '' : ', if no entry is there yet')],
    ],
    ['with', full ? [installVariables(plan).join(' ')] : []],
    ['start', plan.start.map(({ id, command }, at) => `${at === 0 ? '' : 'or '}${showStart(command)} (${id})`)],
    ['transport', [plan.transport === 'auto' ? 'found out at the first start' : plan.transport]],
    ['port', portRow(plan, full)],
    ['socket', plan.socket === null ? [] : [[...plan.socket.env, ...plan.socket.args].join(' ')]],
    ['endpoint', plan.endpoint === null ? [] : [plan.endpoint]],
    ['health', plan.health === null ? [] : [plan.health]],
    ['settings', settingRows(report)],
    ['confined', report.confinement == null ? [] : confinementRows(report.confinement)],
    ['confidence', [plan.confidence]],
    ['why', [...new Set(plan.evidence.map(({ says, ...at }) => located(at, says)))]],
    ['lacks', (plan.gaps ?? []).map(({ says, ...at }) => located(at, says))],
    ['passed over', plan.passedOver.map(({ what, why, ...at }) => located(at, `${what} ${why}`))],
  ];
  const shown = rows.filter(([, lines]) => lines.some((line) => line !== ''));
  const width = columns();
  const beside = width >= BESIDE;
  const margin = beside ? Math.max(...shown.map(([label]) => label.length)) + 4 : 4;
  const body = shown.flatMap(([label, lines]) => {
    const wrapped = lines.flatMap((line) => wrap(printable(line).split(' '), width - margin, '  ').split('\n'));
    const first = beside ? label.padEnd(margin - 2) : `${label}\n    `;
    return wrapped.map((line, at) => `  ${style.dim(at === 0 ? first : ' '.repeat(margin - 2))}${line}\n`);
  });
  return `${style.bold(report.name)}\n${body.join('')}`;
}

/** Hashes are long; a package's version is not, and a command has none. */
const showCommit = (commit: string): string =>
  commit === 'command' || commit === 'remote'
    ? ''
    : ` at ${/^[0-9a-f]{16,}$/.test(commit) ? commit.slice(0, 12) : commit}`;

const located = ({ file, line }: { readonly file: string; readonly line?: number }, text: string): string =>
  file === '' ? text : `${file}${line === undefined ? '' : `:${line}`}: ${text}`;

function toolRow({ name, wanted, found, fetchable, hint }: ToolCheck): string {
  const what = wanted === null ? name : `${name} ${wanted}`;
  if (found !== null) return `${what}: ${found.version} (${found.program})`;
  return fetchable ? `${what}: fetched at the first start` : `${what}: missing. ${hint}`;
}

function installRows({ install: [first, ...others] }: LaunchPlan): readonly string[] {
  const steps = first === undefined ? [] : rungRows(first, 0);
  if (others.length === 0) return steps;
  return [...steps, `${others.length} other ${others.length === 1 ? 'way' : 'ways'} if that fails (--verbose)`];
}

/** What was taken at the last install, and why not what stands first. */
function installedRows({ installed }: PlanReport): readonly string[] {
  if (installed == null || installed.fallbacks.length === 0) return [];
  const reasons = installed.fallbacks.map(({ tried, detail }) => `${tried} failed: ${detail}`);
  return [installed.rung === null ? 'once already' : `by ${installed.rung}`, ...reasons];
}

const installVariables = ({ install, build }: LaunchPlan): readonly string[] => [
  ...new Set([...install.flatMap(({ steps }) => steps), ...build].flatMap(variables)),
];

/** The first rung is taken; the others only when it fails for a cause that they cure. */
function rungRows({ steps, cures, asOfCommit }: LaunchPlan['install'][number], at: number): readonly string[] {
  if (at === 0) return steps.map(showCommand);
  if (asOfCommit && cures === 'any') {
    return [`or ${steps.map(showCommand).join(' && ')}, if today’s packages break the build or the start`];
  }
  const causes = cures === 'any' ? 'if that fails' : `if ${[...new Set(cures)].join(', ')}`;
  return [`or ${steps.map(showCommand).join(' && ')}, ${causes}`];
}

function settingRows({ plan, settings }: PlanReport): readonly string[] {
  const wanted = plan.wants.map(({ name, required, secret, description }) => {
    const kind = [required ? 'required' : 'optional', secret ? 'secret' : ''].filter((word) => word !== '').join(', ');
    const taken = settings.includes(name) ? 'taken from your environment' : 'not set';
    return `${name} (${kind}): ${taken}${description === undefined ? '' : ` — ${description.split('\n')[0]}`}`;
  });
  const others = settings.filter((name) => !plan.wants.some((want) => want.name === name));
  return others.length === 0 ? wanted : [...wanted, `passed on: ${others.join(', ')}`];
}

function portRow({ port, transport }: LaunchPlan, full: boolean): readonly string[] {
  if (port.fixed !== null) return [`always ${port.fixed}`];
  const names = full ? port.env : [...port.env.slice(0, FEW), ...(port.env.length > FEW ? ['…'] : [])];
  const ways = [...(port.args.length === 0 ? [] : [port.args.join(' ')]), ...names];
  const free = transport === 'auto' ? 'a free one if it wants one' : 'a free one';
  return ways.length === 0 ? [] : [`${free}, by ${ways.join(', ')}`];
}

const variables = ({ env = {} }: Command) => Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`));
const quoted = (word: string) => (/^[\w@%+=:,./{}<>~^-]+$/.test(word) ? word : JSON.stringify(word));
const showCommand = ({ program, args, cwd }: Command): string =>
  [program, ...args].map(quoted).join(' ') + (cwd === '' ? '' : ` in ${cwd}`);
const showStart = (command: Command): string => [...variables(command), showCommand(command)].join(' ');
