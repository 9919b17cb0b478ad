import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProxyStatus } from "../../../src/ctl/control-plane/control-plane.ts";
import { proxyStatusLines, registryLines } from "../../../src/ctl/proxy-status-lines.ts";
import { goldenText } from "../../support/golden.ts";

const controlPlane = { id: "istiod-7c4-x", version: "1.31.0" };
const synced = { state: "SYNCED", since: "2026-11-30T10:00:00.000Z" } as const;
const none = { state: "NOT SENT" } as const;

const proxies: readonly ProxyStatus[] = [
  {
    name: "api-1.demo",
    cluster: "Kubernetes",
    version: "1.31.0",
    controlPlane,
    types: { CDS: synced, LDS: synced, EDS: synced, RDS: synced, ECDS: none },
  },
  {
    name: "web-1.demo",
    cluster: "",
    version: "",
    controlPlane,
    types: {
      CDS: synced,
      LDS: { state: "ERROR", since: "2026-11-30T10:00:00.000Z", reason: "no such filter" },
      EDS: { state: "STALE", since: "2026-11-30T10:02:30.000Z" },
      RDS: { state: "STALE" },
      ECDS: { state: "UNKNOWN" },
    },
    unhealthy: "probe failed",
  },
];

test("proxy-status is istioctl's table, with what is refused or late below it", (t) => {
  const now = new Date("2026-11-30T10:03:12.000Z");
  goldenText(t, "ctl/proxy-status.txt", `${proxyStatusLines(proxies, now).join("\n")}\n`);
});

test("a registry that does not answer is said, with the age of what is served of it", () => {
  const registries = [
    { name: "kubernetes", isUp: false, ageSeconds: 95 },
    { name: "consul", isUp: true, ageSeconds: 0 },
  ];
  assert.deepEqual(registryLines(registries), [
    "registry kubernetes: does not answer; what it had 1 min 35 s ago is served",
  ]);
});
