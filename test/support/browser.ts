/** A headless Chromium, where there is one: skipped on a laptop without, and failed in CI. */
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import type { Browser } from "puppeteer-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Undefined where the test is skipped. */
export async function startBrowser(t: TestContext): Promise<Browser | undefined> {
  const executablePath = places.find((path) => existsSync(path));
  if (executablePath === undefined) {
    if (process.env["CI"] === "true") throw new Error("this test needs Chromium, which CI must install");
    t.skip("needs Chromium");
    return undefined;
  }
  const { launch } = await import("puppeteer-core");
  return launch({
    executablePath,
    // Root has no sandbox of Chromium's, and what is opened is the agent's own page.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    timeout: 60_000,
    protocolTimeout: 120_000,
  });
}
