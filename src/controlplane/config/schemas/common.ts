/**
 * Fields that several kinds have.
 */
import {
  coded,
  type Decoder,
  integer,
  list,
  mapping,
  object,
  oneOf,
  oneOfAnyCase,
  optional,
  required,
  text,
} from "../decode.ts";
import {
  ipRangeForm,
  isAddress,
  isAddressOrRange,
  isDuration,
  isHeaderName,
  isHost,
  isLabelKey,
  isLabelValue,
  isLine,
  isNamespace,
  isResourceName,
  isPositiveDuration,
  isDnsLabel,
  isVisibility,
} from "../forms.ts";
import { isRe2 } from "../regular-expressions.ts";

/** A port of TCP. */
export const portNumber = integer(1, 65_535);

/** One address of IPv4 or IPv6. */
export const ipAddress = text("an IP address", isAddress);

/** An address, or a range in CIDR notation. */
export const ipRange = text(ipRangeForm, isAddressOrRange);

/** Labels as Kubernetes has them. */
export const labels = mapping(
  text("the value of a label: at most 63 letters, digits, -, _ and .", isLabelValue),
  {
    expected: "the name of a label",
    test: isLabelKey,
  },
);

/** Workloads by all of these labels. */
export const labelSelector = object({ labels: required(labels) });

/** The same as policies write it; all workloads without labels. */
export const matchLabels = object({ matchLabels: optional(labels) });

/** What a policy is for, where that is no workload (Istio's PolicyTargetReference). */
export const targetRef = object({
  group: optional(text("an API group", () => true)),
  kind: required(text()),
  name: required(text("the name of an object", isResourceName)),
  namespace: optional(text("a namespace", isNamespace)),
});

/** A host, with a wildcard as its first label perhaps. */
export const host = text("a host name of at most 253 characters", isHost);

/** A time of Go's, of which 0 is one. */
export const duration = text(
  "0s, or a duration of whole milliseconds up to 2562047h such as 5s or 1m30s",
  isDuration,
);

/** A time of Go's that is longer than nothing. */
export const positiveDuration = text(
  "a duration of whole milliseconds up to 2562047h such as 5s or 1m30s",
  isPositiveDuration,
);

/** An expression that Envoy takes. */
export const regularExpression = coded(
  "IST0122",
  text("a regular expression in RE2's syntax, of a program of at most 32768 steps", isRe2),
);

/** Text without line breaks. */
export const line = text("text without line breaks", isLine);

/** A name that stands in the name of a cluster. */
export const subsetName = text("a subset's name: letters, digits and dashes, at most 63", isDnsLabel);

/** What the name of a header may be. */
export const headerName = { expected: "the name of a header", test: isHeaderName };

/** A number of things, within a signed number of 32 bits as in the API of Istio. */
export const count = integer(0, 2_147_483_647);

/** Namespaces that see an object. */
export const exportTo = list(text('"*", ".", "~" or the name of a namespace', isVisibility));

/** A share in percent: any number from 0 to 100. */
export const percent: Decoder<number> = integer(0, 100, { takesFractions: true });

const portName = text("the name of a port: letters, digits and dashes, at most 63", isDnsLabel);

/** Numbers of ports by their names. */
export const portsByName = mapping(portNumber, {
  expected: "the name of a port: letters, digits and dashes, at most 63",
  test: isDnsLabel,
});

/** A port of a ServiceEntry, a Sidecar or a Gateway. */
export const port = object({
  number: required(portNumber),
  name: required(portName),
  protocol: optional(oneOfAnyCase("HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS")),
  targetPort: optional(portNumber),
});

/** One way to compare text. */
export const stringMatch = object({
  exact: optional(text()),
  prefix: optional(text()),
  regex: optional(regularExpression),
});

/** Where a route leads. */
export const destination = object({
  host: required(host),
  subset: optional(subsetName),
  port: optional(object({ number: required(portNumber) })),
});

/** Whether a listener of a Sidecar is reached by captured traffic. */
export const captureMode = oneOf("DEFAULT", "IPTABLES", "NONE");
