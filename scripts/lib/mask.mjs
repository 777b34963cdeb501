// Which of wrangler's output `npm start` prints. A request's URL can hold a credential in any
// spelling, so these rules say what may stay, and the rest is masked.
const MASK = "…";

/** Longer lines are cut: nobody reads the rest, and the patterns below would take long. */
const LONGEST = 10_000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one.
const STYLE = /\x1b\[[0-9;?]*[ -/]*[@-~]/g;

/** npm's messages around the build, and wrangler's log of requests: a method, then the URL. */
const UNWANTED = [
  /^\[custom build\] *(npm (warn|notice).*|> .*)?$/,
  /^\[wrangler:\w+\] +[A-Z][A-Z-]* +\S*[/\\]/,
];

// Text between white space, quotes and brackets: a URL, a path, a value.
const WORDS = /[^\s"'`<>()[\]{}|,;]+/g;

/** Ids that this product or trigger.dev makes, and the known paths, which hold no credential. */
const ID = "waitpoint_[a-z0-9]{1,40}";
const KNOWN_PATH = new RegExp(
  `^/(healthz|openapi\\.json|(api/v1/waitpoints/tokens)(/${ID}(/complete|/wait)?)?)?$`,
);
const KNOWN_PREFIX = new RegExp(`^/api/v1/waitpoints/tokens(/${ID}(?![\\w-]))?`);
const KNOWN_ID = new RegExp(`^${ID}$`);
/** Sites that wrangler's messages refer to. */
const HELP =
  /^https:\/\/(([\w-]+\.)*(cloudflare\.com|npmjs\.com|nodejs\.org)|github\.com\/cloudflare)\//;

const URL_START = /^(https?|wss?):[/\\]+[^/\\?#]*/i;
// What may stand before a URL or a path: `url=`, `at:`.
const LABEL = /^(?!(?:https?|wss?|file):)[\w.-]{1,30}[=:](?=[/\\]|(?:https?|wss?):)/i;

/**
 * The line as it may be printed, or undefined if it may not be. Files in `folders` may be named, as
 * in the stack of an error. `secrets` are masked wherever they appear.
 */
export function maskLine(line, { folders = [], secrets = [] } = {}) {
  if (line.length > LONGEST) line = line.slice(0, LONGEST) + MASK;
  const plain = line.replace(STYLE, "");
  if (UNWANTED.some((pattern) => pattern.test(plain))) return undefined;
  let text = plain;
  for (const secret of secrets) text = text.replaceAll(secret, MASK);
  text = text
    .replace(/\bbearer[\s:=]+\S+/gi, `Bearer ${MASK}`)
    .replace(WORDS, (word) => maskWord(word, folders));
  // A line with nothing to mask keeps its colours.
  return text === plain ? line : text;
}

function maskWord(word, folders) {
  const label = LABEL.exec(word)?.[0] ?? "";
  const rest = word.slice(label.length);
  if (KNOWN_ID.test(rest) || HELP.test(rest))
    return hasCredential(rest.replace(HELP, "")) ? MASK : word;
  const origin = URL_START.exec(rest)?.[0] ?? "";
  const path = rest.slice(origin.length);
  if (!origin && isFileOf(path, folders)) return hasCredential(path) ? label + MASK : word;
  if (origin || /^[\\/]/.test(path))
    return label + (/@/.test(origin) || hasCredential(origin) ? MASK : origin) + maskPath(path);
  const query = /^\?\w|[\\/].*\?/.test(rest) ? rest.indexOf("?") + 1 : rest.length;
  if (hasCredential(rest)) return label + MASK;
  return query < rest.length ? label + rest.slice(0, query) + MASK : word;
}

/**
 * A request's path: a known one stays; of another only a known beginning stays, and never a query.
 */
function maskPath(path) {
  if (path === "" || KNOWN_PATH.test(path)) return path;
  const known = KNOWN_PREFIX.exec(path)?.[0] ?? "";
  // Punctuation after a known path belongs to the sentence.
  if (KNOWN_PATH.test(path.replace(/[.:]+$/, ""))) return path;
  return `${known}/${MASK}`;
}

function isFileOf(path, folders) {
  const file = path.replace(/^file:[\\/]*(?=[\\/]|[A-Za-z]:)/i, "");
  return (
    !/[?#%]|\.\./.test(file) &&
    folders.some(
      (folder) =>
        file === folder || file.startsWith(`${folder}/`) || file.startsWith(`${folder}\\`),
    )
  );
}

/**
 * Whether a word looks like a credential or a part of one: a JWT, a hash, a secret key, or one of
 * them percent-encoded.
 */
function hasCredential(word) {
  if (/eyJ|ZXlK|tr_[a-z]+_\w|whsec_/i.test(word) || (word.match(/%[0-9a-f]{2}/gi) ?? []).length > 7)
    return true;
  return (word.match(/[\w%+=~-]{20,}/g) ?? []).some(
    (run) =>
      run.length >= 40 ||
      /[0-9a-f]{32}/i.test(run) ||
      (/[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run)),
  );
}

/** The values in the text of a .dev.vars that are long enough to be secrets, longest first. */
export function secretsOf(text) {
  const values = text.split(/[\s"'`,]+/).flatMap((word) => {
    const parts = word.split(/=(?=[^=])/);
    return [word, ...parts.map((_, at) => parts.slice(at).join("="))];
  });
  const isSecret = (value) => value.length >= 16 && !/^(\w+=)*https?:/.test(value);
  return [...new Set(values.filter(isSecret))].sort((a, b) => b.length - a.length);
}
