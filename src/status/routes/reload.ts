/** `/reload`: what an operator asks for after a change of configuration. */
import { textAt } from "../../lifecycle/json-path.ts";
import type { ReloadReport } from "../contract/reload-report.ts";
import type { JsonRoute } from "../contract/route.ts";

/** What it works with. */
export interface ReloadParts {
  /** Resolves when it is clear what became of it, which may take until an Envoy that was replaced has gone. */
  readonly reload: () => Promise<ReloadReport>;
}

/** Read again, and say what became of it. */
export const reloadRoute: JsonRoute<ReloadParts, ReloadReport> = {
  path: "/reload",
  method: "POST",
  scope: "loopback",
  describe:
    "Read the configuration again and swap Envoy if it gives another one; answers with what became of it.",
  isBody: (answer): answer is ReloadReport => textAt(answer, "result") !== undefined,
  handle: async ({ reload }) => ({ kind: "json", value: await reload() }),
};
