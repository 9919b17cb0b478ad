/** A file of objects: what is read of it, every problem with its line, and what it leaves unknown. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Alias } from "yaml";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { describeConfigProblem } from "../../../../src/controlplane/config/problem.ts";
import type { Kinds } from "../../../../src/controlplane/config/objects.ts";
import { kinds, writtenKind } from "../../../../src/controlplane/config/schema.ts";

describe("a file of objects", () => {
  const workload = (name: string, address: string): string =>
    [
      "apiVersion: networking.istio.io/v1",
      "kind: WorkloadEntry",
      `metadata: { name: ${name} }`,
      "spec:",
      `  address: ${address}`,
      "",
    ].join("\n");

  interface File {
    readonly what: string;
    readonly text: string;
    readonly problems: readonly string[];
    /** Which objects are known to be refused. */
    readonly refused?: readonly string[];
    /** Whether it is unknown which objects are refused. */
    readonly hides?: boolean;
    readonly objects?: readonly string[];
  }

  const files: readonly File[] = [
    { what: "nothing in it", text: "", problems: [] },
    { what: "comments alone", text: "# nothing yet\n", problems: [] },
    {
      what: "everything at once, each with its line",
      text: [
        "apiVersion: networking.istio.io/v2",
        "kind: ServiceEntry",
        "metadata:",
        "  name: Api",
        "spec:",
        "  hosts: []",
        "  ports:",
        "    - number: 0",
        "      name: http",
        "    - number: 80",
        "  resolution: STATICAL",
        "  endpoint: []",
        "---",
        workload("web", "a b"),
      ].join("\n"),
      problems: [
        "mesh/a.yaml:1: apiVersion: must be networking.istio.io/v1 for a ServiceEntry",
        "mesh/a.yaml:4: metadata.name: must be a name",
        "mesh/a.yaml:6: spec.hosts: must have at least 1 item",
        "mesh/a.yaml:8: spec.ports[0].number: must be a whole number from 1 to 65535",
        "mesh/a.yaml:10: spec.ports[1].name: is missing",
        "mesh/a.yaml:11: spec.resolution: must be one of STATIC, DNS, DNS_ROUND_ROBIN, NONE",
        "mesh/a.yaml:12: spec.endpoint: is not known here: did you mean endpoints?",
        "mesh/a.yaml:18: spec.address: must be an IP address or host name",
      ],
      refused: ["ServiceEntry default/Api", "WorkloadEntry default/web"],
    },
    {
      what: "keys in braces without a value, which is to leave them out",
      text: [
        "apiVersion: networking.istio.io/v1",
        "kind: ServiceEntry",
        "metadata: { name: api, namespace }",
        "spec: { hosts, ports: [{ number, name: http, targetPort }] }",
      ].join("\n"),
      problems: ["mesh/a.yaml:4: spec.ports[0].number: is missing", "mesh/a.yaml:4: spec.hosts: is missing"],
      refused: ["ServiceEntry default/api"],
    },
    {
      what: "several rules that span fields, each at the field that is in the file",
      text: [
        "apiVersion: networking.istio.io/v1",
        "kind: ServiceEntry",
        "metadata: { name: api, namespace: demo }",
        "spec:",
        "  hosts: [api.demo]",
        "  ports:",
        "    - { number: 80, name: http }",
        "    - { number: 80, name: http }",
        "  endpoints:",
        "    - address: 10.0.0.1",
        "      ports:",
        "        https: 443",
        "  workloadSelector: { labels: { app: api } }",
      ].join("\n"),
      problems: [
        "mesh/a.yaml:8: spec.ports[1].name: http is there already: make it unique",
        "mesh/a.yaml:8: spec.ports[1].number: 80 is there already: make it unique",
        "mesh/a.yaml:13: spec.workloadSelector: and endpoints exclude each other: keep one of them",
        "mesh/a.yaml:5: spec.resolution: NONE takes no endpoints: set resolution to STATIC, or remove them",
        "mesh/a.yaml:12: spec.endpoints[0].ports.https: is not the name of a port in spec.ports",
      ],
      refused: ["ServiceEntry demo/api"],
    },
    {
      what: "what is well beside what is not",
      text: [workload("a", "10.0.0.1"), workload("b", "a b"), workload("c", "10.0.0.3")].join("---\n"),
      problems: ["mesh/a.yaml:11: spec.address: must be an IP address or host name"],
      refused: ["WorkloadEntry default/b"],
      objects: ["a:1", "c:13"],
    },
    {
      what: "documents with nothing in them are none",
      text: `---\n# switched off\n---\n${workload("a", "10.0.0.1")}---\nnull\n---\n`,
      problems: [],
      objects: ["a:4"],
    },
    {
      what: "a document that is no object",
      text: `- 1\n---\n${workload("a", "10.0.0.1")}`,
      problems: ["mesh/a.yaml:1: must be an Istio object with apiVersion, kind, metadata and spec"],
      hides: true,
      objects: ["a:3"],
    },
    {
      what: "kinds that are not known, missing or no text",
      text: "kind: Ingress\nmetadata: { name: a }\n---\nmetadata: { name: b }\n---\nkind: [Sidecar]\n---\nkind: toString\n",
      problems: [
        'mesh/a.yaml:1: kind: "Ingress"',
        'mesh/a.yaml:4: kind: ""',
        'mesh/a.yaml:6: kind: ""',
        'mesh/a.yaml:8: kind: "toString"',
      ].map(
        (begin) =>
          `${begin} is not one of ${[...new Set((Object.keys(kinds) as (keyof Kinds)[]).map(writtenKind))].join(", ")}`,
      ),
      hides: true,
    },
    {
      what: "an object without a name that counts",
      text: "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: 1 }\nspec: {}\n",
      problems: ["mesh/a.yaml:3: metadata.name: must be a name"],
      hides: true,
    },
    {
      what: "a namespace that is no text",
      text: "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: a, namespace: 1 }\nspec: {}\n",
      problems: ["mesh/a.yaml:3: metadata.namespace: must be a namespace"],
      hides: true,
    },
    {
      what: "an alias for a field",
      text: "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: &a { name: a }\nspec: *a\n",
      problems: [
        "mesh/a.yaml:3: spec.name: is not known here: this control plane reads workloadSelector, ingress, egress, outboundTrafficPolicy",
      ],
      refused: ["Sidecar default/a"],
    },
    {
      what: "aliases and merged mappings, which stand for what is at their anchors",
      text: [
        "apiVersion: networking.istio.io/v1",
        "kind: WorkloadEntry",
        "metadata: { name: a, labels: &labels { app: a } }",
        "spec: { address: &address 10.0.0.1, labels: { <<: *labels, version: v1 } }",
        "---",
        "",
      ].join("\n"),
      problems: [],
      objects: ["a:1"],
    },
    {
      what: "what kubectl prints: a list, and the bookkeeping of Kubernetes",
      text: [
        "apiVersion: v1",
        "kind: List",
        'metadata: { resourceVersion: "" }',
        "items:",
        "  - apiVersion: networking.istio.io/v1",
        "    kind: WorkloadEntry",
        "    metadata:",
        "      name: a",
        "      uid: 5f1f7d5e",
        "      generation: 2",
        "      creationTimestamp: 2026-01-31T12:00:00Z",
        "      managedFields: [{ manager: kubectl }]",
        "    spec: { address: 10.0.0.1 }",
        "    status: { conditions: [] }",
      ].join("\n"),
      problems: [],
      objects: ["a:5"],
    },
    {
      what: "kinds that are not Istio's, in one line",
      text: `apiVersion: v1\nkind: Service\nmetadata: { name: a }\n---\napiVersion: apps/v1\nkind: Deployment\n---\n${workload("a", "10.0.0.1")}`,
      problems: ["mesh/a.yaml:2: kind: objects that are not Istio's are passed over: Deployment, Service"],
      objects: ["a:8"],
    },
    {
      what: "kinds of Istio's without an effect here",
      text: "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: UDPRoute\nmetadata: { name: a }\nspec: {}\n",
      problems: ["mesh/a.yaml:2: kind: a UDPRoute has no effect here: this control plane does not act on it"],
    },
    {
      what: "a key that comes twice",
      text: `${workload("a", "10.0.0.1")}  address: 10.0.0.2\n`,
      problems: ["mesh/a.yaml:6: not valid YAML: Map keys must be unique"],
      hides: true,
    },
    {
      what: "no YAML, beside what is well",
      text: `kind: [\n---\n${workload("a", "10.0.0.1")}`,
      problems: [
        "mesh/a.yaml:2: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
      ],
      hides: true,
      objects: ["a:3"],
    },
    {
      what: "brackets without end",
      text: "[".repeat(100),
      problems: ["mesh/a.yaml:1: is nested more than 64 levels deep"],
      hides: true,
    },
    {
      what: "more than is read",
      text: `# ${"a".repeat(2 ** 22)}`,
      problems: ["mesh/a.yaml: has 4194306 bytes, of which 4194304 are the most that is read"],
      hides: true,
    },
  ];
  for (const { what, text, problems, refused = [], hides = false, objects = [] } of files) {
    test(what, () => {
      const parsed = parseDocuments("mesh/a.yaml", text);
      assert.deepEqual(parsed.problems.map(describeConfigProblem), problems);
      assert.deepEqual(parsed.refused, refused);
      assert.equal(parsed.hidesObjects, hides);
      assert.deepEqual(
        parsed.objects.map(({ name, line }) => `${name}:${line}`),
        objects,
      );
    });
  }

  test("aliases stand for the last anchor before them, and none is looked for through the whole file", (t) => {
    const search = t.mock.method(Alias.prototype, "resolve");
    const text = [
      "apiVersion: networking.istio.io/v1",
      "kind: VirtualService",
      "metadata: { name: &name old, namespace: demo }",
      "spec:",
      `  gateways: [&gateway mesh${", *gateway".repeat(1000)}]`,
      "  hosts: [&name new]",
      "  http: [{ route: [{ destination: { host: *name } }] }]",
    ].join("\n");
    const { objects, problems } = parseDocuments("mesh/a.yaml", text);
    assert.deepEqual(problems, []);
    const [spec] = objects.map((object) => object.spec);
    assert.deepEqual(spec, {
      gateways: Array.from({ length: 1001 }, () => "mesh"),
      hosts: ["new"],
      http: [{ route: [{ destination: { host: "new" } }] }],
    });
    assert.equal(search.mock.callCount(), 0);
  });
});
