/** Incidents of what the workload was given: roots, tokens, settings, ports. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { freePorts } from "../support/free-ports.ts";
import { mutualTls } from "../support/mesh-objects.ts";
import { type SidecarChanges, TestMesh, type TestSidecar } from "../support/mesh.ts";
import { TestPki } from "../support/test-pki.ts";
import { rootPath, tokenPath } from "../support/workload.ts";
import type { Incident, Scene } from "./incident.ts";

/** A mesh with nothing but its control plane. */
export async function emptyMesh(stack: AsyncDisposableStack): Promise<TestMesh> {
  return stack.use(await TestMesh.start({ "mtls.yaml": [mutualTls("STRICT")] }));
}

/** A scene of one sidecar, which is started anew for as long as something with it is to change. */
export function oneSidecar(
  mesh: TestMesh,
  parts: Omit<Scene, "sidecar" | "breakIt" | "mend"> & {
    readonly first?: SidecarChanges;
    readonly breakIt: (start: (changes?: SidecarChanges) => Promise<void>) => Promise<unknown>;
    readonly mend: (
      start: (changes?: SidecarChanges) => Promise<void>,
      sidecar: TestSidecar,
    ) => Promise<unknown>;
  },
): Scene {
  let current: TestSidecar | undefined;
  const sidecar = (): TestSidecar => {
    if (current === undefined) throw new Error("no sidecar has been started");
    return current;
  };
  const start = async (changes: SidecarChanges = {}): Promise<void> => {
    if (current !== undefined) {
      current.agent.kill("SIGTERM");
      await current.agent.exited;
    }
    current = await mesh.sidecar("web", changes);
  };
  return {
    ...parts,
    sidecar,
    breakIt: () => parts.breakIt(start),
    mend: () => parts.mend(start, sidecar()),
  };
}

export function writeTo({ folder }: TestSidecar, path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

export const settingsIncidents: readonly Incident[] = [
  {
    name: "wrong root",
    signs: {
      status: /NOT READY.*is not trusted by the root/,
      log: /no new workload certificate.*code=CA_UNTRUSTED/,
      metric: /^outrider_problem_seconds\{.*cause="identity-ca-untrusted"/,
      doctor: /^✖ readiness .*is not trusted by the root|✖ readiness.*no configuration/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const { rootPem } = await TestPki.create();
      return oneSidecar(mesh, {
        breakIt: (start) => start({ rootPem }),
        mend: async (_, sidecar) => {
          writeTo(sidecar, rootPath, mesh.rootPem);
        },
      });
    },
  },
  {
    name: "expired token",
    signs: {
      status: /NOT READY.*expired at/,
      log: /no new workload certificate.*code=TOKEN_EXPIRED/,
      metric: /^outrider_problem_seconds\{.*cause="identity-token-expired"/,
      doctor: /^✖ token .*expired/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const token = await mesh.token("web", { lifetimeMs: -60_000 });
      return oneSidecar(mesh, {
        breakIt: (start) => start({ token }),
        mend: async (_, sidecar) => {
          writeTo(sidecar, tokenPath, await mesh.token("web"));
        },
      });
    },
  },
  {
    // Everybody's back-off has grown by then.
    name: "expired token, mended after 40 s",
    signs: { status: /NOT READY.*expired at/ },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const token = await mesh.token("web", { lifetimeMs: -60_000 });
      let current: TestSidecar | undefined;
      return oneSidecar(mesh, {
        breakIt: async (start) => {
          await start({ token });
          await sleep(40_000);
        },
        mend: async (_, sidecar) => {
          current = sidecar;
          writeTo(sidecar, tokenPath, await mesh.token("web"));
        },
        isWell: async () => {
          assert.equal((await current?.report())?.ready, true);
        },
      });
    },
  },
  {
    name: "wrong trust domain",
    signs: {
      status: /^problem .*trust-domain.*asks for other\.example/,
      log: /trust domain is not the configured one.*configured=other\.example/,
      metric: /^outrider_problem_seconds\{.*cause="trust-domain"/,
      doctor: /^▲ trust-domain .*other\.example/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      return oneSidecar(mesh, {
        breakIt: (start) => start({ env: { TRUST_DOMAIN: "other.example" } }),
        mend: (start) => start(),
      });
    },
  },
  {
    name: "bad PROXY_CONFIG",
    signs: {
      log: /PROXY_CONFIG.*concurrency/,
      doctor: /^✖ configuration .*PROXY_CONFIG.*concurrency/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      return oneSidecar(mesh, {
        breakIt: (start) => start({ proxyConfig: { concurrency: "many" } }),
        mend: (start) => start(),
      });
    },
  },
  {
    name: "bad annotation",
    signs: {
      status: /^problem .*configuration-refused.*concurrency/,
      log: /changed configuration cannot be used.*concurrency/,
      metric: /^outrider_envoy_configuration_refused(?:\{.*\})? 1/,
      doctor: /^✖ configuration .*concurrency/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const path = "etc/istio/pod/annotations";
      let current: TestSidecar | undefined;
      const scene = oneSidecar(mesh, {
        breakIt: async (start) => {
          await start();
          current = scene.sidecar();
          await current.ready();
          writeTo(current, path, 'proxy.istio.io/config="concurrency: many"\n');
        },
        mend: async (_, sidecar) => {
          rmSync(join(sidecar.folder, path));
        },
      });
      return scene;
    },
  },
  {
    name: "port taken",
    signs: { log: /port \d+ .*is taken by pid/, doctor: /^✖ ports .*is taken by/ },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const [port = 0] = await freePorts(1);
      const server = createServer((socket) => socket.destroy()).listen(port, "127.0.0.1");
      await once(server, "listening");
      stack.defer(() => {
        server.close();
      });
      return oneSidecar(mesh, {
        breakIt: (start) => start({ proxyConfig: { statusPort: port } }),
        mend: async (start) => {
          server.close();
          await start();
        },
      });
    },
  },
];
