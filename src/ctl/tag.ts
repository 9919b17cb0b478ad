/**
 * `outriderctl tag`: names by which namespaces ask for a revision, so that many move to another one at once.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { noAnswerCode, telling } from "./failure.ts";
import { clusterFlags } from "./kubernetes/flags.ts";
import { outputFlag, outputForm, printValue } from "./output.ts";
import { table } from "./table.ts";

const actions = ["set", "list", "remove"] as const;

/** Nothing was changed: something stands in the way. */
const obstacleCode = 2;

/** In the words of `istioctl tag`. */
export const tagCommand: Command = {
  name: "tag",
  usage: "<action> [tag]",
  wordValues: { action: actions },
  describe:
    "A tag is a name of a revision for the label istio.io/rev of namespaces and pods: set makes one lead to a revision, list shows " +
    "them with the namespaces that ask for them, remove takes one away. Pods take the new one when they are made anew. The tag " +
    "default is for namespaces with istio-injection=enabled, where no revision has that name. " +
    "Examples: outriderctl tag set prod --revision canary; outriderctl tag set prod --revision canary2 --overwrite; outriderctl tag list; outriderctl tag remove prod",
  summary: "Names by which namespaces ask for a revision",
  exitCodes: [
    { code: 0, meaning: "it is set, shown, or removed" },
    { code: noAnswerCode, meaning: "the cluster did not answer, or has no such revision or tag" },
    { code: obstacleCode, meaning: "nothing was changed: the tag leads elsewhere, or namespaces ask for it" },
  ],
  flags: {
    revision: { type: "string", alias: "r", describe: "set: the revision that it leads to." },
    overwrite: { type: "boolean", default: false, describe: "set: also where the tag leads elsewhere now." },
    force: { type: "boolean", default: false, describe: "remove: also while namespaces ask for it." },
    "skip-confirmation": {
      type: "boolean",
      default: false,
      alias: "y",
      describe: "Accepted without effect: nobody is asked.",
    },
    ...outputFlag,
    ...clusterFlags,
  },
  mainFlags: ["revision", "overwrite", "output", "kubeconfig", "context"],
  run: (args, context) => telling(() => run(args, context), context),
};

async function run(args: Arguments, context: CommandContext): Promise<number> {
  const [word = "", tag] = args.words;
  const action = actions.find((known) => known === word);
  const form = outputForm(args, context);
  const revision = args.optionalString("revision");
  const problems = [
    ...(action === undefined ? [`${word} is not one of ${actions.join(", ")}`] : []),
    ...(action !== undefined && (action === "list") !== (tag === undefined)
      ? [action === "list" ? "tag list takes no name" : `name the tag: outriderctl tag ${action} prod`]
      : []),
    ...(action === "set" && revision === undefined
      ? ["name the revision that it leads to by --revision"]
      : []),
    ...(tag === undefined ? [] : nameProblems(tag)),
  ];
  for (const problem of problems) context.printError(problem);
  if (problems.length > 0 || form === undefined) return unusableCode;
  const [{ openCluster }, tags] = await Promise.all([
    import("./kubernetes/open-cluster.ts"),
    import("./install/run-tag.ts"),
  ]);
  using api = await openCluster(args, context);
  if (action === "set") {
    const options = { tag: tag ?? "", revision: revision ?? "", overwrites: args.boolean("overwrite") };
    return codeOf(await tags.setTag(api, options, context));
  }
  if (action === "remove")
    return codeOf(await tags.removeTag(api, { tag: tag ?? "", isForced: args.boolean("force") }, context));
  const all = await tags.listTags(api, context.shutdown);
  if (form !== "text") await printValue({ tags: all }, form, context);
  else if (all.length === 0) context.print("the cluster has no tags");
  else {
    const rows = all.map(({ tag: name, revision: to, namespaces }) => [name, to, namespaces.join(",")]);
    for (const line of table([["TAG", "REVISION", "NAMESPACES"], ...rows])) context.print(line);
  }
  return 0;
}

function nameProblems(tag: string): readonly string[] {
  return /^[a-z0-9](?:[-a-z0-9]{0,38}[a-z0-9])?$/.test(tag)
    ? []
    : [`${JSON.stringify(tag)} is no name of a tag: small letters, digits and -, at most 40`];
}

function codeOf(outcome: "done" | "missing" | "obstacle"): number {
  return { done: 0, missing: noAnswerCode, obstacle: obstacleCode }[outcome];
}
