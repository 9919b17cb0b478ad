/** The answer of a real Envoy to connections that iptables hands it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type CaptureReport, undeclaredPort } from "../support/captured-pod.ts";
import { inNamespace, whyNoNamespace } from "../support/namespaced-program.ts";

// As Istio's own rules do, all but what Envoy itself sends on to the application.
const redirect = `iptables -t nat -A OUTPUT -p tcp --dport ${undeclaredPort} ! -s 127.0.0.6/32 -j REDIRECT --to-ports 15006`;

test("a port that nothing declares obeys the namespace's mutual TLS mode, and the kubelet probes it in any", async (t) => {
  const obstacle = whyNoNamespace(
    ["--net", "sh", "-c", redirect],
    "needs the privilege to make a network namespace, and iptables(8)",
  );
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return;
  }
  const report = await inNamespace<CaptureReport>({
    namespace: "--net",
    prepare: ["ip link set lo up", redirect],
    program: join(import.meta.dirname, "../support/captured-pod.ts"),
    options: {},
  });
  assert.deepEqual(report, {
    strict: ["closed", "application"],
    permissive: ["application", "application"],
    disabled: ["application"],
    probe: "application",
  } satisfies CaptureReport);
});
