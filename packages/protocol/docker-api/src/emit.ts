import type { EventMessage } from "./system.ts";

/** Publishes one Docker event; the engine adds scope and time. */
export type EmitEvent = (
  type: EventMessage["Type"],
  action: string,
  actor: { ID: string; Attributes: Record<string, string> },
) => void;
