/** What has happened. */
import { html } from "../html.ts";
import type { PageView } from "../view.ts";
import { type Section, sign, table } from "./parts.ts";

/** Lines that are shown. */
const shownEvents = 40;

/** The newest first. */
export function eventsSection({ log }: PageView): Section {
  return {
    id: "events",
    name: "Events",
    body: html`<h2>Events</h2>
      ${table(
        "Last lines of the agent's log",
        ["time", "level", "part", "event"],
        log
          .slice(-shownEvents)
          .toReversed()
          .map(({ at, level, scope, message, fields }) => [
            html`<time datetime="${at}">${at.slice(11, 19)}</time>`,
            html`${level === "info" ? undefined : sign(level === "warn" ? "odd" : "bad")} ${level}`,
            scope,
            [message, ...Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`)].join(" "),
          ]),
        "Nothing yet.",
      )}`,
  };
}
