/** What can be wrong with a AuthorizationPolicy. */
import { one, range, type ProblemRow } from "./words.ts";

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
];
