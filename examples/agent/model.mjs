// Stands for a language model. It looks at what the last call returned, and names the next call or
// says what to tell the user. It chooses files and a reason, and nothing else: what a person is
// asked and what is deleted are the tool's.

export function model({ tool, result }) {
  if (result?.error) return { say: `I deleted nothing: ${result.error}` };
  switch (tool) {
    case undefined:
      return { tool: "list_files", args: {} };
    case "list_files": {
      const files = result.files
        .map(({ name }) => name)
        .filter((name) => /\.(log|tmp)$/.test(name));
      if (files.length === 0) return { say: "There is nothing to delete." };
      const reason = "Logs and temporary files are old and can be made again.";
      return { tool: "delete_files", args: { files, reason } };
    }
    case "delete_files":
      return { say: outcome(result) };
  }
}

function outcome({ status, reason, deleted, changed, kept }) {
  const changes = changed.length > 0 ? ` Changed since the question: ${list(changed)}.` : "";
  if (deleted.length > 0) return `I deleted ${list(deleted)}, and keep ${list(kept)}.${changes}`;
  if (changes) return `I keep everything.${changes}`;
  const why = {
    completed: "a person says so",
    cancelled: `the question was withdrawn${reason ? `: ${reason}` : ""}`,
    timed_out: "nobody answered in time",
  };
  return `I keep everything, as ${why[status]}.`;
}

const list = (names) => (names.length === 0 ? "nothing" : names.join(", "));
