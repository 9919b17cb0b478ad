/**
 * `outriderctl install` and `outriderctl upgrade`: a control plane and its gateways in a cluster.
 */
import type { Arguments, Command, CommandContext, ExitCode } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { parseDurationMs } from "../schema/duration.ts";
import { noAnswerCode, telling } from "./failure.ts";
import { specFlags, specOfFlags } from "./install/flags.ts";
import { clusterFlags } from "./kubernetes/flags.ts";

/** Nothing was changed: something stands in the way. */
const obstacleCode = 2;

/** All was applied, and not all is ready. */
const unreadyCode = 3;

const exitCodes: readonly ExitCode[] = [
  { code: 0, meaning: "it is installed and ready; with --dry-run, it can be" },
  {
    code: noAnswerCode,
    meaning: "the cluster did not answer, or refused; what was done is told, and the same call goes on",
  },
  {
    code: obstacleCode,
    meaning:
      "nothing was changed: an object is somebody else's, or is refused; the message says which, and what to do",
  },
  { code: unreadyCode, meaning: "all was applied, and is not ready in time; the message says what hangs" },
];

const flags = {
  ...specFlags,
  "dry-run": {
    type: "boolean",
    default: false,
    describe: "Ask the cluster what would be changed, and change nothing.",
  },
  force: {
    type: "boolean",
    default: false,
    describe: "Take over objects and fields that somebody else has made; go over several releases at once.",
  },
  wait: { type: "boolean", default: true, describe: "Wait until all is ready." },
  "readiness-timeout": {
    type: "string",
    default: "5m0s",
    range: { leastMs: 0, mostMs: 86_400_000 },
    describe: "Longest wait for that.",
  },
  "skip-confirmation": {
    type: "boolean",
    default: false,
    alias: "y",
    describe: "Accepted without effect: nobody is asked.",
  },
  ...clusterFlags,
} as const satisfies Command["flags"];

/** In the words of `istioctl install`. */
export const installCommand: Command = {
  name: "install",
  describe:
    "Install a control plane and gateways in a cluster, or change what is installed to what is said: by server-side apply, in an " +
    "order in which each finds what it needs, until all is ready. The same call may be made again at any time, also after one " +
    "that was ended half-way. Examples: outriderctl install; outriderctl install --set profile=demo; outriderctl install -f mesh.yaml --dry-run; " +
    "outriderctl install --revision canary --set profile=minimal",
  summary: "Install a control plane and gateways in a cluster",
  exitCodes,
  flags,
  mainFlags: [
    "set",
    "filename",
    "revision",
    "dry-run",
    "force",
    "readiness-timeout",
    "kubeconfig",
    "context",
  ],
  run: (args, context) => telling(() => run(args, context, false), context),
};

/** In the words of `istioctl upgrade`. */
export const upgradeCommand: Command = {
  name: "upgrade",
  describe:
    "Bring what is installed to this release, with the settings that it has and those that are given now. Going back is the same " +
    "with the older outriderctl. Examples: outriderctl upgrade; outriderctl upgrade --dry-run; outriderctl upgrade --revision canary",
  summary: "Bring what is installed to this release",
  exitCodes,
  flags,
  mainFlags: installCommand.mainFlags ?? [],
  run: (args, context) => telling(() => run(args, context, true), context),
};

async function run(args: Arguments, context: CommandContext, isUpgrade: boolean): Promise<number> {
  const [
    { openCluster },
    { installedRevision },
    { defaultRevision, systemNamespace },
    { installedStateName, revisioned },
  ] = await Promise.all([
    import("./kubernetes/open-cluster.ts"),
    import("./install/cluster/installation.ts"),
    import("./install/spec/schema.ts"),
    import("./install/render/names.ts"),
  ]);
  const timeoutMs = parseDurationMs(args.string("readiness-timeout"));
  if (timeoutMs === undefined) {
    context.printError(
      `--readiness-timeout: ${args.string("readiness-timeout")} is not a duration such as 5m`,
    );
    return unusableCode;
  }
  // What is wrong with the call is told whether there is a cluster or not.
  const asked = await specOfFlags(args, context);
  if (asked === undefined) return unusableCode;
  using api = await openCluster(args, context);
  const revision = asked.spec.revision ?? defaultRevision;
  const there = await installedRevision(api, revision, context.shutdown);
  if (isUpgrade && there === undefined) {
    context.printError(
      `the cluster has no revision ${revision} of outriderctl's to upgrade: outriderctl install makes one`,
    );
    return noAnswerCode;
  }
  if (isUpgrade && there?.given === undefined) {
    const state = `ConfigMap ${systemNamespace}/${revisioned(installedStateName, revision)}`;
    context.printError(
      `what is installed cannot be read: ${state} has no specification. Say it by outriderctl install -f FILE`,
    );
    return obstacleCode;
  }
  const read = isUpgrade ? await specOfFlags(args, context, there?.given) : asked;
  if (read === undefined) return unusableCode;
  const { applyInstallation } = await import("./install/run-install.ts");
  const outcome = await applyInstallation(api, context, {
    ...read,
    name: isUpgrade && read.name === "outrider" ? (there?.name ?? read.name) : read.name,
    revision,
    installed: there?.release,
    isDryRun: args.boolean("dry-run"),
    isForced: args.boolean("force"),
    timeoutMs: args.boolean("wait") ? timeoutMs : undefined,
  });
  return { done: 0, obstacles: obstacleCode, unready: unreadyCode }[outcome];
}
