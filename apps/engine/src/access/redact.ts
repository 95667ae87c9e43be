const secret = /password|secret|token|auth|credential/i;
const hidden = "[hidden]";

/** `NAME=value` of an environment keeps its name only. */
function nameOnly(entry: unknown): unknown {
  if (typeof entry !== "string") return hidden;
  const equals = entry.indexOf("=");
  return equals < 0 ? entry : `${entry.slice(0, equals)}=${hidden}`;
}

/** A request's body without what may be secret: passwords, tokens, values of environment variables. */
export function redact(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return key === "Env" ? value.map(nameOnly) : value.map((entry) => redact(entry, key));
  if (value === null || typeof value !== "object") return secret.test(key) && value !== "" && value !== null ? hidden : value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, redact(member, name)]));
}
