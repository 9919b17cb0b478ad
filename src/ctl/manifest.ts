/**
 * `outriderctl manifest`: what would be installed, and how two of that differ.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { specFlags, specOfFlags } from "./install/flags.ts";
import { outputForm, printValue } from "./output.ts";

/** Of `diff`, as of diff(1). */
const differsCode = 2;

const actions = ["generate", "diff"] as const;

/** In the words of `istioctl manifest`. */
export const manifestCommand: Command = {
  name: "manifest",
  usage: "<action> [files..]",
  wordValues: { action: actions },
  describe:
    "generate prints the objects that install applies, in their order; diff prints how two files of objects differ, each object " +
    "by its name. Examples: outriderctl manifest generate --set profile=demo; outriderctl manifest generate -o json; " +
    "outriderctl manifest diff before.yaml after.yaml",
  summary: "What install would apply, and differences of it",
  exitCodes: [
    { code: 0, meaning: "it was printed; there is no difference" },
    { code: differsCode, meaning: "diff: there is one" },
    { code: 1, meaning: "a file cannot be read" },
  ],
  flags: {
    ...specFlags,
    output: {
      type: "string",
      alias: "o",
      values: ["json", "yaml"],
      describe: "json (a List) or yaml (the default), of generate.",
    },
  },
  mainFlags: ["set", "filename", "revision", "output"],
  run: (args, context) => {
    const [action, ...files] = args.words;
    if (action === "generate") return generate(args, context);
    if (action === "diff") return diff(files, context);
    context.printError(`${action ?? ""} is not one of ${actions.join(", ")}`);
    return Promise.resolve(unusableCode);
  },
};

async function generate(args: Arguments, context: CommandContext): Promise<number> {
  const form = outputForm(args, context);
  const read = await specOfFlags(args, context);
  if (read === undefined || form === undefined) return unusableCode;
  const [{ render }, { readManifests }, { stringify }] = await Promise.all([
    import("./install/render/render.ts"),
    import("./install/render/manifests.ts"),
    import("yaml"),
  ]);
  const objects = render({ ...read, release: context.program.version }, readManifests(context.manifests));
  if (form === "json") await printValue({ apiVersion: "v1", kind: "List", items: objects }, form, context);
  else {
    for (const object of objects) {
      context.print("---");
      for (const line of stringify(object, { aliasDuplicateObjects: false }).trimEnd().split("\n"))
        context.print(line);
    }
  }
  return 0;
}

async function diff(files: readonly string[], context: CommandContext): Promise<number> {
  const [before, after, ...others] = files;
  if (before === undefined || after === undefined || others.length > 0) {
    context.printError("name two files: outriderctl manifest diff BEFORE AFTER");
    return unusableCode;
  }
  const { manifestDifference } = await import("./install/difference.ts");
  const lines = await manifestDifference([before, after], context);
  if (lines === undefined) return 1;
  for (const line of lines) context.print(line);
  return lines.length === 0 ? 0 : differsCode;
}
