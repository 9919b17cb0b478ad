/** The socket that applications hold: whatever they say there is ignored, and whoever comes next is greeted. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { ApplicationSocket } from "../../../src/application/socket.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { quietLog } from "../quiet-log.ts";
import { exchange, exchangeAndLeave } from "../raw-connection.ts";
import type { FuzzTarget } from "../target.ts";

export const applicationSocketTarget: FuzzTarget = {
  name: "application-socket",
  corpus: "http",
  words: ["ready\n", "\0", "\n"],
  concurrency: 16,
  maxBytes: 65_536,
  open: async () => {
    await using stack = new AsyncDisposableStack();
    const path = join(stack.use(temporaryFolder()).path, "app.sock");
    const tasks = stack.use(new TaskGroup());
    stack.use(
      await ApplicationSocket.listen(
        { path, mode: 0o666, graceMs: 60_000 },
        { ready: () => Promise.resolve(), log: quietLog(), tasks },
      ),
    );
    const owned = stack.move();
    return {
      feed: async (input) => {
        await exchange({ path }, input);
      },
      whole: async () => {
        assert.equal((await exchangeAndLeave(connect(path), Buffer.alloc(0), 1_000)).toString(), "ready\n");
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};
