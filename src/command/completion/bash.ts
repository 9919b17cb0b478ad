/**
 * Completion for bash (its manual, "Programmable Completion").
 */
import type { OfferedCommand, OfferedFlag } from "./offers.ts";

/**
 * A script to be sourced. It needs no package beside bash; a word with `=` is three words to it, as COMP_WORDBREAKS says.
 */
export function bashCompletion(
  name: string,
  commands: readonly OfferedCommand[],
  prefixes: readonly string[] = [],
): string {
  return `# bash completion for ${name}
_${name}_takes_value() {
  case "$1 $2" in
${commands.flatMap(valueCase).join("\n")}
    *) return 1 ;;
  esac
}
_${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" flag="" command="" word="" at=0 i offers=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ $word == -- ]]; then return; fi
    if _${name}_takes_value "$command" "\${COMP_WORDS[i - 1]}" && [[ $word != = ]]; then continue; fi
    if [[ $word == -* || $word == = || \${COMP_WORDS[i - 1]} == = ]]; then continue; fi
${
  prefixes.length === 0
    ? ""
    : `    if [[ -z $command ]]; then case "$word" in ${prefixes.join("|")}) continue ;; esac; fi
`
}    if [[ -z $command ]]; then command="$word"; else at=$((at + 1)); fi
  done
  if [[ $cur == = ]]; then
    cur="" flag="\${COMP_WORDS[COMP_CWORD - 1]}"
  elif [[ \${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
    flag="\${COMP_WORDS[COMP_CWORD - 2]}"
  elif [[ \${COMP_WORDS[COMP_CWORD - 1]} == -* ]]; then
    flag="\${COMP_WORDS[COMP_CWORD - 1]}"
  fi
  COMPREPLY=()
  case "$command" in
    "") offers="${commands.map((command) => command.name).join(" ")} --help --version" ;;
${commands.map(commandCase).join("\n")}
  esac
  # Names come from elsewhere: compgen -W would expand what is in them.
  local -a each=()
  IFS=$' \\t\\n' read -r -d '' -a each <<<"$offers"
  for word in "\${each[@]}"; do
    if [[ $word == "$cur"* ]]; then COMPREPLY+=("$(printf '%q' "$word")"); fi
  done
}
complete -o default -F _${name} ${name}
`;
}

function commandCase({ name, flags, words }: OfferedCommand): string {
  const valued = flags.filter(({ takesValue }) => takesValue);
  const isFree = ({ values, valuesFrom }: OfferedFlag): boolean => values.length === 0 && valuesFrom === "";
  const known = valued.filter((flag) => !isFree(flag));
  const free = valued.filter(isFree);
  const byWord = words.flatMap((values, index) =>
    values.length === 0 ? [] : [`        elif ((at == ${index})); then offers="${values.join(" ")}"`],
  );
  return [
    `    ${name})`,
    '      case "$flag" in',
    ...known.map((flag) => `        ${pattern(flag)}) offers="${valuesOf(flag)}" ;;`),
    ...(free.length === 0 ? [] : [`        ${free.map(pattern).join("|")}) ;;`]),
    "        *)",
    `        if [[ $cur == -* ]]; then offers="${flags.map((flag) => `--${flag.name}`).join(" ")}"`,
    ...byWord,
    "        fi ;;",
    "      esac ;;",
  ].join("\n");
}

/** What makes the word after a flag its value. */
function valueCase({ name, flags }: OfferedCommand): readonly string[] {
  const patterns = flags
    .filter(({ takesValue }) => takesValue)
    .flatMap((flag) => pattern(flag).split("|"))
    .map((flag) => `"${name} ${flag}"`);
  return patterns.length === 0 ? [] : [`    ${patterns.join("|")}) ;;`];
}

function valuesOf({ values, valuesFrom }: OfferedFlag): string {
  return valuesFrom === "" ? values.join(" ") : `$("\${COMP_WORDS[0]}" ${valuesFrom} 2>/dev/null)`;
}

function pattern({ name, alias }: OfferedFlag): string {
  return alias === undefined ? `--${name}` : `--${name}|-${alias}`;
}
