/** The image that `npm run image` has built, in pods: see test/support/image. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { componentsOf } from "../../src/build/release/sbom.ts";
import { expectPodMesh } from "../support/image/expect-pod-mesh.ts";
import type { PodLivesReport } from "../support/image/pod-lives.ts";
import type { PodMeshReport, PodOrigin } from "../support/image/pod-mesh.ts";
import { unpackImage } from "../support/image/root.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import type { CallReport } from "../support/pod-application.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const folder = temporaryFolder();
let rootfs = "";

function program<T>(name: string, more: { readonly origin?: PodOrigin } = {}): Promise<T> {
  return inOwnNetwork<T>({
    sysctls: {},
    program: join(import.meta.dirname, "../support/image", name),
    options: { rootfs, ...more },
  });
}

function expectAnswers(call: CallReport): void {
  for (const answer of Object.values(call) as readonly string[]) assert.match(answer, /^application/);
}

describe("the image", () => {
  before(() => {
    rootfs = unpackImage(folder.path);
  });

  after(() => {
    folder[Symbol.dispose]();
  });

  test("has what it runs, both names of the program, and no shell", () => {
    const has = (path: string): boolean => existsSync(join(rootfs, path));
    for (const path of [
      "usr/local/bin/envoy",
      "opt/outrider/bin/outrider",
      "opt/outrider/bin/outriderctl",
      "opt/outrider/lib/node",
      "usr/sbin/nft",
    ])
      assert.ok(has(path), path);
    for (const path of [
      "bin/sh",
      "usr/bin/sh",
      "usr/bin/bash",
      "usr/bin/dash",
      "usr/bin/perl",
      "usr/bin/apt",
    ])
      assert.ok(!has(path), path);
  });

  test("leaves a tmpfs writable where a runtime gives it the mode of the folder below", () => {
    for (const path of ["etc/istio/proxy", "var/lib/istio/data", "var/run/secrets/workload-spiffe-uds"])
      assert.equal(statSync(join(rootfs, path)).mode & 0o7777, 0o1777, path);
  });

  test("says what is in it: outrider, Node.js, Envoy, packages of npm and of Debian, with licences", () => {
    const components = componentsOf(readFileSync(join(rootfs, "usr/share/sbom/outrider.spdx.json"), "utf8"));
    const names = components.map(({ name }) => name);
    for (const name of ["outrider", "node", "envoy", "@grpc/grpc-js", "koffi", "libc6", "nftables"])
      assert.ok(names.includes(name), name);
    for (const { name, purl } of components) {
      if (!purl.startsWith("pkg:deb/")) continue;
      assert.ok(existsSync(join(rootfs, "usr/share/doc", name, "copyright")), name);
      assert.ok(existsSync(join(rootfs, "var/lib/dpkg/status.d", name)), name);
    }
  });

  test("runs as Istio's injector wants it: two pods in mutual TLS, confined, and with an end in order", async () => {
    expectPodMesh(await program<PodMeshReport>("pod-mesh.ts", { origin: "istio" }));
  });

  test("runs as its own injection wants it: plain workloads in mutual TLS, one of them with a native sidecar", async () => {
    expectPodMesh(await program<PodMeshReport>("pod-mesh.ts", { origin: "outriderctl" }));
  });

  // Seven pods, one after the other: longer than the runner allows one test where others work too.
  const options = { timeout: 600_000 };
  test("lives through changes and a restart in the pods of docker/kubernetes", options, async (t) => {
    const seen = await program<PodLivesReport>("pod-lives.ts");
    await t.test("a pod with the sidecar beside it calls one with the native sidecar", () => {
      expectAnswers(seen.call);
    });
    await t.test("a change of annotations swaps Envoy inside the memory limit", () => {
      const log = seen.swap.lines.join("\n");
      assert.match(seen.swap.report.result, /^(?:swapped|unchanged)$/, log);
      assert.match(log, /swapping Envoy\s+mode=(?:hot|overlap)/);
      expectAnswers(seen.swap.call);
    });
    await t.test("where memory holds no second Envoy the swap is cold, and the log says why", () => {
      const log = seen.tightSwap.lines.join("\n");
      assert.match(seen.tightSwap.report.result, /^(?:swapped|unchanged)$/, log);
      assert.match(log, /swapping Envoy\s+mode=cold why="memory holds no second Envoy/);
    });
    await t.test("an Envoy that the kernel ends for memory is told as that, with limit and remedy", () => {
      const log = seen.outOfMemory.lines.join("\n");
      assert.match(
        log,
        /Envoy died.*OOM killer: .*\(limit 256 MiB\)" cause=oom_kill remedy="raise the container's/,
      );
      expectAnswers(seen.outOfMemory.call);
    });
    await t.test(
      "under a CNI plugin istio-validation passes, and the native sidecar ends after its drain",
      () => {
        assert.match(seen.underCni.init, /proven/);
        expectAnswers(seen.underCni.call);
        assert.deepEqual(seen.underCni.exits["istio-proxy"], { kind: "exited", code: 0 });
      },
    );
    await t.test("the gateway is ready and drains", () => {
      assert.deepEqual(
        seen.gateway.exits["istio-proxy"],
        { kind: "exited", code: 0 },
        seen.gateway.lines.join("\n"),
      );
    });
    await t.test(
      "a sidecar that is killed serves again from its caches while the control plane is gone",
      () => {
        expectAnswers(seen.restarted.call);
        assert.match(seen.restarted.lines.join("\n"), /served from the cache/);
      },
    );
  });
});
