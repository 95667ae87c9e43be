import type { Container } from "./container.ts";

function split(list: string | undefined): Set<string> {
  return new Set((list ?? "").split(",").filter((name) => name !== ""));
}

/** What each log line carries as `attrs`: the labels, variables and tag that the log options name. */
export function logAttributes(container: Container): Record<string, string> {
  const options = container.hostConfig.LogConfig.Config ?? {};
  const attributes: Record<string, string> = {};
  const labels = split(options["labels"]);
  const labelPattern = options["labels-regex"] === undefined ? undefined : new RegExp(options["labels-regex"]);
  for (const [key, value] of Object.entries(container.record.Config.Labels ?? {})) {
    if (labels.has(key) || labelPattern?.test(key) === true) attributes[key] = value;
  }
  const names = split(options["env"]);
  const namePattern = options["env-regex"] === undefined ? undefined : new RegExp(options["env-regex"]);
  for (const variable of container.record.Config.Env ?? []) {
    const equals = variable.indexOf("=");
    const key = variable.slice(0, equals);
    if (equals > 0 && (names.has(key) || namePattern?.test(key) === true)) attributes[key] = variable.slice(equals + 1);
  }
  const tag = options["tag"];
  if (tag !== undefined && tag !== "") attributes["tag"] = expandTag(tag, container);
  return attributes;
}

/** The placeholders of Docker's tag templates. */
function expandTag(template: string, container: Container): string {
  const { record } = container;
  const values: Record<string, string> = {
    ID: record.ID.slice(0, 12),
    FullID: record.ID,
    Name: container.name,
    ImageID: record.Image.replace(/^sha256:/, "").slice(0, 12),
    ImageFullID: record.Image,
    ImageName: record.Config.Image,
    DaemonName: "docker",
    Command: [record.Path, ...record.Args].join(" "),
  };
  return template.replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) => values[name] ?? whole);
}
