/**
 * How commands of outriderctl end, and what they say when what they asked did not answer.
 */
import type { ExitCode } from "../command/command.ts";
import type { CommandContext } from "../command/command.ts";
import { KubernetesError } from "../controlplane/kubernetes/api-error.ts";
import { KubeconfigError } from "../controlplane/kubernetes/kubeconfig.ts";
import { ControlPlaneError } from "./control-plane/control-plane.ts";
import { UnevaluatedError } from "./explain/unevaluated-error.ts";
import { ManifestError } from "./install/render/manifest-error.ts";
import { PodNameError } from "./kubernetes/find-pod.ts";
import { PortForwardError } from "./kubernetes/port-forward-error.ts";
import { ProxyError } from "./proxy/find.ts";

/** Whoever was asked did not answer. */
export const noAnswerCode = 1;

/** The codes of a command that asks and shows. */
export const askingCodes: readonly ExitCode[] = [
  { code: 0, meaning: "it was shown" },
  { code: noAnswerCode, meaning: "who was asked did not answer; the message says who, and how to reach it" },
];

const expected = [
  ControlPlaneError,
  ProxyError,
  PodNameError,
  PortForwardError,
  UnevaluatedError,
  KubernetesError,
  KubeconfigError,
  ManifestError,
] as const;

function isExpected(error: unknown): error is Error {
  return expected.some((kind) => error instanceof kind);
}

/** The code that `ask` gives, or that of a component that did not answer, which is said. */
export async function telling(
  ask: () => Promise<number>,
  { printError }: Pick<CommandContext, "printError">,
): Promise<number> {
  try {
    return await ask();
  } catch (error) {
    if (!isExpected(error)) throw error;
    printError(error.message);
    return noAnswerCode;
  }
}
