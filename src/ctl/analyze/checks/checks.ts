/** Every check of what objects do to each other that Istio has a message for, beside those of the control plane. */
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { ambientFindings } from "./ambient.ts";
import { annotationFindings } from "./annotations.ts";
import { clusterFindings } from "./cluster-parts.ts";
import { conditionFindings } from "./conditions.ts";
import { destinationRuleFindings } from "./destination-rules.ts";
import { envoyFilterFindings } from "./envoy-filters.ts";
import { gatewayApiFindings } from "./gateway-api.ts";
import { definitionFindings } from "./gateway-api-definitions.ts";
import { ingressSubsetFindings } from "./ingress-subsets.ts";
import { injectionFindings } from "./injection.ts";
import { keyFetchFindings } from "./key-fetches.ts";
import { kubernetesServiceFindings } from "./kubernetes-services.ts";
import type { AnalyzedMesh } from "./mesh.ts";
import { networkFindings } from "./networks.ts";
import { selectorFindings } from "./selectors.ts";
import { gatewayCertificateFindings, protocolFindings, serviceEntryFindings } from "./services.ts";
import { subsetFindings } from "./subsets.ts";
import { virtualServiceFindings } from "./virtual-services.ts";

/** Pure; in the order in which they were written. */
export const checks: readonly ((mesh: AnalyzedMesh) => readonly ConfigProblem[])[] = [
  virtualServiceFindings,
  destinationRuleFindings,
  envoyFilterFindings,
  selectorFindings,
  serviceEntryFindings,
  gatewayCertificateFindings,
  injectionFindings,
  kubernetesServiceFindings,
  annotationFindings,
  clusterFindings,
  subsetFindings,
  protocolFindings,
  gatewayApiFindings,
  definitionFindings,
  ingressSubsetFindings,
  ambientFindings,
  conditionFindings,
  networkFindings,
  keyFetchFindings,
];
