/**
 * A request to the HTTP API of a catalog's agent, Consul's or Nomad's.
 */
import type { RequestOptions } from "node:https";
import { readRegularFile, readRegularText } from "../../files/read-regular-file.ts";
import { trustedRoots } from "../../net/server-authentication.ts";

/** Which agent is asked, and as whom. */
export interface AgentTarget {
  /** `http://127.0.0.1:8500`, or `https://…`. */
  readonly url: string;
  /** Holds the ACL token, which is read for each question: it is replaced while the control plane runs. */
  readonly tokenFile?: string | undefined;
  /** Roots for `https`; undefined for those that Node.js brings. */
  readonly caFile?: string | undefined;
}

/** How a request of any kind is sent. */
export interface AgentRequest {
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<RequestOptions, "ca"> | undefined;
}

/**
 * Reads the token anew.
 *
 * @param tokenHeader in lower case
 * @throws Error when a file cannot be read
 */
export function agentRequest(
  target: AgentTarget,
  path: string,
  query: Readonly<Record<string, string>>,
  tokenHeader: string,
): AgentRequest {
  const { protocol, hostname, port, pathname, host } = new URL(target.url);
  const isSecure = protocol === "https:";
  const words = new URLSearchParams(query).toString();
  const token = tokenOf(target);
  return {
    isSecure,
    // An address of IPv6 stands in brackets in a URL only.
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port) || (isSecure ? 443 : 80),
    url: `${pathname.replace(/\/$/, "")}${path}${words === "" ? "" : `?${words}`}`,
    headers: { host, ...(token === "" ? {} : { [tokenHeader]: token }) },
    tls: isSecure
      ? trustedRoots(target.caFile === undefined ? undefined : readRegularFile(target.caFile))
      : undefined,
  };
}

function tokenOf({ tokenFile }: AgentTarget): string {
  return tokenFile === undefined ? "" : readRegularText(tokenFile, { maxBytes: 4_096 }).trim();
}
