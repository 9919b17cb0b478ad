/** Settings of traffic capture as flags of a command. */
import type { CaptureSetting } from "../../capture/options/settings.ts";
import type { Flag } from "../../command/command.ts";

/** Those that are flags; each has its variable beside it. */
export function captureFlags(
  settings: Readonly<Record<string, CaptureSetting>>,
): Readonly<Record<string, Flag>> {
  const rows = Object.values<CaptureSetting>(settings).flatMap((row): [string, Flag][] => {
    const { flag, alias, boolean, default: fallback, describe } = row;
    if (flag === undefined) return [];
    const help = fallback === "" || boolean === true ? describe : `${describe} Default ${fallback}.`;
    return [
      [
        flag,
        {
          type: boolean === true ? "boolean" : "string",
          describe: help,
          ...(alias === undefined ? {} : { alias }),
        },
      ],
    ];
  });
  return Object.fromEntries(rows);
}
