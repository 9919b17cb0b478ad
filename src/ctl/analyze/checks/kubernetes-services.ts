/** Kubernetes' Services: protocols by names of ports, and pods that two of them understand differently. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { protocolOf } from "../../../controlplane/registry/kubernetes/service-entries.ts";
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import { type KubernetesObject, type PodTemplate, textsAt } from "../kubernetes-objects.ts";
import { type AnalyzedMesh, selects } from "./mesh.ts";

interface ServicePort {
  readonly service: KubernetesObject;
  readonly path: string;
  readonly name: string;
  readonly number: number;
  readonly target: string;
  /** As its name or appProtocol says; undefined where Envoy finds it out. */
  readonly protocol: string | undefined;
}

/** IST0116, IST0118, IST0119, IST0137, IST0150, IST0162. */
export function kubernetesServiceFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const services = mesh.kubernetes.filter(({ kind, name }) => kind === "Service" && name !== "kubernetes");
  const byNamespace = Map.groupBy(
    services.map((service) => ({
      namespace: service.namespace,
      selector: textsAt(service.value, "spec", "selector"),
      ports: portsOf(service),
    })),
    ({ namespace }) => namespace,
  );
  const portsOfPod = (pod: PodTemplate): readonly ServicePort[] =>
    (byNamespace.get(pod.owner.namespace) ?? [])
      .filter(({ selector }) => isSelected(selector, pod.labels))
      .flatMap(({ ports }) => ports);
  return [
    ...services.flatMap(nameFindings),
    ...mesh.pods.flatMap((pod) => contradictions(pod, portsOfPod(pod))),
    ...mesh.ofKind("RequestAuthentication").flatMap((policy): readonly ConfigProblem[] => {
      if ((policy.spec.jwtRules ?? []).length === 0) return [];
      const labels = policy.spec.selector?.matchLabels ?? {};
      const pods = mesh.pods.filter(
        (pod) => pod.owner.namespace === policy.namespace && selects(labels, pod.labels),
      );
      const blind = pods
        .flatMap(portsOfPod)
        .find(({ protocol }) => protocol !== undefined && !httpProtocols.includes(protocol));
      if (blind === undefined) return [];
      const message = `are not looked at on port ${blind.number} of Service ${blind.service.namespace}/${blind.service.name}, which is ${String(blind.protocol)}: call the port http or grpc`;
      return [warningAt(policy, "spec.jwtRules", message, "IST0119")];
    }),
    ...mesh.ofKind("Gateway").flatMap((gateway) => {
      const { selector = {}, servers } = gateway.spec;
      const pods = mesh.pods.filter(({ labels }) => isSelected(selector, labels));
      const targets = new Set(pods.flatMap(portsOfPod).map(({ target }) => target));
      return servers.flatMap(({ port }, index): readonly ConfigProblem[] => {
        if (targets.size === 0 || targets.has(String(port.number))) return [];
        const message = `${port.number} is no targetPort of the Services of its pods: nobody reaches it through them. Add it to one`;
        return [warningAt(gateway, `spec.servers[${index}].port.number`, message, "IST0162")];
      });
    }),
  ];
}

const httpProtocols: readonly string[] = ["HTTP", "HTTP2", "GRPC"];

function isSelected(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.keys(selector).length > 0 && selects(selector, labels);
}

function portsOf(service: KubernetesObject): readonly ServicePort[] {
  return listAt(service.value, "spec", "ports").flatMap((port, index): readonly ServicePort[] => {
    const number = at(port, "port");
    if (typeof number !== "number" || (textAt(port, "protocol") ?? "TCP") !== "TCP") return [];
    const [name, appProtocol] = [textAt(port, "name") ?? "", textAt(port, "appProtocol") ?? ""];
    const target = at(port, "targetPort") ?? number;
    return [
      {
        ...{
          service,
          path: `spec.ports[${index}]`,
          name,
          number,
          target: typeof target === "string" ? target : `${Number(target)}`,
        },
        protocol: protocolOf({ name, number, appProtocol }),
      },
    ];
  });
}

/** Of a gateway's own, which Istio's charts call status-port. */
const readinessPort = 15_021;

function nameFindings(service: KubernetesObject): readonly ConfigProblem[] {
  const isExternal = textAt(service.value, "spec", "type") === "ExternalName";
  return portsOf(service).flatMap(({ path, name, number, protocol }): readonly ConfigProblem[] => {
    if (isExternal && (protocol === undefined || protocol === "TCP")) {
      const message = `${name === "" ? "no name" : name} makes port ${number} of an external name TCP for every host: call it http, https or tls`;
      return [warningAt(service, `${path}.name`, message, "IST0150")];
    }
    if (isExternal || protocol !== undefined || number === readinessPort) return [];
    const message = `${name === "" ? "no name" : name} says no protocol of port ${number}, so that each connection is looked at: call it <protocol>-<suffix>, such as http-web, or set appProtocol`;
    return [warningAt(service, `${path}.name`, message, "IST0118")];
  });
}

/** Pods of which services say different things. */
function contradictions(
  { owner, path }: PodTemplate,
  ports: readonly ServicePort[],
): readonly ConfigProblem[] {
  const place = path === "" ? "metadata.labels" : `${path}.metadata.labels`;
  const names = (some: readonly ServicePort[]): string =>
    [...new Set(some.map(({ service }) => service.name))].join(", ");
  const protocols = [...Map.groupBy(ports, ({ number }) => number)].flatMap(([number, same]) => {
    const all = new Set(same.map(({ protocol = "found out" }) => protocol));
    if (all.size < 2) return [];
    const message = `are those of the Services ${names(same)}, for which port ${number} is ${[...all].join(" and ")}: give it one protocol`;
    return [warningAt(owner, place, message, "IST0116")];
  });
  const targets = [...Map.groupBy(ports, ({ target }) => target)].flatMap(([target, same]) => {
    const all = new Set(same.map(({ number }) => number));
    if (all.size < 2) return [];
    const message = `are those of the Services ${names(same)}, which have targetPort ${target} as ${[...all].join(" and ")}: give it one port`;
    return [warningAt(owner, place, message, "IST0137")];
  });
  return [...protocols, ...targets];
}
