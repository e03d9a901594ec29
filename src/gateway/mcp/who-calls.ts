import type { CallOptions } from '../../options.ts';
import type { Client } from './contracts.ts';

type Who = Pick<CallOptions, 'session' | 'caller' | 'clientCapabilities'>;
/** A client that stays has an instance of its own, where a plugin has one for each session; one request alone has none. */
export const whoCalls = ({ id, once, principal, capabilities }: Client): Who =>
  once ? { caller: principal } : { session: id, clientCapabilities: capabilities };
