/**
 * Headers that an operator has sent along with every call to the control plane, from variables named by a prefix.
 *
 * gRPC writes names in lower case whatever the variable's. A name or a value that HTTP/2 or gRPC has no place for
 * would fail each call, or be dropped on the way: it is a problem of the configuration.
 */
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";

/** HTTP/2 has no place for them (RFC 9113, section 8.2.2). */
const ofConnections: ReadonlySet<string> = new Set([
  ...["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "http2-settings"],
]);

/** gRPC over HTTP/2 says what they hold. */
const ofTheCall: ReadonlySet<string> = new Set(["content-type", "content-length", "te", "user-agent"]);

/** Header-Name of gRPC over HTTP/2, in lower case. */
const grpcName = /^[0-9a-z_.-]+$/;

/** ASCII-Value of gRPC over HTTP/2. */
const grpcValue = /^[\x20-\x7e]*$/;

/** What follows this in a name has bytes for its value, which travel in base 64. */
const binarySuffix = "-bin";

/** The headers that `prefix` names, as they are sent; a problem is added for each that cannot be. */
export function callHeaders(
  env: Readonly<Record<string, string | undefined>>,
  prefix: string,
  problems: ConfigProblem[],
): Readonly<Record<string, string>> {
  const headers = new Map<string, string>();
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || value === undefined) continue;
    const name = variable.slice(prefix.length).toLowerCase();
    const message = problemOf(name, value);
    if (message !== undefined) {
      problems.push({ source: variable, path: "", message });
      continue;
    }
    const sent = name.endsWith(binarySuffix) ? Buffer.from(value).toString("base64") : value.trim();
    const earlier = headers.get(name);
    // Names that differ in case are one header of several values (gRPC over HTTP/2, Custom-Metadata).
    headers.set(name, earlier === undefined ? sent : `${earlier},${sent}`);
  }
  return Object.fromEntries(headers);
}

function problemOf(name: string, value: string): string | undefined {
  if (name === "") return "it names no header: add the header's name to the variable's, or remove it";
  if (name.startsWith(":"))
    return `${name} is a field of HTTP/2's own and cannot be set: remove the variable`;
  if (!grpcName.test(name)) {
    return `${shown(name)} is no name of a gRPC header: use letters, digits, "-", "_" and "." only`;
  }
  if (ofConnections.has(name)) return `HTTP/2 has no header ${name}: remove the variable`;
  if (name === "host")
    return "HTTP/2 has no header host: remove the variable, and set ISTIOD_SAN for another name of the server";
  if (ofTheCall.has(name) || name.startsWith("grpc-"))
    return `the header ${name} is gRPC's own and cannot be set: remove the variable, or use another name`;
  if (name.endsWith(binarySuffix) || grpcValue.test(value)) return undefined;
  // Not the value itself: it may be a secret.
  return `its value has characters that gRPC does not send: use printable ASCII, or a name that ends in ${binarySuffix}`;
}
