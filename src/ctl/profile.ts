/**
 * `outriderctl profile`: the profiles that an installation begins with.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { nearest } from "../command/suggest.ts";
import { specFlags, specOfFlags } from "./install/flags.ts";
import type { ProfileName } from "./install/spec/profiles.ts";
import { profileNames } from "./install/spec/schema.ts";
import { outputForm, printValue } from "./output.ts";

const actions = ["list", "dump", "diff"] as const;

/** Of `diff`, as of diff(1). */
const differsCode = 2;

/** In the words of `istioctl profile` of Istio 1.5. */
export const profileCommand: Command = {
  name: "profile",
  usage: "<action> [names..]",
  wordValues: { action: actions, names: profileNames },
  describe:
    "list names the profiles; dump prints one (default), with what --set and -f lay over it, as a file that install -f takes; " +
    "diff prints how two differ. Examples: outriderctl profile list; outriderctl profile dump demo; outriderctl profile diff default demo",
  summary: "The profiles that an installation begins with",
  exitCodes: [
    { code: 0, meaning: "it was printed; there is no difference" },
    { code: differsCode, meaning: "diff: there is one" },
  ],
  flags: {
    ...specFlags,
    output: {
      type: "string",
      alias: "o",
      values: ["json", "yaml"],
      describe: "json or yaml (the default), of dump; of list instead of text.",
    },
  },
  mainFlags: ["output", "set", "filename"],
  run: show,
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const [action = "", ...names] = args.words;
  const form = outputForm(args, context);
  const profiles = names.map(
    (name) => profileNames.find((known) => known === name) ?? unknown(name, context),
  );
  const counts: Readonly<Record<string, readonly number[]>> = { list: [0], dump: [0, 1], diff: [2] };
  if (counts[action] === undefined) {
    context.printError(`${action} is not one of ${actions.join(", ")}`);
    return unusableCode;
  }
  if (!counts[action].includes(names.length)) {
    context.printError(
      action === "diff"
        ? "name two profiles: outriderctl profile diff default demo"
        : `profile ${action} takes ${action === "list" ? "no name" : "one name"}`,
    );
    return unusableCode;
  }
  if (form === undefined || profiles.includes(undefined)) return unusableCode;
  const [first, second] = profiles;
  if (action === "diff" && first !== undefined && second !== undefined) return diff([first, second], context);
  if (action === "dump") return dump(first, form === "text" ? "yaml" : form, args, context);
  if (form === "text") {
    context.print("outrider's profiles:");
    for (const name of profileNames) context.print(`    ${name}`);
  } else await printValue(profileNames, form, context);
  return 0;
}

function unknown(name: string, { printError }: Pick<CommandContext, "printError">): undefined {
  const near = nearest(name, profileNames);
  printError(
    `there is no profile ${JSON.stringify(name)}: ${near === undefined ? `name one of ${profileNames.join(", ")}` : `did you mean ${near}?`}`,
  );
}

async function dump(
  name: ProfileName | undefined,
  form: "json" | "yaml",
  args: Arguments,
  context: CommandContext,
): Promise<number> {
  const { profileSpec, operatorDocument } = await import("./install/spec/profiles.ts");
  const isPlain = ["set", "filename", "revision"].every((flag) => args.strings(flag).length === 0);
  if (name !== undefined && isPlain) {
    await printValue(operatorDocument(profileSpec(name, context.program.version)), form, context);
    return 0;
  }
  if (name !== undefined) {
    context.printError(`--set and --filename: say the profile with --set profile=${name} beside them`);
    return unusableCode;
  }
  const read = await specOfFlags(args, context);
  if (read === undefined) return unusableCode;
  await printValue(operatorDocument(read.written), form, context);
  return 0;
}

async function diff(
  [before, after]: readonly [ProfileName, ProfileName],
  context: CommandContext,
): Promise<number> {
  const [{ profileSpec }, { valueDifference }] = await Promise.all([
    import("./install/spec/profiles.ts"),
    import("./install/difference.ts"),
  ]);
  const lines = valueDifference(
    { name: before, value: profileSpec(before, context.program.version) },
    { name: after, value: profileSpec(after, context.program.version) },
  );
  for (const line of lines) context.print(line);
  return lines.length === 0 ? 0 : differsCode;
}
