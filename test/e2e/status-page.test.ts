import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import axe from "axe-core";
import type { Page } from "puppeteer-core";
import { fetchHttp } from "../../src/net/http-client.ts";
import { startBrowser } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { get, type TestSidecar } from "../support/mesh.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startWebAndApi } from "../support/web-and-api.ts";

const withinMs = 60_000;

const planted = "planted-in-a-variable-7";

/** Rules of axe-core that the page breaks, each with where. */
async function broken(page: Page): Promise<readonly string[]> {
  // The page takes no script but its own: this one comes by the debugger, as an extension's would.
  await page.evaluate(axe.source);
  const violations: unknown = await page.evaluate(`axe.run(document).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html.slice(0, 120)).join(" | ")))`);
  return violations as readonly string[];
}

async function textOf(page: Page, part: string): Promise<string> {
  return String(await page.evaluate(`document.getElementById(${JSON.stringify(part)})?.innerText ?? ""`));
}

async function shows(page: Page, part: string, expected: RegExp): Promise<string> {
  return eventually(
    `${part} shows ${expected.source}`,
    async () => {
      const text = await textOf(page, part);
      assert.match(text, expected);
      return text;
    },
    { withinMs },
  );
}

function open(page: Page, { ports }: TestSidecar): Promise<unknown> {
  return page.goto(`http://127.0.0.1:${ports.status}/`, { timeout: withinMs });
}

describe("the status page", () => {
  test("is live: a swap, a crash and a rotation are seen as they happen, without any secret", async (t) => {
    const browser = await startBrowser(t);
    if (browser === undefined) return;
    await using stack = new AsyncDisposableStack();
    stack.defer(() => browser.close());
    using folder = temporaryFolder();
    const override = join(folder.path, "override.json");
    writeFileSync(override, "{}");
    const mesh = stack.use(
      await startWebAndApi({
        web: {
          env: { ISTIO_BOOTSTRAP_OVERRIDE: override, DB_PASSWORD: planted, SECRET_TTL: "60s" },
          flags: ["--swapMode=overlap"],
        },
      }),
    );
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(message.text());
    });
    await open(page, mesh.web);
    assert.equal(await page.title(), "web-1.demo – outrider");
    await shows(page, "connection", /^live$/);
    await shows(page, "summary", /Ready/);
    await shows(page, "control-plane", /Cluster\s+✔ ACKED\s+[\d.]+ ms/);
    await shows(page, "resources", /agent\s+\d+\s+\d+ MiB/);
    const identity = await shows(page, "identity", /spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web/);
    const [, serial = ""] = /serial (\w+)/.exec(identity) ?? [];

    writeFileSync(
      override,
      JSON.stringify({ layered_runtime: { layers: [{ name: `x-${planted}`, static_layer: {} }] } }),
    );
    await shows(page, "envoy", /2\s+\d+\s+[\d.]+ \w+ ago\s+serving/);
    await shows(page, "envoy", /last swap\s+[^\n]*overlap, generation 2/);

    const { pid = 0 } = (await mesh.web.report()).envoy;
    process.kill(pid, "SIGKILL");
    await shows(page, "envoy", /2\s+\d+\s+[^\n]+ ago\s+ended\s+[^\n]*SIGKILL/);
    await shows(page, "envoy", /3\s+\d+\s+[^\n]+ ago\s+serving/);
    await shows(page, "events", /Envoy/);

    await eventually(
      "another certificate",
      async () => assert.doesNotMatch(await textOf(page, "identity"), new RegExp(`serial ${serial}\\b`)),
      { withinMs },
    );
    assert.doesNotMatch(await page.content(), new RegExp(planted));
    assert.deepEqual(faults, []);
  });

  test("is read by keyboard, at 360 pixels, in light and dark, and axe-core finds nothing", async (t) => {
    const browser = await startBrowser(t);
    if (browser === undefined) return;
    await using stack = new AsyncDisposableStack();
    stack.defer(() => browser.close());
    const { web } = stack.use(await startWebAndApi());
    const page = await browser.newPage();
    await page.setViewport({ width: 360, height: 740 });
    await open(page, web);
    await shows(page, "connection", /^live$/);
    const overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    assert.equal(overflow, 0, "the page is wider than the screen");
    for (const value of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
      assert.deepEqual(await broken(page), [], `in ${value}`);
    }

    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("location.hash"), "#summary");
    const label = "document.activeElement.getAttribute('aria-label')";
    await page.evaluate("document.querySelector('#events .scroll').focus()");
    const before = await textOf(page, "events");
    const target = { host: "127.0.0.1", port: web.ports.status };
    await fetchHttp({ target, method: "POST", url: "/reload", timeoutMs: withinMs });
    await eventually("another event", async () => assert.notEqual(await textOf(page, "events"), before), {
      withinMs,
    });
    assert.equal(await page.evaluate(label), "Last lines of the agent's log", "the focus was lost");
  });

  test("stands alone without its script, in no frame, and for loopback only", async () => {
    await using mesh = await startWebAndApi();
    const answer = await get(mesh.web.ports.status, "/");
    const policy = String(answer.headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(answer.body.toString("utf8"), /spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web/);
    const other = await get(mesh.web.ports.status, "/nothing");
    assert.equal(other.status, 404);
  });
});
