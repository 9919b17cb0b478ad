/** Incidents of the control plane, and of the way to it. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestCa } from "../support/ca.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import type { SidecarChanges, TestMesh } from "../support/mesh.ts";
import { ScriptedControlPlane } from "../support/scripted-control-plane.ts";
import { validity } from "../support/test-pki.ts";
import { scriptedServices } from "../support/xds-resources.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { Incident } from "./incident.ts";
import { emptyMesh, oneSidecar } from "./settings.ts";

async function kill(mesh: TestMesh): Promise<void> {
  mesh.controlPlane.kill("SIGKILL");
  await mesh.controlPlane.exited;
}

/** With all that is kept for a restart, names of the mesh among it. */
async function keeping(): Promise<SidecarChanges> {
  const [port = 0] = await freePorts(1);
  return {
    flags: ["--identityCache=./identity", "--identityCacheOnDisk"],
    env: { ISTIO_META_DNS_CAPTURE: "true", DNS_PROXY_ADDR: `127.0.0.1:${port}` },
  };
}

/** A sidecar whose discovery server is scripted, and whose CA is the mesh's. */
async function scripted(stack: AsyncDisposableStack): Promise<{
  readonly plane: ScriptedControlPlane;
  readonly mesh: TestMesh;
  readonly port: number;
  readonly appPort: number;
}> {
  const mesh = await emptyMesh(stack);
  const plane = stack.use(await ScriptedControlPlane.listen({}));
  const [port = 0] = await freePorts(1);
  const app = stack.use(await startApp("api"));
  return { plane, mesh, port, appPort: app.port };
}

function on(plane: ScriptedControlPlane, mesh: TestMesh): object {
  return {
    env: { CA_ADDR: `localhost:${mesh.controlPlanePorts.tls}` },
    proxyConfig: { discoveryAddress: plane.address, controlPlaneAuthPolicy: "NONE" },
  };
}

export const controlPlaneIncidents: readonly Incident[] = [
  {
    name: "control plane down, a fresh pod",
    signs: {
      status: /NOT READY.*discovery server.*cannot be reached/,
      log: /no connection to the discovery server/,
      metric: /^outrider_problem_seconds\{.*cause="discovery-unreachable"/,
      doctor: /^✖ discovery .*cannot be reached/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      await kill(mesh);
      return oneSidecar(mesh, {
        breakIt: (start) => start(),
        mend: () => mesh.restartControlPlane(),
      });
    },
  },
  {
    name: "control plane down, a restarted sidecar",
    signs: {
      status: /^problem .*xds-stale.*from the cache/,
      log: /Envoy is served from the cache/,
      metric: /^outrider_problem_seconds\{.*cause="xds-stale"/,
      doctor: /^▲ xds-stale .*from the cache/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const options = await keeping();
      const first = await mesh.sidecar("web", options);
      await first.ready();
      // Written a moment after it was acknowledged.
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      first.agent.kill("SIGTERM");
      await first.agent.exited;
      await kill(mesh);
      return oneSidecar(mesh, {
        breakIt: (start) => start(options),
        mend: () => mesh.restartControlPlane(),
      });
    },
  },
  {
    name: "control plane down later",
    signs: {
      status: /^problem .*discovery-unreachable.*cannot be reached/,
      log: /no connection to the discovery server.*cannot be reached/,
      metric: /^outrider_problem_seconds\{.*cause="discovery-unreachable"/,
      doctor: /^✖ discovery .*cannot be reached/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const sidecar = await mesh.sidecar("web");
      await sidecar.ready();
      return {
        sidecar: () => sidecar,
        breakIt: () => kill(mesh),
        mend: () => mesh.restartControlPlane(),
      };
    },
  },
  {
    name: "hanging control plane",
    signs: {
      status: /^problem .*discovery-silent.*has not answered/,
      log: /a problem has come up.*cause=discovery-silent/,
      metric: /^outrider_problem_seconds\{.*cause="discovery-silent"/,
      doctor: /^✖ discovery .*did not answer within/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      mesh.controlPlane.kill("SIGSTOP");
      stack.defer(() => {
        mesh.controlPlane.kill("SIGCONT");
      });
      return oneSidecar(mesh, {
        breakIt: (start) => start(),
        mend: async () => {
          mesh.controlPlane.kill("SIGCONT");
        },
      });
    },
  },
  {
    name: "DNS failing",
    signs: {
      status: /NOT READY.*istiod\.nowhere\.test.*cannot be looked up.*resolv\.conf/,
      log: /no connection to the discovery server.*cannot be looked up/,
      metric: /^outrider_problem_seconds\{.*cause="discovery-unresolved"/,
      doctor: /^✖ dns .*istiod\.nowhere\.test is not resolved/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const folder = stack.use(temporaryFolder()).path;
      const [resolv, hosts] = [join(folder, "resolv.conf"), join(folder, "hosts")];
      writeFileSync(resolv, "nameserver 127.77.0.99\noptions timeout:1 attempts:1\n");
      writeFileSync(hosts, "127.0.0.1 localhost\n");
      execFileSync("mount", ["--bind", resolv, "/etc/resolv.conf"]);
      execFileSync("mount", ["--bind", hosts, "/etc/hosts"]);
      stack.defer(() => {
        for (const path of ["/etc/hosts", "/etc/resolv.conf"]) execFileSync("umount", ["--lazy", path]);
      });
      return oneSidecar(mesh, {
        breakIt: (start) =>
          start({
            env: { ISTIOD_SAN: "localhost" },
            proxyConfig: { discoveryAddress: `istiod.nowhere.test:${mesh.controlPlanePorts.tls}` },
          }),
        mend: async () => {
          writeFileSync(hosts, "127.0.0.1 localhost istiod.nowhere.test\n");
        },
      });
    },
  },
  {
    name: "clock skew",
    signs: {
      status: /^problem .*clock-skew.*behind the CA's/,
      log: /code=CERTIFICATE_NOT_YET_VALID.*clock is at least/,
      metric: /^istio_agent_ca_clock_skew_seconds(?:\{.*\})? -\d{3}/,
      doctor: /^▲ clock-skew .*behind the CA's/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const ca = stack.use(await TestCa.listen());
      const right = ca.answer;
      ca.answer = ca.issuing(() => validity(900_000, 3_600_000));
      const root = join(stack.use(temporaryFolder()).path, "root.pem");
      writeFileSync(root, ca.pki.rootPem);
      return oneSidecar(mesh, {
        breakIt: (start) => start({ plainDiscovery: true, env: { CA_ADDR: ca.address, CA_ROOT_CA: root } }),
        mend: async () => {
          ca.answer = right;
        },
      });
    },
  },
  {
    name: "NACK",
    signs: {
      status: /^problem .*xds-refused.*Envoy refuses RouteConfiguration "a"/,
      log: /Envoy refused configuration.*resource=a/,
      metric: /^istio_agent_xds_refused_resources\{.*RouteConfiguration.*\} 1/,
      doctor: /^▲ refused-configuration .*RouteConfiguration "a"/,
    },
    open: async (stack) => {
      const { plane, mesh, port, appPort } = await scripted(stack);
      const one = { name: "a", port, appPort };
      plane.push(scriptedServices([one]));
      const sidecar = await mesh.sidecar("web", on(plane, mesh));
      await sidecar.ready();
      return {
        sidecar: () => sidecar,
        breakIt: async () => {
          plane.push(scriptedServices([{ ...one, bad: ["route"], version: "2" }]));
        },
        mend: async () => {
          plane.push(scriptedServices([{ ...one, version: "3" }]));
        },
      };
    },
  },
  {
    name: "slow readiness",
    signs: {
      status: /NOT READY.*configuration is not complete/,
      log: /Envoy proxy is NOT ready.*configuration is not complete/,
      metric: /^outrider_problem_seconds\{.*cause="not-ready-configuration"/,
      doctor: /^✖ readiness .*configuration is not complete/,
    },
    open: async (stack) => {
      const { plane, mesh, port, appPort } = await scripted(stack);
      const all = scriptedServices([{ name: "a", port, appPort }]);
      const [cluster = ""] = Object.keys(all).filter((type) => type.endsWith("Cluster"));
      plane.push({ [cluster]: all[cluster] ?? {} });
      return oneSidecar(mesh, {
        breakIt: (start) => start(on(plane, mesh)),
        mend: async () => {
          plane.push(all);
        },
      });
    },
  },
];
