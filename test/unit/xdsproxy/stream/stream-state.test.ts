import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { delta } from "../../../../src/xds/protocol.ts";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { CachedAnswers } from "../../../../src/xdsproxy/cache/cached-answers.ts";
import type { HealthReport } from "../../../../src/xdsproxy/stream/health-report.ts";
import {
  type EnvoyRequest,
  opened,
  streamAfter,
  type StreamEffect,
  type StreamEvent,
  type StreamState,
} from "../../../../src/xdsproxy/stream/stream-state.ts";

const answers = new CachedAnswers(delta, new Map());
const healthy: HealthReport = { kind: "healthy" };
const unhealthy: HealthReport = { kind: "unhealthy", reason: "503" };

function asks(type: string, text: string = type): EnvoyRequest {
  return { message: Buffer.from(text), typeUrl: type };
}

/** Every effect of a series of events, in words, and the last state. */
function play(...events: readonly StreamEvent[]): { readonly state: StreamState; readonly said: string[] } {
  let state = opened;
  const said: string[] = [];
  for (const event of events) {
    const step = streamAfter(state, event);
    state = step.state;
    said.push(...step.effects.map(inWords));
  }
  return { state, said };
}

function inWords(effect: StreamEffect): string {
  switch (effect.kind) {
    case "ask":
    case "answer":
      return `${effect.kind} ${effect.request.message.toString().replace(/^.*\./, "")}`;
    case "tell health":
      return effect.health.kind;
    default:
      return effect.kind;
  }
}

const clusters: StreamEvent = { kind: "requested", request: asks(typeUrl.cluster) };
const listeners: StreamEvent = { kind: "requested", request: asks(typeUrl.listener) };
const dialled: StreamEvent = { kind: "dialled" };
const disconnected: StreamEvent = { kind: "disconnected" };
const responded: StreamEvent = { kind: "responded" };
const answered: StreamEvent = { kind: "answered" };
const cacheRead: StreamEvent = { kind: "cache read", answers };
const done: StreamEvent = { kind: "envoy done", isBroken: false };
const broken: StreamEvent = { kind: "envoy done", isBroken: true };
const health = (report: HealthReport | undefined): StreamEvent => ({ kind: "health", health: report });

describe("a stream", () => {
  const cases: readonly (readonly [
    name: string,
    events: readonly StreamEvent[],
    kind: StreamState["kind"],
    said: readonly string[],
  ])[] = [
    ["waits without a connection", [clusters], "waiting", []],
    ["asks what waits once it is connected", [clusters, dialled], "waiting", ["ask Cluster"]],
    [
      "asks on every connection until one answers",
      [dialled, clusters, disconnected, dialled],
      "waiting",
      ["ask Cluster", "ask Cluster"],
    ],
    [
      "subscribes for the agent after the first request for listeners, once on each connection",
      [dialled, clusters, listeners, listeners, disconnected, dialled],
      "waiting",
      [
        ...["ask Cluster", "ask Listener", "subscribe", "ask Listener"],
        ...["ask Cluster", "ask Listener", "subscribe", "ask Listener"],
      ],
    ],
    [
      "relays from the first response on, and asks nothing again",
      [clusters, dialled, responded, listeners],
      "relaying",
      ["ask Cluster", "ask Listener", "subscribe"],
    ],
    [
      "says nothing of health before it has subscribed",
      [health(healthy), dialled, clusters],
      "waiting",
      ["ask Cluster"],
    ],
    [
      "tells health after the agent's subscriptions, and each change once",
      [dialled, health(healthy), listeners, health(healthy), health(unhealthy)],
      "waiting",
      ["ask Listener", "subscribe", "healthy", "unhealthy"],
    ],
    [
      "tells health anew on another connection",
      [health(healthy), dialled, listeners, disconnected, dialled],
      "waiting",
      ["ask Listener", "subscribe", "healthy", "ask Listener", "subscribe", "healthy"],
    ],
    ["is served from the cache, in order", [clusters, listeners, cacheRead], "cached", ["answer Cluster"]],
    [
      "has one answer after the other",
      [clusters, cacheRead, listeners, answered, answered, clusters],
      "cached",
      ["answer Cluster", "answer Listener", "answer Cluster"],
    ],
    [
      "asks with its first request alone whether the control plane is back",
      [clusters, listeners, cacheRead, dialled, listeners],
      "cached",
      ["answer Cluster", "ask Cluster"],
    ],
    [
      "served before it has asked, tries a connection with what it asks then",
      [cacheRead, dialled, clusters, disconnected, dialled],
      "cached",
      ["answer Cluster", "ask Cluster"],
    ],
    [
      "subscribes anew when the control plane is back",
      [clusters, cacheRead, dialled, responded],
      "cached",
      ["answer Cluster", "ask Cluster", "resubscribe"],
    ],
    [
      "that the control plane answers has no use for the cache",
      [clusters, dialled, responded, cacheRead],
      "relaying",
      ["ask Cluster"],
    ],
    [
      "whose cache is useless waits on",
      [clusters, { kind: "cache read", answers: undefined }, dialled],
      "waiting",
      ["ask Cluster"],
    ],
    ["that is done closes its side alone", [dialled, done], "waiting", ["end connection"]],
    ["that is done is closed on the next connection too", [done, dialled], "waiting", ["end connection"]],
    ["that breaks ends the connection", [dialled, responded, broken], "relaying", ["cancel connection"]],
    [
      "that is done with the cache ends what was only tried",
      [cacheRead, dialled, done],
      "cached",
      ["cancel connection"],
    ],
    [
      "that is done tells no health",
      [dialled, listeners, done, health(healthy)],
      "waiting",
      [...["ask Listener", "subscribe", "end connection"]],
    ],
  ];
  for (const [name, events, kind, said] of cases) {
    test(name, () => {
      const end = play(...events);
      assert.equal(end.state.kind, kind);
      assert.deepEqual(end.said, said);
    });
  }
});

describe("whatever happens to a stream", () => {
  const type = fc.constantFrom(typeUrl.cluster, typeUrl.listener, typeUrl.route);
  interface Played {
    readonly state: StreamState;
    readonly before: StreamState;
    readonly event: StreamEvent;
    readonly effects: readonly StreamEffect[];
  }

  /** Only what can happen: connections end before the next, answers and responses are for what was asked. */
  function possible(state: StreamState, { kind }: StreamEvent): boolean {
    switch (kind) {
      case "dialled":
        return state.connection === undefined && state.kind !== "relaying";
      case "disconnected":
      case "responded":
        return state.connection !== undefined;
      case "answered":
        return state.kind === "cached" && state.toAnswer.length > 0;
      case "requested":
      case "envoy done":
        return !state.envoyIsDone;
      default:
        return true;
    }
  }

  const series = fc
    .array(
      fc.oneof(
        { weight: 8, arbitrary: type.map((of): StreamEvent => ({ kind: "requested", request: asks(of) })) },
        { weight: 10, arbitrary: fc.constantFrom(dialled, disconnected, responded, answered) },
        {
          weight: 4,
          arbitrary: fc.constantFrom(cacheRead, health(healthy), health(unhealthy)),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom<StreamEvent>(done, broken, { kind: "cache read", answers: undefined }),
        },
      ),
      { maxLength: 40 },
    )
    .map((events) => {
      let count = 0;
      let state = opened;
      const played: Played[] = [];
      for (const made of events) {
        if (!possible(state, made)) continue;
        const next: StreamEvent =
          made.kind === "requested"
            ? { kind: "requested", request: asks(made.request.typeUrl, String((count += 1))) }
            : made;
        const step = streamAfter(state, next);
        played.push({ before: state, event: next, ...step });
        state = step.state;
      }
      return played;
    });

  const always = (name: string, holds: (played: readonly Played[]) => void): void => {
    test(name, () => {
      fc.assert(fc.property(series, holds), { numRuns: 3_000 });
    });
  };
  const numbersOf = (effects: readonly StreamEffect[], kind: "ask" | "answer"): number[] =>
    effects.flatMap((effect) => (effect.kind === kind ? [Number(effect.request.message.toString())] : []));

  always("the cache answers every request once, in order, and one at a time", (played) => {
    const asked = played.flatMap(({ event: one }) =>
      one.kind === "requested" ? [Number(one.request.message.toString())] : [],
    );
    const given = played.flatMap(({ effects }) => numbersOf(effects, "answer"));
    const last = played.at(-1)?.state;
    if (last?.kind !== "cached") {
      assert.deepEqual(given, []);
      return;
    }
    const under = last.toAnswer.length;
    assert.deepEqual(given, asked.slice(0, asked.length - Math.max(0, under - 1)));
  });

  always(
    "each connection of a stream that waits has heard everything that Envoy has asked, in order",
    (played) => {
      const asked: number[] = [];
      let heard: number[] = [];
      for (const { state, event: one, effects } of played) {
        if (one.kind === "requested") asked.push(Number(one.request.message.toString()));
        if (one.kind === "dialled") heard = [];
        heard.push(...numbersOf(effects, "ask"));
        if (state.kind === "cached") return;
        if (state.connection !== undefined) assert.deepEqual(heard, asked);
      }
    },
  );

  always("a connection that is tried beside the cache hears the first request and nothing else", (played) => {
    for (const { before, event: one, effects } of played) {
      if (before.kind !== "cached") continue;
      assert.deepEqual(
        numbersOf(effects, "ask"),
        one.kind === "dialled" && before.first !== undefined ? [1] : [],
      );
    }
  });

  always("nothing is said where there is no connection", (played) => {
    for (const { before, event: one, effects } of played) {
      if (before.connection !== undefined || one.kind === "dialled") continue;
      assert.ok(effects.every(({ kind }) => kind === "answer"));
    }
  });

  always("the agent subscribes once on a connection, right after a request for listeners", (played) => {
    let subscriptions = 0;
    for (const { event: one, effects } of played) {
      if (one.kind === "dialled") subscriptions = 0;
      effects.forEach((effect, index) => {
        if (effect.kind !== "subscribe") return;
        subscriptions += 1;
        const before = effects[index - 1];
        assert.ok(before?.kind === "ask" && before.request.typeUrl === typeUrl.listener);
      });
      assert.ok(subscriptions <= 1);
    }
  });

  always("a connection with the agent's subscriptions knows the newest health, told once", (played) => {
    let told: HealthReport | undefined;
    for (const { state, event: one, effects } of played) {
      if (one.kind === "dialled") told = undefined;
      for (const effect of effects) {
        if (effect.kind !== "tell health") continue;
        assert.notEqual(effect.health, told);
        told = effect.health;
      }
      const { connection, envoyIsDone } = state;
      if (connection?.hasSubscribed === true && !envoyIsDone && state.health !== undefined)
        assert.equal(told, state.health);
    }
  });

  always("who answers stays the one who answers, and its end comes when the other one does", (played) => {
    for (const { before, state, event: one, effects } of played) {
      if (before.kind !== "waiting") assert.equal(state.kind, before.kind);
      const isBack = before.kind === "cached" && one.kind === "responded";
      assert.equal(
        effects.some(({ kind }) => kind === "resubscribe"),
        isBack,
      );
    }
  });

  always("Envoy's end reaches a connection once", (played) => {
    let ends = 0;
    for (const { event: one, effects } of played) {
      if (one.kind === "dialled") ends = 0;
      ends += effects.filter(({ kind }) => kind === "end connection" || kind === "cancel connection").length;
      assert.ok(ends <= 1);
    }
    const last = played.at(-1);
    if (last?.state.envoyIsDone === true && last.state.connection !== undefined) assert.equal(ends, 1);
  });
});
