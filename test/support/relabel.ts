/** Another label of a pod, which is part of Envoy's node: a change that takes another Envoy. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetchHttp } from "../../src/net/http-client.ts";
import type { ReloadReport } from "../../src/status/contract/reload-report.ts";
import type { TestSidecar } from "./mesh.ts";

/** Write it, ask for a reload, and wait for what becomes of it. */
export async function relabel(sidecar: TestSidecar, version: string): Promise<ReloadReport> {
  const since = new Date();
  const labels = `app="${sidecar.name}"\nversion="${version}"\n`;
  writeFileSync(join(sidecar.folder, "etc/istio/pod/labels"), labels);
  const { body } = await fetchHttp({
    target: { host: "127.0.0.1", port: sidecar.ports.status },
    method: "POST",
    url: "/reload",
    timeoutMs: 60_000,
  });
  const report = JSON.parse(body.toString("utf8")) as ReloadReport;
  if (report.result !== "unchanged") return report;
  // The agent may have seen the file, and swapped, before it was asked to.
  const { lastSwap } = (await sidecar.report()).envoy;
  return lastSwap !== undefined && new Date(lastSwap.at) >= since ? lastSwap.report : report;
}
