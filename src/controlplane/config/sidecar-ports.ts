/**
 * Ports at which every sidecar's Envoy listens already, on every address: no other listener may be there, and what is
 * captured comes to the first two of them.
 */

/** To which captured outbound connections are redirected. */
export const outboundPort = 15001;

/** To which captured inbound connections are redirected. */
export const inboundPort = 15006;

/** Those of a gateway's Envoy: its readiness and its metrics, as the bootstrap has them by default. */
export const routerPorts: ReadonlySet<number> = new Set([15_021, 15_090]);

/** Those of a sidecar's. */
export const sidecarPorts: ReadonlySet<number> = new Set([outboundPort, inboundPort, ...routerPorts]);
