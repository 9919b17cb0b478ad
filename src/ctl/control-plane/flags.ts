/**
 * The flags that say which control plane is asked, and who asks it.
 */
import type { Flag } from "../../command/command.ts";

/** Of every command that asks one. */
export const controlPlaneFlags = {
  "xds-address": {
    type: "string",
    describe:
      "Port of discovery of the control plane, HOST:PORT, istiod's or ours (default: the one that runs on this machine).",
  },
  "cert-dir": {
    type: "string",
    describe: "Folder with cert-chain.pem, key.pem and root-cert.pem: who asks, and whom it trusts.",
  },
  "token-file": { type: "string", describe: "File with the service account token of who asks." },
  "ca-file": {
    type: "string",
    describe: "Roots of the control plane's certificate (default: those of --cert-dir).",
  },
  authority: { type: "string", describe: "Name that the control plane's certificate must have." },
  plaintext: { type: "boolean", default: false, describe: "Ask --xds-address without TLS." },
  "http-address": {
    type: "string",
    describe: "Port of the pages of a control plane on this machine, HOST:PORT, instead of --xds-address.",
  },
} as const satisfies Readonly<Record<string, Flag>>;
