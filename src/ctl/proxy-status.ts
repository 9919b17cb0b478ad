/**
 * `outriderctl proxy-status`: what each proxy has taken of what it was sent, and the difference for one of them.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { controlPlaneFlags } from "./control-plane/flags.ts";
import { askingCodes, noAnswerCode, telling } from "./failure.ts";
import { outputFlag, outputForm, printValue } from "./output.ts";
import { inNamespace, proxyFlags } from "./proxy/flags.ts";

/** A table of all proxies, or the difference for the one that is named. */
export const proxyStatusCommand: Command = {
  name: "proxy-status",
  usage: "[proxy]",
  describe:
    "Show what each proxy has taken of what the control plane sent, of all types: synced, stale or refused, since when " +
    "and why. With the name of a proxy, show the difference between what it was sent and what its Envoy has. " +
    "Examples: outriderctl proxy-status; outriderctl proxy-status web-1.demo; outriderctl proxy-status web-1.demo --file dump.json",
  summary: "Who has what it was sent, and who refused what",
  exitCodes: [...askingCodes, { code: 2, meaning: "what a named proxy has differs from what it was sent" }],
  flags: { ...controlPlaneFlags, ...proxyFlags, ...outputFlag },
  mainFlags: ["output", "file", "xds-address", "cert-dir", "token-file"],
  run: (args, context) => telling(() => show(args, context), context),
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const form = outputForm(args, context);
  if (form === undefined) return unusableCode;
  const [word] = args.words;
  const name = word === undefined ? undefined : inNamespace(word, args);
  const aimless =
    name === undefined ? ["file", "admin-address"].filter((flag) => args.optionalString(flag)) : [];
  if (aimless.length > 0) {
    for (const flag of aimless)
      context.printError(`--${flag}: name the proxy too whose configuration is to be compared with it`);
    return unusableCode;
  }
  const { controlPlaneOf } = await import("./control-plane/find.ts");
  const controlPlane = await controlPlaneOf(args, context);
  if (controlPlane === undefined) return unusableCode;
  if (name !== undefined) return compare(name, { args, context, form, controlPlane });
  const namespace = args.optionalString("namespace");
  const proxies = (await controlPlane.proxies()).filter(
    (proxy) => namespace === undefined || proxy.name.endsWith(`.${namespace}`),
  );
  const registries = await controlPlane.registries?.();
  if (form !== "text") {
    await printValue({ proxies, ...(registries === undefined ? {} : { registries }) }, form, context);
    return 0;
  }
  const { proxyStatusLines, registryLines } = await import("./proxy-status-lines.ts");
  if (proxies.length === 0) context.print(`no proxy is connected to ${controlPlane.address}`);
  else {
    for (const line of proxyStatusLines(proxies, new Date())) context.print(line);
  }
  for (const line of registryLines(registries ?? [])) context.print(line);
  return 0;
}

interface Compared {
  readonly args: Arguments;
  readonly context: CommandContext;
  readonly form: "text" | "json" | "yaml";
  readonly controlPlane: {
    readonly address: string;
    readonly configDump: (proxy: string) => Promise<unknown>;
  };
}

async function compare(name: string, { args, context, form, controlPlane }: Compared): Promise<number> {
  const [{ proxyOf }, { readConfigDump }, { comparisonLines, sentDifference }] = await Promise.all([
    import("./proxy/find.ts"),
    import("./proxy/config-dump.ts"),
    import("./sent-difference.ts"),
  ]);
  using proxy = await proxyOf(args, name, context);
  if (proxy === undefined) return unusableCode;
  const called = proxy.admin === undefined ? name : proxy.name;
  const sent = readConfigDump(await controlPlane.configDump(called));
  if (sent === undefined) {
    context.printError(`${called} is not connected to the control plane on ${controlPlane.address}`);
    return noAnswerCode;
  }
  const comparisons = sentDifference(sent, await proxy.configDump(), called);
  if (form === "text") for (const line of comparisonLines(comparisons)) context.print(line);
  else await printValue({ proxy: called, comparisons }, form, context);
  return comparisons.some(({ diff }) => diff.length > 0) ? 2 : 0;
}
