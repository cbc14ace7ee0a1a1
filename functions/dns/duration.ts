/** Nanoseconds of each unit of a Go duration: https://pkg.go.dev/time#ParseDuration */
const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Longest first where one unit begins another. */
const goUnits = 'ms|us|µs|μs|ns|h|m|s';

/** The Go durations that each reader accepts, as regular expressions. None accepts a negative one. */
export const durationForms = {
  /** Whole numbers, for PowerDNS, which knows whole seconds only. */
  whole: '^([0-9]{1,9}(ms|s|m|h))+$',
  /** Fields of the InternalDNS. Also part of a CEL rule, so RE2 and JavaScript must read it alike. */
  field: '^([0-9]+([.][0-9]+)?(ms|s|m|h))+$',
  /** Whatever Go itself accepts but for `0` without a unit: annotations of ExternalDNS. */
  go: `^\\+?((\\d+(\\.\\d*)?|\\.\\d+)(${goUnits}))+$`,
} as const;

const forms = Object.fromEntries(Object.entries(durationForms).map(([form, text]) => [form, new RegExp(text)]));

/** A Go duration in `unit`; NaN for a text of another form. */
export function parseDuration(text: string, form: keyof typeof durationForms, unit: 's' | 'ms'): number {
  if (!forms[form]?.test(text)) return Number.NaN;
  const parts = text.matchAll(new RegExp(`([0-9.]+)(${goUnits})`, 'g'));
  return parts.reduce(
    (sum, [, amount, of = '']) => sum + Number(amount) * ((units[of] ?? Number.NaN) / units[unit]!),
    0,
  );
}
