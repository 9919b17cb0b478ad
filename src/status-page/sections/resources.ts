/** What the agent and Envoy use. */
import { formatDuration } from "../../lifecycle/format-duration.ts";
import { html } from "../html.ts";
import type { PageView } from "../view.ts";
import { type Section, table } from "./parts.ts";

const mebibyte = 2 ** 20;

/** A row for each process. */
export function resourcesSection({ processes }: PageView): Section {
  return {
    id: "resources",
    name: "Resources",
    body: html`<h2>Resources</h2>
      ${table(
        "Processes",
        ["process", "pid", "memory", "processor time", "open files"],
        processes.map(({ name, pid, residentBytes, processorMs, openFiles }) => [
          name,
          pid,
          `${Math.round(residentBytes / mebibyte)} MiB`,
          formatDuration(processorMs),
          openFiles,
        ]),
        "None can be looked at.",
      )}`,
  };
}
