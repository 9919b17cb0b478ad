/**
 * Fields that several kinds have.
 */
import {
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
  isAddress,
  isAddressOrRange,
  isDuration,
  isHeaderName,
  isHost,
  isLabelKey,
  isLabelValue,
  isLine,
  isPositiveDuration,
  isSubsetName,
  isVisibility,
} from "../forms.ts";
import { isRe2 } from "../regular-expressions.ts";

export const portNumber = integer(1, 65_535);
export const ipAddress = text("an IP address", isAddress);
export const ipRange = text("an IP address, or a range of them such as 10.0.0.0/8", isAddressOrRange);
export const labels = mapping(
  text("the value of a label: at most 63 letters, digits, -, _ and .", isLabelValue),
  {
    expected: "the name of a label",
    test: isLabelKey,
  },
);
export const labelSelector = object({ labels: required(labels) });
export const matchLabels = object({ matchLabels: optional(labels) });
export const host = text("a host name of at most 253 characters", isHost);
export const duration = text("0s, or a duration from 1ms to 2562047h such as 5s or 1m30s", isDuration);
export const positiveDuration = text(
  "a duration from 1ms to 2562047h such as 5s or 1m30s",
  isPositiveDuration,
);
export const regularExpression = text(
  "a regular expression in RE2's syntax, of a program of at most 32768 steps",
  isRe2,
);
/** Text without line breaks. */
export const line = text("text without line breaks", isLine);
export const subsetName = text("a subset's name: letters, digits and dashes, at most 63", isSubsetName);
export const headerName = { expected: "the name of a header", test: isHeaderName };
export const count = integer(0, 2_147_483_647);
export const exportTo = list(text('"*", ".", "~" or the name of a namespace', isVisibility));

/** A share in percent: any number from 0 to 100. */
export const percent: Decoder<number> = integer(0, 100, { takesFractions: true });

export const port = object({
  number: required(portNumber),
  name: required(text("a port name")),
  protocol: optional(oneOfAnyCase("HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS")),
  targetPort: optional(portNumber),
});

export const stringMatch = object({
  exact: optional(text()),
  prefix: optional(text()),
  regex: optional(regularExpression),
});

export const destination = object({
  host: required(host),
  subset: optional(subsetName),
  port: optional(object({ number: required(portNumber) })),
});

export const captureMode = oneOf("DEFAULT", "IPTABLES", "NONE");
