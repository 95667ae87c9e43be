import type { Span } from "./read.ts";

const width = 1200;
const left = 20;
const row = 18;
const colours = ["#4472c4", "#2e9e6b", "#d9822b", "#8e5bb5"];

/** A trace as a picture: one row a span, in the order of its start, one colour a process. */
export function svgTrace(spans: readonly Span[]): string {
  const services = [...new Set(spans.map(({ service }) => service))];
  const first = Math.min(...spans.map(({ start }) => start));
  const total = Math.max(...spans.map(({ end }) => end)) - first;
  const scale = (width - 2 * left) / Math.max(total, 1);
  const height = (spans.length + 3) * row;
  const legend = services.map(
    (service, index) => `<text x="${left + index * 230}" y="14" fill="${colourOf(index)}">■ ${escape(service)}</text>`,
  );
  const bars = spans.map((span, index) => {
    const x = left + (span.start - first) * scale;
    const y = (index + 1.5) * row;
    const length = Math.max((span.end - span.start) * scale, 1);
    const label = `${shorten(span.name)} ${((span.end - span.start) / 1000).toFixed(1)} ms${span.error ? " (failed)" : ""}`;
    const beside =
      x + length + 6 < width * 0.7
        ? `x="${(x + length + 4).toFixed(1)}"`
        : `x="${(x - 4).toFixed(1)}" text-anchor="end"`;
    const inside = length > width * 0.3 ? `x="${(x + 4).toFixed(1)}"` : beside;
    return `<rect x="${x.toFixed(1)}" y="${y}" width="${length.toFixed(1)}" height="${row - 4}" fill="${colourOf(services.indexOf(span.service))}" fill-opacity="0.55"/><text ${inside} y="${y + 11}">${escape(label)}</text>`;
  });
  const axis = `<text x="${left}" y="${height - 6}">0 ms</text><text x="${width - left}" y="${height - 6}" text-anchor="end">${(total / 1000).toFixed(0)} ms</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">\n<rect width="${width}" height="${height}" fill="#fff"/>\n${[...legend, ...bars, axis].join("\n")}\n</svg>\n`;
}

function colourOf(index: number): string {
  return colours[index % colours.length]!;
}

/** `package.Service/Method` without its package. */
function shorten(name: string): string {
  return name.replace(/^[\w.]+\.(\w+\/\w+)$/, "$1");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
