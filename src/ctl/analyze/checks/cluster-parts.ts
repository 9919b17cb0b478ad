/** What a cluster is asked through: webhooks, definitions of the Gateway API, claims of tokens that nobody checks. */
import { isIP } from "node:net";
import { rootNamespace } from "../../../controlplane/config/analysis/analyze.ts";
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import { gatewayName, meshGateway } from "../../../controlplane/config/host-names.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import type { KubernetesObject } from "../kubernetes-objects.ts";
import { type AnalyzedMesh, selects } from "./mesh.ts";

/** IST0139, IST0149, IST0156, IST0164. */
export function clusterFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const services = mesh.kubernetes.filter(({ kind }) => kind === "Service");
  return mesh.kubernetes.flatMap((object) => {
    if (object.kind.endsWith("WebhookConfiguration")) return webhookFindings(object, services);
    if (object.kind === "CustomResourceDefinition") return definitionFindings(object);
    return object.kind === "VirtualService" ? claimFindings(object, mesh) : [];
  });
}

function webhookFindings(
  object: KubernetesObject,
  services: readonly KubernetesObject[],
): readonly ConfigProblem[] {
  return listAt(object.value, "webhooks").flatMap((webhook, index): readonly ConfigProblem[] => {
    const path = `webhooks[${index}].clientConfig`;
    const [name, namespace] = ["name", "namespace"].map((key) =>
      textAt(webhook, "clientConfig", "service", key),
    );
    const near = services.filter((service) => service.namespace === namespace);
    if (near.length > 0 && !near.some((service) => service.name === name)) {
      const message = `${String(namespace)}/${String(name)} is no Service, so that nothing answers: name one that is there`;
      return [warningAt(object, `${path}.service`, message, "IST0139")];
    }
    const host =
      URL.parse(textAt(webhook, "clientConfig", "url") ?? "")?.hostname.replace(/^\[|\]$/g, "") ?? "";
    if (isIP(host) === 0) return [];
    const message = `names the address ${host}, which may change: name a host`;
    return [warningAt(object, `${path}.url`, message, "IST0164")];
  });
}

/** The release of the Gateway API since which its kinds are v1. */
const leastMajor = 1;

function definitionFindings(object: KubernetesObject): readonly ConfigProblem[] {
  if (textAt(object.value, "spec", "group") !== "gateway.networking.k8s.io") return [];
  const name = "gateway.networking.k8s.io/bundle-version";
  const version = object.annotations[name];
  const major = /^v(\d+)\./.exec(version ?? "")?.[1];
  if (major === undefined || Number(major) >= leastMajor) return [];
  const message = `is ${String(version)}, before v${leastMajor}.0.0: install a later release of the Gateway API`;
  return [warningAt(object, `metadata.annotations.${name}`, message, "IST0156")];
}

/** Routes by claims, which only a RequestAuthentication of the gateway's own pods makes known. */
function claimFindings(object: KubernetesObject, mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const keys = listAt(object.value, "spec", "http").flatMap((route, index) =>
    listAt(route, "match").flatMap((match, position) =>
      ["headers", "withoutHeaders"].flatMap((field) =>
        Object.keys(at(match, field) ?? {})
          .filter((key) => key.startsWith("@request.auth.claims"))
          .map((key) => ({ key, path: `spec.http[${index}].match[${position}].${field}` })),
      ),
    ),
  );
  const [first] = keys;
  if (first === undefined) return [];
  const gateways = listAt(object.value, "spec", "gateways")
    .filter((name) => typeof name === "string" && name !== meshGateway)
    .map((name) => gatewayName(String(name), object.namespace));
  return mesh.ofKind("Gateway").flatMap((gateway): readonly ConfigProblem[] => {
    const name = `${gateway.namespace}/${gateway.name}`;
    const isChecked = mesh
      .ofKind("RequestAuthentication")
      .some(
        ({ namespace, spec }) =>
          [rootNamespace, gateway.namespace].includes(namespace) &&
          selects(spec.selector?.matchLabels ?? {}, gateway.spec.selector ?? {}),
      );
    if (!gateways.includes(name) || isChecked) return [];
    const message = `${first.key} is known only where a RequestAuthentication is for the pods of ${name}: add one`;
    return [warningAt(object, first.path, message, "IST0149")];
  });
}
