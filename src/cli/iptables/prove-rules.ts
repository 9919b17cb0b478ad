/** `--run-validation`: a connection shows that the rules are in force. */
import { proofsOf } from "../../capture/proof/proof.ts";
import { prove } from "../../capture/proof/prove.ts";
import type { CommandContext } from "../../command/command.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { loadOriginalDestination } from "../../net/original-destination.ts";
import type { IptablesCall } from "./call.ts";

/** Istio's exit code for rules that do not do what they should. */
const notInForce = 126;

/** Resolves to the exit code. */
export async function proveRules(
  { plan, run, proxyUids }: Extract<IptablesCall, { readonly kind: "valid" }>,
  context: Pick<CommandContext, "print" | "printError">,
): Promise<number> {
  let originalDestination;
  try {
    originalDestination = await loadOriginalDestination();
  } catch (error) {
    context.printError(`--run-validation needs koffi: ${errorMessage(error)}`);
    return 1;
  }
  using _user = actingAs(proxyUids[0]);
  const user = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const proofs = proofsOf(plan, user, run.probePort);
  if (proofs.length === 0) {
    context.printError(
      `nothing that user ${user.uid} sends is captured, so that nothing is proven: run this as user ${proxyUids[0]}, or with SETUID`,
    );
    return notInForce;
  }
  for (const proof of proofs) {
    const outcome = await prove(proof, originalDestination, run.probeTimeoutMs);
    if (outcome.kind === "proven") continue;
    context.printError(
      outcome.kind === "impossible"
        ? `the rules cannot be proven while Envoy's port is taken: ${outcome.seen}`
        : `${outcome.seen}\nThe rules are not in force here, or others come before them: see iptables-save and nft list ruleset.`,
    );
    return outcome.kind === "impossible" ? 1 : notInForce;
  }
  context.print(
    `proven: ${proofs.map(({ landsOn, to, port }) => `${to} port ${port} ends on port ${landsOn}`).join(", ")}`,
  );
  return 0;
}

/** Who may be anybody makes the connection as the proxy would. */
function actingAs(uid: number | undefined): Disposable {
  const before = process.geteuid?.();
  if (before !== 0 || uid === undefined) return { [Symbol.dispose]: () => undefined };
  try {
    process.seteuid?.(uid);
  } catch {
    // Without SETUID it is what it is.
  }
  return {
    [Symbol.dispose]: () => {
      process.seteuid?.(before);
    },
  };
}
