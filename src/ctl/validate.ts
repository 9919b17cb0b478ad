/**
 * `outriderctl validate`: whether each object of files is valid by itself.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import type { ConfigProblem } from "../controlplane/config/problem.ts";
import type { Finding } from "./analyze/finding.ts";
import { noAnswerCode, telling } from "./failure.ts";
import { clusterFlags } from "./kubernetes/flags.ts";

/** In the words of `istioctl validate`. */
export const validateCommand: Command = {
  name: "validate",
  usage: "[paths..]",
  describe:
    "Tell whether each object in files, folders or standard input (-) is valid, and what to mend; `analyze` also looks at " +
    "what they do to each other. With --use-kube a cluster is asked too what it would say of them, and keeps nothing. " +
    "Examples: outriderctl validate -f api.yaml; outriderctl validate mesh; outriderctl validate --use-kube mesh",
  summary: "Whether objects are valid",
  exitCodes: [
    { code: 0, meaning: "all are valid, or there are warnings only" },
    {
      code: noAnswerCode,
      meaning: "one is not, or cannot be read, or a folder holds none; or the cluster did not answer",
    },
  ],
  flags: {
    filename: {
      type: "string",
      array: true,
      alias: "f",
      describe: "File or folder to validate; several times for several.",
    },
    "use-kube": {
      type: "boolean",
      default: false,
      alias: "k",
      describe: "Ask a cluster too: objects of every kind are applied by a dry run of its server.",
    },
    ...clusterFlags,
  },
  run: (args, context) => telling(() => validateInputs(args, context), context),
};

async function validateInputs(args: Arguments, context: CommandContext): Promise<number> {
  const paths = [...args.strings("filename"), ...args.words];
  if (paths.length === 0) {
    context.printError("name a file or folder: outriderctl validate -f FILE");
    return unusableCode;
  }
  const [{ readInputs }, { findingsOf }, { passedOverMessage }] = await Promise.all([
    import("./analyze/read-inputs.ts"),
    import("./analyze/finding.ts"),
    import("../controlplane/config/parse-documents.ts"),
  ]);
  const { ownProblems, texts, unreadable, empty, blank } = await readInputs(paths, context.shutdown);
  for (const line of [...unreadable, ...empty]) context.printError(line);
  const isNamed = ["kubeconfig", "context"].some((flag) => args.optionalString(flag) !== undefined);
  const asked = args.boolean("use-kube") || isNamed;
  const told = asked ? await clusterProblems(args, context, texts) : [];
  const textOf = (source: string): string | undefined => texts.get(source);
  const own = findingsOf(ownProblems, textOf);
  // Its webhook may be ours, which says the same.
  const isTold = (finding: Finding): boolean =>
    own.some(({ level, source, object }) => {
      return level === "Error" && source === finding.source && object === finding.object;
    });
  // Objects of kinds that are not Istio's are judged by the cluster.
  const isJudged = ({ path, message }: Finding): boolean =>
    asked && path === "kind" && message.startsWith(passedOverMessage);
  const findings = [
    ...own.filter((finding) => !isJudged(finding)),
    ...findingsOf(told, textOf).filter((finding) => !isTold(finding)),
  ];
  let isValid = unreadable.length === 0 && empty.length === 0;
  for (const source of texts.keys()) {
    const ofSource = findings.filter((finding) => finding.source === source);
    const lineOf = ({ object, line, path, message }: Finding): string =>
      `  * ${object ?? `line ${line}`}: ${path === "" ? "" : `${path}: `}${message} (line ${line})`;
    const errors = ofSource.filter(({ level }) => level === "Error");
    const others = ofSource.filter(({ level }) => level !== "Error");
    if (errors.length > 0) {
      isValid = false;
      context.printError(`"${source}" is not valid:`);
      for (const finding of errors) context.printError(lineOf(finding));
    }
    if (others.length > 0) {
      context.print(`"${source}" has warnings:`);
      for (const finding of others) context.print(lineOf(finding));
    } else if (errors.length === 0)
      context.print(`"${source}" ${blank.has(source) ? "holds no object" : "is valid"}`);
  }
  return isValid ? 0 : 1;
}

/** @throws KubernetesError, KubeconfigError */
async function clusterProblems(
  args: Arguments,
  context: CommandContext,
  texts: ReadonlyMap<string, string>,
): Promise<readonly ConfigProblem[]> {
  const [{ openCluster }, { dryRunProblems }] = await Promise.all([
    import("./kubernetes/open-cluster.ts"),
    import("./validate/server-dry-run.ts"),
  ]);
  using api = await openCluster(args, context);
  return dryRunProblems(api, texts, context.shutdown);
}
