/** Who merges the source's metrics in the bench, each a process of its own. */
import { join } from "node:path";
import type { TestMesh } from "../../support/mesh.ts";
import type { Program } from "../../support/outrider.ts";
import { otherName, otherSidecar } from "../other-agent.ts";
import { startPart } from "../part.ts";
import { answers } from "../start.ts";
import type { SourceAddress } from "./read-all.ts";

/** One of them. */
export interface Subject {
  readonly name: string;
  readonly merged: SourceAddress;
  readonly pid: number;
}

/** Where the source is: as an Envoy, and as an application. */
export interface SourcePlaces {
  readonly socketPath: string;
  readonly port: number;
}

/** Ours, and how they are called. */
export const ofEnvoy = "an Envoy's";
export const ofApplication = "an application's";

/** A status port alone that merges an Envoy's, and the release that merges an application's beside a real Envoy. */
export async function startOurs(
  { socketPath, port }: SourcePlaces,
  mesh: TestMesh,
  stack: AsyncDisposableStack,
): Promise<readonly Subject[]> {
  const script = join(import.meta.dirname, "../../support/scrape-port-main.ts");
  const part = stack.use(await startPart(script, ["envoy", socketPath]));
  const release = join(import.meta.dirname, "../../../dist/bin/outrider");
  const sidecar = await mesh.sidecar("release", {
    program: { file: release, args: [] },
    env: annotated(port),
  });
  await sidecar.ready();
  return [
    { name: ofEnvoy, merged: { port: portOf(part.lines) }, pid: part.pid },
    {
      name: ofApplication,
      merged: { port: sidecar.ports.status },
      // The release's launcher becomes the agent.
      pid: (await sidecar.report()).agent.pid,
    },
  ];
}

/** The same of another agent, which asks its Envoy at `ENVOY_PROMETHEUS_PORT`. */
export async function startOthers(
  program: Program,
  { port }: SourcePlaces,
  mesh: TestMesh,
): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const [name, of, env] of [
    ["envoy", ofEnvoy, { ENVOY_PROMETHEUS_PORT: String(port) }],
    ["application", ofApplication, annotated(port)],
  ] as const) {
    const { agent, ports } = await mesh.sidecar(name, await otherSidecar(program, env));
    await answers({ host: "127.0.0.1", port: ports.status }, "/healthz/ready");
    subjects.push({ name: `${of}, by ${otherName}`, merged: { port: ports.status }, pid: agent.pid });
  }
  return subjects;
}

function annotated(port: number): Readonly<Record<string, string>> {
  return {
    ISTIO_PROMETHEUS_ANNOTATIONS: JSON.stringify({ scrape: "true", port: String(port), path: "/metrics" }),
  };
}

/** What a part of the bench has printed. */
export function portOf(lines: readonly string[]): number {
  return Number(/^port (\d+)$/.exec(lines[0] ?? "")?.[1]);
}
