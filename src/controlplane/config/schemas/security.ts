/**
 * Who may call whom, and how both prove who they are: PeerAuthentication, AuthorizationPolicy, RequestAuthentication.
 */
import { boolean, type Decoder, list, mapping, object, oneOf, optional, required, text } from "../decode.ts";
import {
  isHeaderName,
  isKeySetUrl,
  isPolicyNamespace,
  isPolicyPath,
  isPort,
  isWhenKey,
  policyNamespaceForm,
} from "../forms.ts";
import { keySetForm, usableKeySet } from "../key-sets.ts";
import { ipRange, line, matchLabels, positiveDuration, targetRef } from "./common.ts";

const mutualTls = object({ mode: optional(oneOf("STRICT", "PERMISSIVE", "DISABLE", "UNSET")) });

export const peerAuthentication = object({
  selector: optional(matchLabels),
  mtls: optional(mutualTls),
  portLevelMtls: optional(mapping(mutualTls, { expected: "a port from 1 to 65535", test: isPort })),
});

const some = list(text(), 1);
const namespaces = list(text(policyNamespaceForm, isPolicyNamespace), 1);
const ranges = list(ipRange, 1);
const ports = list(text("a port from 1 to 65535", isPort), 1);

const paths = list(
  text(
    "a path, with * at one end, or of at most 256 characters with {*} and {**} for whole parts",
    isPolicyPath,
  ),
  1,
);

const source = object({
  principals: optional(some),
  notPrincipals: optional(some),
  requestPrincipals: optional(some),
  notRequestPrincipals: optional(some),
  namespaces: optional(namespaces),
  notNamespaces: optional(namespaces),
  ipBlocks: optional(ranges),
  notIpBlocks: optional(ranges),
  remoteIpBlocks: optional(ranges),
  notRemoteIpBlocks: optional(ranges),
});

const operation = object({
  hosts: optional(some),
  notHosts: optional(some),
  ports: optional(ports),
  notPorts: optional(ports),
  methods: optional(some),
  notMethods: optional(some),
  paths: optional(paths),
  notPaths: optional(paths),
});

export const authorizationPolicy = object({
  selector: optional(matchLabels),
  targetRef: optional(targetRef),
  targetRefs: optional(list(targetRef)),
  action: optional(oneOf("ALLOW", "DENY", "AUDIT", "CUSTOM")),
  provider: optional(object({ name: required(text()) })),
  rules: optional(
    list(
      object({
        from: optional(list(object({ source: required(source) }), 1)),
        to: optional(list(object({ operation: required(operation) }), 1)),
        when: optional(
          list(
            object({
              key: required(text("an attribute such as source.ip or request.headers[x-user]", isWhenKey)),
              values: optional(some),
              notValues: optional(some),
            }),
          ),
        ),
      }),
    ),
  ),
});

const keySetText = text(keySetForm, (value) => usableKeySet(value) !== undefined);

/** What Envoy can use of a set. */
const keySet: Decoder<string> = (node, path, context) => usableKeySet(keySetText(node, path, context) ?? "");

export const requestAuthentication = object({
  selector: optional(matchLabels),
  targetRef: optional(targetRef),
  targetRefs: optional(list(targetRef)),
  jwtRules: optional(
    list(
      object({
        issuer: required(text()),
        audiences: optional(list(text(), 1)),
        jwks: optional(keySet),
        jwksUri: optional(text("an http:// or https:// URL without a user", isKeySetUrl)),
        timeout: optional(positiveDuration),
        fromHeaders: optional(
          list(
            object({ name: required(text("the name of a header", isHeaderName)), prefix: optional(line) }),
            1,
          ),
        ),
        fromParams: optional(list(text(), 1)),
        fromCookies: optional(list(text(), 1)),
        outputPayloadToHeader: optional(text("the name of a header", isHeaderName)),
        outputClaimToHeaders: optional(
          list(
            object({ header: required(text("the name of a header", isHeaderName)), claim: required(text()) }),
          ),
        ),
        forwardOriginalToken: optional(boolean),
      }),
    ),
  ),
});
