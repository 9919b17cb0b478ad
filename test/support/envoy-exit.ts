/** A real Envoy that is run to its end, and the verdict on it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { EnvoyAdmin } from "../../src/envoy/admin/admin.ts";
import type { ExitDiagnosis, ExitRequest } from "../../src/envoy/exits/exit-diagnosis.ts";
import { ExitWitness } from "../../src/envoy/exits/exit-witness.ts";
import { KeptOutput } from "../../src/envoy/exits/kept-output.ts";
import { type Child, spawnChild } from "../../src/process/child.ts";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { testEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";
import { patience } from "./patience.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A bootstrap that works: one listener, one cluster. */
export function smallBootstrap(changes: { readonly port?: number; readonly jsonLog?: boolean } = {}) {
  const router = {
    name: "router",
    typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
  };
  const routes = [{ match: { prefix: "/" } as object, direct_response: { status: 200 } }];
  const typed_config: Record<string, unknown> = {
    "@type":
      "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "http",
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    http_filters: [router] as object[],
  };
  const filterChain: Record<string, unknown> = { filters: [{ name: "http", typed_config }] };
  const json_format = { level: "%l", time: "%Y-%m-%dT%T.%fZ", scope: "envoy %n", msg: "%j" };
  return {
    ...(changes.jsonLog === true ? { application_log_config: { log_format: { json_format } } } : {}),
    node: { id: "test", cluster: "test" },
    admin: { address: { pipe: { path: "admin.sock" } } },
    static_resources: {
      listeners: [
        {
          name: "first",
          address: {
            socket_address: { address: "127.0.0.1", port_value: changes.port ?? 0 } as Record<
              string,
              unknown
            >,
          },
          enable_reuse_port: false,
          filter_chains: [filterChain],
        },
      ],
      clusters: [{ name: "one", type: "STATIC", connect_timeout: "1s" } as Record<string, unknown>],
    },
  };
}

export interface EnvoyRun {
  readonly bootstrap: object;
  readonly binary?: string;
  /** More arguments. */
  readonly args?: readonly string[];
  /** Leave `--disable-hot-restart` out. */
  readonly hotRestart?: boolean;
  readonly witness?: ExitWitness;
  readonly asked?: ExitRequest;
  /** Called with the process at once. */
  readonly onStart?: (child: Child) => void;
  /** Called when it is LIVE; without it, Envoy is expected to end by itself. */
  readonly onLive?: (child: Child) => void;
}

/** Run it to its end: the verdict on what the agent keeps of its output, and all of its lines. */
export async function runEnvoyToItsEnd(
  options: EnvoyRun,
): Promise<{ readonly diagnosis: ExitDiagnosis; readonly lines: readonly string[] }> {
  using folder = temporaryFolder();
  const bootstrap = JSON.stringify(options.bootstrap, undefined, 2);
  writeFileSync(join(folder.path, "envoy.json"), bootstrap);
  const witness = options.witness ?? ExitWitness.create();
  witness.note();
  const startedAt = performance.now();
  const lines: string[] = [];
  const kept = new KeptOutput();
  const child = spawnChild({
    file: options.binary ?? (await testEnvoy()),
    args: [
      ...["-c", "envoy.json", "-l", "warning"],
      ...(options.hotRestart === true ? [] : ["--disable-hot-restart"]),
      ...(options.args ?? []),
    ],
    cwd: folder.path,
    stdout: "ignore",
    stderr: (line) => {
      lines.push(line);
      kept.add(line);
    },
  });
  const ended = new AbortController();
  options.onStart?.(child);
  try {
    if (options.onLive !== undefined) {
      const admin = new EnvoyAdmin(join(folder.path, "admin.sock"));
      await eventually(
        "Envoy LIVE",
        async () => {
          if ((await admin.stats("^server.state$")).get("server.state") !== 0) throw new Error("not LIVE");
        },
        { withinMs: 10_000 },
      );
      options.onLive(child);
    }
    const exit = await Promise.race([child.exited, sleep(patience(20_000), ended.signal)]);
    if (exit === undefined) throw new Error(`Envoy still runs:\n${lines.slice(-20).join("\n")}`);
    const diagnosis = witness.diagnose({
      exit,
      asked: options.asked,
      lines: kept.lines,
      startedAt,
      wasLive: options.onLive !== undefined,
      bootstrap,
    });
    return { diagnosis, lines };
  } finally {
    ended.abort();
    child.kill("SIGKILL");
  }
}
