/** Writes plain values as YAML for people to read: blocks, two spaces deep. Knows no anchors, tags or dates; reads nothing. */

export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml | undefined };

/** Texts that YAML would take for something else, or that end early, are quoted; JSON's quotes are YAML's. */
function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  const isPlain = /^[A-Za-z_./][A-Za-z0-9_./@%+,=?&:;-]*$/.test(value) && !/:$|^(true|false|yes|no|on|off|null|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}

function isScalar(value: Yaml): value is string | number | boolean {
  return typeof value !== 'object';
}

function lines(value: Yaml, indent: string): string[] {
  if (isScalar(value)) return [`${indent}${scalar(value)}`];
  if (Array.isArray(value)) {
    return (value as readonly Yaml[]).flatMap((item) => {
      const [first = '', ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(value as Record<string, Yaml | undefined>).flatMap(([key, item]) => {
    if (item === undefined) return [];
    if (isScalar(item)) return [`${indent}${scalar(key)}: ${scalar(item)}`];
    if (Array.isArray(item) && item.length > 0 && item.every(isScalar) && `${item}`.length < 100)
      return [`${indent}${scalar(key)}: [${item.map((each) => (typeof each === 'string' ? JSON.stringify(each) : each)).join(', ')}]`];
    const inner = lines(item, `${indent}  `);
    return inner.length === 0 ? [`${indent}${scalar(key)}: ${Array.isArray(item) ? '[]' : '{}'}`] : [`${indent}${scalar(key)}:`, ...inner];
  });
}

/** The document, with a newline last. */
export function toYaml(value: Yaml): string {
  return `${lines(value, '').join('\n')}\n`;
}
