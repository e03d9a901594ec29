import type { Command, LaunchPlan } from '../../launchers/plan.ts';
import { printable } from '../printable.ts';
import type { Output } from './terminal.ts';
import { wrap } from './wrap.ts';

export interface PlanReport {
  readonly name: string;
  readonly source: string;
  readonly commit: string;
  readonly plan: LaunchPlan;
  /** Names of the caller's variables that the plugin would get. */
  readonly settings: readonly string[];
}

/** The plan and why, for a person: one labelled row per question. */
export function planAsText(report: PlanReport, { style, columns }: Pick<Output, 'style' | 'columns'>): string {
  const { plan } = report;
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['source', [`${report.source} at ${report.commit.slice(0, 12)}`]],
    ['project', [plan.projectDir === '' ? 'the root folder' : plan.projectDir]],
    ['runtime', [plan.runtime + (plan.launcher === plan.runtime ? '' : ` (found by ${plan.launcher})`)]],
    ['needs', [plan.tools.map(({ name, version }) => (version === null ? name : `${name} ${version}`)).join(', ')]],
    ['install', plan.install.flatMap(rungRows)],
    ['build', plan.build.length === 0 ? [] : [`${plan.build.map(showCommand).join(' && ')}, if no entry is there yet`]],
    [
      'with',
      [[...new Set([...plan.install.flatMap(({ steps }) => steps), ...plan.build].flatMap(variables))].join(' ')],
    ],
    ['start', plan.start.map(({ id, command }, at) => `${at === 0 ? '' : 'or '}${showStart(command)} (${id})`)],
    ['transport', [plan.transport === 'auto' ? 'found out at the first start' : plan.transport]],
    ['port', portRow(plan)],
    ['socket', plan.socket === null ? [] : [[...plan.socket.env, ...plan.socket.args].join(' ')]],
    ['endpoint', plan.endpoint === null ? [] : [plan.endpoint]],
    ['health', plan.health === null ? [] : [plan.health]],
    ['settings', settingRows(report)],
    ['confidence', [plan.confidence]],
    ['why', [...new Set(plan.evidence.map(({ file, says }) => (file === '' ? says : `${file}: ${says}`)))]],
  ];
  const shown = rows.filter(([, lines]) => lines.some((line) => line !== ''));
  const margin = Math.max(...shown.map(([label]) => label.length)) + 4;
  const room = Math.max(columns() - margin, 30);
  const body = shown.flatMap(([label, lines]) =>
    lines
      .flatMap((line) => wrap(printable(line).split(' '), room, '  ').split('\n'))
      .map((line, at) => `  ${style.dim((at === 0 ? label : '').padEnd(margin - 2))}${line}\n`),
  );
  return `${style.bold(report.name)}\n${body.join('')}`;
}

/** The first rung is taken; the others only when it fails for a cause that they cure. */
function rungRows({ steps, cures }: LaunchPlan['install'][number], at: number): readonly string[] {
  if (at === 0) return steps.map(showCommand);
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

function portRow({ port }: LaunchPlan): readonly string[] {
  const ways = [...port.env, ...(port.args.length === 0 ? [] : [port.args.join(' ')])];
  if (port.fixed !== null) return [`always ${port.fixed}`];
  return ways.length === 0 ? [] : [`a free one, by ${ways.join(', ')}`];
}

const variables = ({ env = {} }: Command) => Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`));
const quoted = (word: string) => (/^[\w@%+=:,./{}<>~^-]+$/.test(word) ? word : JSON.stringify(word));
const showCommand = ({ program, args, cwd }: Command): string =>
  [program, ...args].map(quoted).join(' ') + (cwd === '' ? '' : ` in ${cwd}`);
const showStart = (command: Command): string => [...variables(command), showCommand(command)].join(' ');
