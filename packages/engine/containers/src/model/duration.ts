const day = 24;

/** Docker's rough way to tell a span of time: `About a minute`, `3 hours`, `2 weeks`. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(ms / 3_600_000 + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 2 * day) return `${hours} hours`;
  if (hours < 14 * day) return `${Math.floor(hours / day)} days`;
  if (hours < 60 * day) return `${Math.floor(hours / day / 7)} weeks`;
  if (hours < 730 * day) return `${Math.floor(hours / day / 30)} months`;
  return `${Math.floor(hours / day / 365)} years`;
}
