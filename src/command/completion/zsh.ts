/**
 * Completion for zsh (its manual, "Completion System": `_describe` and `_arguments`).
 */
import type { OfferedCommand, OfferedFlag } from "./offers.ts";

/** To be sourced, or to be `_NAME` in a folder of `fpath`. */
export function zshCompletion(name: string, commands: readonly OfferedCommand[]): string {
  return `#compdef ${name}
# zsh completion for ${name}
_${name}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[What it does]' '(- *)--version[Which release this is]' \\
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
${commands.map(({ name: command, describe }) => `        ${quoted(`${escaped(command)}:${describe}`)}`).join("\n")}
      )
      _describe command commands ;;
    argument)
      case $words[1] in
${commands.map(commandCase).join("\n")}
      esac ;;
  esac
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function commandCase({ name, flags, words }: OfferedCommand): string {
  const specs = [
    ...flags.flatMap(flagSpecs),
    ...words.map((values, index) => quoted(`${index + 1}:word:${valuesOf(values)}`)),
    ...(words.length === 0 ? [quoted("*::command:_normal")] : []),
  ];
  return `        ${name}) _arguments \\\n${specs.map((spec) => `          ${spec}`).join(" \\\n")} ;;`;
}

function flagSpecs({ name, alias, describe, takesValue, values }: OfferedFlag): readonly string[] {
  const text = `[${escaped(describe.replaceAll("[", "(").replaceAll("]", ")"))}]`;
  const value = takesValue ? `:value:${valuesOf(values)}` : "";
  return [
    quoted(`*--${name}${takesValue ? "=" : ""}${text}${value}`),
    ...(alias === undefined ? [] : [quoted(`*-${alias}${text}${value}`)]),
  ];
}

function valuesOf(values: readonly string[]): string {
  return values.length === 0 ? "_files" : `(${values.join(" ")})`;
}

/** A colon ends a part of a spec. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll(":", "\\:");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
