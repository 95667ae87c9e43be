/** What of a message is in its line. */
interface SyslogRecord {
  priority: number;
  /** Nanoseconds since 1970. */
  timeNano: bigint;
  hostname: string;
  tag: string;
  pid: number;
}

/** @returns what stands before the text */
export type Format = (record: SyslogRecord) => string;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");

function dateOf(timeNano: bigint): Date {
  return new Date(Number(timeNano / 1_000_000n));
}

/** RFC 3164, 4.1.2: `Jan  2 15:04:05`, in the machine's time zone. */
function stamp(timeNano: bigint): string {
  const at = dateOf(timeNano);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${months[at.getMonth()]} ${String(at.getDate()).padStart(2, " ")} ${clock}`;
}

/** RFC 3339 with the machine's offset. @param digits of the fraction of a second */
function timestamp(timeNano: bigint, digits: 0 | 6): string {
  const at = dateOf(timeNano);
  const offset = -at.getTimezoneOffset();
  const zone =
    offset === 0
      ? "Z"
      : `${offset < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const local = new Date(at.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const fraction = digits === 0 ? "" : `.${String((timeNano / 1000n) % 1_000_000n).padStart(6, "0")}`;
  return `${local}${fraction}${zone}`;
}

/** RFC 5424, 6; the tag is the application's name and the message's kind, as servers that know RFC 3164 look for it. */
function rfc5424(digits: 0 | 6): Format {
  return ({ hostname, pid, priority, tag, timeNano }) =>
    `<${priority}>1 ${timestamp(timeNano, digits)} ${hostname} ${tag} ${pid} ${tag} - `;
}

/** By the values of the option `syslog-format`. */
export const formats: Readonly<Record<string, Format>> = {
  // As local daemons write it: without the host.
  "": ({ pid, priority, tag, timeNano }) => `<${priority}>${stamp(timeNano)} ${tag}[${pid}]: `,
  rfc3164: ({ hostname, pid, priority, tag, timeNano }) =>
    `<${priority}>${stamp(timeNano)} ${hostname} ${tag}[${pid}]: `,
  rfc5424: rfc5424(0),
  rfc5424micro: rfc5424(6),
};
