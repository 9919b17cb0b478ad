/**
 * `outriderctl workload`: what a machine outside of a cluster needs to join the mesh.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";

const actions: Readonly<Record<string, (args: Arguments, context: CommandContext) => Promise<number>>> = {
  "group create": async (args, context) =>
    (await import("./workload/create-group.ts")).createGroup(args, context),
  "entry configure": async (args, context) =>
    (await import("./workload/configure-entry.ts")).configureEntry(args, context),
};

/** In the words of `istioctl experimental workload`. */
export const workloadCommand: Command = {
  name: "workload",
  usage: "<kind> <action>",
  wordValues: { kind: ["group", "entry"], action: ["create", "configure"] },
  describe:
    "group create prints a WorkloadGroup, what machines of a kind have in common; entry configure writes the files of one machine " +
    "into a folder: cluster.env, mesh.yaml, root-cert.pem, istio-token and hosts. They come from the control plane of this machine, " +
    "or from a cluster that --kubeconfig or --context names. Examples: outriderctl workload group create --name web --namespace demo " +
    "--labels app=web --ports http=8080 --serviceAccount web; outriderctl workload entry configure -f web.yaml -o web-vm " +
    "--autoregister --ingressIP 10.77.0.1",
  summary: "What a machine needs to join the mesh",
  exitCodes: [
    { code: 0, meaning: "it was printed or written" },
    { code: 1, meaning: "what it needs cannot be read, or the files cannot be written" },
  ],
  flags: {
    name: { type: "string", describe: "Name of the WorkloadGroup." },
    namespace: { type: "string", alias: "n", describe: "Its namespace." },
    labels: {
      type: "string",
      array: true,
      alias: "l",
      describe: "group: labels of the machines, NAME=VALUE,…",
    },
    annotations: {
      type: "string",
      array: true,
      alias: "a",
      describe: "group: their annotations, NAME=VALUE,…",
    },
    ports: { type: "string", array: true, alias: "p", describe: "group: their ports, NAME=NUMBER,…" },
    serviceAccount: {
      type: "string",
      alias: "s",
      default: "default",
      describe: "group: service account of the machines.",
    },
    file: {
      type: "string",
      alias: "f",
      describe: "entry: file with the WorkloadGroup, instead of its --name and --namespace.",
    },
    output: { type: "string", alias: "o", describe: "entry: folder for the files, made when it is missing." },
    autoregister: {
      type: "boolean",
      default: false,
      describe: "entry: the machine is registered when it connects, with no WorkloadEntry written by hand.",
    },
    "capture-dns": {
      type: "boolean",
      default: true,
      describe: "entry: the agent answers the machine's questions for names.",
    },
    clusterID: { type: "string", default: "Kubernetes", describe: "entry: name of the cluster." },
    tokenDuration: {
      type: "number",
      default: 3_600,
      range: { least: 600, most: 31_622_400 },
      describe: "entry: seconds in which the token may be used for the first certificate.",
    },
    ingressIP: {
      type: "string",
      describe: "entry: address at which the machine reaches the control plane, for the file hosts.",
    },
    internalIP: { type: "string", describe: "entry: the machine's own address (default: as it finds it)." },
    externalIP: { type: "string", describe: "entry: the address at which others call it, instead." },
    meshConfig: {
      type: "string",
      describe:
        "entry: file with a MeshConfig, whose defaultConfig the machine has (default: the cluster's).",
    },
    config: {
      type: "string",
      describe: "entry: folder of the mesh's YAML (default: that of the control plane that runs here).",
    },
    stateDir: {
      type: "string",
      describe:
        "entry: the control plane's --stateDir (default ./.outrider where there is one, else $XDG_STATE_HOME/outrider).",
    },
    kubeconfig: {
      type: "string",
      alias: "c",
      describe: "entry: kubeconfig of the cluster that is asked instead.",
    },
    context: { type: "string", describe: "entry: context of it." },
    istioNamespace: {
      type: "string",
      alias: "i",
      default: "istio-system",
      describe: "entry: namespace of the control plane.",
    },
  },
  mainFlags: ["name", "namespace", "file", "output", "autoregister", "ingressIP"],
  run: (args, context) => {
    const [kind = "", action = ""] = args.words;
    const run = actions[`${kind} ${action}`];
    if (run !== undefined) return run(args, context);
    context.printError(`${`${kind} ${action}`.trim()} is not one of ${Object.keys(actions).join(", ")}`);
    return Promise.resolve(unusableCode);
  },
};
