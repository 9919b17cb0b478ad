/** How this agent's own SDS server calls itself in its responses (`control_plane.identifier`). */
export const ownIdentifier = "outrider";
