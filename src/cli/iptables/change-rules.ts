/** Applies or cleans, one call at a time, and says what has changed. */
import { applyCapture, cleanCapture } from "../../capture/apply/apply.ts";
import type { CaptureFailureCode, CaptureOutcome } from "../../capture/apply/outcome.ts";
import { toolsIn } from "../../capture/apply/tool.ts";
import { takeTurn } from "../../capture/apply/turn.ts";
import type { CommandContext } from "../../command/command.ts";
import type { IptablesCall } from "./call.ts";

/** How long another call may be at it, in milliseconds. */
const turnTimeoutMs = 60_000;

const remedies: Readonly<Record<CaptureFailureCode, string>> = {
  NO_BINARY: "The image must have iptables or nftables.",
  NO_PERMISSION: "The container needs root with the capabilities NET_ADMIN and NET_RAW.",
  REFUSED: "The kernel may lack what a rule needs, such as xt_owner, xt_REDIRECT or nf_tables.",
  ROUTE_TAKEN:
    "Name a mark and a routing table that are free: --istio-inbound-tproxy-mark, --istio-inbound-tproxy-route-table.",
  NO_IPV6: "The pod has IPv6, so net.ipv6.conf.lo.disable_ipv6 must be 0 in its network namespace.",
  BUSY: "Another call holds its turn.",
};

/** Resolves to the exit code. */
export async function changeRules(
  { plan, tproxy, run }: Extract<IptablesCall, { readonly kind: "valid" }>,
  isCleanup: boolean,
  context: Pick<CommandContext, "print" | "printError">,
): Promise<number> {
  await using turn = await takeTurn(run.networkNamespace, turnTimeoutMs);
  // What is begun is brought to its end: half of the rules is worse than all or none.
  const tools = toolsIn(run.networkNamespace);
  const outcome: CaptureOutcome =
    turn === undefined
      ? { kind: "failed", code: "BUSY", message: "rules are being changed by another call", left: [] }
      : isCleanup
        ? await cleanCapture(tools, tproxy)
        : await applyCapture(
            plan,
            {
              ...{ nativeNftables: run.nativeNftables, binary: run.binary, force: run.forceApply },
              networkNamespace: run.networkNamespace,
            },
            tools,
          );
  switch (outcome.kind) {
    case "unchanged":
      context.print(isCleanup ? "no rules of ours: nothing to do" : "rules are as they should be");
      return 0;
    case "changed":
      context.print(`${isCleanup ? "removed" : "applied"}: ${[...new Set(outcome.what)].join(", ")}`);
      return 0;
    case "failed":
      context.printError(`${outcome.message}\n${remedies[outcome.code]}`);
      context.printError(
        outcome.left.length === 0
          ? "Everything is as it was before."
          : `Not put back as it was: ${outcome.left.join("; ")}`,
      );
      return 1;
  }
}
