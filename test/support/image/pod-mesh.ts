/**
 * Two injected pods of the image and a control plane, as a kubelet runs them: what their applications get of each other, what
 * the sidecar may do, and how it ends.
 *
 * Run in a network namespace of its own, which is the node, it prints what it saw.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fetchHttp } from "../../../src/net/http-client.ts";
import type { ChildExit } from "../../../src/process/child.ts";
import { eventually } from "../eventually.ts";
import { apiHost } from "../mesh-objects.ts";
import { answerAsProgram } from "../namespaced-program.ts";
import type { CallReport } from "../pod-application.ts";
import { childrenOf, zombiesOf } from "../pid-namespace.ts";
import { callInPlainText } from "../pod-service.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { TestCluster } from "./cluster.ts";
import type { Container } from "./container.ts";
import { injectedWorkload } from "./injected-workload.ts";
import { podFor, podOf } from "./manifests.ts";
import type { PodSpec } from "./pod-spec.ts";
import type { TestPod } from "./pod.ts";

const node = "/opt/outrider/lib/node";
const fixture = join(import.meta.dirname, "../fixtures/pods/injected.yaml");

/** Where the pods are from: as Istio's injector writes them, or a plain workload that `outriderctl inject` of the image was given. */
export type PodOrigin = "istio" | "outriderctl";

export interface PodMeshOptions {
  readonly rootfs: string;
  readonly origin: PodOrigin;
}

/** What the kernel says of the sidecar. */
export interface Confinement {
  /** Of the agent and of each of its children. */
  readonly uids: readonly number[];
  /** Capabilities that it has or may get, as hexadecimal masks. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** 2 under a filter. */
  readonly seccomp: number;
  readonly rootIsReadOnly: boolean;
  readonly pidInside: number;
}

export interface PodMeshReport {
  readonly init: string;
  readonly call: CallReport;
  /** From the node, which is in no mesh. */
  readonly fromOutside: string;
  readonly confinement: Confinement;
  /** Orphans of the application that the sidecar had to bury, and those that it left. */
  readonly orphans: { readonly left: number; readonly zombies: number };
  readonly probe: string;
  readonly exits: Readonly<Record<string, ChildExit>>;
  readonly lines: readonly string[];
}

/** What an application gets of another by its name, of each protocol. */
export async function callFrom(pod: TestPod, container: string): Promise<CallReport> {
  return eventually(
    "every protocol",
    async () => {
      const { output } = await pod
        .container(container)
        .exec(node, "/repository/test/support/pod-application.ts", "call", apiHost);
      const report = JSON.parse(output.slice(output.indexOf("{"))) as CallReport;
      if (!Object.values(report).every((answer: string) => answer.startsWith("application")))
        throw new Error(output);
      return report;
    },
    { withinMs: 30_000 },
  );
}

export async function confinementOf(container: Container): Promise<Confinement> {
  const pid = await container.pid();
  const status = (of: number): string => readFileSync(`/proc/${of}/status`, "utf8");
  const field = (name: string, of = pid): string =>
    new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status(of))?.[1] ?? "";
  return {
    uids: [pid, ...childrenOf(pid).map((child) => child.pid)].map((of) =>
      Number(field("Uid", of).split("\t")[0]),
    ),
    capabilities: ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((name) => field(name)),
    noNewPrivileges: field("NoNewPrivs") === "1",
    seccomp: Number(field("Seccomp")),
    rootIsReadOnly: / \/ ro[, ]/.test(readFileSync(`/proc/${pid}/mountinfo`, "utf8")),
    pidInside: Number(field("NSpid").split("\t").at(-1)),
  };
}

/** Children of children that end before their own do: nobody but PID 1 is left to collect them. */
const leavesOrphans = `
  const { spawn } = require("node:child_process");
  const orphan = \`require("node:child_process").spawn("/usr/bin/ip", ["-V"], { detached: true, stdio: "ignore" }).unref();
    process.exit()\`;
  for (let left = Number(process.argv[1]); left > 0; left -= 1)
    spawn(process.execPath, ["-e", orphan], { stdio: "ignore" });
`;

type Pods = Readonly<Record<"api" | "web", PodSpec>>;

const podsOf: Readonly<Record<PodOrigin, (rootfs: string, folder: string) => Pods>> = {
  istio: () => {
    const injected = podOf(fixture);
    return {
      api: podFor(injected, "api"),
      // The application's processes are the sidecar's to bury.
      web: { ...injected, spec: { ...injected.spec, shareProcessNamespace: true } },
    };
  },
  outriderctl: (rootfs, folder) => ({
    api: injectedWorkload({ rootfs, folder, name: "api", kubernetesVersion: "1.33" }),
    web: injectedWorkload({ rootfs, folder, name: "web", kubernetesVersion: "1.28" }),
  }),
};

async function live({ rootfs, origin }: PodMeshOptions): Promise<PodMeshReport> {
  using folder = temporaryFolder();
  await using cluster = await TestCluster.start(folder.path, rootfs);
  const pods = podsOf[origin](rootfs, folder.path);
  await using api = await cluster.pod(pods.api, { net: 2 });
  await using web = await cluster.pod(pods.web, { net: 1 });
  await Promise.all([api.ready(), web.ready()]);
  const sidecar = web.container("istio-proxy");
  const call = await callFrom(web, "web");
  const fromOutside = await callInPlainText(api.address);
  const probe = await fetchHttp({
    target: { host: web.address, port: 15_020 },
    url: "/app-health/web/readyz",
    timeoutMs: 10_000,
  });
  const pid = await sidecar.pid();
  const children = childrenOf(pid).length;
  const left = 20;
  const { code, output } = await web.container("web").exec(node, "-e", leavesOrphans, String(left));
  if (code !== 0) throw new Error(output);
  await eventually(
    "orphans are gone",
    () => {
      const now = childrenOf(pid);
      if (now.length > children) throw new Error(JSON.stringify(now));
    },
    { withinMs: 20_000 },
  ).catch(() => undefined);
  const confinement = await confinementOf(sidecar);
  const zombies = zombiesOf(pid).length;
  const exits = Object.fromEntries(await web.stop());
  return {
    init: web.initOutput.join("\n"),
    ...{ call, fromOutside, confinement, exits },
    probe: `${probe.status} ${probe.body.toString("utf8")}`,
    orphans: { left, zombies },
    lines: sidecar.lines,
  };
}

if (import.meta.main) await answerAsProgram(live);
