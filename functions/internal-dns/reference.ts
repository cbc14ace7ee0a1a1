/** The parts of a structural schema that the reference page shows. */
export interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-validations'?: { rule: string; message: string }[];
}

interface Field {
  path: string;
  schema: Schema;
  isRequired: boolean;
}

interface Reference {
  apiVersion: string;
  kind: string;
  schema: Schema;
  scope: 'cluster-scoped' | 'namespaced';
  shortName: string;
  /** The module of the schema. */
  source: string;
}

/** A kind's reference page as Markdown: every field with its type, default, meaning and rules. */
export function referenceOf({ apiVersion, kind, schema, scope, shortName, source }: Reference): string {
  const sections = Object.entries(schema.properties ?? {}).map(([name, part]) => section(name, part));
  return `# ${kind}

${schema.description} \`apiVersion: ${apiVersion}\`, \`kind: ${kind}\`, ${scope}, short name \`${shortName}\`.

<!-- Written by \`make generate\`; the source is ${source}. -->

${rulesOf(schema)
  .map((rule) => `- ${rule}\n`)
  .join('')}
${sections.join('\n')}`;
}

/** A section on a part of the object: a table of its own fields, then one for each nested object. */
function section(name: string, schema: Schema): string {
  const fields = fieldsOf(name, schema);
  const groups = fields.filter((field) => field.schema.properties);
  const tables = groups.map(
    (group) => `### ${group.path}\n\n${group.schema.description}\n${notes(group.schema)}\n${table(below(group))}`,
  );
  const rest = fields.filter((field) => !groups.includes(field));
  return [`## ${name}\n${notes(schema)}\n${table(rest.flatMap((field) => [field, ...below(field)]))}`, ...tables].join(
    '\n',
  );
}

const notes = (schema: Schema): string => {
  const rules = rulesOf(schema);
  return rules.length === 0 ? '' : `\n${rules.map((rule) => `- ${rule}\n`).join('')}`;
};

function fieldsOf(path: string, { properties = {}, required = [] }: Schema): Field[] {
  return Object.entries(properties).map(([name, schema]) => ({
    path: `${path}.${name}`,
    schema,
    isRequired: required.includes(name),
  }));
}

/** All fields nested in a field. */
function below({ path, schema }: Field): Field[] {
  const inner = schema.items ? fieldsOf(`${path}[]`, schema.items) : fieldsOf(path, schema);
  return inner.flatMap((field) => [field, ...below(field)]);
}

function table(fields: Field[]): string {
  const rows = fields.map(({ path, schema, isRequired }) => {
    const rules = [...new Set([...rulesOf(schema), ...rulesOf(schema.items ?? {})])];
    const cells = [`\`${path}\``, typeOf(schema), defaultOf(schema, isRequired), textOf(schema.description, rules)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  });
  return `| Field | Type | Default | Description |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

const textOf = (description = '', rules: string[]): string =>
  [description, ...rules.map((rule) => `*${rule}*`)].join('<br>');

function typeOf(schema: Schema): string {
  const { type, minimum, maximum, minItems, maxItems, items, additionalProperties } = schema;
  if (schema['x-kubernetes-int-or-string']) return 'quantity';
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (items) return `list of ${typeOf(items)}${range(minItems, maxItems)}`;
  if (additionalProperties) return `map of ${typeOf(additionalProperties)}`;
  return `${type}${range(minimum, maximum)}`;
}

function range(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`;
  if (max !== undefined) return `, at most ${max}`;
  return min === undefined ? '' : `, at least ${min}`;
}

function defaultOf({ default: value, properties }: Schema, isRequired: boolean): string {
  if (isRequired) return 'required';
  return value === undefined || properties ? '' : `\`${JSON.stringify(value)}\``;
}

const rulesOf = (schema: Schema): string[] =>
  (schema['x-kubernetes-validations'] ?? []).map(({ message }) => message.replaceAll('*', '\\*'));
