/**
 * The image in a pod, in short: its root is put together from this machine's Debian as the Dockerfile does it, without a
 * builder. `npm run e2e:image` runs the image that was built, and more of what befalls it.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { buildRelease } from "../../src/build/release/release.ts";
import { testEnvoy } from "../support/envoy.ts";
import { expectPodMesh } from "../support/image/expect-pod-mesh.ts";
import type { PodMeshOptions, PodMeshReport } from "../support/image/pod-mesh.ts";
import { assembleRoot } from "../support/image/root.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../support/own-network.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Programs that the image and the pod are made with. */
const programs = ["runc", "dpkg", "nft", "iptables", "ip"];

function whatIsMissing(): string | undefined {
  try {
    execFileSync("sh", ["-c", 'for name; do command -v "$name"; done', "sh", ...programs], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return `needs a Debian with ${programs.join(", ")}`;
  }
}

test("two pods of the image talk in mutual TLS, confined, and end in order", async (t) => {
  const obstacle = whyNoOwnNetwork() ?? whatIsMissing();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return;
  }
  using folder = temporaryFolder();
  const envoyBinary = await testEnvoy();
  const release = join(folder.path, "release");
  await buildRelease({
    root: join(import.meta.dirname, "../.."),
    folder: release,
    envoyBinary,
    sourceDate: 0,
  });
  const rootfs = assembleRoot(folder.path, release, envoyBinary);
  expectPodMesh(
    await inOwnNetwork<PodMeshReport>({
      sysctls: {},
      program: join(import.meta.dirname, "../support/image/pod-mesh.ts"),
      options: { rootfs, origin: "istio" } satisfies PodMeshOptions,
    }),
  );
});
