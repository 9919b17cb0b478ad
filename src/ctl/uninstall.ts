/**
 * `outriderctl uninstall`: what install made is removed, of a revision or all of it.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { parseDurationMs } from "../schema/duration.ts";
import { noAnswerCode, telling } from "./failure.ts";
import { clusterFlags } from "./kubernetes/flags.ts";

/** Something is there still. */
const remainingCode = 3;

/** In the words of `istioctl uninstall`. */
export const uninstallCommand: Command = {
  name: "uninstall",
  describe:
    "Remove what install made, and nothing else: of one revision, or with --purge all of it, with what is shared and what the " +
    "control plane made while it ran (its own CA, the root in every namespace, its lease). A namespace or a definition of a kind " +
    "that holds objects of others stays. Examples: outriderctl uninstall --revision default; outriderctl uninstall --purge --dry-run",
  summary: "Remove what install made",
  exitCodes: [
    { code: 0, meaning: "it is gone, or was not there; what stays is told, with the reason" },
    { code: noAnswerCode, meaning: "the cluster did not answer, or refused; the same call goes on" },
    { code: remainingCode, meaning: "something is not gone in time; the message says what" },
  ],
  flags: {
    revision: { type: "string", alias: "r", describe: "Revision to remove." },
    purge: { type: "boolean", default: false, describe: "Remove every revision, and what they share." },
    "dry-run": {
      type: "boolean",
      default: false,
      describe: "Ask the cluster what would be removed, and remove nothing.",
    },
    force: { type: "boolean", default: false, describe: "Remove a revision that tags point to, and them." },
    timeout: {
      type: "string",
      default: "5m0s",
      range: { leastMs: 0, mostMs: 86_400_000 },
      describe: "Longest wait until all is gone.",
    },
    "skip-confirmation": {
      type: "boolean",
      default: false,
      alias: "y",
      describe: "Accepted without effect: nobody is asked.",
    },
    ...clusterFlags,
  },
  mainFlags: ["revision", "purge", "dry-run", "kubeconfig", "context"],
  run: (args, context) => telling(() => run(args, context), context),
};

async function run(args: Arguments, context: CommandContext): Promise<number> {
  const revision = args.optionalString("revision");
  const isPurge = args.boolean("purge");
  const timeoutMs = parseDurationMs(args.string("timeout"));
  if (timeoutMs === undefined)
    context.printError(`--timeout: ${args.string("timeout")} is not a duration such as 5m`);
  if ((revision === undefined) !== isPurge)
    context.printError("name one of --revision REVISION and --purge: what is to be removed");
  if (timeoutMs === undefined || (revision === undefined) !== isPurge) return unusableCode;
  const [{ openCluster }, { uninstall }] = await Promise.all([
    import("./kubernetes/open-cluster.ts"),
    import("./install/run-uninstall.ts"),
  ]);
  using api = await openCluster(args, context);
  const options = {
    revision,
    timeoutMs,
    isDryRun: args.boolean("dry-run"),
    isForced: args.boolean("force"),
  };
  const outcome = await uninstall(api, context, options);
  return { done: 0, tagged: unusableCode, remaining: remainingCode }[outcome];
}
