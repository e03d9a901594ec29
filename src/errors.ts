import type { SessionError } from '../actors/mcp/session-error.ts';
import {
  createFailure,
  type Exit,
  FAILURES,
  type Failure,
  type FailureCode,
  type FailureDetails,
  type Phase,
} from '../machines/failure.ts';
import { printable } from './printable.ts';

const MARK = Symbol.for('mcp-supervisor.error');

/**
 * Every error that the public API rejects with: a failure as an Error. `message` is safe to print; `toJSON` gives the
 * failure's shape. Recognise it with `SupervisorError.is`, which also holds across two copies of this package.
 */
export class SupervisorError extends Error {
  readonly code: FailureCode;
  readonly phase: Phase;
  /** Plugin concerned; null for the supervisor itself. */
  readonly plugin: string | null;
  /** What to do next. */
  readonly hint: string;
  readonly generation: number | null;
  readonly exit: Exit | null;
  /** Last lines of stderr or of the installer, oldest first, raw. */
  readonly stderrTail: readonly string[];
  readonly retryable: boolean;
  /** Further facts by name; a call's `fate` (`not-sent`, `sent-unknown`) among them. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(failure: Failure, plugin: string | null = null, options?: ErrorOptions) {
    super(printable(failure.message), options);
    this.name = 'SupervisorError';
    this.code = failure.code;
    this.phase = failure.phase;
    this.plugin = plugin;
    this.hint = failure.hint;
    this.generation = failure.generation;
    this.exit = failure.exit;
    this.stderrTail = failure.stderrTail;
    this.retryable = failure.retryable;
    this.data = failure.data;
    Object.defineProperty(this, MARK, { value: true });
  }

  /** Whose fault it is: `input` the caller's, `plugin` the plugin's, `us` this package's or the machine's. */
  get whose(): 'input' | 'plugin' | 'us' {
    return FAILURES[this.code].whose;
  }

  static is(error: unknown): error is SupervisorError {
    return typeof error === 'object' && error !== null && MARK in error;
  }

  toJSON() {
    const { code, phase, plugin, message, hint, generation, exit, stderrTail, retryable, data } = this;
    return { code, phase, plugin, message, hint, generation, exit, stderrTail, retryable, data };
  }
}

/** Short form for errors that start here rather than in a machine. */
export const supervisorError = (code: FailureCode, details: FailureDetails = {}, plugin: string | null = null) =>
  new SupervisorError(createFailure(code, details), plugin);

/** The hint names the plugins that there are; `none` is it where there are none. */
export const unknownPlugin = (name: string, known: readonly string[], none: string): SupervisorError => {
  const hint = known.length === 0 ? none : `Known plugins: ${known.join(', ')}.`;
  return supervisorError('CONFIG_UNKNOWN_PLUGIN', { message: `There is no plugin '${name}'.`, hint }, name);
};

/** It is not there, or hidden: nothing tells the one from the other. */
export const unknownTool = (plugin: string, tool: string): SupervisorError =>
  supervisorError(
    'CALL_UNKNOWN_TOOL',
    { message: `${plugin} has no tool '${tool}'.`, data: { fate: 'not-sent', tool } },
    plugin,
  );

/** A session's error as the public API tells it, with the call's fate. */
export const fromSession = (error: SessionError, plugin: string): SupervisorError =>
  new SupervisorError({ ...error.failure, data: { ...error.failure.data, fate: error.fate } }, plugin, {
    cause: error,
  });
