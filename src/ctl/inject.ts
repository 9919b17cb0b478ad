/**
 * `outriderctl inject`: workloads of files with their sidecars, from the template that the webhook has.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { errorMessage } from "../lifecycle/error-message.ts";

/** Somebody has to change something before it is injected. */
const refusedCode = 1;

/** In the words of `istioctl kube-inject`. */
export const injectCommand: Command = {
  name: "inject",
  usage: "[files..]",
  describe:
    "Print the files, or standard input (-), with a sidecar in each Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job and " +
    "CronJob, also of a List; everything else, comments and order stay as they are. What is injected already stays as it is " +
    "unless settings have changed. A pod is left alone as the webhook would leave it. Examples: outriderctl inject -f web.yaml " +
    "| kubectl apply -f -; kubectl get deployment web -o yaml | outriderctl inject - --valuesFile values.yaml",
  summary: "Put the sidecar into workloads of files",
  exitCodes: [
    { code: 0, meaning: "it was printed, whatever was left alone" },
    {
      code: refusedCode,
      meaning:
        "an input cannot be read, or something of it is wrong, each of which is told; nothing is printed",
    },
  ],
  flags: {
    filename: {
      type: "string",
      array: true,
      alias: "f",
      describe: "File to inject, or - for standard input; several times for several.",
    },
    output: { type: "string", alias: "o", describe: "File to write instead of standard output." },
    meshConfigFile: {
      type: "string",
      describe: "File with the mesh's settings (MeshConfig), or the ConfigMap istio as kubectl prints it.",
    },
    valuesFile: {
      type: "string",
      describe:
        "File with the values of the installation, in the names of Istio's chart, or the ConfigMap istio-sidecar-injector.",
    },
    revision: {
      type: "string",
      alias: "r",
      describe: "Revision of the control plane that the sidecars ask (default: that of the values).",
    },
    namespace: {
      type: "string",
      alias: "n",
      default: "default",
      describe: "Namespace of what is in none.",
    },
    "kubernetes-version": {
      type: "string",
      describe:
        "Oldest version among the cluster's nodes, such as 1.33: from there on sidecars are native ones, unless the values say otherwise.",
    },
  },
  mainFlags: ["filename", "output", "valuesFile"],
  run: injectFiles,
};

async function injectFiles(args: Arguments, context: CommandContext): Promise<number> {
  const paths = [...args.strings("filename"), ...args.words];
  const version = args.optionalString("kubernetes-version");
  if (paths.length === 0)
    context.printError("name a file, or - for standard input: outriderctl inject -f FILE");
  const [{ hasNativeSidecars }, { readSettingsFiles }, { injectText }, { readGivenText }, { objectsLimits }] =
    await Promise.all([
      import("../controlplane/inject/native-sidecars.ts"),
      import("./inject/read-settings.ts"),
      import("./inject/inject-text.ts"),
      import("./given-text.ts"),
      import("../document/limits.ts"),
    ]);
  const isNative = version === undefined ? false : hasNativeSidecars(version);
  if (isNative === undefined)
    context.printError(
      `--kubernetes-version must be such as 1.33 or v1.33.2, not ${JSON.stringify(version)}`,
    );
  if (paths.length === 0 || isNative === undefined) return unusableCode;

  const read = (path: string): Promise<string> =>
    readGivenText(path, { maxBytes: objectsLimits.maxBytes, signal: context.shutdown });
  const { settings, lines } = await readSettingsFiles(
    {
      meshConfigFile: args.optionalString("meshConfigFile"),
      valuesFile: args.optionalString("valuesFile"),
      revision: args.optionalString("revision"),
    },
    read,
  );
  const errors = [...lines];
  const texts: string[] = [];
  const told: string[] = [];
  for (const path of paths) {
    try {
      const injected = injectText(await read(path), settings, {
        source: path === "-" ? "standard input" : path,
        namespace: args.string("namespace"),
        hasNativeSidecars: isNative,
      });
      texts.push(injected.text);
      told.push(...injected.told);
      errors.push(...injected.errors);
    } catch (error) {
      errors.push(`${path} cannot be read: ${errorMessage(error)}`);
    }
  }
  for (const line of [...told, ...errors]) context.printError(line);
  if (errors.length > 0) return refusedCode;
  const { joinedDocuments } = await import("./inject/documents.ts");
  const text = joinedDocuments(texts);
  const output = args.optionalString("output");
  if (output === undefined) context.print(text.replace(/\n$/, ""));
  else {
    const { writeFileAtomic } = await import("../files/atomic-file.ts");
    try {
      writeFileAtomic(output, text, 0o644);
    } catch (error) {
      context.printError(`${output} cannot be written: ${errorMessage(error)}`);
      return refusedCode;
    }
  }
  return 0;
}
