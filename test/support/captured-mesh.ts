/**
 * The pods of captured-mesh-pods.ts with the built-in control plane: what clients get when they call the other pod by its
 * name, while Envoys are replaced, and what `outrider doctor` says.
 */
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Finding } from "../../src/doctor/finding.ts";
import type { ReloadReport } from "../../src/status/contract/reload-report.ts";
import {
  capture,
  hostOf,
  type Inside,
  type Pod,
  podServices,
  repository,
  rulesIn,
  type RunningPod,
  startCapturedPods,
} from "./captured-mesh-pods.ts";
import { type CapturedSwaps, type Swappable, swapUnderLoad } from "./captured-swaps.ts";
import { startMs, TestMesh } from "./mesh.ts";
import { mutualTls } from "./mesh-objects.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { runOutrider } from "./outrider.ts";
import type { PodCalls } from "./pod-calls.ts";
import { callInPlainText } from "./pod-service.ts";

/** What was seen. */
export interface MeshReport extends PodCalls {
  /** What the init container said, with its proof. */
  readonly init: string;
  /** From the node, which is in no mesh. */
  readonly fromOutside: string;
  /** web's Envoy is replaced, then api's, while web calls api. */
  readonly swaps: CapturedSwaps;
  /** What `outrider doctor` says of capture in web, as root and as the proxy, and as root once nothing is captured. */
  readonly examined: Readonly<Record<"root" | "proxy" | "uncaptured", readonly Finding[]>>;
  /** The kernel's rules in web once cleaned are those from before. */
  readonly isClean: boolean;
}

async function live(): Promise<MeshReport> {
  const objects = { "services.yaml": podServices, "mtls.yaml": [mutualTls("STRICT")] };
  await using mesh = await TestMesh.start(objects, ["--host", "0.0.0.0"]);
  await using pods = await startCapturedPods({
    folder: mesh.folder,
    token: (name) => mesh.token(name),
    rootPem: mesh.rootPem,
    port: mesh.controlPlanePorts.tls,
  });
  const { web, api, init, before } = pods;
  const byName = await web.firstCalls(hostOf("api"));
  const byShortName = await web.call("api");
  const back = await api.firstCalls(hostOf("web"));
  const fromOutside = await callInPlainText(api.address);
  const swaps = await swapUnderLoad([swappable(web), swappable(api)], {
    host: hostOf("api"),
    run: (program, ...words) =>
      web.inside(1_000, join(web.root, "repository", relative(repository, program)), ...words),
    withinMs: 2 * startMs,
  });
  const examined = { root: await examine(web, "init"), proxy: await examine(web, "REDIRECT") };
  await capture(web, "clean-iptables");
  await capture(api, "clean-iptables");
  const isClean = [web, api].every((pod) => rulesIn(pod) === before);
  const uncaptured = await examine(web, "init");
  return {
    examined: { ...examined, uncaptured },
    init,
    byName,
    byShortName,
    back,
    fromOutside,
    swaps,
    isClean,
  };
}

function swappable(pod: RunningPod): Swappable {
  const [file = "", ...args] = pod.inside(pod.mode, `${pod.root}/repository/src/main.ts`);
  return {
    agent: pod.agent,
    change: async () => {
      // As the kubelet writes the downward API's file.
      writeFileSync(join(pod.root, "etc/istio/pod/labels"), `app="${pod.name}"\nversion="2"\n`);
      const { output } = await runOutrider({
        program: { file, args },
        args: ["reload"],
        env: besideAgent,
        withinMs: 2 * startMs,
      });
      return parsed(output) as ReloadReport;
    },
  };
}

/** Beside the running agent, whose settings it takes. */
async function examine(pod: Pod, as: Inside): Promise<readonly Finding[]> {
  const [file = "", ...args] = pod.inside(as, `${pod.root}/repository/src/main.ts`);
  const { output } = await runOutrider({
    program: { file, args },
    args: ["doctor", "--json"],
    env: { ...besideAgent, ISTIO_META_DNS_CAPTURE: "true" },
    withinMs: 2 * startMs,
  });
  const { findings } = parsed(output) as { findings: readonly Finding[] };
  return findings.filter(({ name }) => name.startsWith("capture"));
}

/** A container's environment says that its agent is where agents are; any that the machine has besides are not meant. */
const besideAgent = { PROXY_CONFIG: "{}" };

/** The JSON in what a command printed. @throws Error with all of it */
function parsed(output: string): unknown {
  const start = output.indexOf("{");
  if (start < 0) throw new Error(`no JSON: ${output}`);
  return JSON.parse(output.slice(start));
}

if (import.meta.main) await answerAsProgram(live);
