/**
 * What the sections have in common.
 */
import { formatDuration } from "../../lifecycle/format-duration.ts";
import { type Content, html, type Html } from "../html.ts";

/** One part of the page, which changes as a whole. */
export interface Section {
  /** Its place in the document. */
  readonly id: string;
  /** What it is about. */
  readonly name: string;
  readonly body: Html;
}

/** How well something is; in words beside the colour. */
export type Mark = "well" | "odd" | "bad";

const words = { well: "✔", odd: "▲", bad: "✖" } as const;

/** A sign that can be told without its colour. */
export function sign(mark: Mark): Html {
  const said = { well: "well", odd: "to be looked at", bad: "not well" }[mark];
  return html`<span class="sign ${mark}" role="img" aria-label="${said}">${words[mark]}</span>`;
}

/** Names and what they are; a row without a value is left out. */
export function facts(rows: readonly (readonly [name: string, value: Content])[]): Html {
  const told = rows.filter(([, value]) => value !== undefined && value !== "");
  return html`<dl>
    ${told.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** A table that may be scrolled sideways, by keyboard as well. */
export function table(
  caption: string,
  headings: readonly string[],
  rows: readonly (readonly Content[])[],
  none: string,
): Html {
  if (rows.length === 0) return html`<p class="none">${none}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A moment, with its distance from now; hovering shows it whole. */
export function moment(iso: string, now: Date): Html {
  const distanceMs = Date.parse(iso) - now.getTime();
  const distance = formatDuration(roundedMs(Math.abs(distanceMs)));
  return html`<time datetime="${iso}" title="${iso}"
    >${distanceMs < 0 ? `${distance} ago` : `in ${distance}`}</time
  >`;
}

/** Whole seconds: a tenth that changes would have the page drawn anew for nothing. */
function roundedMs(ms: number): number {
  return Math.round(ms / 1_000) * 1_000;
}
