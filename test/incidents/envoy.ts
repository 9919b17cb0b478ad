/** Incidents of Envoy and of its peers. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, type SidecarChanges } from "../support/mesh.ts";
import { apiHost, egressWithRaw } from "../support/mesh-objects.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { TestPki, validity } from "../support/test-pki.ts";
import { startWebAndApi } from "../support/web-and-api.ts";
import { type Incident, isReady, isWell } from "./incident.ts";
import { emptyMesh } from "./settings.ts";

/** Files of a certificate that somebody else renews. */
function mounted(folder: string): {
  readonly changes: SidecarChanges;
  readonly take: (issuer: TestPki, account: string, roots: readonly TestPki[]) => Promise<void>;
} {
  const files = { CERT_CHAIN: "tls.crt", KEY: "tls.key", ROOT_CERT: "ca.crt" };
  const env = Object.entries(files).map(([name, file]) => [
    `ISTIO_META_TLS_CLIENT_${name}`,
    join(folder, file),
  ]);
  return {
    changes: { env: { FILE_MOUNTED_CERTS: "true", ...(Object.fromEntries(env) as Record<string, string>) } },
    take: async (issuer, account, roots) => {
      const uri = `spiffe://cluster.local/ns/demo/sa/${account}`;
      const pair = await issuer.serverKeyPair([uri], validity(-60_000, 3_600_000));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, files.ROOT_CERT), roots.map(({ rootPem }) => rootPem).join("\n"));
      writeFileSync(join(folder, files.KEY), pair.privateKeyPem);
      writeFileSync(join(folder, files.CERT_CHAIN), pair.certificatePem);
    },
  };
}

export const envoyIncidents: readonly Incident[] = [
  {
    name: "foreign CA",
    signs: {
      status:
        /^problem .*upstream-untrusted.*outbound\|.*issued by .*this workload is spiffe:.*which did not sign it/,
      log: /a problem has come up.*cause=upstream-untrusted/,
      metric: /^outrider_problem_seconds\{.*cause="upstream-untrusted"/,
      doctor: /^▲ upstream-untrusted .*outbound\|.*issued by/,
    },
    open: async (stack) => {
      const [ours, foreign] = await Promise.all([TestPki.create(), TestPki.create()]);
      const folder = stack.use(temporaryFolder()).path;
      const [web, api] = [mounted(join(folder, "web")), mounted(join(folder, "api"))];
      await web.take(ours, "web", [ours]);
      await api.take(ours, "api", [ours]);
      const mesh = stack.use(await startWebAndApi({ web: web.changes, api: api.changes }));
      // Each call is a handshake of its own.
      const [raw = 0] = await freePorts(1);
      const service = { port: raw, service: "raw", serviceAccount: "api", to: mesh.inboundPort };
      mesh.mesh.write("web.yaml", ...egressWithRaw("web", mesh.outboundPort, service));
      const call = async (): Promise<void> => {
        assert.equal((await get(raw, "/", { host: apiHost })).status, 200);
      };
      await eventually("the second port", call, { withinMs: 30_000 });
      return {
        sidecar: () => mesh.web,
        breakIt: () => api.take(foreign, "api", [ours, foreign]),
        goOn: call,
        mend: () => api.take(ours, "api", [ours]),
        isWell: async () => {
          await call();
          await isWell(mesh.web);
        },
      };
    },
  },
  {
    name: "stopped Envoy",
    signs: {
      status: /NOT READY.*does not answer|^problem .*envoy-hung/,
      log: /ended by the agent because it hung/,
      metric: /^outrider_envoy_hangs_total(?:\{.*\})? 1/,
      doctor: /^▲ envoy-hung .*ended by the agent because it hung/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const sidecar = await mesh.sidecar("web");
      await sidecar.ready();
      const { pid = 0 } = (await sidecar.report()).envoy;
      return {
        sidecar: () => sidecar,
        breakIt: async () => {
          process.kill(pid, "SIGSTOP");
        },
        // The agent puts another one in its place.
        mend: () => Promise.resolve(),
        isWell: () => isReady(sidecar),
      };
    },
  },
  {
    name: "crash loop",
    signs: {
      status: /NOT READY.*(?:died|SIGSEGV|signal|restart)/,
      log: /Envoy died.*SIGSEGV|SIGSEGV/,
      metric: /^outrider_envoy_exits_total\{.*reason="signal".*\} [2-9]/,
      doctor: /^(?:✖ readiness|▲ envoy-signal) .*SIGSEGV/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const sidecar = await mesh.sidecar("web");
      await sidecar.ready();
      const over = new AbortController();
      let deaths = 0;
      const killing = async (): Promise<void> => {
        let last = 0;
        while (!over.signal.aborted && deaths < 9) {
          const { envoy } = await sidecar.report();
          if (envoy.pid !== undefined && envoy.pid !== last) {
            last = envoy.pid;
            process.kill(last, "SIGSEGV");
            deaths += 1;
          }
          await sleep(100);
        }
      };
      let task = Promise.resolve();
      stack.defer(async () => {
        over.abort();
        await task.catch(() => undefined);
      });
      return {
        sidecar: () => sidecar,
        breakIt: async () => {
          task = killing();
        },
        mend: async () => {
          over.abort();
          await task;
        },
        isWell: () => isReady(sidecar),
      };
    },
  },
  {
    name: "lost admin socket",
    signs: {
      status: /^problem .*socket-removed.*admin/,
      log: /socket was removed by somebody/,
      metric: /^outrider_sockets_removed_total(?:\{.*\})? 1/,
      doctor: /^▲ socket-removed .*admin/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const sidecar = await mesh.sidecar("web");
      await sidecar.ready();
      // The agent takes hold of its sockets at its first look at them.
      await sleep(5_000);
      return {
        sidecar: () => sidecar,
        breakIt: async () => {
          rmSync(join(sidecar.folder, "etc/istio/proxy/generations/1/admin.sock"));
        },
        // The agent gives it back its name.
        mend: () => Promise.resolve(),
        isWell: async () => {
          assert.equal((await get(sidecar.ports.admin, "/server_info")).status, 200);
          assert.equal((await sidecar.report()).ready, true);
        },
      };
    },
  },
];
