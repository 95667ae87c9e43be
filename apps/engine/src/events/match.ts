import type { Filters } from "@longshore/list-filters";
import type { SentEvent } from "./hub.ts";

const objectTypes = [
  "container",
  "image",
  "volume",
  "network",
  "plugin",
  "daemon",
  "service",
  "node",
  "secret",
  "config",
] as const;

function matchesAction(event: SentEvent, filters: Filters): boolean {
  if (!filters.has("event")) return true;
  const action = event.Action ?? "";
  // `health_status: healthy` and `exec_start: sh` also answer to the word before the colon.
  return (
    filters.exact("event", action) || (action.includes(":") && filters.exact("event", action.split(":", 1)[0] ?? ""))
  );
}

function matchesObject(event: SentEvent, filters: Filters, key: (typeof objectTypes)[number]): boolean {
  if (!filters.has(key)) return true;
  const { ID = "", Attributes = {} } = event.Actor ?? {};
  if (key === "image") {
    const name = event.Type === "image" ? (Attributes["name"] ?? "") : (Attributes["image"] ?? "");
    if (event.Type !== "image" && event.Type !== "container") return false;
    return filters.exact(key, name) || filters.exact(key, name.split(":", 1)[0] ?? "") || filters.prefix(key, ID);
  }
  if (event.Type !== key) return false;
  return filters.prefix(key, ID) || filters.exact(key, Attributes["name"] ?? "");
}

/** Whether an event passes the filters of `GET /events`. */
export function matchesEvent(event: SentEvent, filters: Filters): boolean {
  return (
    matchesAction(event, filters) &&
    filters.exact("type", event.Type ?? "") &&
    filters.exact("scope", event.scope ?? "") &&
    filters.labels("label", event.Actor?.Attributes) &&
    matchesAnyObject(event, filters)
  );
}

/** Object filters of several types are alternatives: `container=a` and `network=b` ask for both. */
function matchesAnyObject(event: SentEvent, filters: Filters): boolean {
  const asked = objectTypes.filter((key) => filters.has(key));
  return asked.length === 0 || asked.some((key) => matchesObject(event, filters, key));
}
