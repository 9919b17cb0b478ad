/**
 * The flags that say which proxy is asked.
 */
import type { Flag } from "../../command/command.ts";

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
} as const satisfies Readonly<Record<string, Flag>>;
