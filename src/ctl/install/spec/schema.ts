/**
 * What an installation is told: the fields of Istio's IstioOperatorSpec (install.istio.io/v1alpha1) that have a meaning here.
 * Any other field is refused: what an operator asked for would silently not be there.
 */
import {
  boolean,
  type Decoded,
  type Decoder,
  integer,
  list,
  mapping,
  object,
  oneOf,
  optional,
  report,
  text,
} from "../../../controlplane/config/decode.ts";
import { isLabelKey, isLabelValue } from "../../../controlplane/config/forms.ts";
import { json, jsonObject } from "../../../controlplane/config/json-value.ts";

/** Names of the profiles, the smallest last. */
export const profileNames = ["default", "demo", "minimal", "empty"] as const;

/** The revision of an installation that is given none. */
export const defaultRevision = "default";

/** The namespace of the control plane: its certificate has the names of a service of this one. */
export const systemNamespace = "istio-system";

/** A DNS label (RFC 1123), of at most so many bytes that names which end with it are none too long. */
function label(what: string, most = 63): Decoder<string> {
  const form = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
  return text(
    `${what}: small letters, digits and -, at most ${most}`,
    (value) => value.length <= most && form.test(value),
  );
}

const labels = mapping(text("the value of a label", isLabelValue), {
  expected: "the name of a label",
  test: isLabelKey,
});

const texts = mapping(text("text", () => true));

/** A quantity of Kubernetes' API, such as 500m or 128Mi. */
const quantity: Decoder<string | number> = (node, path, context) => {
  const value = json(node, path, context);
  if (typeof value === "number" && value >= 0) return value;
  if (typeof value === "string" && /^\d+(?:\.\d+)?(?:[numkMGTPE]|[KMGTPE]i)?$/.test(value)) return value;
  report(context, node, path, "must be a quantity such as 500m or 128Mi");
  return undefined;
};

const resources = object({
  requests: optional(mapping(quantity)),
  limits: optional(mapping(quantity)),
});

/** How a Deployment is run (KubernetesResourcesSpec). */
const workload = {
  replicaCount: optional(integer(1, 1_000)),
  resources: optional(resources),
  env: optional(list(object({ name: optional(text()), value: optional(text("text", () => true)) }))),
  nodeSelector: optional(labels),
  tolerations: optional(list(jsonObject)),
  affinity: optional(jsonObject),
  priorityClassName: optional(text()),
  podAnnotations: optional(texts),
} as const;

const service = object({
  type: optional(oneOf("LoadBalancer", "ClusterIP", "NodePort")),
  externalTrafficPolicy: optional(oneOf("Cluster", "Local")),
  loadBalancerIP: optional(text()),
  loadBalancerSourceRanges: optional(list(text())),
  ports: optional(list(jsonObject, 1)),
});

const gatewayKubernetes = object({
  ...workload,
  serviceAnnotations: optional(texts),
  service: optional(service),
});

const gateway = object({
  name: optional(label("the name of a gateway", 48)),
  namespace: optional(label("the name of a namespace")),
  enabled: optional(boolean),
  label: optional(labels),
  k8s: optional(gatewayKubernetes),
});

/** A gateway of an installation. */
export type GatewaySpec = Decoded<typeof gateway>;

/** How its pods are run. */
export type WorkloadSpec = Decoded<typeof gatewayKubernetes>;

const component = object({ enabled: optional(boolean) });

/** Everything that can be said, whichever profile it is laid upon. */
export const specDecoder = object({
  profile: optional(oneOf(...profileNames)),
  revision: optional(label("a revision", 40)),
  hub: optional(text("a registry, with a path perhaps", (value) => value === "" || !/[\s@]/.test(value))),
  tag: optional(text("the tag of an image", (value) => /^\w[\w.-]{0,127}$/.test(value))),
  meshConfig: optional(jsonObject),
  components: optional(
    object({
      base: optional(component),
      pilot: optional(object({ enabled: optional(boolean), k8s: optional(object(workload)) })),
      ingressGateways: optional(list(gateway)),
      egressGateways: optional(list(gateway)),
    }),
  ),
  values: optional(
    object({
      global: optional(
        object({
          imagePullPolicy: optional(oneOf("Always", "IfNotPresent", "Never")),
          imagePullSecrets: optional(list(text())),
        }),
      ),
    }),
  ),
});

/** A specification as it was decoded. */
export type InstallSpec = Decoded<typeof specDecoder>;
