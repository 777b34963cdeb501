// Creates a token, writes the mail that asks for a decision, and tells what was decided.
//
//   node send.mjs                          writes approval.eml: open it in a mail program
//   node send.mjs --smtp localhost:1025    sends it to a local catcher (Mailpit, MailHog)
//
// SECRET_KEY and BASE_URL (default http://localhost:8787) say where the token is made. `npm run
// build` in this clone and `npm install` here bring the package.
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { configure, createToken, waitForToken } from "waitpoint/server";

const { values } = parseArgs({
  options: {
    smtp: { type: "string" },
    to: { type: "string", default: "somebody@example.com" },
    from: { type: "string", default: "waitpoint@example.com" },
  },
});
const { SECRET_KEY, BASE_URL = "http://localhost:8787" } = process.env;
if (!SECRET_KEY) throw new Error("set SECRET_KEY; npm start keeps one in .dev.vars");

const approval = {
  title: "Publish the Q3 report?",
  description: "Finance has checked the numbers. Publishing cannot be undone.",
  requestedBy: "Ann Miller",
};
configure({ baseURL: BASE_URL, accessToken: SECRET_KEY });
const token = await createToken({ timeout: "1d", approval });

const mail = message({ ...approval, url: token.url });
if (values.smtp) {
  await send(values.smtp, mail);
  console.log(`sent to ${values.to} by ${values.smtp}`);
} else {
  writeFileSync("approval.eml", mail);
  console.log("wrote approval.eml");
}

console.log(`waiting for ${token.id}…`);
const { status, output } = await waitForToken(token);
console.log(status, JSON.stringify(output));

/** An RFC 5322 message: the text, and the same as HTML. */
function message(fields) {
  const escapeHtml = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const fill = (file, write) =>
    readFileSync(new URL(file, import.meta.url), "utf8").replace(/{{(\w+)}}/g, (_, name) =>
      write(fields[name]),
    );
  const encoded = (text) => Buffer.from(text).toString("base64").replace(/.{76}/g, "$&\r\n");
  const part = (type, text) =>
    [
      `Content-Type: ${type}; charset=utf-8`,
      "Content-Transfer-Encoding: base64",
      "",
      encoded(text),
    ].join("\r\n");
  const boundary = randomUUID();
  return [
    `From: Waitpoint <${values.from}>`,
    `To: <${values.to}>`,
    `Subject: ${words(fields.title)}`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${randomUUID()}@${values.from.split("@")[1]}>`,
    "MIME-Version: 1.0",
    // The link is for this person, so no auto-replies and no archive of a list.
    "Auto-Submitted: auto-generated",
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    part("text/plain", fill("mail.txt", String)),
    `--${boundary}`,
    part("text/html", fill("mail.html", escapeHtml)),
    `--${boundary}--`,
    "",
  ].join("\r\n");
}

/** A header's text as encoded words, of 75 characters at most each (RFC 2047). */
function words(text) {
  const parts = [""];
  for (const letter of text) {
    if (Buffer.byteLength(parts.at(-1) + letter) > 45) parts.push("");
    parts[parts.length - 1] += letter;
  }
  return parts.map((part) => `=?utf-8?B?${Buffer.from(part).toString("base64")}?=`).join("\r\n ");
}

/** Plain SMTP, for a catcher on this machine. */
async function send(address, mail) {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const expect = async (code) => {
    for (;;) {
      const { value: line = "nothing" } = await lines.next();
      if (!line.startsWith(code)) throw new Error(`${address} answered ${line}`);
      if (line[3] !== "-") return;
    }
  };
  await expect("220");
  for (const [command, code] of [
    ["EHLO localhost", "250"],
    [`MAIL FROM:<${values.from}>`, "250"],
    [`RCPT TO:<${values.to}>`, "250"],
    ["DATA", "354"],
    [`${mail.replace(/^\./gm, "..")}\r\n.`, "250"],
    ["QUIT", "221"],
  ]) {
    socket.write(`${command}\r\n`);
    await expect(code);
  }
  socket.end();
}
