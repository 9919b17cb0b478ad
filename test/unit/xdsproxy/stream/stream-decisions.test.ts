import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { delta } from "../../../../src/xds/protocol.ts";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { CachedAnswers } from "../../../../src/xdsproxy/cache/cached-answers.ts";
import {
  afterConnection,
  type CacheFacts,
  cacheMayHelp,
  isHeldBack,
} from "../../../../src/xdsproxy/stream/stream-decisions.ts";
import { opened, streamAfter, type StreamState } from "../../../../src/xdsproxy/stream/stream-state.ts";

const useful: CacheFacts = { isThere: true, envoyHasListeners: false };
const waiting = opened;
const useless = streamAfter(waiting, { kind: "cache read", answers: undefined }).state;
const answers = new CachedAnswers(delta, new Map());
const cached = streamAfter(waiting, { kind: "cache read", answers }).state;
const relaying = streamAfter(waiting, { kind: "responded" }).state;

describe("cacheMayHelp()", () => {
  const cases: readonly (readonly [string, StreamState, Partial<CacheFacts>, boolean])[] = [
    ["an Envoy that waits, where there is a cache", waiting, {}, true],
    ["no Envoy where there is none", waiting, { isThere: false }, false],
    ["no Envoy that serves already", waiting, { envoyHasListeners: true }, false],
    ["no Envoy whose cache is useless", useless, {}, false],
    ["an Envoy that it serves, whatever became of it since", cached, { isThere: false }, true],
    ["no Envoy that the control plane serves", relaying, {}, false],
  ];
  for (const [name, state, facts, helps] of cases) {
    test(`helps ${name}`, () => {
      assert.equal(cacheMayHelp(state, { ...useful, ...facts }), helps);
    });
  }
});

describe("afterConnection()", () => {
  const cases: readonly (readonly [
    string,
    StreamState,
    boolean,
    boolean,
    ReturnType<typeof afterConnection>,
  ])[] = [
    ["Envoy is kept while the cache may help", waiting, false, false, "dial again"],
    ["Envoy is kept while the cache serves", cached, false, false, "dial again"],
    ["Envoy begins anew when nothing else may help", useless, false, false, "end"],
    ["Envoy begins anew when the control plane had answered", relaying, true, false, "end"],
    ["Envoy begins anew when the control plane is back", cached, true, false, "end"],
    ["nothing is dialled for an Envoy that is gone", cached, false, true, "end"],
  ];
  for (const [name, state, hasAnswered, isOver, next] of cases) {
    test(name, () => {
      assert.equal(afterConnection(state, { hasAnswered }, useful, isOver), next);
    });
  }
});

test("isHeldBack() keeps listeners, and listeners alone, from an Envoy that is held", () => {
  for (const type of Object.values(typeUrl)) {
    assert.equal(isHeldBack(type, true), type === typeUrl.listener);
    assert.equal(isHeldBack(type, false), false);
  }
});
