/** `/quitquitquit`: how an application says that it has ended. */
import { type Route, text } from "../contract/route.ts";

/** What it works with. */
export interface QuitParts {
  readonly quit: () => void;
}

/** Answers first: whoever asks must not take a closed connection for a refusal. */
export const quitRoute: Route<QuitParts> = {
  path: "/quitquitquit",
  method: "POST",
  scope: "loopback",
  describe: "Drain Envoy and exit with code 0: the application has ended.",
  handle: ({ quit }) => ({ ...text(200, "OK"), afterwards: quit }),
};
