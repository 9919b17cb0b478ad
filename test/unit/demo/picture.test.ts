import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sharesOf } from "../../../src/demo/calls.ts";
import { describeChanges } from "../../../src/demo/changes.ts";
import { drawMesh, mostScrolled, type PictureContext } from "../../../src/demo/picture.ts";
import {
  type MeshState,
  noRequests,
  problemLine,
  type SidecarState,
  withRequest,
} from "../../../src/demo/state.ts";
import type { RequestResult } from "../../../src/demo/demo-app.ts";

const caller = "spiffe://cluster.local/ns/demo/sa/web";
const now = new Date("2026-11-30T12:00:00Z");
const problem = `refused /tmp/outrider-Ab12Cd/mesh/web.yaml:12: spec.http[0].route[0].weight: ${"must be a number ".repeat(12)}END`;

function answered(status: number, app = "api"): RequestResult {
  return { kind: "answered", status, durationMs: 4, answer: status === 200 ? { app, caller } : undefined };
}

function sidecar(name: "web" | "api", lastExit?: string): SidecarState {
  const report = {
    ready: true,
    identity: { spiffeId: caller, notAfter: "2026-12-01T11:59:00Z" },
    xds: { state: "connected", address: "localhost:15012" },
    envoy: {
      state: "live",
      pid: 70_001,
      restarts: lastExit === undefined ? 0 : 1,
      version: "1.40.0",
      ...(lastExit === undefined
        ? {}
        : { lastExit: { generation: 1, reason: "signal", message: lastExit, at: "2026-11-30T11:59:59Z" } }),
    },
  } as unknown as NonNullable<SidecarState["report"]>;
  return { name, pid: 70_000, exit: undefined, report, lastProblem: undefined };
}

const state: MeshState = {
  controlPlane: { address: "127.0.0.1:15012", problems: [problem] },
  sidecars: [sidecar("web"), sidecar("api")],
  requests: withRequest(withRequest(noRequests, answered(200), 1_000), answered(403), 2_000),
};

function around(changes: Partial<PictureContext> = {}): PictureContext {
  return {
    columns: 80,
    rows: 23,
    colour: false,
    now,
    configFolder: "/tmp/outrider-Ab12Cd/mesh",
    logFolder: "/tmp/outrider-Ab12Cd",
    pages: ["http://127.0.0.1:10001/", "http://127.0.0.1:10002/", "http://127.0.0.1:10003/"],
    calls: [
      { from: "web", to: "api", outcome: "no (403)" },
      { from: "plain text", to: "api", outcome: "no (reset)" },
    ],
    events: Array.from({ length: 40 }, (_, index) => ({ at: now, text: `event ${index}.` })),
    scrolled: 0,
    ...changes,
  };
}

describe("the picture of the demo mesh", () => {
  for (const [columns, rows] of [
    [80, 24],
    [120, 40],
    [200, 50],
    [40, 12],
    [1, 1],
  ] as const) {
    test(`fits on ${columns} × ${rows}, whatever it has to say`, () => {
      const lines = drawMesh(state, around({ columns, rows: rows - 1 || 1 }));
      assert.ok(lines.length <= (rows - 1 || 1), `${lines.length} lines`);
      for (const line of lines) assert.ok(line.length <= columns, line);
    });
  }

  test("on 80 × 24 says how to go on first, then what is, then what happened and what is wrong, in full", () => {
    const lines = drawMesh(state, around());
    assert.deepEqual(lines.slice(1, 4), [
      "Ctrl-C stops everything. Edit /tmp/outrider-Ab12Cd/mesh and watch",
      "Pages http://127.0.0.1:10001/ http://127.0.0.1:10002/ http://127.0.0.1:10003/",
      "Logs /tmp/outrider-Ab12Cd",
    ]);
    const text = lines.join("\n");
    assert.match(text, /^○ control plane 127\.0\.0\.1:15012$/m);
    assert.match(text, /^● web {2}Envoy live \(pid 70001, 1\.40\.0\), restarts 0, agent pid 70000$/m);
    assert.match(text, /^ {2}measured {2}of the last 2: 50 % 200 api, 50 % 403$/m);
    assert.match(text, /^ {2}who may {3}web→api no \(403\), plain text→api no \(reset\)$/m);
    assert.match(text, /^What happened \(\d+ more lines: ↑ ↓\)$/m);
    assert.match(lines.at(-1) ?? "", /END$/, "the end of the problem is the end of the list");
  });

  test("is scrolled to every line of the list, and no further", () => {
    const most = mostScrolled(state, around());
    const seen = Array.from({ length: most + 1 }, (_, scrolled) =>
      drawMesh(state, around({ scrolled })),
    ).flat();
    for (const { text } of around().events)
      assert.ok(
        seen.some((line) => line.endsWith(text)),
        text,
      );
    assert.ok(seen.some((line) => line.includes("now: refused /tmp/outrider-Ab12Cd/mesh/web.yaml:12")));
    assert.deepEqual(
      drawMesh(state, around({ scrolled: most + 100 })),
      drawMesh(state, around({ scrolled: most })),
    );
  });

  test("has colours where they are wanted, and no escape elsewhere", () => {
    assert.ok(
      drawMesh(state, around({ colour: true })).some((line) => line.includes("\u001B[33m○ control plane")),
    );
    assert.ok(drawMesh(state, around()).every((line) => !line.includes("\u001B")));
  });
});

test("the reason of Envoy's end is an event, also where it was started again between two looks", () => {
  const before = { ...state, sidecars: [sidecar("web")] };
  const after = { ...state, sidecars: [sidecar("web", "killed by SIGKILL: by hand")] };
  assert.deepEqual(describeChanges(before, after), [
    "web: Envoy ended: killed by SIGKILL: by hand",
    "web: Envoy live (pid 70001, 1.40.0), restarts 1",
  ]);
});

test("shares are those of what was answered, the largest first", () => {
  const failed = { kind: "failed", durationMs: 1, reason: "ECONNRESET" } as const;
  assert.deepEqual(sharesOf([answered(200), answered(200, "api-v2"), answered(200), failed]), [
    "50 % 200 api",
    "25 % 200 api-v2",
    "25 % failed",
  ]);
  assert.deepEqual(sharesOf([]), []);
});

test("a warning of the configuration is not called refused: its object is served", () => {
  const at = { source: "mesh/vs.yaml", line: 3, path: "spec.hosts[0]", message: "is nowhere" };
  assert.equal(problemLine(at), "refused mesh/vs.yaml:3: spec.hosts[0]: is nowhere");
  assert.equal(
    problemLine({ ...at, severity: "warning" }),
    "served, but mesh/vs.yaml:3: spec.hosts[0]: is nowhere",
  );
});
