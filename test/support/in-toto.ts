/**
 * The rules of in-toto's Statement (version 1 of its specification) and its guidelines for new predicates, as far as they can
 * be judged without knowing the predicate.
 */

const STATEMENT = "https://in-toto.io/Statement/v1";
const HEX_DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha512: 128, "blkhash-sha256": 64 };

type Fields = Readonly<Record<string, unknown>>;

/** One sentence for each rule that is not kept. */
export function statementMistakes(statement: Fields): readonly string[] {
  const { _type: type, subject, predicateType, predicate } = statement;
  const subjects = Array.isArray(subject) ? subject : [];
  return [
    ...(type === STATEMENT ? [] : [`_type is ${type}`]),
    ...(subjects.length > 0 ? [] : ["there is no subject"]),
    ...subjects.flatMap((each) => (isDigestSet(each.digest) ? [] : [`the digest of the subject ${each.name}`])),
    ...(isTypeUri(predicateType) ? [] : [`predicateType is ${predicateType}`]),
    ...(isFields(predicate) ? fieldMistakes(predicate) : ["predicate is no object"]),
  ];
}

/** Lower-case hex, as the specification has it of its named algorithms. */
function isDigestSet(value: unknown): boolean {
  if (!isFields(value) || Object.keys(value).length === 0) return false;
  return Object.entries(value).every(
    ([name, hex]) =>
      typeof hex === "string" && /^[0-9a-f]+$/.test(hex) && hex.length === (HEX_DIGITS[name] ?? hex.length),
  );
}

/** RFC 3986, with scheme and authority in lower case. */
function isTypeUri(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && /^[a-z][a-z0-9+.-]*:(?:\/\/[^/A-Z]*(?:\/|$))?/.test(value);
}

/** Names in lowerCamelCase, but for those of digests; times in RFC 3339 with the zone Z, under a name that ends in `At`. */
function fieldMistakes(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(fieldMistakes);
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([name, each]) => {
    if (/^digest/.test(name)) return isDigestSet(each) ? [] : [`${name} is no set of digests`];
    if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) return [`the name ${name}`];
    const isTime = typeof each === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(each);
    return /At$/.test(name) && !isTime ? [`${name} is no time`] : fieldMistakes(each);
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
