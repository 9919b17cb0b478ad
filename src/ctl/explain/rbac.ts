/**
 * What Envoy's RBAC filter decides (envoy.config.rbac.v3). Pure.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import { matchesHeader, matchesRange, matchesRegex, matchesString } from "./matchers.ts";
import { pathOf, type Request } from "./request.ts";

/** The connection that a request came on. */
export interface Peer {
  /** SPIFFE ID of the client's certificate; undefined in plain text. */
  readonly principal: string | undefined;
  /** Where the connection comes from. */
  readonly address: string;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  readonly serverName: string | undefined;
}

/** Who decided: the name of the policy that matched, or of none. */
export interface RbacDecision {
  readonly isAllowed: boolean;
  readonly action: string;
  readonly policy: string | undefined;
}

/** Undefined where the filter has no rules that count: those of a dry run do not. */
export function decideRbac(config: unknown, request: Request, peer: Peer): RbacDecision | undefined {
  const rules = at(config, "rules");
  if (rules === undefined) return undefined;
  // What is the first value of an enumeration is left out of JSON.
  const action = textAt(rules, "action") ?? "ALLOW";
  const policies = Object.entries(at(rules, "policies") ?? {});
  const policy = policies.find(
    ([, each]) =>
      listAt(each, "permissions").some((permission) => isPermitted(permission, request, peer)) &&
      listAt(each, "principals").some((principal) => isPrincipal(principal, request, peer)),
  )?.[0];
  const isAllowed = action === "LOG" || (action === "DENY") === (policy === undefined);
  return { isAllowed, action, policy };
}

function isPermitted(permission: unknown, request: Request, peer: Peer): boolean {
  const every = at(permission, "and_rules");
  const some = at(permission, "or_rules");
  const not = at(permission, "not_rule");
  const again = (rule: unknown): boolean => isPermitted(rule, request, peer);
  if (every !== undefined) return listAt(every, "rules").every(again);
  if (some !== undefined) return listAt(some, "rules").some(again);
  if (not !== undefined) return !again(not);
  if (at(permission, "any") === true) return true;
  const header = at(permission, "header");
  if (header !== undefined) return matchesHeader(header, request);
  const path = at(permission, "url_path", "path");
  if (path !== undefined) return matchesString(path, pathOf(request));
  const template = textAt(permission, "uri_template", "typed_config", "path_template");
  if (template !== undefined) return matchesTemplate(template, pathOf(request));
  const port = at(permission, "destination_port");
  if (port !== undefined) return Number(port) === peer.destinationPort;
  const range = at(permission, "destination_ip");
  if (range !== undefined) return matchesRange(range, peer.destinationAddress);
  const name = at(permission, "requested_server_name");
  return name !== undefined && matchesString(name, peer.serverName ?? "");
}

function isPrincipal(principal: unknown, request: Request, peer: Peer): boolean {
  const every = at(principal, "and_ids");
  const some = at(principal, "or_ids");
  const not = at(principal, "not_id");
  const again = (id: unknown): boolean => isPrincipal(id, request, peer);
  if (every !== undefined) return listAt(every, "ids").every(again);
  if (some !== undefined) return listAt(some, "ids").some(again);
  if (not !== undefined) return !again(not);
  if (at(principal, "any") === true) return true;
  const authenticated = at(principal, "authenticated");
  if (authenticated !== undefined) {
    const name = at(authenticated, "principal_name");
    if (peer.principal === undefined) return false;
    return name === undefined || matchesString(name, peer.principal);
  }
  const direct = at(principal, "direct_remote_ip") ?? at(principal, "source_ip");
  if (direct !== undefined) return matchesRange(direct, peer.address);
  const remote = at(principal, "remote_ip");
  if (remote !== undefined) return matchesRange(remote, remoteAddress(request, peer));
  const header = at(principal, "header");
  // A token's claims are known to Envoy only: without one there are none.
  return header !== undefined && matchesHeader(header, request);
}

/** What proxies before this one say, which is believed as it is without `use_remote_address`. */
function remoteAddress({ headers }: Request, { address }: Peer): string {
  const last = headers["x-forwarded-for"]?.split(",").at(-1)?.trim() ?? "";
  return last === "" ? address : last;
}

/** `*` stands for one part of a path, `**` for any number of them (UriTemplateMatchConfig). */
function matchesTemplate(template: string, path: string): boolean {
  const parts = template.split("/").map((part) => {
    if (part === "**" || /^\{\w+=\*\*\}$/.test(part)) return ".*";
    if (part === "*" || /^\{\w+(=\*)?\}$/.test(part)) return "[^/]+";
    return RegExp.escape(part).replaceAll(/\\\*/g, "[^/]*");
  });
  return matchesRegex(parts.join("/"), path);
}
