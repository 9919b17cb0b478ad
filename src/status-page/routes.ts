/** `/` and what keeps it live. */
import type { Route } from "../status/contract/route.ts";
import type { PageView } from "./view.ts";

/** What they work with. */
export interface PageParts {
  readonly page: {
    /** What is shown, without secrets. */
    look(): Promise<PageView>;
  };
}

/** The document; loaded with its first reader. */
export const pageRoute: Route<PageParts> = {
  path: "/",
  method: "GET",
  scope: "loopback",
  describe: "A page of the agent's state for people, which stays live.",
  handle: async ({ page }) => {
    const [{ documentHeaders }, { renderPage }] = await Promise.all([
      import("./document.ts"),
      import("./page.ts"),
    ]);
    const text = renderPage(await page.look());
    return {
      kind: "text",
      status: 200,
      text,
      contentType: "text/html; charset=utf-8",
      headers: documentHeaders,
    };
  },
};

/** Its parts as they change. */
export const pageEventsRoute: Route<PageParts> = {
  path: "/status-page/events",
  method: "GET",
  scope: "loopback",
  describe: "The parts of the page as they change, as server-sent events.",
  handle: async ({ page }, { gone }) => {
    const [{ feed }, { sectionsOf }] = await Promise.all([import("./feed.ts"), import("./page.ts")]);
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
    return { kind: "stream", headers, body: feed(async () => sectionsOf(await page.look()), gone()) };
  },
};
