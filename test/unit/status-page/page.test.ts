import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { html } from "../../../src/status-page/html.ts";
import { documentHeaders } from "../../../src/status-page/document.ts";
import { renderPage, sectionsOf } from "../../../src/status-page/page.ts";
import type { PageView, ShownExchange } from "../../../src/status-page/view.ts";

const now = new Date("2026-01-01T12:00:00.000Z");

const view: PageView = {
  node: "sidecar~10.0.0.1~web-1.demo~demo.svc.cluster.local",
  now,
  report: {
    ready: true,
    agent: { pid: 1, runsEnvoy: true },
    identity: {},
    xds: { state: "connected", address: "istiod:15012" },
    envoy: { state: "live", generation: 1, pid: 33, version: "1.40.0", restarts: 0 },
  },
  exchanges: [],
  log: [],
  processes: [],
};

function part(id: string, changes: Partial<PageView>): string {
  const body = sectionsOf({ ...view, ...changes }).find((section) => section.id === id)?.body.text ?? "";
  return body
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}

describe("markup", () => {
  test("escapes whatever is put into it, and leaves markup as it is", () => {
    const inner = html`<b>${"<script>alert('1')</script>"}</b>`;
    assert.equal(
      html`<p title="${'"x"'}">${inner}${[1, " & ", undefined]}</p>`.text,
      '<p title="&quot;x&quot;"><b>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</b>1 &amp; </p>',
    );
  });
});

describe("the status page", () => {
  test("holds no markup that came from outside", () => {
    const hostile = "<img src=x onerror=alert(1)>";
    const page = renderPage({
      ...view,
      node: hostile,
      report: {
        ...view.report,
        ready: false,
        reason: hostile,
        identity: { problem: hostile, spiffeId: hostile },
      },
      exchanges: [
        {
          ...{
            number: 1,
            at: now.toISOString(),
            typeUrl: hostile,
            source: hostile,
            version: hostile,
            resources: 1,
          },
          ...{ bytes: 1, outcome: "nacked", error: hostile },
        },
      ],
      log: [
        {
          at: now.toISOString(),
          level: "warn",
          scope: hostile,
          message: hostile,
          fields: { [hostile]: hostile },
        },
      ],
    });
    assert.doesNotMatch(page, /<img/);
    assert.match(page, /&lt;img/);
  });

  test("has exactly the style and the script that its policy names", () => {
    const page = renderPage(view);
    for (const name of ["style", "script"]) {
      const [, text = ""] = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(page) ?? [];
      const digest = createHash("sha256").update(text).digest("base64");
      assert.ok(documentHeaders["content-security-policy"]?.includes(`${name}-src 'sha256-${digest}'`), name);
    }
    assert.doesNotMatch(page, / style="| on\w+="/);
  });

  test("says first why the sidecar does not serve, and what is odd", () => {
    const report = { ...view.report, ready: false, reason: "no route" };
    assert.match(part("summary", { report }), /Not ready no route/);
    const envoy = { state: "live", restarts: 0, swapWaitsFor: "the old Envoy's end" };
    assert.match(
      part("summary", { report: { ...view.report, envoy } }),
      /A swap waits for the old Envoy&#39;s end/,
    );
  });

  test("draws each generation with its phases and its end", () => {
    const generations = [
      {
        generation: 1,
        pid: 30,
        startedAt: "2026-01-01T11:50:00.000Z",
        phases: [
          { kind: "starting", at: "2026-01-01T11:50:00.000Z" },
          { kind: "serving", at: "2026-01-01T11:51:00.000Z" },
        ],
        end: { at: "2026-01-01T11:55:00.000Z", reason: "signal", message: "killed by SIGKILL" },
      },
      {
        generation: 2,
        pid: 31,
        startedAt: "2026-01-01T11:55:00.000Z",
        phases: [{ kind: "serving", at: "2026-01-01T11:55:00.000Z" }],
      },
    ];
    const report = { ...view.report, envoy: { state: "live", restarts: 1, generations } };
    const body = sectionsOf({ ...view, report }).find(({ id }) => id === "envoy")?.body.text ?? "";
    const bars = [...body.matchAll(/class="phase (\w+)"\s+x="(\d+)"\s+y="\d+"\s+width="(\d+)"/g)];
    // 600 units, of which 44 are for labels, are ten minutes.
    assert.deepEqual(
      bars.map(([, kind, x, width]) => [kind, Number(x), Number(width)]),
      [
        ["starting", 44, 56],
        ["serving", 100, 222],
        ["serving", 322, 278],
      ],
    );
    assert.match(body, /aria-label="Time line: generation 1 ended, signal; generation 2 serving"/);
    assert.match(part("envoy", { report }), /killed by SIGKILL \( ?5 min ago ?\)/);
  });

  test("tells who holds a drain up", () => {
    const held = { state: "draining", restarts: 0, drainHeldUpBy: { "0.0.0.0_15006": 3 } };
    assert.match(
      part("envoy", { report: { ...view.report, envoy: held } }),
      /open connections 0\.0\.0\.0_15006: 3/,
    );
    const free = { ...held, drainHeldUpBy: {} };
    assert.match(part("envoy", { report: { ...view.report, envoy: free } }), /nothing holds the drain up/);
  });

  test("shows the newest answer of each type and the last NACKs with their reasons", () => {
    const exchange: ShownExchange = {
      ...{
        number: 1,
        at: "2026-01-01T11:59:50.000Z",
        source: "control plane",
        version: "v1",
        resources: 3,
        bytes: 9,
      },
      ...{
        typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        outcome: "acked" as const,
        latencyMs: 2.5,
      },
    };
    const text = part("control-plane", {
      exchanges: [{ ...exchange, outcome: "nacked", error: "no such field" }, exchange],
    });
    assert.match(text, /Cluster ✔ ACKED 2\.5 ms 3, 9 bytes 10 s ago/);
    assert.match(text, /Last NACKs .* no such field/);
  });
});
