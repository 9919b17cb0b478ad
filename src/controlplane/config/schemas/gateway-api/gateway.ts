/**
 * Where gateways listen and who may use them: Gateway, GatewayClass, ReferenceGrant and the labels of namespaces.
 */
import { anything, list, mapping, object, oneOf, optional, required, text } from "../../decode.ts";
import { isLabelKey, isLabelValue, isLine, isResourceName } from "../../forms.ts";
import { labels, portNumber } from "../common.ts";
import {
  apiGroup,
  hostname,
  kindName,
  namespaceName,
  objectName,
  secretRef,
  sectionName,
} from "./references.ts";

/** Namespaces by their labels, as Kubernetes has it (LabelSelector). */
const labelSelector = object({
  matchLabels: optional(labels),
  matchExpressions: optional(
    list(
      object({
        key: required(text("the name of a label", isLabelKey)),
        operator: required(oneOf("In", "NotIn", "Exists", "DoesNotExist")),
        values: optional(list(text("the value of a label", isLabelValue))),
      }),
    ),
  ),
});

const allowedRoutes = object({
  namespaces: optional(
    object({ from: optional(oneOf("Same", "All", "Selector")), selector: optional(labelSelector) }),
  ),
  kinds: optional(list(object({ group: optional(apiGroup), kind: required(kindName) }))),
});

const listenerTls = object({
  mode: optional(oneOf("Terminate", "Passthrough")),
  certificateRefs: optional(list(secretRef)),
  options: optional(mapping(text("text", isLine))),
});

const servedProtocols = ["HTTP", "HTTPS", "TLS", "TCP"] as const;

/** What a listener that is served may speak. */
export type ServedProtocol = (typeof servedProtocols)[number];

/** True for the protocol of a listener that is served. */
export function isServedProtocol(protocol: string): protocol is ServedProtocol {
  return servedProtocols.some((served) => served === protocol);
}

/** As the API has it (ProtocolType): one that is not served costs its own listener only. */
function isProtocol(value: string): boolean {
  const isWord = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(value);
  const [domain = "", name = "", ...rest] = value.split("/");
  const isOfDomain = rest.length === 0 && isResourceName(domain) && /^[a-z0-9]+$/i.test(name);
  return value.length <= 255 && (isWord || isOfDomain);
}

export const listener = object({
  name: required(sectionName),
  hostname: optional(hostname),
  port: required(portNumber),
  protocol: required(
    text("a protocol such as HTTP, or one with a domain, such as example.com/foo", isProtocol),
  ),
  tls: optional(listenerTls),
  allowedRoutes: optional(allowedRoutes),
});

export const kubernetesGateway = object({
  gatewayClassName: required(objectName),
  listeners: required(list(listener, 1)),
  addresses: optional(
    list(
      object({ type: optional(oneOf("Hostname", "IPAddress")), value: required(text("an address", isLine)) }),
    ),
  ),
  // Of the deployment that Kubernetes makes for it; nothing is deployed here.
  infrastructure: optional(anything),
});

export const gatewayClass = object({
  controllerName: required(text("the name of a controller, such as istio.io/gateway-controller", isLine)),
  description: optional(text("text", () => true)),
  parametersRef: optional(anything),
});

export const referenceGrant = object({
  from: required(
    list(
      object({ group: required(apiGroup), kind: required(kindName), namespace: required(namespaceName) }),
      1,
    ),
  ),
  to: required(
    list(object({ group: required(apiGroup), kind: required(kindName), name: optional(objectName) }), 1),
  ),
});

/** Of Kubernetes: what is in it does not count, its labels do. */
export const namespace = object({ spec: optional(anything) });
