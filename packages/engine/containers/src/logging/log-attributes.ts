import { compileRegExp } from "@longshore/patterns";
import type { Container } from "../model/container.ts";
import { expandTag } from "./log-tag.ts";

function split(list: string | undefined): Set<string> {
  return new Set((list ?? "").split(",").filter((name) => name !== ""));
}

/** The labels and variables that the log options name. @throws InvalidArgument for a pattern that is none */
export function namedAttributes(container: Container): Record<string, string> {
  const options = container.hostConfig.LogConfig.Config ?? {};
  const attributes: Record<string, string> = {};
  const labels = split(options["labels"]);
  const labelPattern = options["labels-regex"] === undefined ? undefined : compileRegExp(options["labels-regex"]);
  for (const [key, value] of Object.entries(container.record.Config.Labels ?? {})) {
    if (labels.has(key) || labelPattern?.test(key) === true) attributes[key] = value;
  }
  const names = split(options["env"]);
  const variables = container.record.Config.Env ?? [];
  const namePattern =
    options["env-regex"] === undefined || variables.length === 0 ? undefined : compileRegExp(options["env-regex"]);
  for (const variable of variables) {
    const equals = variable.indexOf("=");
    const key = variable.slice(0, equals);
    if (equals > 0 && (names.has(key) || namePattern?.test(key) === true)) attributes[key] = variable.slice(equals + 1);
  }
  return attributes;
}

/**
 * What each log line carries as `attrs`: the labels, variables and tag that the log options name.
 * @throws InvalidArgument for a pattern or template that is none
 */
export function logAttributes(container: Container): Record<string, string> {
  const tag = container.hostConfig.LogConfig.Config?.["tag"];
  return {
    ...namedAttributes(container),
    ...(tag === undefined || tag === "" ? {} : { tag: expandTag(tag, tagValues(container)) }),
  };
}

/** By what a log server knows a container: the option `tag`, or the short id. @throws InvalidArgument for no template */
export function logTag(container: Container): string {
  return expandTag(container.hostConfig.LogConfig.Config?.["tag"] || "{{.ID}}", tagValues(container));
}

function tagValues({ record, name }: Container): Record<string, string> {
  return {
    ID: record.ID.slice(0, 12),
    FullID: record.ID,
    Name: name,
    ImageID: record.Image.replace(/^sha256:/, "").slice(0, 12),
    ImageFullID: record.Image,
    ImageName: record.Config.Image,
    DaemonName: "docker",
    Command: [record.Path, ...record.Args].join(" "),
  };
}
