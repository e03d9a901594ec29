/** Which transitions of a machine were taken, by the inspector's microsteps. */

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, InspectionEvent } from 'xstate';

/** Identity changes with every `provide`: named by place instead. */
function keyOf(transition: AnyTransitionDefinition): string {
  const { source, eventType, target } = transition;
  const siblings = eventType === '' ? source.always : source.transitions.get(eventType);
  const index = siblings?.indexOf(transition) ?? -1;
  return `${source.id} --${eventType || 'always'}[${index}]--> ${target?.map(({ id }) => id).join() ?? '(stays)'}`;
}

const descendants = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap((child) => descendants(child as AnyStateNode)),
];

export const allTransitions = (machine: AnyStateMachine): string[] =>
  descendants(machine.root).flatMap((node) =>
    [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map(keyOf),
  );

export interface Coverage {
  readonly inspect: (event: InspectionEvent) => void;
  readonly taken: ReadonlySet<string>;
}

export function createCoverage(): Coverage {
  const taken = new Set<string>();
  return {
    inspect(event) {
      if (event.type !== '@xstate.microstep') return;
      for (const transition of event._transitions) taken.add(keyOf(transition));
    },
    taken,
  };
}
