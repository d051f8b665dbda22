/** GitHub's expressions, as much of them as our workflows use; anything else throws. */

export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value };
export type Contexts = Readonly<Record<string, Value>>;

const TOKEN = /\s*(?:(\d+)|'((?:[^']|'')*)'|([A-Za-z_][\w-]*)|(==|!=|&&|\|\||[!().,]))/y;

/** The value of one expression, without its braces. */
export function evaluate(expression: string, contexts: Contexts, isFailing = false): Value {
  const tokens = tokensOf(expression);
  let at = 0;
  const take = (token: string) => (tokens[at] === token ? tokens[at++] : undefined);
  const must = (token: string) => {
    if (take(token) === undefined) throw new Error(`Cannot read "${expression}": no "${token}" where it should be`);
  };

  const either = (): Value => {
    let left = both();
    while (take("||")) {
      const right = both();
      left = isTrue(left) ? left : right;
    }
    return left;
  };
  const both = (): Value => {
    let left = comparison();
    while (take("&&")) {
      const right = comparison();
      left = isTrue(left) ? right : left;
    }
    return left;
  };
  const comparison = (): Value => {
    const left = unary();
    // What is not there equals the empty string, as GitHub has it.
    if (take("==")) return asText(left) === asText(unary());
    if (take("!=")) return asText(left) !== asText(unary());
    return left;
  };
  const unary = (): Value => (take("!") ? !isTrue(unary()) : primary());
  const primary = (): Value => {
    if (take("(")) {
      const value = either();
      must(")");
      return value;
    }
    const token = tokens[at++] ?? "";
    if (token.startsWith("'")) return token.slice(1);
    if (/^\d/.test(token)) return Number(token);
    if (!/^[A-Za-z_]/.test(token)) throw new Error(`Cannot read "${expression}": a value is missing`);
    if (take("(")) return called(token);
    let value: Value = contexts[token] ?? null;
    while (take(".")) value = member(value, tokens[at++] ?? "");
    return value;
  };
  const called = (name: string): Value => {
    if (name === "fromJSON") {
      const text = either();
      must(")");
      return JSON.parse(String(text)) as Value;
    }
    must(")");
    if (name === "always") return true;
    if (name === "success") return !isFailing;
    if (name === "failure") return isFailing;
    throw new Error(`Cannot read "${expression}": nobody needed ${name}() so far`);
  };

  const value = either();
  if (at < tokens.length) throw new Error(`Cannot read "${expression}": "${tokens[at]}" is left over`);
  return value;
}

/** A text with its expressions filled in; what is one expression alone keeps its kind. */
export function filled(text: string, contexts: Contexts): Value {
  const [, alone] = /^\$\{\{((?:(?!\}\})[\s\S])*)\}\}$/.exec(text) ?? [];
  if (alone !== undefined) return evaluate(alone, contexts);
  return text.replaceAll(/\$\{\{([\s\S]*?)\}\}/g, (_, inner: string) => asText(evaluate(inner, contexts)));
}

/** A step or job runs without `if` only while all is well; with one that names no status, the same. */
export function isWanted(condition: string | undefined, contexts: Contexts, isFailing: boolean): boolean {
  const bare = condition?.replace(/^\$\{\{([\s\S]*)\}\}$/, "$1") ?? "success()";
  const namesStatus = /\b(?:always|success|failure|cancelled)\(/.test(bare);
  return isTrue(evaluate(bare, contexts, isFailing)) && (namesStatus || !isFailing);
}

export function asText(value: Value): string {
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function isTrue(value: Value): boolean {
  return value !== null && value !== false && value !== "" && value !== 0;
}

/** Strings keep their first quote, so that they are told from names. */
function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const match = TOKEN.exec(expression);
    if (match === null) throw new Error(`Cannot read "${expression}"`);
    const [, number, text, name, sign] = match;
    tokens.push(number ?? (text === undefined ? undefined : `'${text.replaceAll("''", "'")}`) ?? name ?? sign ?? "");
  }
  return tokens;
}

function member(value: Value, name: string): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return (value as Readonly<Record<string, Value>>)[name] ?? null;
}
