/**
 * One round of checks of the running mesh: `outrider up --once`.
 */
import { sleep } from "../lifecycle/sleep.ts";
import { fetchHttp } from "../net/http-client.ts";
import { scrapeRoute } from "../scrape/scrape-route.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import { callThrough } from "./demo-app.ts";
import type { DemoMesh } from "./demo-mesh.ts";
import { demoNamespace, serviceHost } from "./mesh-config.ts";
import { askAgent } from "./state.ts";
import { describeResult } from "./words.ts";

/** A check's end. `detail` is what was seen, or why it failed and what to do. */
export interface ProbeResult {
  readonly isPassed: boolean;
  readonly detail: string;
}

/** A named check. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<ProbeResult>;
}

const readyWithinMs = 60_000;
const requestTimeoutMs = 5_000;

/** The checks, in the order in which they make sense. */
export function demoChecks(mesh: DemoMesh, shutdown: AbortSignal): readonly Check[] {
  const { ports } = mesh;
  const expected = `spiffe://cluster.local/ns/${demoNamespace}/sa/web`;
  return [
    { name: "control plane answers", run: () => expectStatus(ports["control-plane.http"], "/ready") },
    ...mesh.sidecars.map(({ name }) => ({
      name: `${name} is ready`,
      run: () => becomesReady(mesh, name, shutdown),
    })),
    ...mesh.sidecars.map(({ name }) => ({
      name: `${name} has its certificate`,
      run: () => hasCertificate(mesh, name),
    })),
    {
      name: "web reaches api over mutual TLS",
      run: async () => {
        const result = await callThrough(ports["web.outbound"], serviceHost("api"), requestTimeoutMs);
        const isPassed =
          result.kind === "answered" && result.answer?.app === "api" && result.answer.caller === expected;
        return {
          isPassed,
          detail: isPassed ? describeResult(result) : `${describeResult(result)}; expected ${expected}`,
        };
      },
    },
    { name: "api refuses plain text", run: () => refusesPlainText(ports["api.inbound"]) },
    ...mesh.sidecars.flatMap(({ name }) => [
      {
        name: `${name}'s readiness through Envoy`,
        run: () => expectStatus(ports[`${name}.envoy-status`], "/healthz/ready"),
      },
      {
        name: `${name}'s agent metrics`,
        run: () => expectStatus(ports[`${name}.status`], scrapeRoute.path),
      },
      {
        name: `${name}'s Envoy metrics`,
        run: () => expectStatus(ports[`${name}.prometheus`], "/stats/prometheus"),
      },
      { name: `${name}'s admin port`, run: () => expectStatus(ports[`${name}.admin`], "/ready") },
    ]),
  ];
}

async function becomesReady(
  mesh: DemoMesh,
  name: "web" | "api",
  shutdown: AbortSignal,
): Promise<ProbeResult> {
  const sidecar = mesh.sidecars.find((candidate) => candidate.name === name);
  const started = performance.now();
  let reason = "the agent did not answer";
  while (!shutdown.aborted && performance.now() - started < readyWithinMs) {
    if (sidecar?.exit !== undefined) {
      return { isPassed: false, detail: `the agent ended: ${sidecar.lastProblem ?? "see its log"}` };
    }
    const report = await askAgent(mesh.ports[`${name}.status`]);
    if (report?.ready === true) {
      return {
        isPassed: true,
        detail: `Envoy ${report.envoy.version ?? ""} after ${describeMs(performance.now() - started)}`,
      };
    }
    reason = report?.reason ?? reason;
    await sleep(50, shutdown);
  }
  return {
    isPassed: false,
    detail: shutdown.aborted ? "stopped" : `not within ${readyWithinMs / 1_000} s: ${reason}`,
  };
}

async function hasCertificate(mesh: DemoMesh, name: "web" | "api"): Promise<ProbeResult> {
  const report = await askAgent(mesh.ports[`${name}.status`]);
  const { spiffeId, notAfter, problem } = report?.identity ?? {};
  if (spiffeId === undefined || notAfter === undefined)
    return { isPassed: false, detail: problem ?? "none yet" };
  const leftMs = new Date(notAfter).getTime() - Date.now();
  return { isPassed: leftMs > 0, detail: `${spiffeId}, expires in ${formatDuration(leftMs)}` };
}

async function refusesPlainText(port: number): Promise<ProbeResult> {
  try {
    const target = { host: "127.0.0.1", port };
    const response = await fetchHttp({ target, url: "/", timeoutMs: requestTimeoutMs });
    return { isPassed: false, detail: `answered ${response.status}: is PeerAuthentication still STRICT?` };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    // A refused connection would only mean that nobody listens.
    return { isPassed: code === "ECONNRESET", detail: code === "ECONNRESET" ? "connection reset" : code };
  }
}

async function expectStatus(port: number, url: string): Promise<ProbeResult> {
  try {
    const response = await fetchHttp({
      target: { host: "127.0.0.1", port },
      url,
      timeoutMs: requestTimeoutMs,
    });
    return { isPassed: response.status === 200, detail: `${response.status} on port ${port}` };
  } catch (error) {
    return { isPassed: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function describeMs(ms: number): string {
  return `${Math.round(ms)} ms`;
}
