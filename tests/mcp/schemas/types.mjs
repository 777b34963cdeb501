// Which types of the specification's schemas the messages of /mcp are checked against.

export const MODERN = "2026-07-28";
export const LEGACY = "2025-11-25";

/** The types of results by method. In the modern revision the response has a type too. */
export const RESULTS = {
  "server/discover": { [MODERN]: "DiscoverResult" },
  initialize: { [LEGACY]: "InitializeResult" },
  ping: { [LEGACY]: "EmptyResult" },
  "tools/list": { [MODERN]: "ListToolsResult", [LEGACY]: "ListToolsResult" },
  "tools/call": { [MODERN]: "CallToolResult", [LEGACY]: "CallToolResult" },
};
export const TASK_RESULTS = {
  "tasks/get": "GetTaskResult",
  "tasks/update": "UpdateTaskResult",
  "tasks/cancel": "CancelTaskResult",
};
/** Errors of the modern revision by code: of the error, and of the whole response. */
export const ERRORS = {
  [-32700]: "ParseError",
  [-32600]: "InvalidRequestError",
  [-32601]: "MethodNotFoundError",
  [-32602]: "InvalidParamsError",
  [-32603]: "InternalError",
};
export const ERROR_RESPONSES = {
  [-32020]: "HeaderMismatchError",
  [-32021]: "MissingRequiredClientCapabilityError",
  [-32022]: "UnsupportedProtocolVersionError",
};
const EVERY_REVISION = [
  "JSONRPCMessage",
  "JSONRPCErrorResponse",
  "JSONRPCResultResponse",
  "ProgressNotification",
];
const resultsOf = (revision) => Object.values(RESULTS).flatMap((types) => types[revision] ?? []);

/** All of these, by the name of the schema's file. */
export const TYPES = {
  [MODERN]: [
    ...EVERY_REVISION,
    ...resultsOf(MODERN),
    ...Object.values(ERRORS),
    ...Object.values(ERROR_RESPONSES),
  ],
  [LEGACY]: [...EVERY_REVISION, ...resultsOf(LEGACY)],
  "ext-tasks": [...Object.values(TASK_RESULTS), "CreateTaskResult"],
};
