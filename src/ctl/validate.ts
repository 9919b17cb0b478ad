/**
 * `outriderctl validate`: whether each object of files is valid by itself.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";

/** In the words of `istioctl validate`. */
export const validateCommand: Command = {
  name: "validate",
  usage: "[paths..]",
  describe:
    "Tell whether each object in files, folders or standard input (-) is valid, and what to mend; `analyze` also looks at " +
    "what they do to each other. Examples: outriderctl validate -f api.yaml; outriderctl validate mesh",
  summary: "Whether objects are valid",
  exitCodes: [
    { code: 0, meaning: "all are valid, or there are warnings only" },
    { code: 1, meaning: "one is not, or cannot be read, or a folder holds none" },
  ],
  flags: {
    filename: {
      type: "string",
      array: true,
      alias: "f",
      describe: "File or folder to validate; several times for several.",
    },
  },
  run: validateInputs,
};

async function validateInputs(args: Arguments, context: CommandContext): Promise<number> {
  const paths = [...args.strings("filename"), ...args.words];
  if (paths.length === 0) {
    context.printError("name a file or folder: outriderctl validate -f FILE");
    return unusableCode;
  }
  const [{ readInputs }, { findingsOf }] = await Promise.all([
    import("./analyze/read-inputs.ts"),
    import("./analyze/finding.ts"),
  ]);
  const { ownProblems, texts, unreadable, empty, blank } = await readInputs(paths, context.shutdown);
  for (const line of [...unreadable, ...empty]) context.printError(line);
  const findings = findingsOf(ownProblems, (source) => texts.get(source));
  let isValid = unreadable.length === 0 && empty.length === 0;
  for (const source of texts.keys()) {
    const own = findings.filter((finding) => finding.source === source);
    const lineOf = ({ object, line, path, message }: (typeof own)[number]): string =>
      `  * ${object ?? `line ${line}`}: ${path === "" ? "" : `${path}: `}${message} (line ${line})`;
    const errors = own.filter(({ level }) => level === "Error");
    const others = own.filter(({ level }) => level !== "Error");
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
