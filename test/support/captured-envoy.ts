/**
 * One real Envoy for three pods: with the listeners and clusters that the control plane gives to a pod of both families,
 * to one that is captured by TPROXY, and to one of IPv6 alone, each pair of listeners on ports of its own.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocuments } from "../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../src/controlplane/model/build-model.ts";
import { parseProxy } from "../../src/controlplane/model/proxy.ts";
import {
  type PushedType,
  pushedTypes,
  resourcesOf as translate,
} from "../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../src/controlplane/networking/view.ts";
import { fetchHttp } from "../../src/net/http-client.ts";
import { spawnChild } from "../../src/process/child.ts";
import { testEnvoy } from "./envoy.ts";
import { eventually } from "./eventually.ts";

/** How a pod is captured, by what its control plane knows of it. */
export const capturedPods = {
  redirect: { mode: "REDIRECT", addresses: "10.55.0.1,fd55::1", outbound: 15_001, inbound: 15_006 },
  tproxy: { mode: "TPROXY", addresses: "10.55.0.1,fd55::1", outbound: 16_001, inbound: 16_006 },
  ipv6: { mode: "REDIRECT", addresses: "fd55::1", outbound: 17_001, inbound: 17_006 },
} as const;

export type CapturedPod = keyof typeof capturedPods;

const adminPort = 15_000;

/** No mutual TLS: who calls is in no mesh. */
const policy = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: demo }
spec: { mtls: { mode: DISABLE } }
`;

function resourcesOf(pod: CapturedPod): { readonly listeners: object[]; readonly clusters: object[] } {
  const { mode, addresses, outbound, inbound } = capturedPods[pod];
  const { objects, problems } = parseDocuments("policy.yaml", policy);
  const proxy = parseProxy({
    id: `sidecar~${addresses.split(",")[0] ?? ""}~${pod}-1.demo~demo.svc.cluster.local`,
    metadata: { INTERCEPTION_MODE: mode, INSTANCE_IPS: addresses },
  });
  if (proxy === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
  const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
  const view = viewOf(buildModel(objects, settings), proxy);
  const all = (type: PushedType): object[] => translate(type, view).map(({ json }) => json);
  const text = JSON.stringify({ listeners: all(pushedTypes.listener), clusters: all(pushedTypes.cluster) })
    .replace(/"(\w*PassthroughCluster|BlackHoleCluster|virtual(?:In|Out)bound)"/g, `"${pod} $1"`)
    .replaceAll("15001", String(outbound))
    .replaceAll("15006", String(inbound));
  return JSON.parse(text) as ReturnType<typeof resourcesOf>;
}

/**
 * Resolves once it listens everywhere.
 *
 * @param folder its own
 * @param launcher words that give it its user and rights
 */
export async function startCapturedEnvoy(
  folder: string,
  launcher: readonly string[],
): Promise<AsyncDisposable> {
  const pods = (["redirect", "tproxy", "ipv6"] as const).map(resourcesOf);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "envoy.json");
  writeFileSync(
    path,
    JSON.stringify({
      admin: { address: { socketAddress: { address: "127.0.0.1", portValue: adminPort } } },
      staticResources: {
        listeners: pods.flatMap(({ listeners }) => listeners),
        clusters: pods.flatMap(({ clusters }) => clusters),
      },
    }),
  );
  const [file = "", ...args] = [
    ...[...launcher, await testEnvoy(), "-c", path],
    ...["--concurrency", "1", "-l", "warning", "--disable-hot-restart"],
  ];
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  const child = spawnChild({ file, args, stdout: onLine, stderr: onLine });
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const isReady = async (): Promise<void> => {
    const target = { host: "127.0.0.1", port: adminPort };
    const { status } = await fetchHttp({ target, url: "/ready", timeoutMs: 1_000 });
    if (status !== 200) throw new Error(`it answers ${status}`);
  };
  try {
    await eventually("Envoy ready", isReady, { withinMs: 10_000 });
  } catch (error) {
    await stop();
    throw new Error(lines.slice(-20).join("\n"), { cause: error });
  }
  return { [Symbol.asyncDispose]: stop };
}
