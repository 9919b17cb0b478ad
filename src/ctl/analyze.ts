/**
 * `outriderctl analyze`: what is wrong with a configuration, by itself and together.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { version } from "../command/version.ts";
import { placeWords } from "./analyze/cluster-place.ts";
import type { Finding } from "./analyze/finding.ts";
import type { Level } from "../controlplane/config/analysis/istio-messages.ts";
import type { ConfigProblem } from "../controlplane/config/problem.ts";
import type { KubernetesApi } from "../controlplane/kubernetes/api.ts";
import { noAnswerCode, telling } from "./failure.ts";
import { clusterFlags } from "./kubernetes/flags.ts";
import { printValue } from "./output.ts";

/** As istioctl's. */
const foundCode = 79;

const forms = ["text", "json", "yaml", "sarif"] as const;
const thresholds: readonly Level[] = ["Error", "Warning", "Info"];

/** Prints what was found; exit code 79 for errors. */
export const analyzeCommand: Command = {
  name: "analyze",
  usage: "[paths..]",
  describe:
    "Tell what is wrong with configuration in files, folders or standard input (-), in a cluster, or in the folder of the control " +
    "plane that runs on this machine: each object by itself, and what they do to each other, with Istio's message codes. " +
    "Examples: outriderctl analyze mesh; outriderctl analyze a.yaml b.yaml -o sarif; kubectl get … -o yaml | outriderctl analyze -; " +
    "outriderctl analyze --use-kube; outriderctl analyze --use-kube next.yaml; outriderctl analyze --use-kube --remote-contexts west",
  summary: "What is wrong with a configuration",
  exitCodes: [
    { code: 0, meaning: "nothing that counts was found" },
    { code: foundCode, meaning: "something of --failure-threshold or worse was found" },
    { code: noAnswerCode, meaning: "an input cannot be read, or the cluster did not answer" },
  ],
  flags: {
    output: {
      type: "string",
      alias: "o",
      values: ["json", "yaml", "sarif"],
      describe: "json, yaml or sarif (for code review) instead of text.",
    },
    "failure-threshold": {
      type: "string",
      default: "Error",
      values: thresholds,
      describe: "From which level on the exit code says so.",
    },
    suppress: {
      type: "string",
      array: true,
      alias: "S",
      describe:
        'Not to be told: a code, or a code and an object, as "IST0101=VirtualService api.demo"; * stands for any part of it.',
    },
    "use-kube": {
      type: "boolean",
      default: false,
      alias: "k",
      describe: "Look at what a cluster has too; of an object that a file has as well, the file's counts.",
    },
    "remote-contexts": {
      type: "string",
      array: true,
      describe:
        "Contexts of the kubeconfig for other clusters of the mesh, whose Services are compared with those of the one that is looked at.",
    },
    "all-namespaces": {
      type: "boolean",
      default: true,
      alias: "A",
      describe: "Accepted without effect: all are looked at.",
    },
    namespace: {
      type: "string",
      alias: "n",
      describe: "Tell only what is in this namespace, or in none.",
    },
    ...clusterFlags,
    recursive: {
      type: "boolean",
      default: true,
      alias: "R",
      describe: "Accepted without effect: folders are.",
    },
  },
  mainFlags: ["output", "failure-threshold", "suppress"],
  run: (args, context) => telling(() => analyzeInputs(args, context), context),
};

async function analyzeInputs(args: Arguments, context: CommandContext): Promise<number> {
  const wanted = (args.optionalString("output") ?? "text").replace(/^log$/, "text");
  const form = forms.find((known) => known === wanted);
  const threshold = thresholds.find(
    (level) => level.toLowerCase() === args.string("failure-threshold").toLowerCase(),
  );
  const asksCluster = args.boolean("use-kube") || args.strings("remote-contexts").length > 0;
  if (form === undefined) context.printError(`--output must be json, yaml or sarif, not ${wanted}`);
  if (threshold === undefined)
    context.printError(`--failure-threshold must be one of ${thresholds.join(", ")}`);
  const unasked = ["kubeconfig", "context"].filter((flag) => args.optionalString(flag) !== undefined);
  if (!asksCluster)
    for (const flag of unasked) context.printError(`--${flag}: no cluster is looked at without --use-kube`);
  const paths = args.words.length > 0 || asksCluster ? args.words : await folderHere(context);
  if (form === undefined || threshold === undefined || paths === undefined) return unusableCode;
  const [{ readInputs }, { findingLine, findingsOf, levels }] = await Promise.all([
    import("./analyze/read-inputs.ts"),
    import("./analyze/finding.ts"),
  ]);
  const cluster = asksCluster ? await readCluster(args, context) : undefined;
  const { problems, texts, sources, unreadable, empty, blank } = await readInputs(
    paths,
    context.shutdown,
    cluster === undefined ? undefined : cluster.beside,
  );
  // A mesh without rules is in order.
  for (const line of [...unreadable, ...empty, ...(cluster?.unseen ?? [])]) context.printError(line);
  const holdsNothing = blank.size === texts.size && sources.size === 0;
  if (holdsNothing)
    for (const source of blank)
      context.printError(`${source} holds no object, and nothing of it was analyzed`);
  const isSuppressed = suppression(args.strings("suppress"));
  const namespace = args.optionalString("namespace");
  const findings = findingsOf([...problems, ...(cluster?.problems ?? [])], (source) =>
    texts.get(source),
  ).filter((finding) => !isSuppressed(finding) && isIn(namespace, finding));
  if (form === "sarif") {
    const { sarifLog } = await import("./analyze/sarif.ts");
    await printValue(sarifLog(findings, version), "json", context);
  } else if (form === "text") {
    for (const finding of findings) context.print(findingLine(finding));
    if (findings.length === 0 && unreadable.length === 0 && !holdsNothing)
      context.print(
        `✔ No validation issues found when analyzing ${[...paths, ...(cluster === undefined ? [] : [`the cluster at ${cluster.server}`])].join(", ")}.`,
      );
  } else await printValue(findings.map(plain), form, context);
  if (unreadable.length > 0) return 1;
  const counts = findings.some(({ level }) => levels.indexOf(level) <= levels.indexOf(threshold));
  return counts ? foundCode : 0;
}

/** What the cluster of the flags has, beside files. @throws KubernetesError, KubeconfigError */
async function readCluster(
  args: Arguments,
  context: CommandContext,
): Promise<{
  readonly server: string;
  readonly unseen: readonly string[];
  readonly problems: readonly ConfigProblem[];
  readonly beside: (files: ReadonlyMap<string, string>) => ReadonlyMap<string, string>;
}> {
  const [{ openCluster }, { clusterTexts, withoutThoseOf }] = await Promise.all([
    import("./kubernetes/open-cluster.ts"),
    import("./analyze/cluster-texts.ts"),
  ]);
  using api = await openCluster(args, context);
  const { texts, unseen } = await clusterTexts(api, context.shutdown);
  const problems = await multiClusterProblems(api, args, context);
  return { server: api.server, unseen, problems, beside: (files) => withoutThoseOf(texts, files) };
}

/** What differs from the clusters of --remote-contexts. @throws KubernetesError, KubeconfigError */
async function multiClusterProblems(
  api: KubernetesApi,
  args: Arguments,
  context: CommandContext,
): Promise<readonly ConfigProblem[]> {
  const others = args.strings("remote-contexts");
  if (others.length === 0) return [];
  const [{ openCluster }, { clusterPlace }, { servicesOf }, { multiClusterFindings }] = await Promise.all([
    import("./kubernetes/open-cluster.ts"),
    import("./analyze/cluster-place.ts"),
    import("./analyze/cluster-services.ts"),
    import("./analyze/checks/multi-cluster.ts"),
  ]);
  const clusters = [await servicesOf(api, args.optionalString("context") ?? api.server, context.shutdown)];
  for (const name of others) {
    const flags = {
      optionalString: (flag: string) => (flag === "context" ? name : args.optionalString(flag)),
    };
    using other = await openCluster(flags, context);
    clusters.push(await servicesOf(other, name, context.shutdown));
  }
  return multiClusterFindings(clusters, (name) => clusterPlace(`Service ${name}`));
}

/** What is in no namespace is everybody's. */
function isIn(namespace: string | undefined, { object = "" }: Finding): boolean {
  const own = / (.*)\//s.exec(object)?.[1];
  return namespace === undefined || own === undefined || own === namespace;
}

/** What is not to be told: an object is `VirtualService api.demo`, as istioctl has it, or `VirtualService demo/api`. */
function suppression(patterns: readonly string[]): (finding: Finding) => boolean {
  const expressions = patterns.map(
    (pattern) =>
      new RegExp(
        `^${pattern
          .split("*")
          .map((part) => RegExp.escape(part))
          .join(".*")}$`,
        "s",
      ),
  );
  return ({ code = "", object = "" }) => {
    const spellings = [object, object.replace(/ (.*)\/(.*)$/s, " $2.$1")].map((words) => `${code}=${words}`);
    return expressions.some((expression) => [code, ...spellings].some((text) => expression.test(text)));
  };
}

/** Of a control plane that runs here; undefined, and a line on standard error, where that is not clear. */
async function folderHere({ env, printError }: CommandContext): Promise<readonly string[] | undefined> {
  const [{ announcedControlPlanes }, { runtimeFolderHere }] = await Promise.all([
    import("../status/control-plane-announcement.ts"),
    import("../config/runtime-folder.ts"),
  ]);
  const found = announcedControlPlanes(runtimeFolderHere(env));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return [only.configFolder];
  printError(
    only === undefined
      ? "name files or folders to analyze, or a cluster by --use-kube: no control plane of this user runs here"
      : `name the folder: control planes that run here have ${found.map(({ configFolder }) => configFolder).join(", ")}`,
  );
  return undefined;
}

/** With istioctl's field names. */
function plain({ level, code, object, source, line, path, message }: Finding): object {
  return {
    ...(code === undefined ? {} : { code }),
    level,
    ...(object === undefined ? {} : { origin: object }),
    reference: placeWords({ source, line }),
    ...(path === "" ? {} : { path }),
    message,
  };
}
