// The files in senders/: what real services send, how it is signed, and how it is sent.
import { createHash, createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { basename, join } from "node:path";
import { brotliDecompressSync, deflateRawSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { root } from "../../scripts/lib/process.mjs";

const folder = join(root, "tests/callbacks/senders");

/** The services, each with its `file` and the steps of its cases. See senders/README.md. */
export const senders = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .sort()
  .map((name) => {
    const sender = JSON.parse(readFileSync(join(folder, name), "utf8"));
    const cases = sender.cases.map((one) => ({ ...one, steps: one.steps ?? [one] }));
    return { secrets: {}, ...sender, file: basename(name, ".json"), cases };
  });

/** The Worker's secret `CALLBACK_SECRETS` with what all of them sign with. */
export const CALLBACK_SECRETS = senders
  .flatMap(({ secrets }) => Object.entries(secrets))
  .map(([name, secret]) => `${name}=${secret}`)
  .join("\n");

/** Sends one step of a case to the link of a token. Returns the answer, and the `body` as text. */
export async function send(sender, step, link) {
  const headers = lowerCase({ ...sender.headers, ...step.headers });
  const plain = bytesOf(step.body, headers);
  const body = pack(plain, step.packed);
  const url = new URL(link);
  if (step.query) url.search = `?${step.query}`;
  if (step.sign) Object.assign(headers, sign(step.sign, sender.secrets, body, step.body, url));
  const answer = await exchange(url, step.method ?? "POST", headers, body);
  return { ...answer, sent: plain.toString() };
}

const lowerCase = (headers) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name.toLowerCase(), value]),
  );

/** Exactly these headers: `fetch` would add some of its own. */
export function exchange(url, method, headers, body) {
  const answer = Promise.withResolvers();
  const sent = request(url, { method, headers }, async (response) => {
    const chunks = await Array.fromAsync(response);
    const { statusCode: status, headers } = response;
    const body = unpack(Buffer.concat(chunks), headers["content-encoding"]).toString();
    answer.resolve({ status, headers, body });
  });
  sent.on("error", answer.reject);
  sent.end(body);
  return answer.promise;
}

function unpack(body, encoding) {
  const unpackers = { gzip: gunzipSync, br: brotliDecompressSync };
  return body.length > 0 && encoding ? unpackers[encoding](body) : body;
}

/** The body of a step, before it is packed. */
function bytesOf(body = "", headers) {
  if (typeof body === "string") return Buffer.from(body);
  const [kind] = Object.keys(body);
  const value = body[kind];
  switch (kind) {
    case "json":
      return Buffer.from(JSON.stringify(value));
    case "indented":
      return Buffer.from(JSON.stringify(value, null, 2));
    case "form":
      return Buffer.from(String(new URLSearchParams(value)));
    case "multipart":
      return multipart(value, /boundary="?([^";]+)/.exec(headers["content-type"])[1]);
    default:
      return Buffer.from(value, kind); // `latin1`, `utf16le` or `base64`
  }
}

function multipart(parts, boundary) {
  const quoted = (name) => JSON.stringify(name);
  const chunks = parts.flatMap(({ name, filename, type, headers = {}, value, latin1 }) => {
    const file = filename === undefined ? "" : `; filename=${quoted(filename)}`;
    const all = {
      "Content-Disposition": `form-data; name=${quoted(name)}${file}`,
      ...(type && { "Content-Type": type }),
      ...headers,
    };
    const lines = Object.entries(all).map(([key, text]) => `${key}: ${text}\r\n`);
    const content = latin1 === undefined ? Buffer.from(value) : Buffer.from(latin1, "latin1");
    return [Buffer.from(`--${boundary}\r\n${lines.join("")}\r\n`), content, Buffer.from("\r\n")];
  });
  return Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]);
}

function pack(body, packed) {
  const packers = { gzip: gzipSync, deflate: deflateSync, "deflate-raw": deflateRawSync };
  return packed ? packers[packed](body) : body;
}

/**
 * The headers with a signature, written after the documents of the services. Twilio also puts the
 * SHA-256 of a body that is no form into the query of `url`. `age` is in seconds.
 */
function sign({ scheme, secret, age = 0, header, encoding, prefix = "" }, secrets, body, as, url) {
  const key = secrets[secret] ?? secret;
  const time = String(Math.floor(Date.now() / 1000) - age);
  const mac = (text, encoding = "hex", algorithm = "sha256", bytes = key) =>
    createHmac(algorithm, bytes).update(text).digest(encoding);
  const withTime = (before) => Buffer.concat([Buffer.from(before), body]);
  switch (scheme) {
    case "github":
      return { "x-hub-signature-256": `sha256=${mac(body)}` };
    case "stripe":
      return { "stripe-signature": `t=${time},v1=${mac(withTime(`${time}.`))}` };
    case "slack":
      return {
        "x-slack-request-timestamp": time,
        "x-slack-signature": `v0=${mac(withTime(`v0:${time}:`))}`,
      };
    case "zoom":
      return {
        "x-zm-request-timestamp": time,
        "x-zm-signature": `v0=${mac(withTime(`v0:${time}:`))}`,
      };
    case "twilio": {
      const fields = Object.entries(as?.form ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
      if (!as?.form)
        url.searchParams.set("bodySHA256", createHash("sha256").update(body).digest("hex"));
      return { "x-twilio-signature": mac(url.href + fields.flat().join(""), "base64", "sha1") };
    }
    case "standard-webhooks": {
      const bytes = Buffer.from(key.replace("whsec_", ""), "base64");
      const signed = withTime(`msg_2abc.${time}.`);
      return {
        "webhook-id": "msg_2abc",
        "webhook-timestamp": time,
        "webhook-signature": `v1,${mac(signed, "base64", "sha256", bytes)}`,
      };
    }
    case "hmac-sha256":
      return { [header]: `${prefix}${mac(body, encoding)}` };
    default:
      throw new Error(`${scheme} is no scheme`);
  }
}
