import type { LogMessage } from "@longshore/logging";
import type { LogTarget } from "../contract.ts";
import type { Wire } from "./wire.ts";

/** A server that takes one frame for each message and says nothing. @param encode gives nothing for what is not sent */
export function wireTarget(
  wire: Wire,
  encode: (message: LogMessage) => readonly Buffer[],
  confirms = false,
): LogTarget {
  return {
    confirms,
    send: (messages, signal) => wire.write(messages.flatMap(encode), signal),
    check: () => wire.check(),
    end: () => wire.end(),
    close: () => wire.close(),
  };
}
