import { asText } from './as-text.ts';

/** Tasks that are remembered at most; the oldest are forgotten first. */
const MAX_TASKS = 10_000;

/** Which plugin gave out which task: `tasks/…` names nothing else. */
export interface TaskOwners {
  /** A result of a plugin, which may be a task's handle. */
  note(plugin: string, result: unknown): void;
  ownerOf(params: unknown): string | undefined;
}

export function createTaskOwners(): TaskOwners {
  const owners = new Map<string, string>();
  return {
    note(plugin, result) {
      const { task, taskId = (task as { taskId?: unknown } | undefined)?.taskId } = (result ?? {}) as {
        readonly task?: unknown;
        readonly taskId?: unknown;
      };
      if (typeof taskId !== 'string') return;
      owners.set(taskId, plugin);
      if (owners.size > MAX_TASKS) owners.delete(owners.keys().next().value!);
    },
    ownerOf: (params) => owners.get(asText((params as { taskId?: unknown } | undefined)?.taskId)),
  };
}
