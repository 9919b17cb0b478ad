/**
 * How objects of the Gateway API name others (gateway.networking.k8s.io, API reference).
 */
import { type Decoder, integer, object, optional, required, text } from "../../decode.ts";
import { isAddress, isDnsLabel, isHost, isNamespace, isResourceName } from "../../forms.ts";
import { portNumber } from "../common.ts";

export const objectName = text("the name of an object", isResourceName);
export const namespaceName = text("the name of a namespace", isNamespace);
export const apiGroup = text("an API group, or nothing for Kubernetes' own", isApiGroup);
export const kindName = text("a kind, such as Service", isDnsLabel);
export const sectionName = text("the name of a listener or of a rule", isResourceName);
export const weight = integer(0, 1_000_000);

/** A host, whose first label may be a wildcard: neither an address nor every host there is. */
export const hostname: Decoder<string> = text(
  "a host name such as shop.example.com or *.example.com",
  (value) => isHost(value) && value !== "*" && !value.endsWith(".") && !isAddress(value),
);

export const parentRef = object({
  group: optional(apiGroup),
  kind: optional(kindName),
  namespace: optional(namespaceName),
  name: required(objectName),
  sectionName: optional(sectionName),
  port: optional(portNumber),
});

/** A service, or another object with a name and a port. */
export const backendFields = {
  group: optional(apiGroup),
  kind: optional(kindName),
  namespace: optional(namespaceName),
  name: required(objectName),
  port: optional(portNumber),
};

export const secretRef = object({
  group: optional(apiGroup),
  kind: optional(kindName),
  namespace: optional(namespaceName),
  name: required(objectName),
});

/** An object of the route's own namespace. */
export const localRef = object({
  group: required(apiGroup),
  kind: required(kindName),
  name: required(objectName),
});

function isApiGroup(value: string): boolean {
  return value === "" || isResourceName(value);
}
