/** What a cluster is asked through: webhooks, and claims of tokens that nobody checks. */
import { isIP } from "node:net";
import { rootNamespace } from "../../../controlplane/config/analysis/analyze.ts";
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import { gatewayName, meshGateway } from "../../../controlplane/config/host-names.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import type { KubernetesObject } from "../kubernetes-objects.ts";
import { type AnalyzedMesh, selects } from "./mesh.ts";

/** IST0139, IST0149, IST0163, IST0164. */
export function clusterFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const services = mesh.kubernetes.filter(({ kind }) => kind === "Service");
  return mesh.kubernetes.flatMap((object) => {
    if (object.kind.endsWith("WebhookConfiguration")) return webhookFindings(object, services);
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
    const url = textAt(webhook, "clientConfig", "url");
    if (url === undefined && name === undefined) {
      const message = "names neither a Service nor a url, so that nobody is asked: name one of them";
      return [warningAt(object, path, message, "IST0163")];
    }
    const parsed = URL.parse(url ?? "");
    if (url !== undefined && parsed === null) {
      const message = `${url} is no URL, so that nobody is asked: write one such as https://istiod.example.com:15017/inject`;
      return [warningAt(object, `${path}.url`, message, "IST0163")];
    }
    const host = parsed?.hostname.replace(/^\[|\]$/g, "") ?? "";
    if (isIP(host) === 0) return [];
    const message = `names the address ${host}, which may change: name a host`;
    return [warningAt(object, `${path}.url`, message, "IST0164")];
  });
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
