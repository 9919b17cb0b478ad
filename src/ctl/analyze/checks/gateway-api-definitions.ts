/** Definitions of the Gateway API's kinds that are too old, or will be. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import type { KubernetesObject } from "../kubernetes-objects.ts";
import type { AnalyzedMesh } from "./mesh.ts";

const bundleVersion = "gateway.networking.k8s.io/bundle-version";

type Version = readonly [major: number, minor: number];

/** The release of the Gateway API since which its kinds are v1. */
const least: Version = [1, 0];

/** Kinds whose objects istiod reads only of a later release (`MinimumCRDVersions` of Istio 1.31). */
const leastByKind: ReadonlyMap<string, Version> = new Map([
  ["GRPCRoute", [1, 1]],
  ["BackendTLSPolicy", [1, 4]],
  ["TLSRoute", [1, 5]],
  ["TCPRoute", [1, 6]],
]);

/** Kinds that have a v1 that Istio is to rely on (its precheck). */
const stableKinds: readonly string[] = ["Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute"];

/** IST0156, IST0172, IST0176. */
export function definitionFindings({ kubernetes }: AnalyzedMesh): readonly ConfigProblem[] {
  return kubernetes
    .filter(({ kind, value }) => {
      return (
        kind === "CustomResourceDefinition" && textAt(value, "spec", "group") === "gateway.networking.k8s.io"
      );
    })
    .flatMap((definition) => [...ageFindings(definition), ...versionFindings(definition)]);
}

function ageFindings(definition: KubernetesObject): readonly ConfigProblem[] {
  const written = definition.annotations[bundleVersion];
  const numbers = /^v?(\d+)\.(\d+)\./.exec(written ?? "");
  if (written === undefined || numbers === null) return [];
  const installed: Version = [Number(numbers[1]), Number(numbers[2])];
  const kind = textAt(definition.value, "spec", "names", "kind") ?? "";
  const tell = (code: string, why: string): readonly ConfigProblem[] => {
    const message = `is ${written}, ${why}: install a later release of the Gateway API`;
    return [warningAt(definition, `metadata.annotations.${bundleVersion}`, message, code)];
  };
  if (isBefore(installed, least)) return tell("IST0156", `before ${words(least)}`);
  const needed = leastByKind.get(kind);
  return needed !== undefined && isBefore(installed, needed)
    ? tell("IST0176", `and istiod passes ${kind}s over before ${words(needed)}`)
    : [];
}

function isBefore([major, minor]: Version, [otherMajor, otherMinor]: Version): boolean {
  return major === otherMajor ? minor < otherMinor : major < otherMajor;
}

function words([major, minor]: Version): string {
  return `v${major}.${minor}.0`;
}

function versionFindings(definition: KubernetesObject): readonly ConfigProblem[] {
  const kind = textAt(definition.value, "spec", "names", "kind") ?? "";
  const served = listAt(definition.value, "spec", "versions")
    .filter((version) => at(version, "served") !== false)
    .map((version) => textAt(version, "name"));
  if (!stableKinds.includes(kind) || served.length === 0 || served.includes("v1")) return [];
  const message = `serves ${served.join(", ")} of ${kind}, and later releases ask for v1: install a later release of the Gateway API`;
  return [warningAt(definition, "spec.versions", message, "IST0172")];
}
