/**
 * The flags that say which cluster is meant, in kubectl's and istioctl's words.
 */
import type { Flag } from "../../command/command.ts";

/** Of every command that asks one. */
export const clusterFlags = {
  kubeconfig: {
    type: "string",
    alias: "c",
    describe:
      "Kubeconfig of the cluster (default: KUBECONFIG, then ~/.kube/config, then the pod that this runs in).",
  },
  context: { type: "string", describe: "Context of the kubeconfig (default: its current one)." },
} as const satisfies Readonly<Record<string, Flag>>;
