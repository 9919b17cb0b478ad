/**
 * The page of one agent.
 */
import { renderDocument } from "./document.ts";
import { controlPlaneSection } from "./sections/control-plane.ts";
import { envoySection } from "./sections/envoy.ts";
import { eventsSection } from "./sections/events.ts";
import { identitySection } from "./sections/identity.ts";
import type { Section } from "./sections/parts.ts";
import { resourcesSection } from "./sections/resources.ts";
import { summary } from "./sections/summary.ts";
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

/** The whole document. */
export function renderPage(view: PageView): string {
  return renderDocument({
    // `web-1.demo` of a node ID.
    title: view.node.split("~")[2] ?? view.node,
    about: `${view.node}, agent ${view.report.agent.pid}`,
    now: view.now,
    sections: sectionsOf(view),
    footer: "The same in a terminal: outrider status --watch",
  });
}
