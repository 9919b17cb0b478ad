/** Everything that can be wrong with a field of an object: where it is, and what to do. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import type { Kinds } from "../../../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { kinds } from "../../../../src/controlplane/config/schema.ts";
import { describeConfigProblem } from "../../../../src/controlplane/config/problem.ts";
import { absent, objectWith } from "../../../support/istio-objects.ts";
import { serviceEntryProblems } from "../../../support/object-problems/service-entry.ts";
import { workloadEntryProblems } from "../../../support/object-problems/workload-entry.ts";
import { workloadGroupProblems } from "../../../support/object-problems/workload-group.ts";
import { virtualServiceProblems } from "../../../support/object-problems/virtual-service.ts";
import { destinationRuleProblems } from "../../../support/object-problems/destination-rule.ts";
import { peerAuthenticationProblems } from "../../../support/object-problems/peer-authentication.ts";
import { sidecarProblems } from "../../../support/object-problems/sidecar.ts";
import { authorizationPolicyProblems } from "../../../support/object-problems/authorization-policy.ts";
import { gatewayApiProblems } from "../../../support/object-problems/gateway-api.ts";
import { gatewayProblems } from "../../../support/object-problems/gateway.ts";
import { secretProblems } from "../../../support/object-problems/secret.ts";
import { requestAuthenticationProblems } from "../../../support/object-problems/request-authentication.ts";
import { envoyFilterProblems } from "../../../support/object-problems/envoy-filter.ts";
import { trafficExtensionProblems, wasmPluginProblems } from "../../../support/object-problems/extensions.ts";
import { proxyConfigProblems } from "../../../support/object-problems/proxy-config.ts";
import { telemetryProblems } from "../../../support/object-problems/telemetry.ts";
import type { ProblemRow } from "../../../support/object-problems/words.ts";

const rows: Readonly<Record<keyof Kinds, readonly ProblemRow[]>> = {
  ServiceEntry: serviceEntryProblems,
  WorkloadEntry: workloadEntryProblems,
  WorkloadGroup: workloadGroupProblems,
  VirtualService: virtualServiceProblems,
  DestinationRule: destinationRuleProblems,
  PeerAuthentication: peerAuthenticationProblems,
  Sidecar: sidecarProblems,
  AuthorizationPolicy: authorizationPolicyProblems,
  Gateway: gatewayProblems,
  Secret: secretProblems,
  Telemetry: telemetryProblems,
  ProxyConfig: proxyConfigProblems,
  WasmPlugin: wasmPluginProblems,
  TrafficExtension: trafficExtensionProblems,
  EnvoyFilter: envoyFilterProblems,
  RequestAuthentication: requestAuthenticationProblems,
  ...gatewayApiProblems,
};

const yamlOf = (value: object): string => stringify(value, { aliasDuplicateObjects: false });

function problemsOf(text: string): readonly string[] {
  return parseDocuments("mesh/a.yaml", text).problems.map(describeConfigProblem);
}

const lineless = (problem: string): string => problem.replace(/^(mesh\/a\.yaml):\d+/, "$1");

describe("a field of an object", () => {
  for (const [kind, ofKind] of Object.entries(rows)) {
    test(`every field of a ${kind} may be there`, () => {
      const text = yamlOf(objectWith(kind as keyof Kinds, "metadata.namespace", "demo"));
      const { objects, problems } = parseDocuments("mesh/a.yaml", text);
      assert.deepEqual(problems, []);
      assert.equal(objects.length, 1);
    });
    for (const [path, value, ...problems] of ofKind) {
      const shown = value === absent ? "absent" : JSON.stringify(value).slice(0, 60);
      test(`${kind}: ${path.slice(0, 60)} ${shown}`, () => {
        const text = yamlOf(objectWith(kind as keyof Kinds, path, value));
        const { objects, refused } = parseDocuments("mesh/a.yaml", text);
        assert.deepEqual(
          problemsOf(text).map(lineless).toSorted(),
          problems
            .map((problem) =>
              /^(?:spec|apiVersion|metadata\.)[^ ]*: /.test(problem)
                ? `mesh/a.yaml: ${problem}`
                : `mesh/a.yaml: ${path}: ${problem}`,
            )
            .toSorted(),
        );
        assert.deepEqual(objects, []);
        const isNamed = path !== "metadata" && path !== "metadata.name";
        const where = kinds[kind as keyof Kinds].isClusterWide === true ? "" : "demo/";
        if (isNamed && path !== "metadata.namespace") assert.deepEqual(refused, [`${kind} ${where}api`]);
      });
    }
  }
});
