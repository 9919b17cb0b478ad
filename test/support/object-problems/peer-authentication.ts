/** What can be wrong with a PeerAuthentication. */
import { absent } from "../istio-objects.ts";
import { notAMapping, type ProblemRow } from "./words.ts";

const mode = "must be one of STRICT, PERMISSIVE, DISABLE, UNSET";

export const peerAuthenticationProblems: readonly ProblemRow[] = [
  ["apiVersion", "networking.istio.io/v1", "must be security.istio.io/v1 for a PeerAuthentication"],
  ["spec.selector", absent, "spec.portLevelMtls: needs a selector: ports belong to a workload"],
  ["spec.selector", {}, "spec.portLevelMtls: needs a selector: ports belong to a workload"],
  ["spec.selector.matchLabels", [], notAMapping],
  ["spec.mtls.mode", "MUTUAL", mode],
  ["spec.portLevelMtls", [], notAMapping],
  ["spec.portLevelMtls.8080", "STRICT", notAMapping],
  ["spec.portLevelMtls.8080.mode", "strict", mode],
  ["spec.portLevelMtls.http", { mode: "STRICT" }, "must be a port from 1 to 65535"],
];
