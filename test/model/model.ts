/**
 * The plugin's life as a plain table, written by hand and not derived from the chart: what each event must do
 * in each state. No actor, no timer, no XState; one call at most. `edge-cover` compares the real machine with it.
 */

export type At =
  | 'absent.resting'
  | 'absent.checking'
  | `${'cloning' | 'installing'}.${'queued' | 'running' | 'cancelling'}`
  | `detecting.${'running' | 'cancelling'}`
  | `launching.${'queued' | 'running'}`
  | 'probing'
  | Serving
  | `stopping.${'draining' | 'closing' | 'terminating' | 'killing' | 'sweeping'}`
  | `crashed.${'waiting' | 'parked'}`;

type Serving = Use | `${Use}.${Doubt}`;
type Use = 'ready' | 'idle';
/** Health, when not all is well. */
type Doubt = 'checking' | 'failing' | 'rechecking';

/** Where an end leads. */
type To = 'absent' | 'crashed' | 'restart' | 'relaunch';

export interface Model {
  readonly at: At;
  /** A call waits. */
  readonly held: boolean;
  readonly stopped: boolean;
  readonly to: To | null;
  /** The program has exited. */
  readonly gone: boolean;
  /** This start has used its other protocol era. */
  readonly relaunched: boolean;
  readonly abandoned: boolean;
  readonly trial: boolean;
  /** Health checks in a row that were not answered. */
  readonly silences: number;
}

export const initialModel: Model = {
  at: 'absent.resting',
  held: false,
  stopped: false,
  to: null,
  gone: false,
  relaunched: false,
  abandoned: false,
  trial: false,
  silences: 0,
};

/** The user's commands, and what the world does. */
export const EVENTS = [
  ...['START', 'STOP', 'RESTART', 'RESET', 'KILL', 'CALL', 'withdraw'],
  ...['nothing stale', 'install stale', 'all stale', 'blocked'],
  ...['granted', 'job done', 'job failed', 'job cancelled'],
  ...['spawned', 'not spawned', 'probe ready', 'probe failed', 'probe wants other era', 'exit 1', 'exit 0'],
  ...['healthy', 'unready', 'unanswered', 'breached', 'new policy', 'new spec'],
  ...['group empty', 'group abandoned', 'quiet', 'busy', 'drained', 'session closed', 'time passes'],
  ...['retry scheduled', 'retry due', 'parked', 'trial due'],
] as const;
export type Event = (typeof EVENTS)[number];

type Step = (model: Model) => Partial<Model>;
type Row = Partial<Record<Event, Step>>;

const go =
  (at: At, change: Partial<Model> = {}): Step =>
  () => ({ at, ...change });
const stay =
  (change: Partial<Model>): Step =>
  () =>
    change;

/** What STOP and KILL always do. */
const silenced = { stopped: true, held: false } as const;
const hold: Step = (model) => (model.stopped ? {} : { held: true });
const withdraw: Row = { withdraw: stay({ held: false }) };
const holds: Row = { CALL: hold, ...withdraw };

/** A start begins afresh. */
const checking = { at: 'absent.checking', stopped: false, to: null, trial: false } as const;
const fresh = { relaunched: false, gone: false, abandoned: false, to: null } as const;

const stops = (step: Step): Row => ({ STOP: step, KILL: step });

/** Commands while something ends. */
const ending: Row = {
  ...holds,
  ...stops(stay({ ...silenced, to: 'absent' })),
  START: ({ to }) => (to === 'relaunch' ? {} : { stopped: false, to: 'restart' }),
  RESTART: stay({ stopped: false, to: 'restart' }),
  'new policy': stay({}),
  'new spec': ({ to }) => (to === 'absent' ? {} : { to: 'restart' }),
};

/** Where it goes when nothing of it runs any more. */
const ended: Step = ({ to, held }) => {
  if (to === 'crashed') return { at: 'crashed.waiting', to: null, gone: false };
  if (to === 'relaunch') return { at: 'launching.queued', to: null, gone: false, relaunched: true };
  if (to === 'restart' || held) return { ...checking, gone: false };
  return { at: 'absent.resting', to: null, gone: false };
};

const queue = (next: At): Row => ({
  ...holds,
  ...stops(go('absent.resting', silenced)),
  granted: go(next),
  'new policy': stay({}),
  'new spec': go('absent.checking'),
});

const job = (name: 'cloning' | 'detecting' | 'installing', next: At): Record<string, Row> => ({
  [`${name}.running`]: {
    ...holds,
    ...stops(go(`${name}.cancelling`, { ...silenced, to: 'absent' })),
    RESTART: go(`${name}.cancelling`, { to: 'restart' }),
    'new policy': stay({}),
    'new spec': go(`${name}.cancelling`, { to: 'restart' }),
    'time passes': go(`${name}.cancelling`, { to: 'crashed' }),
    'job done': go(next),
    'job failed': go('crashed.waiting'),
  },
  [`${name}.cancelling`]: { ...ending, 'job done': ended, 'job failed': ended, 'job cancelled': ended },
});

/** Ways out of a start that has spawned. */
const launched: Row = {
  ...holds,
  STOP: go('stopping.closing', { ...silenced, to: 'absent' }),
  KILL: go('stopping.killing', { ...silenced, to: 'absent' }),
  RESTART: go('stopping.closing', { to: 'restart' }),
  'new policy': stay({}),
  'new spec': go('stopping.closing', { to: 'restart' }),
  breached: go('stopping.closing', { to: 'crashed' }),
  'exit 1': go('stopping.terminating', { to: 'crashed', gone: true }),
  'exit 0': go('stopping.terminating', { to: 'crashed', gone: true }),
  'time passes': go('stopping.closing', { to: 'crashed' }),
};

/** Out of service, whatever health said. */
const leave = (at: At, change: Partial<Model>): Step => go(at, { silences: 0, ...change });

/** In use, calls in flight are waited for; the two differ in nothing else. */
function inUse(use: Use): Record<string, Row> {
  const polite: At = use === 'ready' ? 'stopping.draining' : 'stopping.closing';
  const always: Row = {
    ...withdraw,
    STOP: leave(polite, { ...silenced, to: 'absent' }),
    KILL: leave('stopping.killing', { ...silenced, to: 'absent' }),
    RESTART: leave(polite, { to: 'restart' }),
    'new policy': stay({}),
    'new spec': leave(polite, { to: 'restart' }),
    breached: leave('stopping.closing', { to: 'crashed' }),
    'exit 1': leave('stopping.terminating', { to: 'crashed', gone: true }),
    'exit 0': leave('stopping.terminating', { to: use === 'ready' ? 'crashed' : 'absent', gone: true }),
    'session closed': leave('stopping.closing', { to: 'crashed' }),
  };
  const other: Use = use === 'ready' ? 'idle' : 'ready';
  const turns = (doubt: '' | `.${Doubt}`): Row => ({
    [use === 'ready' ? 'quiet' : 'busy']: go(`${other}${doubt}` as At),
  });
  const open: Row = { ...always, CALL: stay({}) };
  const closed: Row = { ...always, CALL: hold };
  const silence: Step = ({ silences }) =>
    silences === 2
      ? { at: 'stopping.closing', to: 'crashed', silences: 0 }
      : { at: `${use}.failing`, silences: silences + 1 };
  const asks: Row = {
    healthy: go(use, { held: false, silences: 0 }),
    unready: go(`${use}.failing`),
    unanswered: silence,
    'time passes': silence,
  };
  return {
    [use]: { ...open, ...turns(''), 'time passes': go(`${use}.checking`) },
    [`${use}.checking`]: { ...open, ...turns('.checking'), ...asks },
    [`${use}.failing`]: { ...closed, ...turns('.failing'), 'time passes': go(`${use}.rechecking`) },
    [`${use}.rechecking`]: { ...closed, ...turns('.rechecking'), ...asks },
  };
}

const stopping: Row = {
  ...ending,
  breached: stay({}),
  KILL: go('stopping.killing', { ...silenced, to: 'absent' }),
  'exit 1': ({ gone }) => (gone ? {} : { gone: true }),
  'group empty': ended,
  'group abandoned': ({ stopped }) => ({
    ...{ at: 'crashed.parked', abandoned: true, held: false, to: null, gone: false, stopped },
  }),
};

const crashed: Row = {
  ...withdraw,
  'new policy': stay({}),
  START: stay(checking),
  RESTART: stay(checking),
  'retry due': stay({ at: 'absent.checking', trial: false }),
  ...stops(({ abandoned }) => (abandoned ? silenced : { at: 'absent.resting', trial: false, ...silenced })),
};

export const TABLE: Record<At, Row> = {
  'absent.resting': {
    START: stay(checking),
    RESTART: stay(checking),
    CALL: ({ stopped }) => (stopped ? {} : { ...checking, held: true }),
    'retry due': ({ stopped }) => (stopped ? {} : checking),
    'new policy': stay({}),
    'new spec': stay({}),
    ...stops(stay(silenced)),
  },
  'absent.checking': {
    ...holds,
    START: stay({ stopped: false }),
    RESTART: stay({ stopped: false }),
    'new policy': stay({}),
    'new spec': stay({}),
    ...stops(({ abandoned }) => (abandoned ? silenced : { at: 'absent.resting', to: null, ...silenced })),
    'nothing stale': ({ stopped }) => ({ at: stopped ? 'absent.resting' : 'launching.queued', ...fresh }),
    'install stale': ({ stopped }) => ({ at: stopped ? 'absent.resting' : 'installing.queued', ...fresh }),
    'all stale': ({ stopped }) => ({ at: stopped ? 'absent.resting' : 'cloning.queued', ...fresh }),
    blocked: stay({ at: 'crashed.parked', held: false, to: null }),
  },
  'cloning.queued': queue('cloning.running'),
  ...(job('cloning', 'detecting.running') as Record<'cloning.running' | 'cloning.cancelling', Row>),
  // The slot that cloning took is still its own.
  ...(job('detecting', 'installing.running') as Record<'detecting.running' | 'detecting.cancelling', Row>),
  'installing.queued': queue('installing.running'),
  ...(job('installing', 'launching.queued') as Record<'installing.running' | 'installing.cancelling', Row>),
  'launching.queued': {
    ...holds,
    ...stops(go('stopping.sweeping', { ...silenced, to: 'absent' })),
    RESTART: go('stopping.sweeping', { to: 'restart' }),
    'new policy': stay({}),
    'new spec': go('stopping.sweeping', { to: 'restart' }),
    granted: go('launching.running'),
  },
  'launching.running': {
    ...launched,
    // Not known to run yet: nothing to close.
    STOP: go('stopping.terminating', { ...silenced, to: 'absent' }),
    RESTART: go('stopping.terminating', { to: 'restart' }),
    'new spec': go('stopping.terminating', { to: 'restart' }),
    breached: go('stopping.terminating', { to: 'crashed' }),
    'time passes': go('stopping.terminating', { to: 'crashed' }),
    spawned: go('probing'),
    'not spawned': go('stopping.terminating', { to: 'crashed', gone: true }),
  },
  probing: {
    ...launched,
    'probe ready': go('ready', { held: false, relaunched: false }),
    'probe failed': go('stopping.closing', { to: 'crashed' }),
    'probe wants other era': ({ relaunched }) => ({ at: 'stopping.closing', to: relaunched ? 'crashed' : 'relaunch' }),
  },
  ...(inUse('ready') as Record<Extract<Serving, `ready${string}`>, Row>),
  ...(inUse('idle') as Record<Extract<Serving, `idle${string}`>, Row>),
  'stopping.draining': {
    ...stopping,
    drained: go('stopping.closing'),
    'time passes': go('stopping.closing'),
    'exit 1': go('stopping.terminating', { gone: true }),
  },
  'stopping.closing': {
    ...stopping,
    'time passes': go('stopping.terminating'),
    'exit 1': go('stopping.terminating', { gone: true }),
  },
  'stopping.terminating': { ...stopping, 'time passes': go('stopping.killing') },
  'stopping.killing': {
    ...stopping,
    KILL: stay({ ...silenced, to: 'absent' }),
    'time passes': go('stopping.sweeping'),
  },
  'stopping.sweeping': { ...stopping, KILL: stay({ ...silenced, to: 'absent' }), 'time passes': stay({}) },
  'crashed.waiting': {
    ...crashed,
    CALL: hold,
    RESET: stay(checking),
    'new spec': stay(checking),
    'retry scheduled': stay({}),
    parked: go('crashed.parked', { held: false }),
  },
  'crashed.parked': {
    ...crashed,
    CALL: ({ trial, stopped }) => (trial && !stopped ? { at: 'absent.checking', held: true, trial: false } : {}),
    RESET: ({ abandoned }) => (abandoned ? {} : { at: 'absent.resting', trial: false }),
    'new spec': ({ abandoned }) => (abandoned ? {} : { at: 'absent.resting', trial: false }),
    'trial due': stay({ trial: true }),
    parked: stay({}),
  },
};

/** Unknown pairs change nothing. */
export const step = (model: Model, event: Event): Model => ({ ...model, ...TABLE[model.at][event]?.(model) });
