/** An Envoy that nobody asked for: one listener, no hot restart. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnChild } from "../../src/process/child.ts";
import { portOwners } from "../../src/net/port-owner.ts";
import { testEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";

export async function startEnvoyOn(
  port: number,
  folder: string,
): Promise<AsyncDisposable & { readonly pid: number }> {
  const path = join(folder, "stray.json");
  const listener = {
    name: "stray",
    address: { socket_address: { address: "0.0.0.0", port_value: port } },
    filter_chains: [
      {
        filters: [
          {
            name: "echo",
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo",
            },
          },
        ],
      },
    ],
  };
  writeFileSync(path, JSON.stringify({ static_resources: { listeners: [listener] } }));
  const child = spawnChild({
    file: await testEnvoy(),
    args: ["-c", path, "--disable-hot-restart", "-l", "error"],
    stdout: "ignore",
    stderr: "ignore",
  });
  const pid = child.pid ?? 0;
  const stray = {
    pid,
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
  try {
    await eventually(
      "the stray Envoy listens",
      () => {
        if (!portOwners([port]).some((owner) => owner.pid === pid)) throw new Error("not yet");
      },
      { withinMs: 10_000 },
    );
    return stray;
  } catch (error) {
    await stray[Symbol.asyncDispose]();
    throw error;
  }
}
