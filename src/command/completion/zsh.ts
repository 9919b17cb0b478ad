/**
 * Completion for zsh (its manual, "Completion System": `_describe` and `_arguments`).
 */
import type { OfferedCommand, OfferedFlag } from "./offers.ts";

/** To be sourced, or to be `_NAME` in a folder of `fpath`. */
export function zshCompletion(
  name: string,
  commands: readonly OfferedCommand[],
  prefixes: readonly string[] = [],
): string {
  return `#compdef ${name}
# zsh completion for ${name}
_${name}_ask() {
  local -a names=(\${(f)"$($program "$@" 2>/dev/null)"})
  compadd -a names
}
_${name}() {
  local program=$words[1]
  local context state state_descr line
  typeset -A opt_args
${
  prefixes.length === 0
    ? ""
    : `  if (( CURRENT > 2 )) && [[ $words[2] == (${prefixes.join("|")}) ]]; then
    words=("$words[1]" "\${(@)words[3,-1]}")
    (( CURRENT-- ))
  fi
`
}  _arguments -C '(- *)'{-h,--help}'[What it does]' '(- *)--version[Which release this is]' \\
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
${commands.map(({ name: command, describe }) => `        ${quoted(`${escaped(command)}:${describe}`)}`).join("\n")}
      )
      _describe command commands ;;
    argument)
      case $words[1] in
${commands.map((command) => commandCase(name, command)).join("\n")}
      esac ;;
  esac
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function commandCase(program: string, { name, flags, words }: OfferedCommand): string {
  const specs = [
    ...flags.flatMap((flag) => flagSpecs(program, flag)),
    ...words.map((values, index) => quoted(`${index + 1}:word:${anyOf(values)}`)),
    ...(words.length === 0 ? [quoted("*::command:_normal")] : []),
  ];
  return `        ${name}) _arguments \\\n${specs.map((spec) => `          ${spec}`).join(" \\\n")} ;;`;
}

function flagSpecs(program: string, flag: OfferedFlag): readonly string[] {
  const { name, alias, describe, takesValue, values, valuesFrom } = flag;
  const text = `[${escaped(describe.replaceAll("[", "(").replaceAll("]", ")"))}]`;
  const value = takesValue
    ? `:value:${valuesFrom === "" ? anyOf(values) : `{_${program}_ask ${valuesFrom}}`}`
    : "";
  return [
    quoted(`*--${name}${takesValue ? "=" : ""}${text}${value}`),
    ...(alias === undefined ? [] : [quoted(`*-${alias}${text}${value}`)]),
  ];
}

function anyOf(values: readonly string[]): string {
  return values.length === 0 ? "_files" : `(${values.join(" ")})`;
}

/** A colon ends a part of a spec. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll(":", "\\:");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
