/**
 * `outriderctl version`: the release of this program, of the control plane and of every proxy.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { version } from "../command/version.ts";
import { controlPlaneFlags } from "./control-plane/flags.ts";
import { askingCodes, telling } from "./failure.ts";
import { outputFlag, type OutputForm, outputForm, printValue } from "./output.ts";

/** In the words of `istioctl version`. */
export const versionCommand: Command = {
  name: "version",
  describe:
    "Print the release of outriderctl, of the control plane and of each proxy that is connected to it. " +
    "Examples: outriderctl version; outriderctl version --remote=false; outriderctl version -o json",
  summary: "Releases of this program, control plane and proxies",
  exitCodes: askingCodes,
  flags: {
    remote: { type: "boolean", default: true, describe: "Ask the control plane too." },
    short: { type: "boolean", default: true, alias: "s", describe: "Accepted without effect: it is short." },
    ...controlPlaneFlags,
    ...outputFlag,
  },
  run: show,
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const form = outputForm(args, context);
  if (form === undefined) return unusableCode;
  // The release of this program is told, whoever else does not answer.
  let found: Answered | Remote = {};
  let code = 0;
  if (args.boolean("remote"))
    code = await telling(async () => {
      const answered = await askAll(args, context);
      found = answered ?? {};
      return answered === undefined ? unusableCode : 0;
    }, context);
  await printVersions(found, form, context);
  return code;
}

async function printVersions(
  found: Answered | Remote,
  form: OutputForm,
  context: CommandContext,
): Promise<void> {
  if (form !== "text") await printValue({ clientVersion: { version }, ...found }, form, context);
  else {
    context.print(`client version: ${version}`);
    if (found.meshVersion === undefined) return;
    context.print(`control plane version: ${found.meshVersion.version} (${found.meshVersion.id})`);
    const counts = Map.groupBy(found.dataPlaneVersion, (proxy) => proxy.version);
    const parts = [...counts].map(
      ([release, proxies]) =>
        `${release === "" ? "unknown" : release} (${proxies.length} ${proxies.length === 1 ? "proxy" : "proxies"})`,
    );
    context.print(`data plane version: ${parts.length === 0 ? "none" : parts.join(", ")}`);
  }
}

interface Remote {
  readonly meshVersion?: undefined;
}

interface Answered {
  readonly meshVersion: { readonly id: string; readonly version: string };
  readonly dataPlaneVersion: readonly { readonly id: string; readonly version: string }[];
}

async function askAll(args: Arguments, context: CommandContext): Promise<Answered | undefined> {
  const { controlPlaneOf } = await import("./control-plane/find.ts");
  const controlPlane = await controlPlaneOf(args, context);
  if (controlPlane === undefined) return undefined;
  const [meshVersion, proxies] = await Promise.all([controlPlane.identity(), controlPlane.proxies()]);
  return {
    meshVersion,
    dataPlaneVersion: proxies.map(({ name: id, version: release }) => ({ id, version: release })),
  };
}
