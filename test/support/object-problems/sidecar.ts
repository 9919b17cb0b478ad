/** What can be wrong with a Sidecar. */
import { absent } from "../istio-objects.ts";
import { ip, known, missing, notAList, notAMapping, one, port, unique, type ProblemRow } from "./words.ts";

const capture = "must be one of DEFAULT, IPTABLES, NONE";
const endpoint =
  "must be 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or unix:// and an absolute path of at most 107 bytes";

export const sidecarProblems: readonly ProblemRow[] = [
  ["spec.workloadSelector", { labels: [] }, "spec.workloadSelector.labels: must be a mapping"],
  ["spec.ingress", {}, notAList],
  ["spec.ingress[0].port", absent, missing],
  ["spec.ingress[0].port.number", "80", port],
  ["spec.ingress[0].bind", "localhost", ip],
  ["spec.ingress[0].captureMode", "none", capture],
  ["spec.ingress[0].defaultEndpoint", absent, missing],
  ["spec.ingress[0].defaultEndpoint", "10.0.0.1:80", endpoint],
  ["spec.ingress[1].port.number", 80, unique(80)],
  ["spec.egress", {}, notAList],
  ["spec.egress[0].port", 80, notAMapping],
  [
    "spec.egress",
    [{ hosts: ["./*"] }, { port: { number: 80, name: "http" }, hosts: ["./*"] }],
    "spec.egress[0]: has no port, and takes all others: make it the last one",
  ],
  [
    "spec.egress",
    ["127.0.0.1", "127.0.0.2"].map((bind) => ({
      port: { number: 80, name: "http" },
      bind,
      hosts: ["./*"],
    })),
    `spec.egress[1].port: ${unique(80)}`,
  ],
  ["spec", {}, "says nothing: give it egress, ingress or outboundTrafficPolicy"],
  ["spec.ingress[0].defaultEndpoint", "unix:/a", endpoint],
  ["spec.ingress[0].defaultEndpoint", "unix://a", endpoint],
  ["spec.egress[0].bind", "::1%lo", ip],
  ["spec.egress[0].captureMode", "", capture],
  ["spec.egress[0].hosts", absent, missing],
  ["spec.egress[0].hosts", [], one],
  ["spec.egress[0].hosts[0]", "api.demo", "must be namespace/host"],
  ["spec.egress[0].hosts[0]", "a/b/c", "must be namespace/host"],
  ["spec.outboundTrafficPolicy", {}, "spec.outboundTrafficPolicy.mode: is missing"],
  ["spec.outboundTrafficPolicy.mode", "ALLOW", "must be one of ALLOW_ANY, REGISTRY_ONLY"],
  ["spec.inboundConnectionPool", {}, known("workloadSelector", "ingress", "egress", "outboundTrafficPolicy")],
];
