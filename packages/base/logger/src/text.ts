/** A value as logrus writes it: in quotes unless it is plain. */
function quoted(value: string): string {
  return value !== "" && /^[A-Za-z0-9\-._/@^+]+$/.test(value) ? value : JSON.stringify(value);
}

interface SerializedError {
  type?: string;
  message?: string;
  stack?: string;
}

/** Faults of a program, whose place is worth a line of the log; what is wrong with a request says so in words. */
const faults = new Set(["TypeError", "RangeError", "ReferenceError", "SyntaxError", "AssertionError", "Error"]);

function fields([key, value]: [string, unknown]): [string, string][] {
  if (value === undefined) return [];
  if (key !== "err" || typeof value !== "object" || value === null)
    return [[key, typeof value === "string" ? value : JSON.stringify(value)]];
  const { type = "", message = "", stack } = value as SerializedError;
  return [
    ["error", message],
    ...(stack !== undefined && faults.has(type) ? ([["stack", stack]] as [string, string][]) : []),
  ];
}

/** logrus's names. */
const levels: Record<string, string> = { warn: "warning" };

/**
 * A line of the log in the form of dockerd: `time="…" level=info msg="…" key=value`, times with nine digits.
 * @param json the line as pino writes it
 */
export function textLine(json: string): string {
  const {
    time,
    level,
    msg,
    name: _name,
    pid: _pid,
    hostname: _host,
    ...rest
  } = JSON.parse(json) as Record<string, unknown>;
  const stamp = String(time).replace(/(\.\d{3})Z$/, "$1000000Z");
  const pairs: [string, string][] = [
    ["time", stamp],
    ["level", levels[String(level)] ?? String(level)],
    ["msg", String(msg ?? "")],
    ...Object.entries(rest)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(fields),
  ];
  return `${pairs.map(([key, value]) => `${key}=${key === "level" ? value : key === "time" || key === "msg" ? JSON.stringify(value) : quoted(value)}`).join(" ")}\n`;
}
