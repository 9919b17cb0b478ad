/** F5: a certificate that is not there when the newcomer would need it. */
import assert from "node:assert/strict";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { directResponseListener, grpcCluster, grpcSource, tlsFromSds } from "../envoy-config.ts";
import { eventually } from "../eventually.ts";
import { freePorts } from "../free-ports.ts";
import { silentServer } from "../silent-server.ts";
import { TestMesh } from "../mesh.ts";
import type { StandaloneBootstrap } from "../standalone-sidecar.ts";
import { assertSwapsHot } from "./newcomers.ts";
import { type FailureFigures, Subject } from "./subject.ts";

/** A TLS listener whose certificate nobody sends, beside the one that the load goes to. */
function withTlsListener(trafficPort: number, tlsPort: number, silentPort: number): StandaloneBootstrap {
  return {
    listeners: [
      directResponseListener({ port: trafficPort }),
      directResponseListener({
        port: tlsPort,
        name: "tls",
        transportSocket: tlsFromSds(grpcSource("silent", "1s")),
      }),
    ],
    clusters: [grpcCluster("silent", silentPort)],
  };
}

/** The agent has no certificate itself: nothing is started that would need one. */
export async function secretIsMissing(): Promise<FailureFigures> {
  await using subject = await Subject.start();
  await using silent = await silentServer();
  const { sidecar } = subject;
  const [tlsPort = 0] = await freePorts(1);
  sidecar.write(withTlsListener(sidecar.trafficPort, tlsPort, silent.port));
  const reload = sidecar.reload();
  await eventually(
    "a swap that waits",
    async () => {
      const { envoy } = await sidecar.report();
      assert.match(envoy.swapWaitsFor ?? "", /no workload certificate/);
    },
    { withinMs: 3_000 },
  );
  await sleep(1_000);
  assert.equal((await sidecar.report()).envoy.generation, 1);
  await assertSwapsHot(subject);
  assert.equal((await reload).report.result, "superseded");
  return await subject.figures(0);
}

/** The agent has one, and the newcomer's source of certificates is another that is silent. */
export async function secretNeverComes(): Promise<FailureFigures> {
  await using mesh = await TestMesh.start({});
  await using subject = await Subject.start({
    flags: ["--swapProofTimeout", "500ms", "--swapTimeout", "4s"],
    env: { CA_ADDR: `localhost:${mesh.controlPlanePorts.tls}`, SERVICE_ACCOUNT: "alone" },
    files: {
      "var/run/secrets/tokens/istio-token": await mesh.token("alone"),
      "var/run/secrets/istio/root-cert.pem": mesh.rootPem,
    },
  });
  await using silent = await silentServer();
  const { sidecar } = subject;
  await eventually("a certificate", async () => assert.ok((await sidecar.report()).identity.notAfter), {
    withinMs: 10_000,
  });
  const [tlsPort = 0] = await freePorts(1);
  const { report } = await sidecar.swap(withTlsListener(sidecar.trafficPort, tlsPort, silent.port));
  const refusedAt = performance.now();
  assert.ok(report.result === "refused" && report.stage === "proof", JSON.stringify(report));
  assert.match(report.reason, /workload|init_fetch_timeout|tls/);
  const healMs = await subject.healed(2, refusedAt);
  assert.ok((await sidecar.report()).envoy.refused !== undefined);
  await assertSwapsHot(subject);
  return await subject.figures(healMs);
}
