/**
 * What machines that register themselves have in common: WorkloadGroup.
 */
import { integer, list, mapping, object, oneOfAnyCase, optional, required, text } from "../decode.ts";
import { isLine, isResourceName } from "../forms.ts";
import { count, headerName, labels, portNumber } from "./common.ts";
import { workloadFields } from "./services.ts";

const annotations = mapping(text("text", () => true));
const host = text("a host without spaces", (value) => /^\S+$/.test(value));
const path = text("a path without line breaks", isLine);
const times = integer(1, 2_147_483_647);

/** How the agent of each looks whether its workload is well (Istio's ReadinessProbe). */
const readinessProbe = object({
  initialDelaySeconds: optional(count),
  timeoutSeconds: optional(count),
  periodSeconds: optional(count),
  successThreshold: optional(times),
  failureThreshold: optional(times),
  httpGet: optional(
    object({
      path: optional(path),
      port: required(portNumber),
      host: optional(host),
      scheme: optional(oneOfAnyCase("HTTP", "HTTPS")),
      httpHeaders: optional(
        list(
          object({
            name: required(text(headerName.expected, headerName.test)),
            value: optional(text("text", () => true)),
          }),
        ),
      ),
    }),
  ),
  tcpSocket: optional(object({ host: optional(host), port: required(portNumber) })),
  exec: optional(object({ command: required(list(text(), 1)) })),
  grpc: optional(object({ port: required(portNumber), service: optional(text("text", () => true)) })),
});

export const workloadGroup = object({
  metadata: optional(object({ labels: optional(labels), annotations: optional(annotations) })),
  template: required(
    object({
      ...workloadFields,
      /** Each machine has its own. */
      address: optional(text("text", () => true)),
      network: optional(text("the name of a network", isResourceName)),
    }),
  ),
  probe: optional(readinessProbe),
});
