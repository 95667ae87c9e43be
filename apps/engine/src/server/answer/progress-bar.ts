import { humanSize } from "@longshore/go-values";

const width = 50;

/** The bar that clients show which do not draw their own: `[=====>   ]  1.2MB/3.4MB`. */
export function progressBar(current: number, total: number): string {
  const shown = humanSize(current).padStart(8);
  if (total <= 0 || current > total) return shown;
  const filled = Math.trunc((current / total) * width);
  const bar = filled >= width ? `${"=".repeat(width)}>` : `${"=".repeat(filled)}>${" ".repeat(width - filled)}`;
  return `[${bar}] ${shown}/${humanSize(total)}`;
}
