/** One series of a metric: its labels with their value. */
interface Sample {
  labels?: Record<string, string>;
  value: number;
}

const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

function labelText(labels: Record<string, string> = {}): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** A metric in Prometheus' text format (version 0.0.4). */
export function metric(name: string, kind: "counter" | "gauge", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines, ""].join("\n");
}

interface Durations {
  counts: number[];
  count: number;
  sum: number;
}

/** Seconds that something took, by the value of one label, in the buckets of dockerd. */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #label: string;
  readonly #series = new Map<string, Durations>();

  /** @param label empty for a metric without one */
  constructor(name: string, help: string, label: string) {
    this.#name = name;
    this.#help = help;
    this.#label = label;
  }

  observe(value: string, seconds: number): void {
    const series = this.#series.get(value) ?? { counts: bounds.map(() => 0), count: 0, sum: 0 };
    this.#series.set(value, series);
    for (const [index, bound] of bounds.entries()) if (seconds <= bound) series.counts[index]! += 1;
    series.count += 1;
    series.sum += seconds;
  }

  /** Measures `work`; only what succeeds counts, as with dockerd. */
  async time<T>(value: string, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work();
    this.observe(value, (performance.now() - begun) / 1000);
    return result;
  }

  /** A label's series that is there before anything was measured. */
  begin(value: string): void {
    this.observe(value, 0);
  }

  text(): string {
    const lines = [...this.#series]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([value, { counts, count, sum }]) => {
        const own = this.#label === "" ? {} : { [this.#label]: value };
        const buckets = [...bounds.entries()].map(
          ([index, bound]) => `${this.#name}_bucket${labelText({ ...own, le: String(bound) })} ${counts[index] ?? 0}`,
        );
        return [
          ...buckets,
          `${this.#name}_bucket${labelText({ ...own, le: "+Inf" })} ${count}`,
          `${this.#name}_sum${labelText(own)} ${sum}`,
          `${this.#name}_count${labelText(own)} ${count}`,
        ];
      });
    if (lines.length === 0) return "";
    return [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`, ...lines, ""].join("\n");
  }
}
