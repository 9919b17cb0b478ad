/**
 * What client and servers would have, by nothing but the mesh's objects: the control plane's own translation for the
 * workload that calls and for each that is called. Pure.
 */
import { rootNamespace } from "../../controlplane/config/analysis/analyze.ts";
import type { ConfigObject } from "../../controlplane/config/objects.ts";
import { buildModel } from "../../controlplane/model/build-model.ts";
import type { Endpoint, Model } from "../../controlplane/model/model.ts";
import { parseProxy, type Proxy, sidecarOf } from "../../controlplane/model/proxy.ts";
import { configDumpOf } from "../../controlplane/push/config-dump.ts";
import { EncodingMemo } from "../../controlplane/networking/encoding-memo.ts";
import { resourcesOf } from "../../controlplane/networking/pushed-types.ts";
import { viewOf } from "../../controlplane/networking/view.ts";
import { noLayers, translate } from "../../controlplane/push/snapshot.ts";
import { type ConfigDump, readConfigDump } from "../proxy/config-dump.ts";
import type { KnownServer, Mesh } from "./explain.ts";

/** A workload as its node would describe it. */
interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * @param from `web.demo`, by name, label `app` or service account; one that no object declares is taken for a workload
 *   with that label and that service account
 */
export function meshFromObjects(objects: readonly ConfigObject[], from: string, trustDomain: string): Mesh {
  const model = buildModel(objects, { trustDomains: [trustDomain], rootNamespace });
  const endpoints = [...model.workloads, ...model.services.flatMap(({ endpoints: own }) => own)];
  const workloads = [
    ...new Map(endpoints.filter(hasSidecar).map((one) => [keyOf(one), workloadOf(one)])).values(),
  ];
  const dot = from.lastIndexOf(".");
  const [name, namespace] = dot < 0 ? [from, "default"] : [from.slice(0, dot), from.slice(dot + 1)];
  const client = workloads.find(
    (one) => one.namespace === namespace && [one.name, one.labels["app"], one.serviceAccount].includes(name),
  ) ?? { name, namespace, address: "127.0.0.1", serviceAccount: name, labels: { app: name } };
  const identity = (of: Workload): string =>
    `spiffe://${trustDomain}/ns/${of.namespace}/sa/${of.serviceAccount}`;
  return {
    client: dumpOf(model, client),
    clientIdentity: identity(client),
    clientAddress: client.address,
    servers: workloads.map((one): KnownServer => ({
      name: `${one.name}.${one.namespace}`,
      // Only those that are called are translated.
      get dump() {
        return dumpOf(model, one);
      },
      identity: identity(one),
      addresses: [one.address],
    })),
  };
}

function hasSidecar({ serviceAccount }: Endpoint): boolean {
  return serviceAccount !== "";
}

function keyOf({ address, namespace, serviceAccount, labels }: Endpoint): string {
  return JSON.stringify([address, namespace, serviceAccount, labels]);
}

function workloadOf({ name, namespace, address, serviceAccount, labels }: Endpoint): Workload {
  return { name: name ?? labels["app"] ?? serviceAccount, namespace, address, serviceAccount, labels };
}

function dumpOf(model: Model, workload: Workload): ConfigDump {
  const view = viewOf(model, proxyOf(model, workload));
  const work = translate((type) => resourcesOf(type, view), noLayers(), new EncodingMemo());
  let step = work.next();
  while (step.done !== true) step = work.next();
  const resources = new Map([...step.value.layers].map(([type, layer]) => [type, layer.resources]));
  return readConfigDump(configDumpOf(resources)) ?? nothing;
}

/** Not captured where its Sidecar binds ports of its own. */
function proxyOf(model: Model, { name, namespace, address, serviceAccount, labels }: Workload): Proxy {
  const node = (mode: string): Proxy => {
    const metadata = {
      NAMESPACE: namespace,
      LABELS: labels,
      SERVICE_ACCOUNT: serviceAccount,
      INTERCEPTION_MODE: mode,
    };
    const proxy = parseProxy({
      id: `sidecar~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`,
      metadata,
    });
    if (proxy === undefined) throw new Error(`${name}.${namespace} is no name of a workload`);
    return proxy;
  };
  const captured = node("REDIRECT");
  const sidecar = sidecarOf(model, captured);
  const binds = [...(sidecar?.ingress ?? []), ...(sidecar?.egress ?? [])].some(
    ({ captureMode }) => captureMode === "NONE",
  );
  return binds ? node("NONE") : captured;
}

const nothing: ConfigDump = {
  bootstrap: undefined,
  cluster: [],
  listener: [],
  route: [],
  endpoint: [],
  secret: [],
  ecds: [],
};
