/**
 * The cluster that a command is about: by its flags, else as kubectl finds it, else the one that this runs in.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Arguments, CommandContext } from "../../command/command.ts";
import type { KubernetesAccess } from "../../controlplane/kubernetes/access.ts";
import { KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { inClusterAccess } from "../../controlplane/kubernetes/in-cluster.ts";
import { readSystemVariables } from "../../schema/system-variables.ts";
import { KubeconfigError, kubeconfigAccess } from "../../controlplane/kubernetes/kubeconfig.ts";

/** @throws KubeconfigError where there is none, or it cannot be used */
export async function openCluster(
  args: Pick<Arguments, "optionalString">,
  { env }: Pick<CommandContext, "env">,
): Promise<KubernetesApi> {
  return new KubernetesApi(await clusterAccess(args, env));
}

/** Of these each says that a cluster is meant. */
const clusterWords = ["kubeconfig", "context", "istioNamespace", "revision"] as const;

/**
 * Whether a command that could ask this machine is about a cluster: one of its flags is given, or there is nobody here to ask
 * and there is a cluster.
 *
 * @param isSomebodyHere on this machine, who could be meant
 */
export function isClusterMeant(
  args: Pick<Arguments, "optionalString">,
  { env }: Pick<CommandContext, "env">,
  isSomebodyHere: boolean,
): boolean {
  if (clusterWords.some((flag) => args.optionalString(flag) !== undefined)) return true;
  return !isSomebodyHere && (kubeconfigs(undefined, env).length > 0 || inClusterAccess(env) !== undefined);
}

async function clusterAccess(
  args: Pick<Arguments, "optionalString">,
  env: CommandContext["env"],
): Promise<KubernetesAccess> {
  const [file, ...others] = kubeconfigs(args.optionalString("kubeconfig"), env);
  const context = args.optionalString("context");
  if (file !== undefined) return kubeconfigAccess({ file, others, context, contextFlag: "--context" });
  const access = inClusterAccess(env);
  if (access !== undefined) return access;
  throw new KubeconfigError(
    "there is no cluster to ask: name a kubeconfig by --kubeconfig or KUBECONFIG, as there is no ~/.kube/config here",
  );
}

/** As kubectl does: of a list of files those that there are. */
function kubeconfigs(named: string | undefined, env: CommandContext["env"]): readonly string[] {
  if (named !== undefined) return [named];
  const { HOME, KUBECONFIG } = readSystemVariables(env);
  const listed = KUBECONFIG.split(delimiter).filter((path) => path !== "");
  const there = listed.filter((path) => existsSync(path));
  if (listed.length > 0) return there.length > 0 ? there : listed.slice(0, 1);
  const usual = join(HOME === "" ? "/" : HOME, ".kube/config");
  return existsSync(usual) ? [usual] : [];
}
