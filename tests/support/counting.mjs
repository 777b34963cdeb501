// A module around the built Worker that counts what is billed: requests to its objects, and what
// these read and write.

/**
 * Serves at `GET /counts`, by kind of object: requests, alarms, rows written and read, bytes,
 * milliseconds; at `/waiters/<name>` how many wait at that object of a token, which is not counted.
 * Passes what comes at `/index/<name>` on to that object of the index.
 */
export const COUNTING = `
  import * as built from "./index.js";
  const counts = {};
  export default {
    fetch(request, env, context) {
      const { pathname } = new URL(request.url);
      if (pathname === "/counts") return Response.json(counts);
      const [, name] = /^\\/index\\/(.+)/.exec(pathname) ?? [];
      if (name) return env.INDEX.getByName(name).fetch(request);
      const [, token] = /^\\/waiters\\/(.+)/.exec(pathname) ?? [];
      if (token) return env.TOKENS.getByName(token).fetch("http://object/waiters");
      return built.default.fetch(request, env, context);
    },
  };
  const around = (target, replaced) =>
    new Proxy(target, {
      get(_, name) {
        if (name in replaced) return replaced[name];
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  function counted(count, state) {
    const { storage } = state;
    const tally = (target, name, ...fields) => (...args) => {
      for (const field of fields) count[field]++;
      return target[name](...args);
    };
    const exec = (...args) => {
      const cursor = storage.sql.exec(...args);
      const all = cursor.toArray();
      count.written += cursor.rowsWritten;
      count.read += cursor.rowsRead;
      return { toArray: () => all };
    };
    return around(state, {
      storage: around(storage, {
        kv: around(storage.kv, {
          get: tally(storage.kv, "get", "read"),
          put: tally(storage.kv, "put", "written"),
          delete: tally(storage.kv, "delete", "written"),
        }),
        sql: around(storage.sql, { exec }),
        // Setting or deleting an alarm is billed as a row.
        getAlarm: tally(storage, "getAlarm", "read"),
        setAlarm: tally(storage, "setAlarm", "written", "alarmsSet"),
        deleteAlarm: tally(storage, "deleteAlarm", "written"),
        deleteAll: tally(storage, "deleteAll", "written", "forgotten"),
      }),
    });
  }
  const counting = (kind, Built) => {
    const count = { requests: 0, alarms: 0, written: 0, read: 0 };
    Object.assign(count, { alarmsSet: 0, forgotten: 0, bytes: 0, millis: 0 });
    counts[kind] = count;
    return class {
      constructor(state, env) {
        this.state = state;
        this.built = new Built(counted(count, state), env);
      }
      async timed(field, work) {
        count[field]++;
        const began = Date.now();
        try {
          return await work();
        } finally {
          count.millis += Date.now() - began;
          // The size of the largest object.
          count.bytes = Math.max(count.bytes, this.state.storage.sql.databaseSize);
        }
      }
      fetch = (request) => {
        if (!request.url.endsWith("/waiters"))
          return this.timed("requests", () => this.built.fetch(request));
        const open = this.state.getWebSockets().filter(({ readyState }) => readyState === 1);
        return Response.json(open.length);
      };
      alarm = () => this.timed("alarms", () => this.built.alarm());
    };
  };
  export const TokenObject = counting("token", built.TokenObject);
  export const KeyObject = counting("key", built.KeyObject);
  export const IndexObject = counting("index", built.IndexObject);`;
