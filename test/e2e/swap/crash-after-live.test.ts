import { describe, test } from "node:test";
import { crashAfterLive, crashes } from "../../support/crash-after-live.ts";

describe("a newcomer that crashes after it is LIVE", { concurrency: 2 }, () => {
  for (const { mode, afterMs } of crashes) {
    test(`${mode}, ${afterMs} ms after: the last good bootstrap is started without a delay, and the loss is bounded`, async (context) => {
      const { text } = await crashAfterLive(mode, afterMs);
      context.diagnostic(text);
    });
  }
});
