/** What the API server is answered about a pod that is being made. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  injectionPlace,
  injectionReviewed,
} from "../../../../src/controlplane/admission/injection-review.ts";
import { settingsOf } from "../../../support/injection.ts";

const counted: string[] = [];
const state = {
  settings: settingsOf(),
  hasNativeSidecars: false,
  count: (outcome: string) => counted.push(outcome),
};
const answer = (object: unknown) =>
  injectionReviewed({ request: { uid: "u1", namespace: "demo", object } }, {}, state)?.response;
const pod = (annotations: object, spec: object = {}): object => ({
  metadata: { name: "web-1", annotations },
  spec: { containers: [{ name: "web", image: "web" }], ...spec },
});

describe("a review of a pod", () => {
  test("has a patch where it gets a sidecar, and none where it is left alone", () => {
    assert.equal(answer(pod({}))?.patchType, "JSONPatch");
    for (const left of [pod({ "sidecar.istio.io/inject": "false" }), pod({}, { hostNetwork: true }), null])
      assert.deepEqual(answer(left), { uid: "u1", allowed: true });
    assert.deepEqual(counted.splice(0), ["injected", "left", "left"]);
  });

  test("refuses with every annotation that is wrong, its value and what to write", () => {
    const response = answer(
      pod({ "sidecar.istio.io/interceptionMode": "X", "status.sidecar.istio.io/port": "http" }),
    );
    assert.equal(response?.allowed, false);
    assert.equal(
      response.status?.message,
      'metadata.annotations.sidecar.istio.io/interceptionMode: is "X": write REDIRECT, TPROXY or NONE; ' +
        'metadata.annotations.status.sidecar.istio.io/port: is "http": write a port',
    );
  });

  test("warns of what is odd", () => {
    assert.match(
      answer(pod({ "sidecar.istio.io/inject": "yes" }))?.warnings?.[0] ?? "",
      /write "true" or "false"/,
    );
  });

  test("refuses what is no pod", () => {
    assert.equal(answer({ spec: { containers: "x" } })?.allowed, false);
    for (const body of [undefined, null, [], {}, { request: { uid: 5 } }])
      assert.equal(injectionReviewed(body, {}, state), undefined);
  });

  test("knows cluster and network by its path", () => {
    assert.deepEqual(injectionPlace("/inject"), {});
    assert.deepEqual(injectionPlace("/inject/net/a--slash--b/cluster/c%20d"), {
      network: "a/b",
      cluster: "c d",
    });
    for (const path of [
      "/",
      "/injected",
      "/inject/cluster",
      "/inject/cluster/",
      "/inject/zone/a",
      "/inject/net/%E0",
    ])
      assert.equal(injectionPlace(path), undefined, path);
  });
});
