/**
 * Completion for fish (its documentation, "Writing your own completions").
 */
import type { OfferedCommand, OfferedFlag } from "./offers.ts";

/** To be sourced, or to be `NAME.fish` among fish's completions. */
export function fishCompletion(name: string, commands: readonly OfferedCommand[]): string {
  const noCommand = "__fish_use_subcommand";
  return [
    `# fish completion for ${name}`,
    `complete -c ${name} -n ${noCommand} -f -s h -l help -d ${quoted("What it does")}`,
    `complete -c ${name} -n ${noCommand} -f -l version -d ${quoted("Which release this is")}`,
    ...commands.map(
      (command) => `complete -c ${name} -n ${noCommand} -f -a ${command.name} -d ${quoted(command.describe)}`,
    ),
    ...commands.flatMap((command) => {
      const seen = quoted(`__fish_seen_subcommand_from ${command.name}`);
      return [
        ...command.flags.map((flag) => `complete -c ${name} -n ${seen} ${flagWords(flag)}`),
        ...command.words.flatMap((values, index) =>
          values.length === 0
            ? []
            : [
                `complete -c ${name} -n ${quoted(`__fish_seen_subcommand_from ${command.name}; and __fish_is_nth_token ${index + 2}`)} -f -a ${quoted(values.join(" "))}`,
              ],
        ),
      ];
    }),
    "",
  ].join("\n");
}

function flagWords({ name, alias, describe, takesValue, values }: OfferedFlag): string {
  return [
    ...(alias === undefined ? [] : [`-s ${alias}`]),
    `-l ${name}`,
    ...(takesValue ? [values.length === 0 ? "-r" : `-x -a ${quoted(values.join(" "))}`] : []),
    `-d ${quoted(describe)}`,
  ].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;
}
