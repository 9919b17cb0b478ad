/**
 * What the parts that serve Envoy do for a newcomer. The supervisor is started before them and is told of them
 * when they listen.
 */
import type { PreparedLaunch } from "../generation/launch.ts";
import type { ProbeIdentity } from "./proof.ts";

/** Keeps listeners back from streams that were opened after it; disposing releases them. */
export interface ListenerHold extends Disposable {
  /** Let the newcomer have its listeners. */
  release(): void;
  /** In words, what the newcomer has refused and so would not serve, though the Envoy before it does. */
  lacks(): readonly string[];
}

/** The seam between the supervisor and identity, SDS and the ADS proxy. */
export interface NewcomerServices {
  /** Why a newcomer could not be served now, such as a missing certificate; undefined when it could. */
  obstacle(launch: PreparedLaunch): string | undefined;
  holdListeners(): ListenerHold;
  /** The workload's certificate; undefined while there is none. */
  identity(): ProbeIdentity | undefined;
}
