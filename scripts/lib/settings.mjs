// The Worker's settings where there is no wrangler: variables of the environment, and of a file.
import { existsSync, readFileSync } from "node:fs";
import util from "node:util";
import { fail, say } from "./process.mjs";

/** The names, as src/worker/settings.rs reads them. */
export const SETTINGS = [
  "SECRET_KEYS",
  "UPSTREAM",
  "PUBLIC_URL",
  "WEBHOOK_URL",
  "WEBHOOK_SECRET",
  "WEBHOOK_EVENTS",
  "RETENTION",
  "CALLBACK_SECRETS",
  "CHANNELS",
  "EMAIL_FROM",
  "NOTIFY_DOMAINS",
  "INBOX",
  "ACCESS_TEAM_DOMAIN",
  "ACCESS_AUD",
  "AGENT_KEYS",
  "AGENT_LINKS",
  "JURISDICTION",
  "LOG",
];

/** A name and its quoted value, which may have lines that look like names. */
const QUOTED =
  /^([^\S\n]*(?:export )?\w+[^\S\n]*=)[^\S\n]*(?:"[^"]*"|'[^']*'|`[^`]*`)[^\S\n]*(?:#.*)?$/gm;

/** The lines of a file of variables without what is quoted. */
function linesOf(text) {
  const emptied = (all, name) => name + all.replace(/[^\n]/g, "");
  return text.replaceAll("\r\n", "\n").replace(QUOTED, emptied).split("\n");
}

/** A name that the text of a file of variables sets twice. Only its last value would count. */
export function repeatedName(text) {
  const nameOf = (line) => /^\s*(?:export )?([A-Z_]+)\s*=/.exec(line)?.[1];
  const names = linesOf(text)
    .map(nameOf)
    .filter((name) => name !== undefined);
  return names.find((name, at) => names.indexOf(name) !== at);
}

/**
 * The number of the first line that `util.parseEnv` would leave out or read wrongly, and why;
 * undefined if there is none.
 */
function unreadableLine(text) {
  for (const [at, line] of linesOf(text).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, value] = /^\s*(?:export )?\w+\s*=\s*(.*)/.exec(line) ?? [];
    if (value === undefined)
      return [at + 1, 'is no NAME=value; a value of several lines stands between two "'];
    if (/^["'`]/.test(value)) return [at + 1, "has a quote that is not closed"];
  }
}

/** The settings by name. What the environment has counts more than what the file has. */
export function readSettings(file) {
  const own = (variables) =>
    Object.fromEntries(
      SETTINGS.filter((name) => variables[name] !== undefined).map((name) => [
        name,
        variables[name],
      ]),
    );
  const settings = { ...(file && own(readFile(file))), ...own(process.env) };
  if (!settings.SECRET_KEYS?.trim()) {
    fail(
      "SECRET_KEYS is not set. Put one [environment=]key a line into it, each key of at least 24 " +
        "characters, in the environment or in the file of --settings",
    );
  }
  return settings;
}

function readFile(file) {
  if (!existsSync(file)) fail(`--settings ${file}: there is no such file`);
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    fail(`--settings ${file} cannot be read: ${error.message}`);
  }
  const [line, why] = unreadableLine(text) ?? [];
  if (line) fail(`line ${line} of ${file} ${why}`);
  const twice = repeatedName(text);
  if (twice) fail(`${file} has ${twice} twice, and only the last counts: put its lines in one "…"`);
  const variables = util.parseEnv(text);
  const unknown = Object.keys(variables).filter((name) => !SETTINGS.includes(name));
  if (unknown.length) say(`${file}: ${unknown.join(", ")} is not a setting and is left out`);
  return variables;
}
