/**
 * A gateway: the objects of gateway.yaml under its name. Pure.
 */
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import { defaultRevision, type GatewaySpec, type InstallSpec, systemNamespace } from "../spec/schema.ts";
import { changed, firstChanged, joined, listOf, mappingOf } from "./changed.ts";
import { ManifestError } from "./manifest-error.ts";
import type { Manifests } from "./manifests.ts";
import { revisioned, serviceName } from "./names.ts";
import { withWorkload } from "./workload.ts";

/** Where gateways of the Kubernetes API begin. */
const podPath = ["spec", "template"] as const;

/** Its objects. @throws ManifestError */
export function renderGateway(
  { name = "", namespace = systemNamespace, label, k8s }: GatewaySpec,
  spec: InstallSpec,
  { gateway }: Manifests,
): readonly JsonObject[] {
  const labels: JsonObject = { app: name, istio: name.replace(/^istio-/, ""), ...label };
  return gateway.map((object): JsonObject => {
    const named = joined(object, ["metadata"], { name, namespace });
    switch (object["kind"]) {
      case "ServiceAccount":
        return named;
      case "Service":
        return service(joined(named, ["metadata"], { labels }), labels, k8s);
      case "PodDisruptionBudget":
        return changed(named, ["spec", "selector", "matchLabels"], () => labels);
      case "Deployment":
        return withWorkload(deployment(named, name, labels, spec), k8s, spec);
      default:
        throw new ManifestError(`gateway.yaml of the release has a ${JSON.stringify(object["kind"])}`);
    }
  });
}

function service(object: JsonObject, labels: JsonObject, k8s: GatewaySpec["k8s"] = {}): JsonObject {
  const selected = changed(object, ["spec", "selector"], () => labels);
  const annotated = joined(selected, ["metadata", "annotations"], k8s.serviceAnnotations ?? {});
  return joined(annotated, ["spec"], k8s.service ?? {});
}

function deployment(
  object: JsonObject,
  name: string,
  labels: JsonObject,
  { revision = defaultRevision }: InstallSpec,
): JsonObject {
  const address = `${revisioned(serviceName, revision)}.${systemNamespace}.svc:15012`;
  const labelled = joined(object, ["metadata"], { labels });
  const selected = changed(labelled, ["spec", "selector", "matchLabels"], () => labels);
  const template = joined(selected, [...podPath, "metadata", "labels"], {
    ...labels,
    "istio.io/rev": revision,
    "sidecar.istio.io/inject": "false",
  });
  const owned = joined(template, [...podPath, "spec"], { serviceAccountName: name });
  return firstChanged(owned, [...podPath, "spec", "containers"], (container) =>
    changed(container, ["env"], (variables) =>
      listOf(variables).map((variable) =>
        mappingOf(variable)["name"] === "PROXY_CONFIG"
          ? { name: "PROXY_CONFIG", value: `{discoveryAddress: '${address}', terminationDrainDuration: 30s}` }
          : variable,
      ),
    ),
  );
}
