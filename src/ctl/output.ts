/**
 * The forms in which commands print what they found: for people, and as JSON or YAML for programs.
 */
import type { Arguments, CommandContext, Flag } from "../command/command.ts";

/** Form of the output. */
export type OutputForm = "text" | "json" | "yaml";

/** `-o`, as istioctl has it. */
export const outputFlag = {
  output: {
    type: "string",
    alias: "o",
    values: ["json", "yaml", "short"],
    describe: "json or yaml instead of text (short).",
  },
} as const satisfies Readonly<Record<string, Flag>>;

/** The form that a call asks for; undefined, and a line on standard error, where it is none of them. */
export function outputForm(
  args: Arguments,
  { printError }: Pick<CommandContext, "printError">,
): OutputForm | undefined {
  const text = (args.optionalString("output") ?? "text").replace(/^short$/, "text");
  const form = (["text", "json", "yaml"] as const).find((known) => known === text);
  if (form === undefined) printError(`--output must be json or yaml, not ${JSON.stringify(text)}`);
  return form;
}

/** A value as a document of that form. */
export async function printValue(
  value: unknown,
  form: Exclude<OutputForm, "text">,
  { print }: Pick<CommandContext, "print">,
): Promise<void> {
  for (const line of (await documentOf(value, form)).split("\n")) print(line);
}

async function documentOf(value: unknown, form: Exclude<OutputForm, "text">): Promise<string> {
  if (form === "json") return JSON.stringify(value, undefined, 2) ?? "null";
  const { stringify } = await import("yaml");
  return stringify(value, { aliasDuplicateObjects: false }).trimEnd();
}
