/**
 * Where one ADS stream of Envoy stands, and what each event makes of that. Pure.
 *
 * An Envoy waits until somebody answers: the control plane, whose answers are relayed from then on, or the cache, when
 * the control plane takes too long and there is one. While the cache answers, the connection is tried only to see
 * whether the control plane is back: then Envoy's stream is ended, and Envoy subscribes anew with what it has.
 */
import { typeUrl } from "../../xds/type-urls.ts";
import type { CachedAnswers } from "../cache/cached-answers.ts";
import type { HealthReport } from "./health-report.ts";

/** The stream; `relaying` and `cached` last until its end. */
export type StreamState = Waiting | Relaying | Cached;

/** Nobody has answered. */
export interface Waiting extends Common {
  readonly kind: "waiting";
  /** Everything that Envoy has asked, to be asked on each connection; the first names the node. */
  readonly asked: readonly EnvoyRequest[];
  /** There is a cache, and it is not enough to serve. */
  readonly cacheIsUseless: boolean;
}

/** The control plane answers. */
export interface Relaying extends Common {
  readonly kind: "relaying";
}

/** The cache answers. */
export interface Cached extends Common {
  readonly kind: "cached";
  readonly answers: CachedAnswers;
  /** Names the node, on each connection that is tried. */
  readonly first: EnvoyRequest | undefined;
  /** In order; the first is being answered. */
  readonly toAnswer: readonly EnvoyRequest[];
}

interface Common {
  /** Undefined while there is none. */
  readonly connection: Connection | undefined;
  /** Envoy sends no more. */
  readonly envoyIsDone: boolean;
  /** The newest that is known of the workload's health. */
  readonly health: HealthReport | undefined;
}

/** What the agent has said itself on the connection of the moment. */
export interface Connection {
  /** It has subscribed to what it consumes: Envoy has asked for listeners. */
  readonly hasSubscribed: boolean;
  readonly toldHealth: HealthReport | undefined;
}

/** A request of Envoy, as the control plane is to get it. */
export interface EnvoyRequest {
  readonly message: Buffer;
  readonly typeUrl: string;
}

/** Something that happens to a stream. */
export type StreamEvent =
  | { readonly kind: "requested"; readonly request: EnvoyRequest }
  /** Envoy sends no more, in good order or not. */
  | { readonly kind: "envoy done"; readonly isBroken: boolean }
  /** A connection is tried. */
  | { readonly kind: "dialled" }
  | { readonly kind: "disconnected" }
  /** A response has come from the control plane. */
  | { readonly kind: "responded" }
  | { readonly kind: "health"; readonly health: HealthReport | undefined }
  /** The wait for the control plane is over; undefined when the cache is not enough to serve. */
  | { readonly kind: "cache read"; readonly answers: CachedAnswers | undefined }
  /** The first of `toAnswer` has its answer. */
  | { readonly kind: "answered" };

/** What is to be done, in order. All but `answer` are done at once. */
export type StreamEffect =
  /** On the connection. */
  | { readonly kind: "ask"; readonly request: EnvoyRequest }
  /** To what the agent consumes itself, on the connection. */
  | { readonly kind: "subscribe" }
  | { readonly kind: "tell health"; readonly health: HealthReport }
  | { readonly kind: "end connection" }
  | { readonly kind: "cancel connection" }
  /** From the cache; `answered` follows. */
  | { readonly kind: "answer"; readonly request: EnvoyRequest; readonly answers: CachedAnswers }
  /** End Envoy's stream: the control plane is back. */
  | { readonly kind: "resubscribe" };

/** The next state and what is to be done. */
export interface StreamStep {
  readonly state: StreamState;
  readonly effects: readonly StreamEffect[];
}

/** A stream that Envoy has just opened. */
export const opened: StreamState = {
  ...{ kind: "waiting", asked: [], cacheIsUseless: false },
  ...{ connection: undefined, envoyIsDone: false, health: undefined },
};

/** What an event makes of a stream. */
export function streamAfter(state: StreamState, event: StreamEvent): StreamStep {
  switch (event.kind) {
    case "requested":
      return requested(state, event.request);
    case "envoy done":
      return envoyDone(state, event.isBroken);
    case "dialled":
      return dialled(state);
    case "disconnected":
      return { state: { ...state, connection: undefined }, effects: none };
    case "responded":
      return responded(state);
    case "health":
      return healthKnown({ ...state, health: event.health });
    case "cache read":
      return cacheRead(state, event.answers);
    case "answered":
      return answered(state);
  }
}

const none: readonly StreamEffect[] = [];

function requested(state: StreamState, request: EnvoyRequest): StreamStep {
  switch (state.kind) {
    case "waiting": {
      const { connection, effects } = ask(state, request);
      return { state: { ...state, asked: [...state.asked, request], connection }, effects };
    }
    case "relaying": {
      const { connection, effects } = ask(state, request);
      return { state: connection === state.connection ? state : { ...state, connection }, effects };
    }
    case "cached": {
      const { answers, toAnswer, first = request } = state;
      return {
        state: { ...state, first, toAnswer: [...toAnswer, request] },
        effects: toAnswer.length === 0 ? [{ kind: "answer", request, answers }] : none,
      };
    }
  }
}

/** What is said on a connection, and what has been said then. */
interface Said {
  readonly connection: Connection | undefined;
  readonly effects: readonly StreamEffect[];
}

/** The agent's own words follow Envoy's first request for listeners: the first message, with the node, is Envoy's. */
function ask({ connection, ...common }: Common, request: EnvoyRequest): Said {
  if (connection === undefined) return { connection, effects: none };
  const effects: readonly StreamEffect[] = [{ kind: "ask", request }];
  if (request.typeUrl !== typeUrl.listener || connection.hasSubscribed) return { connection, effects };
  const told = tellHealth({ ...common, connection: { ...connection, hasSubscribed: true } });
  return { connection: told.connection, effects: [...effects, { kind: "subscribe" }, ...told.effects] };
}

/** A control plane takes a workload's health once it serves it. */
function tellHealth({ connection, health, envoyIsDone }: Common): Said {
  const isDue = connection?.hasSubscribed === true && connection.toldHealth !== health && !envoyIsDone;
  if (!isDue || health === undefined) return { connection, effects: none };
  return { connection: { ...connection, toldHealth: health }, effects: [{ kind: "tell health", health }] };
}

function healthKnown(state: StreamState): StreamStep {
  const { connection, effects } = tellHealth(state);
  return { state: { ...state, connection }, effects };
}

function envoyDone(state: StreamState, isBroken: boolean): StreamStep {
  const next = { ...state, envoyIsDone: true };
  if (state.connection === undefined) return { state: next, effects: none };
  // Of a connection that is only tried, nothing is waited for.
  const isCut = isBroken || state.kind === "cached";
  return { state: next, effects: [{ kind: isCut ? "cancel connection" : "end connection" }] };
}

function dialled(before: StreamState): StreamStep {
  const effects: StreamEffect[] = [];
  let connection: Connection | undefined = { hasSubscribed: false, toldHealth: undefined };
  if (before.kind === "waiting") {
    for (const request of before.asked) {
      const said = ask({ ...before, connection }, request);
      effects.push(...said.effects);
      connection = said.connection;
    }
  } else if (before.kind === "cached" && before.first !== undefined) {
    effects.push({ kind: "ask", request: before.first });
  }
  if (before.envoyIsDone) effects.push({ kind: "end connection" });
  return { state: { ...before, connection }, effects };
}

function responded(state: StreamState): StreamStep {
  switch (state.kind) {
    case "waiting": {
      const { connection, envoyIsDone, health } = state;
      return { state: { kind: "relaying", connection, envoyIsDone, health }, effects: none };
    }
    case "relaying":
      return { state, effects: none };
    case "cached":
      return { state, effects: [{ kind: "resubscribe" }] };
  }
}

function cacheRead(state: StreamState, answers: CachedAnswers | undefined): StreamStep {
  if (state.kind !== "waiting") return { state, effects: none };
  if (answers === undefined) return { state: { ...state, cacheIsUseless: true }, effects: none };
  const { asked, connection, envoyIsDone, health } = state;
  const [first] = asked;
  return {
    state: { kind: "cached", answers, first, toAnswer: asked, connection, envoyIsDone, health },
    effects: first === undefined ? none : [{ kind: "answer", request: first, answers }],
  };
}

function answered(state: StreamState): StreamStep {
  if (state.kind !== "cached") return { state, effects: none };
  const { answers } = state;
  const toAnswer = state.toAnswer.slice(1);
  const [request] = toAnswer;
  return {
    state: { ...state, toAnswer },
    effects: request === undefined ? none : [{ kind: "answer", request, answers }],
  };
}
