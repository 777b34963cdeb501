// Creates a token that two people decide, writes each the mail with their own link, and tells what
// was decided.
//
//   node send.mjs                          writes a file for each, approval-….eml
//   node send.mjs --smtp localhost:1025    sends them to a local catcher (Mailpit, MailHog)
//
// `--to ann@example.com`, once for each of those who must agree, says who they are.
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
    to: { type: "string", multiple: true, default: ["ann@example.com", "bob@example.com"] },
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
// An approver without `email`, as the mail is ours. With it Waitpoint would send one.
const approvers = values.to.map((address) => ({ id: address, name: address }));
const token = await createToken({
  timeout: "1d",
  approval: { ...approval, approvers, required: approvers.length },
});

for (const { approver: to, shortUrl } of token.links) {
  const mail = message({ ...approval, url: shortUrl }, to);
  if (values.smtp) {
    await send(values.smtp, to, mail);
    console.log(`sent to ${to} by ${values.smtp}`);
  } else {
    const file = `approval-${to.replace(/\W/g, "_")}.eml`;
    writeFileSync(file, mail);
    console.log(`wrote ${file}`);
  }
}

console.log(`waiting for ${token.id}…`);
const { status, output, votes = [] } = await waitForToken(token);
for (const { approver, choice, comment } of votes)
  console.log(`${approver} voted ${choice}${comment ? `: ${comment}` : ""}`);
console.log(status, JSON.stringify(output));

/** An RFC 5322 message: the text, and the same as HTML. */
function message(fields, to) {
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
    `To: <${to}>`,
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
async function send(address, to, mail) {
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
    [`RCPT TO:<${to}>`, "250"],
    ["DATA", "354"],
    [`${mail.replace(/^\./gm, "..")}\r\n.`, "250"],
    ["QUIT", "221"],
  ]) {
    socket.write(`${command}\r\n`);
    await expect(code);
  }
  socket.end();
}
