/** What can be wrong with a AuthorizationPolicy. */
import { one, range, type ProblemRow } from "./words.ts";

const namespace = "must be the name of a namespace, or a part of it with *, of at most 253 bytes";

export const authorizationPolicyProblems: readonly ProblemRow[] = [
  [
    "metadata.annotations",
    { "istio.io/dry-run": "maybe" },
    'metadata.annotations.istio.io/dry-run: must be "true" or "false"',
  ],
  ["spec.action", "BLOCK", "must be one of ALLOW, DENY, AUDIT, CUSTOM"],
  ["spec.provider", { name: "guard" }, "is for the action CUSTOM alone: remove it"],
  ["spec.rules[0].from", [], one],
  ["spec.rules[0].from[0].source", {}, "says nothing: give it a field, or remove it"],
  ["spec.rules[0].from[0].source.ipBlocks", ["10.0.0"], `spec.rules[0].from[0].source.ipBlocks[0]: ${range}`],
  ["spec.rules[0].to[0].operation", {}, "says nothing: give it a field, or remove it"],
  ["spec.rules[0].to[0].operation.ports[0]", "http", "must be a port from 1 to 65535"],
  [
    "spec.rules[0].when[0].key",
    "request.header",
    "must be an attribute such as source.ip or request.headers[x-user]",
  ],
  ["spec.rules[0].when[0]", { key: "source.ip" }, "needs values or notValues"],
  [
    "spec.rules[0].from[0].source.notNamespaces",
    ["é".repeat(127)],
    `spec.rules[0].from[0].source.notNamespaces[0]: ${namespace}`,
  ],
  ...(
    [
      ["source.ip", "1.2.3", range],
      ["remote.ip", "zzz", range],
      ["destination.ip", "::1/129", range],
      ["destination.port", "99999", "must be a port from 1 to 65535"],
      ["destination.port", "http", "must be a port from 1 to 65535"],
      ["source.namespace", "a".repeat(254), namespace],
    ] as const
  ).flatMap(([key, value, problem]) =>
    (["values", "notValues"] as const).map((field): ProblemRow => [
      "spec.rules[0].when[0]",
      { key, [field]: [value] },
      `spec.rules[0].when[0].${field}[0]: ${problem}`,
    ]),
  ),
];
