/**
 * The flags of `outrider token`.
 */
import { duration, optionalText, text } from "../schema/setting.ts";

/** A year in milliseconds: nobody renews what outlives its issuer. */
const yearMs = 366 * 86_400_000;

/** In the order in which help lists them. */
export const tokenFlags = {
  namespace: text("default", "Namespace of the workload."),
  serviceAccount: text("default", "Service account of the workload."),
  lifetime: duration(3_600_000, { leastMs: 1_000, mostMs: yearMs }, "How long the token is valid."),
  audience: text("istio-ca", "Audience of the token, one of the control plane's --tokenAudiences."),
  stateDir: optionalText(
    "The control plane's --stateDir (default ./.outrider where there is one, else $XDG_STATE_HOME/outrider).",
  ),
  output: optionalText("File to write the token to, with mode 0600, instead of standard output."),
} as const;
