/**
 * What a rule is about: operations, and what is known of the connection, as permissions of Envoy's RBAC.
 */
import type { PermissionJson } from "../../../proto/envoy/envoy/config/rbac/v3/rbac_pb.js";
import { UriTemplateMatchConfigSchema } from "../../../proto/envoy/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import type { AuthorizationPolicySpec } from "../../config/objects.ts";
import { packed } from "../any.ts";
import { rangeOf } from "../connections.ts";
import { combinedWith } from "./combine.ts";
import { valueMatcher } from "./value-match.ts";

type Rule = NonNullable<AuthorizationPolicySpec["rules"]>[number];

/** What is asked for. */
export type Operation = NonNullable<Rule["to"]>[number]["operation"];

/** How a value becomes a permission. */
export type ToPermission = (value: string) => PermissionJson;

/** How permissions are combined; without any, whatever is asked. */
export const ofPermissions = combinedWith<PermissionJson>({
  any: { any: true },
  or: (rules) => ({ orRules: { rules: [...rules] } }),
  and: (rules) => ({ andRules: { rules: [...rules] } }),
  not: (rule) => ({ notRule: rule }),
});

/** All that an operation is; without what only a request says where there is none. */
export function operationPermissions(operation: Operation, isHttp: boolean): readonly PermissionJson[] {
  const ports = ofPermissions.among(toPort, operation.ports, operation.notPorts);
  if (!isHttp) return ports;
  return [
    ...ofPermissions.among(host, operation.hosts, operation.notHosts),
    ...ports,
    ...ofPermissions.among(method, operation.methods, operation.notMethods),
    ...ofPermissions.among(path, operation.paths, operation.notPaths),
  ];
}

/** The port of the workload. */
export const toPort: ToPermission = (port) => ({ destinationPort: Number(port) });

/** The address of the workload. */
export const toAddress: ToPermission = (range) => ({ destinationIp: rangeOf(range) });

/** The server name of TLS. */
export const serverName: ToPermission = (name) => ({ requestedServerName: valueMatcher(name) });

const host: ToPermission = (value) => ({
  header: {
    name: ":authority",
    stringMatch: { ...valueMatcher(value), ...(value === "*" ? {} : { ignoreCase: true }) },
  },
});

const method: ToPermission = (value) => ({ header: { name: ":method", stringMatch: valueMatcher(value) } });

/** `{*}` stands for one part of a path, `{**}` for any number of them. */
const path: ToPermission = (value) =>
  isPathTemplate(value)
    ? {
        uriTemplate: {
          name: "uri-template",
          typedConfig: packed(UriTemplateMatchConfigSchema, {
            pathTemplate: value.replaceAll("{**}", "**").replaceAll("{*}", "*"),
          }),
        },
      }
    : { urlPath: { path: valueMatcher(value) } };

function isPathTemplate(value: string): boolean {
  return value.includes("{*}") || value.includes("{**}");
}
