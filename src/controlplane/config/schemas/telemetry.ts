/**
 * What is told of traffic, and to whom: Telemetry.
 */
import { celForm, isCelExpression } from "../cel-expressions.ts";
import { boolean, list, mapping, object, oneOf, optional, required, text } from "../decode.ts";
import { formatForm, isFormattedLine } from "../format-commands.ts";
import { isHeaderName } from "../forms.ts";
import { matchLabels, percent, positiveDuration, targetRef } from "./common.ts";

const mode = oneOf("CLIENT_AND_SERVER", "CLIENT", "SERVER");
const providers = optional(list(object({ name: required(text("the name of an extension provider")) })));
const match = optional(object({ mode: optional(mode) }));
const textOrEmpty = text("text", () => true);

const customTag = object({
  literal: optional(object({ value: required(text()) })),
  environment: optional(object({ name: required(text()), defaultValue: optional(textOrEmpty) })),
  header: optional(
    object({
      name: required(text("the name of a header", isHeaderName)),
      defaultValue: optional(textOrEmpty),
    }),
  ),
  formatter: optional(
    object({
      value: required(
        text(`${formatForm}, without line breaks`, (value) => value !== "" && isFormattedLine(value)),
      ),
    }),
  ),
});

const tracing = object({
  match,
  providers,
  randomSamplingPercentage: optional(percent),
  disableSpanReporting: optional(boolean),
  customTags: optional(mapping(customTag, { expected: "the name of a tag", test: (name) => name !== "" })),
  useRequestIdForTraceSampling: optional(boolean),
  enableIstioTags: optional(boolean),
  disableContextPropagation: optional(boolean),
});

const accessLogging = object({
  match,
  providers,
  disabled: optional(boolean),
  filter: optional(object({ expression: optional(text(celForm, isCelExpression)) })),
});

const metric = oneOf(
  ...(["ALL_METRICS", "REQUEST_COUNT", "REQUEST_DURATION", "REQUEST_SIZE", "RESPONSE_SIZE"] as const),
  ...(["TCP_OPENED_CONNECTIONS", "TCP_CLOSED_CONNECTIONS", "TCP_SENT_BYTES", "TCP_RECEIVED_BYTES"] as const),
  ...(["GRPC_REQUEST_MESSAGES", "GRPC_RESPONSE_MESSAGES"] as const),
);

const metrics = object({
  providers,
  reportingInterval: optional(positiveDuration),
  overrides: optional(
    list(
      object({
        match: optional(
          object({ metric: optional(metric), customMetric: optional(text()), mode: optional(mode) }),
        ),
        disabled: optional(boolean),
        tagOverrides: optional(
          mapping(object({ operation: optional(oneOf("UPSERT", "REMOVE")), value: optional(textOrEmpty) })),
        ),
      }),
    ),
  ),
});

export const telemetry = object({
  selector: optional(matchLabels),
  targetRef: optional(targetRef),
  targetRefs: optional(list(targetRef)),
  tracing: optional(list(tracing)),
  metrics: optional(list(metrics)),
  accessLogging: optional(list(accessLogging)),
});
