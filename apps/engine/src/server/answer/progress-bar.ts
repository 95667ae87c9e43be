const units = ["B", "kB", "MB", "GB", "TB", "PB"];
const width = 50;

/** Bytes in decimal units with four significant digits: `1.081MB`. */
function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${Number(size.toPrecision(4))}${units[unit] ?? ""}`;
}

/** The bar that clients show which do not draw their own: `[=====>   ]  1.2MB/3.4MB`. */
export function progressBar(current: number, total: number): string {
  const shown = humanSize(current).padStart(8);
  if (total <= 0 || current > total) return shown;
  const filled = Math.trunc((current / total) * width);
  const bar = filled >= width ? `${"=".repeat(width)}>` : `${"=".repeat(filled)}>${" ".repeat(width - filled)}`;
  return `[${bar}] ${shown}/${humanSize(total)}`;
}
