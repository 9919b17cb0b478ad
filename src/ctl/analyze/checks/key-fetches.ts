/** An istiod that fetches the keys of tokens from wherever a RequestAuthentication says. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import { listAt, textAt } from "../../../lifecycle/json-path.ts";
import { containersOf } from "../kubernetes-objects.ts";
import type { AnalyzedMesh } from "./mesh.ts";

/** istiod's setting: networks that it asks for no keys. */
const setting = "BLOCKED_CIDRS_IN_JWKS_URIS";

/** Names that a message has at most. */
const mostNamed = 5;

/** IST0175. */
export function keyFetchFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const names = mesh.ofKind("RequestAuthentication").map(({ namespace, name }) => `${namespace}/${name}`);
  if (names.length === 0) return [];
  const named = `${names.slice(0, mostNamed).join(", ")}${names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ""}`;
  return mesh.pods
    .filter(({ owner }) => owner.kind === "Deployment" && owner.labels["app"] === "istiod")
    .flatMap((pod): readonly ConfigProblem[] => {
      const isSet = containersOf(pod).some(([, container]) =>
        listAt(container, "env").some(
          (variable) => textAt(variable, "name") === setting && (textAt(variable, "value") ?? "") !== "",
        ),
      );
      if (isSet) return [];
      const message = `do not set ${setting}: whoever may write a RequestAuthentication (${named}) lets istiod ask any address, those of the cloud's metadata too. Set it to the networks that hold no keys`;
      return [warningAt(pod.owner, `${pod.path}.spec.containers`, message, "IST0175")];
    });
}
