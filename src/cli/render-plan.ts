import type { Command, LaunchPlan } from '../../launchers/plan.ts';
import { printable } from '../printable.ts';
import type { Output } from './terminal.ts';

export interface PlanReport {
  readonly name: string;
  readonly source: string;
  readonly commit: string;
  readonly plan: LaunchPlan;
  /** Names of the caller's variables that the plugin would get. */
  readonly settings: readonly string[];
}

/** The plan and why, for a person: one labelled row per question. */
export function planAsText(report: PlanReport, { style }: Pick<Output, 'style'>): string {
  const { plan } = report;
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['source', [`${report.source} at ${report.commit.slice(0, 12)}`]],
    ['project', [plan.projectDir === '' ? 'the root folder' : plan.projectDir]],
    ['runtime', [plan.runtime + (plan.launcher === plan.runtime ? '' : ` (found by ${plan.launcher})`)]],
    ['needs', [plan.tools.map(({ name, version }) => (version === null ? name : `${name} ${version}`)).join(', ')]],
    ['install', plan.install.flatMap(rung)],
    ['build', plan.build.map(showCommand)],
    [
      'start',
      plan.start.map(({ id, command }, at) => `${at === 0 ? '' : 'or '}${showCommand(command)}  ${style.dim(id)}`),
    ],
    ['transport', [plan.transport === 'auto' ? 'found out at the first start' : plan.transport]],
    ['port', portRow(plan)],
    ['socket', plan.socket === null ? [] : [[...plan.socket.env, ...plan.socket.args].join(' ')]],
    ['endpoint', plan.endpoint === null ? [] : [plan.endpoint]],
    ['health', plan.health === null ? [] : [plan.health]],
    ['settings', settingRows(report)],
    ['confidence', [plan.confidence]],
    ['why', plan.evidence.map(({ file, says }) => (file === '' ? says : `${file}: ${says}`))],
  ];
  const shown = rows.filter(([, lines]) => lines.some((line) => line !== ''));
  const width = Math.max(...shown.map(([label]) => label.length)) + 2;
  const body = shown.flatMap(([label, lines]) =>
    lines.map((line, at) => `  ${style.dim((at === 0 ? label : '').padEnd(width))}${escaped(line)}`),
  );
  return `${style.bold(report.name)}\n${body.join('\n')}\n`;

  function rung({ steps, cures }: LaunchPlan['install'][number], at: number): readonly string[] {
    const causes = cures === 'any' ? 'when that fails' : `when ${cures.join(' or ')}`;
    return steps.map((step, index) => {
      if (at === 0) return showCommand(step);
      return `${index === 0 ? 'or ' : '   '}${showCommand(step)}${index === 0 ? `  ${style.dim(causes)}` : ''}`;
    });
  }

  /** Our own colours stay, everything else is made safe. */
  function escaped(line: string): string {
    return line
      .split(/(\u001b\[\d+m)/)
      .map((part, at) => (at % 2 === 0 ? printable(part) : part))
      .join('');
  }
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
  const ways = [...port.env.map((name) => `${name}=…`), ...(port.args.length === 0 ? [] : [port.args.join(' ')])];
  if (port.fixed !== null) return [`always ${port.fixed}`];
  return ways.length === 0 ? [] : [`a free one, by ${ways.join(' and ')}`];
}

function showCommand({ program, args, cwd, env }: Command): string {
  const words = [...Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`), program, ...args];
  const line = words.map((word) => (/^[\w@%+=:,./{}<>~^-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
  return cwd === '' ? line : `${line}  (in ${cwd})`;
}
