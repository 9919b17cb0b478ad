/**
 * The control plane of a revision: the Deployment of control-plane.yaml as it follows the cluster, with the rights of
 * registry.yaml. Pure.
 */
import { stringify } from "yaml";
import { textAt } from "../../../lifecycle/json-path.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";
import { defaultRevision, type InstallSpec, systemNamespace } from "../spec/schema.ts";
import { changed, firstChanged, joined, listOf, mappingOf } from "./changed.ts";
import { type Manifests, objectOf } from "./manifests.ts";
import { renderInjection, withOwnWebhook } from "./injection.ts";
import { controlPlaneName, injectionName, meshConfigName, revisioned, serviceName } from "./names.ts";
import { withWorkload } from "./workload.ts";

/** The label that tells pods of one revision from those of another. */
const revisionLabel = "istio.io/rev";

/** Where the container has its files. */
const meshConfigFolder = "/etc/istio/config";
const meshFolder = "/etc/outrider/mesh";
const injectionFolder = "/etc/outrider/injection";

/** Objects of the revision, its webhooks too. */
export function renderControlPlane(spec: InstallSpec, manifests: Manifests): readonly JsonObject[] {
  const { revision = defaultRevision } = spec;
  const own = { app: controlPlaneName, [revisionLabel]: revision };
  const manifest = (kind: string, name = controlPlaneName): JsonObject =>
    objectOf(manifests.controlPlane, kind, name);
  const objects = [
    ...manifests.registry,
    ...renderInjection(manifests.injection, spec),
    meshConfigMap(spec),
    selecting(manifest("Service", serviceName), ["spec", "selector"], own),
    deployment(manifest("Deployment"), spec, { own, injects: manifests.injection.length > 0 }),
    selecting(manifest("PodDisruptionBudget"), ["spec", "selector", "matchLabels"], own),
    networkPolicy(selecting(manifest("NetworkPolicy"), ["spec", "podSelector", "matchLabels"], own)),
  ];
  return objects
    .filter(({ kind }) => revision === defaultRevision || kind !== "ValidatingWebhookConfiguration")
    .map((object) => ofRevision(object, revision));
}

/** The mesh's settings, which istiod reads from a ConfigMap of this name. */
function meshConfigMap({ meshConfig = {} }: InstallSpec): JsonObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: meshConfigName, namespace: systemNamespace },
    data: { mesh: stringify(meshConfig) },
  };
}

function selecting(object: JsonObject, path: readonly string[], own: JsonObject): JsonObject {
  return changed(joined(object, ["metadata", "labels"], { app: controlPlaneName }), path, () => own);
}

function deployment(
  manifest: JsonObject,
  spec: InstallSpec,
  { own, injects }: { readonly own: JsonObject; readonly injects: boolean },
): JsonObject {
  const { revision = defaultRevision } = spec;
  const selected = selecting(manifest, ["spec", "selector", "matchLabels"], own);
  const pod = ["spec", "template", "spec"];
  const templated = joined(selected, ["spec", "template", "metadata", "labels"], {
    ...own,
    "sidecar.istio.io/inject": "false",
  });
  const spread = changed(templated, [...pod, "topologySpreadConstraints"], (value) =>
    listOf(value).map((each) => changed(mappingOf(each), ["labelSelector", "matchLabels"], () => own)),
  );
  const following = joined(spread, pod, {
    automountServiceAccountToken: true,
    volumes: [
      { name: "mesh-config", configMap: { name: meshConfigName } },
      // For rules that are to stand before the cluster's; most meshes have none.
      { name: "mesh", configMap: { name: "outrider-mesh", optional: true } },
      { name: "state", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
      ...(injects ? [{ name: "injection", configMap: { name: revisioned(injectionName, revision) } }] : []),
    ],
  });
  const arguments_ = [
    "discovery",
    "--host=0.0.0.0",
    "--plainGrpc=off",
    "--registries=Kubernetes",
    `--configDir=${meshFolder}`,
    `--meshConfig=${meshConfigFolder}/mesh`,
    "--stateDir=/var/lib/outrider/state",
    ...(injects ? [`--injectionValues=${injectionFolder}/values`] : []),
    ...(spec.revision === undefined || spec.revision === defaultRevision
      ? []
      : [`--revision=${spec.revision}`]),
    "--log_as_json",
  ];
  const started = firstChanged(following, [...pod, "containers"], (container) =>
    joined(container, [], {
      args: arguments_,
      ports: [...listOf(container["ports"]), { name: "https-webhook", containerPort: 15017 }],
      volumeMounts: [
        { name: "mesh-config", mountPath: meshConfigFolder, readOnly: true },
        { name: "mesh", mountPath: meshFolder, readOnly: true },
        { name: "state", mountPath: "/var/lib/outrider" },
        ...(injects ? [{ name: "injection", mountPath: injectionFolder, readOnly: true }] : []),
      ],
    }),
  );
  return withWorkload(started, spec.components?.pilot?.k8s, spec);
}

/** It asks the API, and issuers for their keys; the API asks its webhook, from addresses that no selector has. */
function networkPolicy(policy: JsonObject): JsonObject {
  const webhook: Json = { ports: [{ protocol: "TCP", port: 15017 }] };
  const calls: Json = {
    ports: [
      { protocol: "TCP", port: 443 },
      { protocol: "TCP", port: 6443 },
      { protocol: "TCP", port: 53 },
      { protocol: "UDP", port: 53 },
    ],
  };
  const opened = changed(policy, ["spec", "ingress"], (rules) => [...listOf(rules), webhook]);
  return changed(opened, ["spec", "egress"], () => [calls]);
}

/** Names that are a revision's own, wherever an object has them. */
const ownNames: readonly string[] = [
  controlPlaneName,
  `${controlPlaneName}-secrets`,
  serviceName,
  meshConfigName,
  injectionName,
];

function ofRevision(object: JsonObject, revision: string): JsonObject {
  if (revision === defaultRevision) return object;
  const renamed = (name: Json | undefined): Json | undefined =>
    typeof name === "string" && ownNames.includes(name) ? revisioned(name, revision) : name;
  const named = changed(object, ["metadata", "name"], renamed);
  const referring: Readonly<Record<string, () => JsonObject>> = {
    ClusterRole: () =>
      changed(named, ["rules"], (rules) => listOf(rules).map((rule) => withOwnWebhook(rule, revision))),
    ClusterRoleBinding: () => bound(named, renamed),
    RoleBinding: () => bound(named, renamed),
    Deployment: () => {
      const pod = ["spec", "template", "spec"];
      const asAccount = changed(named, [...pod, "serviceAccountName"], renamed);
      return firstChanged(asAccount, [...pod, "volumes"], (volume) =>
        changed(volume, ["configMap", "name"], renamed),
      );
    },
  };
  return referring[textAt(object, "kind") ?? ""]?.() ?? named;
}

function bound(binding: JsonObject, renamed: (name: Json | undefined) => Json | undefined): JsonObject {
  const toRole = changed(binding, ["roleRef", "name"], renamed);
  return changed(toRole, ["subjects"], (subjects) =>
    listOf(subjects).map((subject) => changed(mappingOf(subject), ["name"], renamed)),
  );
}
