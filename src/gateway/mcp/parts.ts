import type { Log, ToolDescription } from '../../../actors/context.ts';
import type { Supervisor } from '../../options.ts';
import type { Catalogs, ListKind } from '../contracts.ts';
import type { View } from '../view.ts';
import type { Acquaintance } from './acquaintance.ts';
import type { Client, ClientRequest } from './contracts.ts';
import type { Relay } from './eras/relay.ts';
import type { Following } from './following.ts';
import type { KeepAwake } from './keep-awake.ts';
import type { Levels } from './levels.ts';

/** What all endpoints of one gateway share. */
export interface Shared {
  readonly supervisor: Supervisor;
  readonly catalogs: Catalogs;
  readonly relay: Relay;
  readonly log: Log;
  readonly acquaintance: Acquaintance;
  readonly following: Following;
  readonly levels: Levels;
  readonly awake: KeepAwake;
  /** Characters of an aggregated name. */
  readonly maxToolName: number;
}

/** What stands behind an endpoint: one plugin, or all that a view shows. Rejects with RpcError. */
export interface Face {
  readonly view: View;
  covers(plugin: string): boolean;
  /** Whether it may list anything of that kind. */
  has(kind: ListKind): boolean;
  /** Who is there, for `initialize` and `server/discover`; within a second. */
  identify(): Promise<Readonly<Record<string, unknown>>>;
  /** Every method that is not the endpoint's own affair. */
  answer(request: ClientRequest): Promise<unknown>;
  /** As it is listed, if that is known without asking. */
  tool(name: string): ToolDescription | undefined;
  /** Whose resource that is, under which URI; undefined for nobody's. */
  locate(uri: string): Promise<{ readonly plugin: string; readonly uri: string } | undefined>;
  /** A notification that is the plugin's affair. */
  hear(client: Client, method: string, params: unknown): void;
  close(): void;
}

/** A request over the relay, known to whoever keeps plugins awake and counts who used what. */
export type Send = (plugin: string, request: ClientRequest, method: string, params: unknown) => Promise<unknown>;
