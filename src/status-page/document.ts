/**
 * A page as a document. It stands by itself: what it needs is in it, and it is read without its script as well.
 */
import { createHash } from "node:crypto";
import { type Content, Html, html } from "./html.ts";
import { script } from "./script.ts";
import type { Section } from "./sections/parts.ts";
import { style } from "./style.ts";

/** What a document is made of. */
export interface DocumentParts {
  readonly title: string;
  /** Below the title. */
  readonly about: Content;
  readonly now: Date;
  /** In the order in which they are read. */
  readonly sections: readonly Section[];
  readonly footer: Content;
}

/** The whole document; its sections come again from `status-page/events`, as they change. */
export function renderDocument({ title, about, now, sections, footer }: DocumentParts): string {
  const { text } = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title} – outrider</title>
      ${element("style", style)}
    </head>
    <body>
      <a class="skip" href="#${sections[0]?.id}">To the state</a>
      <header>
        <h1>${title}</h1>
        <p class="small">${about}, <span id="connection" role="status">as of ${now.toISOString()}</span></p>
        <nav aria-label="Parts">
          <ul>
            ${sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}
          </ul>
        </nav>
      </header>
      <main>
        ${sections.map(({ id, name, body }) => html`<section id="${id}" aria-label="${name}">${body}</section>`)}
      </main>
      <footer>${footer}</footer>
      ${element("script", script)}
    </body>
  </html>`;
  return `<!doctype html>\n${text}\n`;
}

/** As it is, to the letter: the policy knows its text by a hash. */
function element(name: "style" | "script", text: string): Html {
  return new Html(`<${name}>${text}</${name}>`);
}

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** Nothing from elsewhere, nothing that is not in the document, and in no frame. */
export const documentHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; connect-src 'self'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};
