/**
 * The flags that say which proxy is asked.
 */
import type { Arguments, Flag } from "../../command/command.ts";
import { ports } from "../../schema/range.ts";
import { clusterFlags } from "../kubernetes/flags.ts";

/** Of every command that asks one. */
export const proxyFlags = {
  file: {
    type: "string",
    alias: "f",
    describe:
      "File with an answer of Envoy's /config_dump?include_eds, or - for standard input, instead of a proxy.",
  },
  "admin-address": {
    type: "string",
    describe: "Admin port of an Envoy, HOST:PORT, instead of the name of a proxy on this machine.",
  },
  namespace: {
    type: "string",
    alias: "n",
    describe: "Namespace of what is named without one.",
  },
  ...clusterFlags,
  "proxy-admin-port": {
    type: "number",
    range: ports,
    describe: "Port of Envoy's admin interface in a pod of a cluster (default: 15000).",
  },
} as const satisfies Readonly<Record<string, Flag>>;

/** `web-1.demo` of `web-1` with `-n demo`; a name that has a namespace stays. */
export function inNamespace(name: string, args: Pick<Arguments, "optionalString">): string {
  const namespace = args.optionalString("namespace");
  return namespace === undefined || name.includes(".") ? name : `${name}.${namespace}`;
}
