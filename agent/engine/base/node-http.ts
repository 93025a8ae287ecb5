// node:http, had in the way that CommonJS has it. An import by name reads everything that a module
// of Node exports, in this one `WebSocket`, for which Node loads all of undici: 2.3 MiB of V8's
// heap for as long as the process lives, 13 MiB resident and 35 ms of CPU at its start (24.21,
// lib/http.js). Nothing of ours needs that. Types may be imported from node:http.

export const nodeHttp = process.getBuiltinModule('node:http');
