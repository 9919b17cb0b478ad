/**
 * What one agent of this machine and its Envoy say.
 */
import type { Bundle } from "../../beside/bundle/bundle.ts";
import { snapshotAdmin, snapshotPages } from "../../envoy/exits/admin-snapshot.ts";
import { briefScrape, scrapeRoute } from "../../scrape/scrape-route.ts";
import type { Announcement } from "../../status/announcement.ts";
import { AgentClient } from "../../status/client.ts";
import { logRoute } from "../../status/routes/log.ts";
import { readinessRoute } from "../../status/routes/readiness.ts";
import { reportRoute } from "../../status/routes/report.ts";
import { exchangesRoute } from "../../xdsproxy/report/exchanges-route.ts";

/** Longest wait for one answer, in milliseconds. */
const timeoutMs = 3_000;

/** Longest answer that is taken, in bytes. */
const maxBytes = 32 * 2 ** 20;

const routes = {
  "status.json": reportRoute,
  "ready.txt": readinessRoute,
  "metrics.txt": scrapeRoute,
  "log.json": logRoute,
  "xds.json": exchangesRoute,
} as const;

/** Below `agents/<name>`. What does not answer is missing; an Envoy that does not is asked once. */
export async function addAgent(
  bundle: Bundle,
  { name, statusPort, adminPort }: Announcement,
  signal: AbortSignal,
): Promise<void> {
  const folder = `agents/${fileName(name)}`;
  const agent = AgentClient.onPort(statusPort);
  for (const [file, route] of Object.entries(routes)) {
    if (statusPort === 0) bundle.miss(`${folder}/${file}`, "the agent has no status port (statusPort: 0)");
    else
      await bundle.tryAdd(`${folder}/${file}`, async () => {
        const { status, text } = await agent.answer(route, {
          withinMs: timeoutMs,
          ...(route === scrapeRoute ? briefScrape : {}),
          signal,
        });
        return status === 200 ? text : `HTTP ${status}\n${text}`;
      });
  }
  const pages = { ...snapshotPages, "certs.json": "/certs", "memory.json": "/memory" };
  const admin = { host: "127.0.0.1", port: adminPort };
  for await (const page of snapshotAdmin(admin, { maxBytes, timeoutMs, secrets: [], pages })) {
    const path = `${folder}/envoy/${page.file}`;
    if (page.kind === "text") await bundle.add(path, page.text);
    else bundle.miss(path, page.reason);
  }
}

/** A name of a workload as one of a folder: it leads nowhere else. */
export function fileName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "_") || "_";
}
