/**
 * Completion for fish (its documentation, "Writing your own completions").
 */
import type { OfferedCommand, OfferedFlag } from "./offers.ts";

/** To be sourced, or to be `NAME.fish` among fish's completions. */
export function fishCompletion(name: string, commands: readonly OfferedCommand[]): string {
  const noCommand = "__fish_use_subcommand";
  return [
    `# fish completion for ${name}`,
    ...wordCounter(name, commands),
    ...asker(name),
    `complete -c ${name} -n ${noCommand} -f -s h -l help -d ${quoted("What it does")}`,
    `complete -c ${name} -n ${noCommand} -f -l version -d ${quoted("Which release this is")}`,
    ...commands.map(
      (command) => `complete -c ${name} -n ${noCommand} -f -a ${command.name} -d ${quoted(command.describe)}`,
    ),
    ...commands.flatMap((command) => {
      const seen = quoted(`__fish_seen_subcommand_from ${command.name}`);
      return [
        ...command.flags.map((flag) => `complete -c ${name} -n ${seen} ${flagWords(name, flag)}`),
        ...command.words.flatMap((values, index) =>
          values.length === 0
            ? []
            : [
                `complete -c ${name} -n ${quoted(`__${name}_at ${command.name} ${index}`)} -f -a ${quoted(values.join(" "))}`,
              ],
        ),
      ];
    }),
    "",
  ].join("\n");
}

/** Whether the cursor is at a command's word of that index: neither flags nor their values are words. */
function wordCounter(name: string, commands: readonly OfferedCommand[]): readonly string[] {
  const valued = commands.flatMap((command) =>
    command.flags
      .filter(({ takesValue }) => takesValue)
      .flatMap((flag) => [`--${flag.name}`, ...(flag.alias === undefined ? [] : [`-${flag.alias}`])])
      .map((flag) => quoted(`${command.name} ${flag}`)),
  );
  return [
    `function __${name}_at -a command at`,
    "  set -l skip no",
    "  set -l words",
    "  for word in (commandline -opc)[2..-1]",
    "    if test $skip = yes; set skip no; continue; end",
    '    switch "$words[1] $word"',
    ...(valued.length === 0 ? [] : [`      case ${valued.join(" ")}`, "        set skip yes"]),
    "      case '* -*'",
    "      case '*'",
    "        set -a words $word",
    "    end",
    "  end",
    '  test "$words[1]" = $command; and test (count $words) -eq (math 1 + $at)',
    "end",
  ];
}

/** Has the program itself say what a value may be. */
function asker(name: string): readonly string[] {
  return [
    `function __${name}_ask`,
    "  set -l words (commandline -opc)",
    "  $words[1] $argv 2>/dev/null",
    "end",
  ];
}

function flagWords(program: string, flag: OfferedFlag): string {
  const { name, alias, describe, takesValue, values, valuesFrom } = flag;
  const offers = valuesFrom === "" ? values.join(" ") : `(__${program}_ask ${valuesFrom})`;
  return [
    ...(alias === undefined ? [] : [`-s ${alias}`]),
    `-l ${name}`,
    ...(takesValue ? [offers === "" ? "-r" : `-x -a ${quoted(offers)}`] : []),
    `-d ${quoted(describe)}`,
  ].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;
}
