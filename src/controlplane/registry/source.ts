/**
 * Where configuration comes from. What joins beside files (a cluster's API, a catalogue of services) is one more
 * source: it says what it has, and what of it cannot be used, as often as that changes.
 */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import type { ConfigObject } from "../config/objects.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type { SourceHealth } from "./source-health.ts";

/** One source. */
export interface ConfigSource {
  /** As messages name it. */
  readonly name: string;
  readonly states: ReadonlyWatch<SourceState>;
  /** Whether it answers; undefined for one that is always there. */
  readonly health?: (() => SourceHealth) | undefined;
}

/** An object as whoever wrote it did, used or not. */
export interface Original {
  /** As problems name the place. */
  readonly source: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** What a source says at one moment. */
export type SourceState =
  | {
      readonly kind: "read";
      /** Each once, in the order in which they decide where several apply. */
      readonly objects: readonly ConfigObject[];
      /** By `objectId`, of a source that keeps a status of its objects: what it was made of. */
      readonly originals?: ReadonlyMap<string, Original>;
      /** Why some of what the source holds is not among the objects. */
      readonly problems: readonly ConfigProblem[];
    }
  | {
      /** Nothing can be said of its objects: those that it had last stay. */
      readonly kind: "broken";
      readonly problems: readonly ConfigProblem[];
    };
