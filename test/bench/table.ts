/** Prints and formats figures. */

/** Prints a table in Markdown with aligned columns. */
export function printTable(title: string, header: string[], rows: (string | number)[][]): void {
  const lines = [header, header.map(() => ''), ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line, index) => {
    const pad = index === 1 ? '-' : ' ';
    const cells = line.map((cell, column) =>
      (column === 0 ? cell.padEnd : cell.padStart).call(cell, widths[column]!, pad),
    );
    return `| ${cells.join(' | ')} |`;
  });
  console.log(`\n### ${title}\n\n${text.join('\n')}`);
}

/** The smallest of `values` that at least a `fraction` of them do not exceed. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

export const seconds = (value: number): string => value.toFixed(2);
