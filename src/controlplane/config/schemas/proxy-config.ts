/**
 * How proxies are started: ProxyConfig.
 */
import { integer, mapping, object, optional, text } from "../decode.ts";
import { matchLabels } from "./common.ts";

/** `spec` of a ProxyConfig (networking.istio.io/v1beta1). */
export const proxyConfig = object({
  selector: optional(matchLabels),
  concurrency: optional(integer(0, 2_147_483_647)),
  environmentVariables: optional(
    mapping(
      text("text", () => true),
      { expected: "the name of a variable", test: (name) => name !== "" },
    ),
  ),
  image: optional(object({ imageType: optional(text("the type of an image such as distroless")) })),
});
