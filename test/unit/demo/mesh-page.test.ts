import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { meshSections, renderMeshPage } from "../../../src/demo/mesh-page.ts";
import { type PortName, portNames, type Ports } from "../../../src/demo/ports.ts";
import { type MeshState, noRequests, requestRate, withRequest } from "../../../src/demo/state.ts";

const ports = Object.fromEntries(portNames.map((name, index) => [name, 9_000 + index] as const)) as Ports;

const caller = "spiffe://cluster.local/ns/demo/sa/web";

function state(changes: Partial<MeshState> = {}): MeshState {
  const result = { kind: "answered", status: 200, durationMs: 4, answer: { app: "api", caller } } as const;
  return {
    controlPlane: { address: "127.0.0.1:15012", problems: [] },
    sidecars: [
      { name: "web", pid: 7, exit: undefined, report: undefined, lastProblem: undefined },
      { name: "api", pid: 8, exit: "exited with code 1", report: undefined, lastProblem: undefined },
    ],
    requests: withRequest(withRequest(noRequests, result, 1_000), result, 1_500),
    ...changes,
  };
}

function part(id: string, changes: Partial<MeshState> = {}): string {
  const context = { ports, configFolder: "/tmp/mesh", now: new Date() };
  const body = meshSections(state(changes), context).find((section) => section.id === id)?.body.text ?? "";
  return body.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
}

function portOf(name: PortName): number {
  return ports[name];
}

describe("the page of the demo mesh", () => {
  test("says who calls whom over which identity, how often and with what result", () => {
    assert.match(
      part("calls"),
      new RegExp(`✔ Calls .* web api ${caller} 2\\.0 2 0 4\\.0 ms 4\\.0 ms 200 from api`),
    );
  });

  test("leads to each sidecar's page, and tells one that has ended", () => {
    assert.match(part("web"), new RegExp(`http://127\\.0\\.0\\.1:${portOf("web.status")}/`));
    assert.match(part("api"), /✖ api .* problem exited with code 1/);
  });

  test("lists what the control plane refuses, as text", () => {
    const hostile = "<b>mesh.yaml:3</b>";
    const controlPlane = { address: "127.0.0.1:15012", problems: [hostile] };
    assert.match(
      part("control-plane", { controlPlane }),
      /✖ Control plane .* &lt;b&gt;mesh\.yaml:3&lt;\/b&gt;/,
    );
    const page = renderMeshPage(state({ controlPlane }), {
      ports,
      configFolder: "/tmp/mesh",
      now: new Date(),
    });
    assert.ok(!page.includes(hostile));
  });
});

test("the rate of requests is that of the newest ones", () => {
  const failed = { kind: "failed", durationMs: 1, reason: "no" } as const;
  assert.equal(requestRate(noRequests), 0);
  assert.equal(requestRate(withRequest(noRequests, failed, 10)), 0);
  let requests = noRequests;
  for (let second = 0; second <= 300; second += 1) requests = withRequest(requests, failed, second * 250);
  assert.equal(requestRate(requests), 4);
});
