// The MCP inspector's command line lists the tools and calls each, in both revisions. Where the
// server makes a task, the inspector waits for it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { inspectorProgram } from "../../scripts/lib/locked.mjs";
import { send } from "../page/requests.mjs";
import { temporaryFolder, until } from "../support/harness.mjs";
import { AGENT_KEY, useAgents } from "./messages.mjs";

const { worker, notify, told } = await useAgents();
const LIMIT = { timeout: 60_000 };
// It keeps its settings there.
const home = temporaryFolder();

/** What `mcp-inspector --cli` prints, and its exit code. */
async function inspect(era, args, { key = AGENT_KEY } = {}) {
  const program = [inspectorProgram(), "--cli", `${worker.url}/mcp`, "--transport", "http"];
  const credential = ["--header", `Authorization: Bearer ${key}`];
  const child = spawn(
    process.execPath,
    [...program, ...credential, "--protocol-era", era, "--stored-auth-only", ...args],
    { env: { ...process.env, HOME: home }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const printed = { out: "", error: "" };
  child.stdout.on("data", (data) => (printed.out += data));
  child.stderr.on("data", (data) => (printed.error += data));
  const [code] = await once(child, "close");
  return { code, ...printed };
}
const call = (era, tool, ...args) => {
  const given = args.length > 0 ? ["--tool-arg", ...args] : [];
  return inspect(era, ["--method", "tools/call", "--tool-name", tool, ...given]);
};
/** The structured content of a call that succeeded; its text is the same. */
function contentOf({ code, out, error }) {
  assert.equal(code, 0, `${out}\n${error}`);
  const { content, structuredContent } = JSON.parse(out);
  assert.deepEqual(JSON.parse(content[0].text), structuredContent);
  return structuredContent;
}

for (const era of ["legacy", "modern"]) {
  test(
    `${era}: the inspector lists the tools and finds no fault with their schemas`,
    LIMIT,
    async () => {
      const { code, out, error } = await inspect(era, ["--method", "tools/list", "--strict"]);
      // Of a schema that allows any JSON it warns: what a choice decides is any JSON.
      assert.equal(code, 0, error);
      assert.doesNotMatch(error, /^Error/m);
      const { tools } = JSON.parse(out);
      assert.deepEqual(
        tools.map(({ name }) => name),
        ["ask_human", "check_decision", "cancel", "list_waiting"],
      );
      for (const { description, inputSchema, outputSchema, annotations } of tools)
        assert.ok(description && inputSchema && outputSchema && annotations);
    },
  );

  test(`${era}: the inspector asks, waits, checks, lists and withdraws`, LIMIT, async () => {
    const title = `Inspected in the ${era} era`;
    const asked = call(era, "ask_human", `title=${title}`, `notify=${JSON.stringify(notify)}`);
    const { id, shortUrl } = await told(title);
    assert.equal((await send(shortUrl, { choice: "0" })).status, 303);
    const decision = contentOf(await asked);
    assert.deepEqual([decision.id, decision.status], [id, "completed"]);
    assert.equal(decision.output.status, "approved");
    assert.deepEqual(contentOf(await call(era, "check_decision", `id=${id}`)), decision);

    const shown = contentOf(
      await call(era, "ask_human", `title=Shown in the ${era} era`, "returnLink=true"),
    );
    assert.equal(shown.status, "waiting");
    assert.equal(new URL(shown.link).origin, worker.url);
    await until(
      async () => contentOf(await call(era, "list_waiting")).waiting,
      (waiting) => waiting.some((one) => one.id === shown.id),
    );
    const withdrawn = contentOf(await call(era, "cancel", `id=${shown.id}`, "reason=not needed"));
    const { status, reason } = withdrawn;
    assert.deepEqual([withdrawn.id, status, reason], [shown.id, "cancelled", "not needed"]);
  });

  test(`${era}: the inspector prints errors that can be read`, LIMIT, async () => {
    for (const [tool, args, problem] of [
      ["ask_human", ["title=Nobody"], /Nobody would hear of this question/],
      ["check_decision", ["id=waitpoint_nothing"], /There is no such question/],
      ["cancel", [], /id is missing/],
    ]) {
      const { code, out } = await call(era, tool, ...args);
      assert.notEqual(code, 0);
      const { isError, content } = JSON.parse(out);
      assert.equal(isError, true);
      assert.match(content[0].text, problem);
    }
    const args = ["--method", "tools/list"];
    const { code, error } = await inspect(era, args, { key: "wrong_key_of_24_characters" });
    assert.notEqual(code, 0);
    assert.match(error, /auth|401|Invalid API key/i);
  });
}
