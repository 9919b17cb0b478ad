/**
 * Serves the page of the demo mesh on loopback.
 */
import { pipeline } from "node:stream/promises";
import { HttpServer } from "../net/http-server.ts";
import { documentHeaders } from "../status-page/document.ts";
import { feed } from "../status-page/feed.ts";
import { meshSections, type MeshPageContext, renderMeshPage } from "./mesh-page.ts";
import type { MeshState } from "./state.ts";

/** @throws the system error when the port cannot be bound */
export function serveMeshPage(
  port: number,
  look: () => Promise<MeshState>,
  around: Omit<MeshPageContext, "now">,
): Promise<HttpServer> {
  return HttpServer.listen(
    { host: "127.0.0.1", port },
    async ({ url }, response) => {
      if (url === "/") {
        const page = renderMeshPage(await look(), { ...around, now: new Date() });
        response.writeHead(200, { ...documentHeaders, "content-type": "text/html; charset=utf-8" }).end(page);
        return;
      }
      if (url !== "/status-page/events") {
        response.writeHead(404).end();
        return;
      }
      const gone = new AbortController();
      response.once("close", () => {
        gone.abort();
      });
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      const sections = async (): Promise<ReturnType<typeof meshSections>> =>
        meshSections(await look(), { ...around, now: new Date() });
      // A reader who goes ends the feed: there is nobody to tell.
      await pipeline(feed(sections, gone.signal), response).catch(() => undefined);
    },
    { part: "the mesh's page", hosts: "local" },
  );
}
