/**
 * Breakages that the reliability suite must notice: each is a mistake that someone could make in one line. `npm run
 * mutants` makes them one by one in a copy of the tree and runs the scenario that has to fail.
 */

export interface Mutant {
  readonly name: string;
  /** From the project's folder. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Number of the scenario that fails (`test/reliability/README.md`). */
  readonly caughtBy: `R${number}`;
}

export const mutants: readonly Mutant[] = [
  // ---- stopping ----
  {
    name: 'kill the leader only',
    file: 'actors/groups.ts',
    find: '  send(-group, signal);',
    replace: '  send(group, signal);',
    caughtBy: 'R25',
  },
  {
    name: 'no SIGCONT after SIGTERM',
    file: 'actors/groups.ts',
    find: "for (const each of signal === 'SIGTERM' ? ([signal, 'SIGCONT'] as const) : [signal]) {",
    replace: 'for (const each of [signal]) {',
    caughtBy: 'R27',
  },
  {
    name: 'stdin is not closed',
    file: 'actors/process/handle.ts',
    find: 'if (stdin.writable) stdin.end();',
    replace: '',
    caughtBy: 'R22',
  },
  {
    name: 'SIGTERM is skipped',
    file: 'machines/plugin/stopping.ts',
    find: "entry: sendTo('process', { type: 'signal', signal: 'SIGTERM' }),",
    replace: "entry: sendTo('process', { type: 'signal', signal: 'SIGKILL' }),",
    caughtBy: 'R23',
  },
  {
    name: 'SIGKILL never follows',
    file: 'machines/plugin/stopping.ts',
    find: "after: { terminate: 'killing' },",
    replace: '',
    caughtBy: 'R24',
  },
  {
    name: 'wait for close instead of exit',
    file: 'actors/process/handle.ts',
    find: "child.once('exit', (code, signal) => resolve({ code, signal }))",
    replace: "child.once('close', (code, signal) => resolve({ code, signal }))",
    caughtBy: 'R29',
  },
  {
    name: 'no cookie sweep',
    file: 'actors/process/life.ts',
    find: 'const family = { groups: [pid], cookies: [cookie] };',
    replace: 'const family = { groups: [pid], cookies: [] };',
    caughtBy: 'R26',
  },
  {
    name: 'the abandoned block nothing',
    file: 'actors/survey.ts',
    find: 'const alive = abandoned.filter(isAlive);',
    replace: 'const alive: number[] = [];',
    caughtBy: 'R30',
  },
  {
    name: 'the drain is skipped',
    file: 'machines/plugin/base.ts',
    find: "busy && (outcome?.to === 'absent' || outcome?.to === 'restart');",
    replace: "busy && outcome?.to === 'relaunch';",
    caughtBy: 'R37',
  },
  {
    name: 'a cancelled job leaves its processes',
    file: 'actors/job.ts',
    find: '      abort.abort();\n    });',
    replace: "      end({ status: 'cancelled' });\n    });",
    caughtBy: 'R32',
  },

  // ---- calls ----
  {
    name: 'a call while it stops is not held',
    file: 'machines/plugin/commands.ts',
    find: "CALL: { guard: 'mayHold', actions: 'hold' },",
    replace: "CALL: { actions: 'reject' },",
    caughtBy: 'R33',
  },
  {
    name: 'a call at rest starts nothing',
    file: 'machines/plugin/absent.ts',
    find: "CALL: { guard: 'mayHold', target: 'checking', actions: 'hold' },",
    replace: "CALL: { guard: 'mayHold', target: 'checking' },",
    caughtBy: 'R34',
  },
  {
    name: 'a call that may have had its effect is sent again',
    file: 'src/broker.ts',
    find: "(fate === 'sent-unknown' && repeatable(open))",
    replace: "fate === 'sent-unknown'",
    caughtBy: 'R15',
  },
  {
    name: 'two settlements of one call',
    file: 'machines/supervisor/setup.ts',
    find: 'enqueue.assign(withMember(context, plugin, ({ calls }) => ({ calls: calls.filter((id) => id !== callId) })));',
    replace: 'enqueue.assign(withMember(context, plugin, ({ calls }) => ({ calls })));',
    caughtBy: 'R36',
  },
  {
    name: 'a late reply is waited for',
    file: 'actors/mcp/pending-calls.ts',
    find: 'if (take(call.id) === undefined) return;',
    replace: 'if (!calls.has(call.id)) return;',
    caughtBy: 'R45',
  },
  {
    name: 'ids of calls are used again',
    file: 'actors/mcp/pending-calls.ts',
    find: '{ id: nextId++, method,',
    replace: '{ id: calls.size + 1, method,',
    caughtBy: 'R45',
  },
  {
    name: 'calls in flight do not keep it from idling',
    file: 'src/traffic.ts',
    find: 'const used = counters.calls > 0 || counters.holds > 0;',
    replace: 'const used = counters.holds > 0;',
    caughtBy: 'R35',
  },
  {
    name: 'an open link does not keep it from idling',
    file: 'src/traffic.ts',
    find: 'const used = counters.calls > 0 || counters.holds > 0;',
    replace: 'const used = counters.calls > 0;',
    caughtBy: 'R35',
  },
  {
    name: 'progress does not restart the timeout',
    file: 'actors/mcp/pending-calls.ts',
    find: 'call.due = Math.min(performance.now() + (call.options.timeout ?? CALL_TIMEOUT), call.hardDue);',
    replace: '',
    caughtBy: 'R41',
  },
  {
    name: 'a time limit passes for an answer in the pipe',
    file: 'actors/patient-timeout.ts',
    find: 'if (late < STOOD_STILL) work();',
    replace: 'if (late < Number.POSITIVE_INFINITY) work();',
    caughtBy: 'R65',
  },

  // ---- truthful state ----
  {
    name: 'the gate is open while it fails',
    file: 'machines/plugin/serving.ts',
    find: "failing: { entry: 'reportUse', after: { recheck: 'rechecking' } },",
    replace:
      "failing: { tags: ['open'], on: { CALL: { actions: 'admit' } }, entry: 'reportUse', after: { recheck: 'rechecking' } },",
    caughtBy: 'R7',
  },
  {
    name: 'silence is borne for ever',
    file: 'machines/plugin/base.ts',
    find: 'context.health.failures + 1 >= context.bounds.healthFailures,',
    replace: 'context.health.failures < 0,',
    caughtBy: 'R7',
  },
  {
    name: 'no generation check',
    file: 'machines/plugin/base.ts',
    find: "isCurrent: ({ context, event }) => 'generation' in event && event.generation === context.generation,",
    replace: "isCurrent: ({ event }) => 'generation' in event,",
    caughtBy: 'R66',
  },
  {
    name: 'an exit while calls are in flight counts as a quiet end',
    file: 'machines/plugin/outcomes.ts',
    find: 'const clean = !context.busy && event.exit.code === 0',
    replace: 'const clean = event.exit.code === 0',
    caughtBy: 'R20',
  },

  // ---- restarts ----
  {
    name: 'reset on spawn instead of stable ready',
    file: 'machines/policy.ts',
    find: '=> ({ ...history, readyAt: null, readyFor: null });',
    replace: '=> ({ ...history, ...noHistory });',
    caughtBy: 'R13',
  },
  {
    name: 'no growing backoff',
    file: 'machines/policy.ts',
    find: 'const backoff = Math.min(policy.minDelay * policy.factor ** history.streak, policy.maxDelay);',
    replace: 'const backoff = policy.minDelay;',
    caughtBy: 'R13',
  },
  {
    name: 'no jitter',
    file: 'machines/policy.ts',
    find: 'const delay = Math.round(backoff * (1 + policy.jitter * (2 * random - 1)));',
    replace: 'const delay = backoff;',
    caughtBy: 'R13',
  },
  {
    name: 'never parked',
    file: 'machines/policy.ts',
    find: 'if (history.failedStarts >= policy.maxFailedStarts || history.crashes.length >= policy.maxCrashes) {',
    replace: 'if (history.failedStarts < 0) {',
    caughtBy: 'R13',
  },
  {
    name: 'no immediate restart after stable service',
    file: 'machines/policy.ts',
    find: "if (readyFor >= policy.immediateAfter) return { history, decision: { kind: 'retry', delay: 0 } };",
    replace: '',
    caughtBy: 'R14',
  },
  {
    name: 'a permanent failure is retried',
    file: 'machines/policy.ts',
    find: "if (isPermanent(failure) || restart === 'temporary')",
    replace: "if (restart === 'temporary')",
    caughtBy: 'R2',
  },
  {
    name: 'STOP waits for the retry timer',
    file: 'machines/plugin/crashed.ts',
    find: "{ target: '#plugin.absent', actions: ['refuseCalls', 'rejectHeld'] },",
    replace: "{ actions: ['refuseCalls', 'rejectHeld'] },",
    caughtBy: 'R17',
  },
  {
    name: 'an asked-for restart counts as a crash',
    file: 'machines/plugin/setup.ts',
    find: "endRestart: assign({ outcome: { to: 'restart' } }),",
    replace: "endRestart: assign({ outcome: { to: 'crashed', failure: createFailure('RUN_EXITED') } }),",
    caughtBy: 'R18',
  },

  // ---- input and output ----
  {
    name: 'noise ends the session',
    file: 'actors/mcp/stdio.ts',
    find: 'if (message === null) noise(text);',
    replace: "if (message === null) events.lost(createFailure('RUN_DISCONNECTED'));",
    caughtBy: 'R43',
  },
  {
    name: 'a line without an end is kept in memory',
    file: 'actors/lines.ts',
    find: 'while (held + rest.length > maxLine) {',
    replace: 'while (held + rest.length > maxLine * 1_000_000) {',
    caughtBy: 'R38',
  },
  {
    name: 'no limit for inbound messages',
    file: 'actors/mcp/framing.ts',
    find: 'if (held <= limit) return;',
    replace: 'if (held <= limit * 1_000_000) return;',
    caughtBy: 'R39',
  },
  {
    name: 'the size of requests is not checked',
    file: 'actors/mcp/stdio.ts',
    find: 'if (bytes > limits.maxMessage) return requestTooLarge(bytes, limits.maxMessage);',
    replace: '',
    caughtBy: 'R39',
  },
  {
    name: 'what no reader takes is queued without a bound',
    file: 'actors/mcp/stdio.ts',
    find: 'if (process.writeBacklog() > MAX_BACKLOG) return inputFull(process.writeBacklog());',
    replace: '',
    caughtBy: 'R41',
  },
  {
    name: 'a failed write is not told',
    file: 'actors/mcp/stdio.ts',
    find: '`, failed) ? null : lostSoon(inputClosed());',
    replace: '`) ? null : null;',
    caughtBy: 'R44',
  },

  // ---- ports ----
  {
    name: 'a taken port counts as a crash',
    file: 'actors/probe/port-taken.ts',
    find: "retry: { port: 'lease' },",
    replace: 'retry: null,',
    caughtBy: 'R46',
  },
  {
    name: 'a stranger’s port is accepted',
    file: 'actors/ports/proc-sockets.ts',
    find: '.filter(({ inode }) => owned.some((sockets) => sockets.has(inode)))',
    replace: '.filter(() => owned.length > 0)',
    caughtBy: 'R46',
  },
  {
    name: 'one port for all',
    file: 'actors/ports.ts',
    find: 'let port = await pick();',
    replace: 'let port = [...resting.keys()][0] ?? (await pick());\n      if (resting.has(port)) return port;',
    caughtBy: 'R49',
  },

  // ---- the supervisor's own end ----
  {
    name: 'the guard is not told',
    file: 'actors/process/life.ts',
    find: 'context.guard.watch(pid, cookie);',
    replace: '',
    caughtBy: 'R52',
  },
  {
    name: 'the intent is not written',
    file: 'actors/process/life.ts',
    find: 'await ledger.intend({ plugin, generation, cookie });',
    replace: '',
    caughtBy: 'R52',
  },
  {
    name: 'the pid alone is trusted',
    file: 'actors/groups.ts',
    find: 'return row !== null && isLive(row) && row.startTime === earlier.startTime;',
    replace: 'return row !== null && isLive(row);',
    caughtBy: 'R52',
  },
  {
    name: 'a zombie counts as alive',
    file: 'actors/groups.ts',
    find: "const isLive = (row: ProcessRow) => row.state !== 'Z' && row.state !== 'X';",
    replace: "const isLive = (row: ProcessRow) => row.state !== '';",
    caughtBy: 'R52',
  },
  {
    name: 'a living supervisor is swept',
    file: 'actors/store/owner.ts',
    find: "return hasEnded(Number(pid), (its) => its === startTime) ? 'dead' : 'living';",
    replace: "return 'dead';",
    caughtBy: 'R53',
  },
  {
    name: 'the lock is not taken',
    file: 'actors/store/locks.ts',
    find: 'const unlock = await lockFile(path, signal);',
    replace: 'const unlock = () => {};',
    caughtBy: 'R53',
  },
  {
    name: 'stops begin in the order of the starts',
    file: 'machines/supervisor/setup.ts',
    find: 'Object.entries(plugins).sort(([, a], [, b]) => b.launched - a.launched);',
    replace: 'Object.entries(plugins).sort(([, a], [, b]) => a.launched - b.launched);',
    caughtBy: 'R54',
  },
  {
    name: 'close has no deadline of its own',
    file: 'machines/supervisor.ts',
    find: "after: { close: { actions: 'killAll' } },",
    replace: '',
    caughtBy: 'R54',
  },
  {
    name: 'a file is written in place',
    file: 'actors/store/atomic-write.ts',
    find: "const file = await open(temp, 'wx', 0o600);",
    replace: "const file = await open(path, 'w', 0o600);",
    caughtBy: 'R55',
  },
];
