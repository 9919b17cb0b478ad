/**
 * The objects of the mesh: of a folder that is named, else of the control plane that runs on this machine.
 */
import type { CommandContext } from "../../command/command.ts";
import { runtimeFolderHere } from "../../config/runtime-folder.ts";
import type { ConfigObject } from "../../controlplane/config/objects.ts";
import { describeConfigProblem } from "../../controlplane/config/problem.ts";
import { announcedControlPlanes } from "../../status/control-plane-announcement.ts";
import { readInputs } from "../analyze/read-inputs.ts";

/** Undefined, and a line on standard error, where it is not clear which folder is meant, or it cannot be read. */
export async function configurationHere(
  folder: string | undefined,
  { env, printError, shutdown }: Pick<CommandContext, "env" | "printError" | "shutdown">,
): Promise<readonly ConfigObject[] | undefined> {
  const folders =
    folder === undefined
      ? announcedControlPlanes(runtimeFolderHere(env)).map(({ configFolder }) => configFolder)
      : [folder];
  if (folders.length !== 1) {
    printError(
      `which services and rules there are is not known: ${folders.length === 0 ? "no control plane of this user runs here" : "several control planes of this user run here"}. Name the folder of the mesh's YAML with --config`,
    );
    return undefined;
  }
  const { objects, unreadable, problems } = await readInputs(folders, shutdown);
  for (const line of unreadable) printError(line);
  if (unreadable.length > 0) return undefined;
  // The control plane serves what these were before, which nobody knows from their files.
  for (const problem of problems)
    if (problem.severity === undefined)
      printError(`left out, as it is refused: ${describeConfigProblem(problem)}`);
  return objects;
}
