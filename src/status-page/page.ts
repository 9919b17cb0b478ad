/**
 * The page as a document. It stands by itself: what it needs is in it, and it is read without its script as well.
 */
import { createHash } from "node:crypto";
import { Html, html } from "./html.ts";
import { script } from "./script.ts";
import { controlPlaneSection } from "./sections/control-plane.ts";
import { envoySection } from "./sections/envoy.ts";
import { eventsSection } from "./sections/events.ts";
import { identitySection } from "./sections/identity.ts";
import type { Section } from "./sections/parts.ts";
import { resourcesSection } from "./sections/resources.ts";
import { summary } from "./sections/summary.ts";
import { style } from "./style.ts";
import type { PageView } from "./view.ts";

/** In the order in which they are read. */
export function sectionsOf(view: PageView): readonly Section[] {
  return [
    summary(view),
    identitySection(view),
    controlPlaneSection(view),
    envoySection(view),
    resourcesSection(view),
    eventsSection(view),
  ];
}

const names: Readonly<Record<string, string>> = {
  identity: "Identity",
  "control-plane": "Control plane",
  envoy: "Envoy",
  resources: "Resources",
  events: "Events",
};

/** The whole document. */
export function renderPage(view: PageView): string {
  const title = nameOf(view.node);
  const { text } = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title} – outrider</title>
      ${element("style", style)}
    </head>
    <body>
      <a class="skip" href="#summary">To the state</a>
      <header>
        <h1>${title}</h1>
        <p class="small">
          ${view.node}, agent ${view.report.agent.pid},
          <span id="connection" role="status">as of ${view.now.toISOString()}</span>
        </p>
        <nav aria-label="Parts">
          <ul>
            ${Object.entries(names).map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
          </ul>
        </nav>
      </header>
      <main>
        ${sectionsOf(view).map(({ id, body }) => html`<section id="${id}" aria-label="${names[id] ?? "State"}">${body}</section>`)}
      </main>
      <footer>The same in a terminal: outrider status --watch</footer>
      ${element("script", script)}
    </body>
  </html>`;
  return `<!doctype html>\n${text}\n`;
}

/** `web-1.demo` of a node ID. */
function nameOf(node: string): string {
  return node.split("~")[2] ?? node;
}

/** As it is, to the letter: the policy knows its text by a hash. */
function element(name: "style" | "script", text: string): Html {
  return new Html(`<${name}>${text}</${name}>`);
}

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** Nothing from elsewhere, nothing that is not in the document, and in no frame. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; connect-src 'self'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};
