// Bodies that are wrong, or want more than their size. Each is sent to a token of its own, which
// then waits unless the answer was 200; none is a 5xx, and none takes long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { useWorker } from "../support/harness.mjs";
import { bombOf, partsOf } from "../support/hostile.mjs";
import { exchange } from "./senders.mjs";

const worker = useWorker();
const JSON_TYPE = { "content-type": "application/json" };
const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };
const GZIP = { "content-encoding": "gzip" };
const MIB = 1024 * 1024;
/** Far more than any of them takes; a machine that is busy may be slow. */
const MOST_MS = 10_000;

const multipart = (boundary) => ({ "content-type": `multipart/form-data; boundary=${boundary}` });
const part = (headers, value = "1", boundary = "b") =>
  `--${boundary}\r\n${headers}\r\n\r\n${value}\r\n`;
const named = (name, value, boundary) =>
  part(`Content-Disposition: form-data; name="${name}"`, value, boundary);

/** Sends a body; checks status and code, and what the token then holds. */
async function send({ headers = {}, body = "", status = 200, code, output, outputType }) {
  const { id, url } = await worker.create();
  const began = performance.now();
  const answer = await exchange(url, "POST", headers, body);
  const took = performance.now() - began;
  const at = `${answer.status} ${answer.body.slice(0, 200)}`;
  assert.equal(answer.status, status, at);
  if (code) assert.equal(JSON.parse(answer.body).code, code, at);
  assert.ok(took < MOST_MS, `it took ${took.toFixed()} ms`);
  const token = await worker.retrieve(id);
  assert.equal(token.status, status === 200 ? "COMPLETED" : "WAITING", at);
  if (outputType) assert.equal(token.outputType, outputType);
  if (typeof output === "string") assert.equal(token.output, output);
  else if (output !== undefined) assert.deepEqual(JSON.parse(token.output), output);
}

/** A test of several bodies, by name. */
const hostile = (name, cases) =>
  test(name, async (t) => {
    for (const [what, one] of Object.entries(cases)) await t.test(what, () => send(one));
  });

const json = gzipSync('{"a":1}');
const tooLarge = { status: 413, code: "body_too_large" };
const unpackable = { status: 400, code: "body_not_unpacked" };
hostile("compressed bodies", {
  "10 MB of zeros in 10 KB": {
    headers: GZIP,
    body: gzipSync(Buffer.alloc(10_000_000)),
    ...tooLarge,
  },
  "1 GB of zeros in 1 MB": { headers: GZIP, body: bombOf(1024), ...tooLarge },
  "one byte more than the limit": {
    headers: GZIP,
    body: gzipSync(Buffer.alloc(3 * MIB + 1, 32)),
    ...tooLarge,
  },
  "as much as the limit": { headers: GZIP, body: gzipSync(Buffer.alloc(3 * MIB, 32)), output: {} },
  "gzip in gzip is unpacked once": {
    headers: { ...JSON_TYPE, ...GZIP },
    body: gzipSync(json),
    status: 400,
  },
  "cut short": { headers: GZIP, body: json.subarray(0, json.length - 9), ...unpackable },
  "cut within its head": { headers: GZIP, body: json.subarray(0, 5), ...unpackable },
  "without its checksum": { headers: GZIP, body: json.subarray(0, json.length - 8), ...unpackable },
  "a wrong checksum": { headers: GZIP, body: spoiled(json, json.length - 8), ...unpackable },
  "a wrong length": { headers: GZIP, body: spoiled(json, json.length - 1), ...unpackable },
  "more behind it": {
    headers: GZIP,
    body: Buffer.concat([json, Buffer.from("more")]),
    ...unpackable,
  },
  "no gzip": { headers: GZIP, body: '{"a":1}', ...unpackable },
  "nothing packed": { headers: GZIP, body: "", output: {} },
  "nothing, packed": { headers: GZIP, body: gzipSync(""), output: {} },
  "deflate that is cut": {
    headers: { "content-encoding": "deflate" },
    body: deflateSync("{}").subarray(0, 5),
    ...unpackable,
  },
  "deflate that is text": { headers: { "content-encoding": "deflate" }, body: "{}", ...unpackable },
});

const unsupported = { status: 415, code: "unsupported_encoding" };
hostile("the names of content codings", {
  " GZIP ": { headers: { "content-encoding": " GZIP " }, body: json, output: { a: 1 } },
  identity: { headers: { "content-encoding": "identity" }, body: '{"a":1}', output: { a: 1 } },
  br: { headers: { "content-encoding": "br" }, body: "x", ...unsupported },
  zstd: { headers: { "content-encoding": "zstd" }, body: "x", ...unsupported },
  "gzip, gzip": {
    headers: { "content-encoding": "gzip, gzip" },
    body: gzipSync(json),
    ...unsupported,
  },
  "10,000 characters": {
    headers: { "content-encoding": "g".repeat(10_000) },
    body: "x",
    ...unsupported,
  },
  "br around nothing": { headers: { "content-encoding": "br" }, output: {} },
});

const invalid = { status: 400, code: "invalid_form" };
const long = "b".repeat(71);
const close = "--b--\r\n";
hostile("the boundaries of a multipart form", {
  "none in the header": {
    headers: { "content-type": "multipart/form-data" },
    body: named("a") + close,
    ...invalid,
  },
  "an empty one": { headers: multipart(""), body: `${named("a", "1", "")}----\r\n`, ...invalid },
  "none in the body": { headers: multipart("b"), body: "a=1", ...invalid },
  "an empty body": { headers: multipart("b"), output: {} },
  "only the last one": { headers: multipart("b"), body: close, output: {} },
  "71 characters": {
    headers: multipart(long),
    body: `${named("a", "1", long)}--${long}--\r\n`,
    output: { a: "1" },
  },
  quoted: {
    headers: multipart('"b c"'),
    body: `${named("a", "1", "b c")}--b c--\r\n`,
    output: { a: "1" },
  },
  "quotes that are not closed": { headers: multipart('"b'), body: named("a") + close, ...invalid },
  "never closed": { headers: multipart("b"), body: named("a"), ...invalid },
  "within a part, not at a line's beginning": {
    headers: multipart("b"),
    body: named("a", "x--b y") + close,
    output: { a: "x--b y" },
  },
  "two in the header": {
    headers: multipart("b; boundary=c"),
    body: named("a") + close,
    output: { a: "1" },
  },
  "100,000 of them": {
    headers: multipart("b"),
    body: "--b\r\n".repeat(100_000),
    status: 413,
    code: "too_many_fields",
  },
  "lines that end without CR": {
    headers: multipart("b"),
    body: `${named("a")}${close}`.replaceAll("\r", ""),
    status: 400,
  },
});

const file = (rest) =>
  part(`Content-Disposition: form-data; name="f"; ${rest}\r\nContent-Type: text/x`, "hey");
const seen = (filename) => ({ f: { filename, type: "text/x", size: 3 } });
hostile("the parts of a multipart form", {
  "without a name": {
    headers: multipart("b"),
    body: part("Content-Disposition: form-data") + close,
    ...invalid,
  },
  "without any header": { headers: multipart("b"), body: `--b\r\n\r\n1\r\n${close}`, ...invalid },
  "a header of 1 MB": {
    headers: multipart("b"),
    body: part(`X: ${"x".repeat(MIB)}\r\nContent-Disposition: form-data; name="a"`) + close,
    output: { a: "1" },
  },
  "a name of 1 MB": {
    headers: multipart("b"),
    body: named("n".repeat(MIB)) + close,
    output: { ["n".repeat(MIB)]: "1" },
  },
  "a name with escaped quotes and line ends": {
    headers: multipart("b"),
    body: named("a%22b%0D%0Ac") + close,
    output: { 'a"b\r\nc': "1" },
  },
  "a name called __proto__": {
    headers: multipart("b"),
    body: named("__proto__") + close,
    output: '{"__proto__":"1"}',
  },
  "an empty name": { headers: multipart("b"), body: named("") + close, output: { "": "1" } },
  "a file whose name is a path": {
    headers: multipart("b"),
    body: file('filename="../../etc/passwd"') + close,
    output: seen("../../etc/passwd"),
  },
  "a file without a name": {
    headers: multipart("b"),
    body: file('filename=""') + close,
    output: seen(""),
  },
  "a file called by filename* as well": {
    headers: multipart("b"),
    body: file(`filename="e.txt"; filename*=UTF-8''%C3%A9.txt`) + close,
    output: seen("e.txt"),
  },
  "bytes that are not UTF-8": {
    headers: multipart("b"),
    body: Buffer.from(named("a", "\xff\xfe") + close, "latin1"),
    output: { a: "\ufffd\ufffd" },
  },
  "NUL bytes": {
    headers: multipart("b"),
    body: named("a\0", "x\0y") + close,
    output: { "a\0": "x\0y" },
  },
  "an unknown charset": {
    headers: multipart("b; charset=klingon"),
    body: named("a") + close,
    status: 415,
    code: "unsupported_charset",
  },
  "an unknown charset that it names itself": {
    headers: multipart("b"),
    body: named("_charset_", "klingon") + close,
    output: { _charset_: "klingon" },
  },
  "3 MiB of one file": { headers: multipart("b"), body: partsOf(1), status: 200 },
  "3 MiB of 1,000 fields": { headers: multipart("b"), body: partsOf(1000), status: 200 },
  "1,001 fields": {
    headers: multipart("b"),
    body: named("a").repeat(1001) + close,
    status: 413,
    code: "too_many_fields",
  },
  "10,000 fields": {
    headers: multipart("b"),
    body: named("a").repeat(10_000) + close,
    status: 413,
    code: "too_many_fields",
  },
  "10,000 fields, gzip": {
    headers: { ...multipart("b"), ...GZIP },
    body: gzipSync(named("a").repeat(10_000) + close),
    status: 413,
    code: "too_many_fields",
  },
});

hostile("other forms and texts", {
  "10,000 fields": {
    headers: FORM_TYPE,
    body: "a=1&".repeat(10_000),
    status: 413,
    code: "too_many_fields",
  },
  "10,000 fields, gzip": {
    headers: { ...FORM_TYPE, ...GZIP },
    body: gzipSync("a=1&".repeat(10_000)),
    status: 413,
    code: "too_many_fields",
  },
  "a charset of 10,000 characters": {
    headers: { "content-type": `text/plain; charset=${"u".repeat(10_000)}` },
    body: "x",
    status: 415,
    code: "unsupported_charset",
  },
  "a charset of 10,000 characters in a form": {
    headers: FORM_TYPE,
    body: `a=1&charset=${"u".repeat(10_000)}`,
    status: 200,
  },
  "a charset with a line end in it, by the form": {
    headers: FORM_TYPE,
    body: "a=%E9&_charset_=utf-8%0D%0Ax",
    output: { a: "\ufffd", _charset_: "utf-8\r\nx" },
  },
  "UTF-7, which nobody should know": {
    headers: { "content-type": "text/plain; charset=utf-7" },
    body: "+ADw-",
    status: 415,
    code: "unsupported_charset",
  },
  "a charset that decodes nothing": {
    headers: { "content-type": "text/plain; charset=iso-2022-kr" },
    body: "x",
    status: 415,
  },
  "half a character of UTF-16": {
    headers: { "content-type": "text/plain; charset=utf-16" },
    body: "abc",
    status: 400,
  },
  "a lone surrogate of UTF-16": {
    headers: { "content-type": "text/plain; charset=utf-16" },
    body: Buffer.from([0, 0xd8]),
    status: 400,
  },
  "a byte order mark alone": {
    headers: JSON_TYPE,
    body: Buffer.from([0xef, 0xbb, 0xbf]),
    output: {},
  },
  "a byte order mark of UTF-16 alone": {
    headers: JSON_TYPE,
    body: Buffer.from([0xff, 0xfe]),
    output: {},
  },
  "NUL bytes": { body: "\0\0", output: "\0\0", outputType: "text/plain" },
  "a content type of 10,000 parameters": {
    headers: { "content-type": `text/plain${";a=b".repeat(10_000)}` },
    body: "x",
    output: "x",
  },
  "XML that declares 200 characters of nothing": {
    headers: { "content-type": "text/xml" },
    body: `<?xml ${" ".repeat(500)}encoding="klingon"?><a/>`,
    outputType: "text/plain",
  },
  "XML whose charset does not exist": {
    headers: { "content-type": "text/xml" },
    body: '<?xml encoding="klingon"?><a/>',
    outputType: "text/plain",
  },
});

function spoiled(bytes, at) {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}
