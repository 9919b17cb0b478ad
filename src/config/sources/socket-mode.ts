/**
 * Permission bits of a socket, as chmod(1) writes them.
 */
import type { Setting } from "../../schema/setting.ts";

/** Three octal digits, with or without a 0 before them. */
export function socketMode(fallback: string, describe: string): Setting<number> {
  return {
    type: "string",
    default: Number.parseInt(fallback, 8),
    defaultText: fallback,
    describe,
    parse: (text) => (/^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : undefined),
    kind: "an octal mode such as 0600 or 0660",
  };
}
