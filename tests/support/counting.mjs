// A module around the built Worker that counts what is billed: requests to its objects, what these
// read and write, and how long they are active.

/**
 * Serves at `GET /counts`, by kind of object: requests, alarms, rows written and read, bytes,
 * milliseconds; at `/waiters/<name>` how many wait at that object of a token, which is not counted.
 * Passes what comes at `/index/<name>` on to that object of the index.
 *
 * An object is active, and billed, while it handles an event and while it cannot hibernate: it
 * awaits an answer or has set a timer. Which object does so is known because one runs at a time: it
 * began an event, or something that it awaited has come.
 */
export const COUNTING = `
  import * as built from "./index.js";
  const LISTS = false;
  const counts = {};
  // Each write, if they are listed, with what SQLite itself counts.
  const writes = [];
  // The object that runs.
  let current;
  export default {
    fetch(request, env, context) {
      current = undefined;
      const { pathname } = new URL(request.url);
      if (pathname === "/counts") return Response.json(counts);
      if (pathname === "/writes") return Response.json(writes);
      const [, name] = /^\\/index\\/(.+)/.exec(pathname) ?? [];
      if (name) return env.INDEX.getByName(name).fetch(request);
      const [, token] = /^\\/waiters\\/(.+)/.exec(pathname) ?? [];
      if (token) return env.TOKENS.getByName(token).fetch("http://object/waiters");
      return built.default.fetch(request, calling(env), context);
    },
  };
  const around = (target, replaced) =>
    new Proxy(target, {
      get(_, name) {
        if (Object.hasOwn(replaced, name)) return replaced[name];
        const value = Reflect.get(target, name);
        return typeof value === "function" && name !== "constructor" ? value.bind(target) : value;
      },
    });
  class Activity {
    open = 0;
    constructor(count) {
      this.count = count;
    }
    begin() {
      if (this.open++ === 0) this.since = Date.now();
    }
    end() {
      if (--this.open === 0) this.count.millis += Date.now() - this.since;
    }
    async during(work) {
      this.begin();
      try {
        return await work;
      } finally {
        this.end();
        current = this;
      }
    }
  }
  const asked = (work) => (current ? current.during(work) : work);
  const { fetch, setTimeout, clearTimeout } = globalThis;
  globalThis.fetch = (...args) => asked(fetch(...args));
  const timers = new Map();
  globalThis.setTimeout = (call, ...rest) => {
    const activity = current;
    if (!activity) return setTimeout(call, ...rest);
    const rings = (...args) => {
      current = activity;
      call(...args);
      endTimer(timer);
    };
    const timer = setTimeout(rings, ...rest);
    timers.set(timer, activity);
    activity.begin();
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    clearTimeout(timer);
    endTimer(timer);
  };
  const endTimer = (timer) => {
    timers.get(timer)?.end();
    timers.delete(timer);
  };
  const calls = new WeakMap();
  /** The bindings, with an index whose callers are active until it answers. */
  function calling(env) {
    if (!calls.has(env)) {
      const stub = (to) => around(to, { fetch: (...args) => asked(to.fetch(...args)) });
      const getByName = (name) => stub(env.INDEX.getByName(name));
      calls.set(env, { ...env, INDEX: around(env.INDEX, { getByName }) });
    }
    return calls.get(env);
  }
  function counted(kind, count, state, activity) {
    const { storage } = state;
    const changes = () => storage.sql.exec("SELECT total_changes() AS n").one().n;
    const listed = (what, work, isSql) => {
      if (!LISTS) return work();
      const [rows, sqlite] = [count.written, isSql && changes()];
      const done = work();
      if (count.written === rows) return done;
      const sqlites = isSql ? changes() - sqlite : null;
      writes.push({ kind, what, rows: count.written - rows, sqlite: sqlites });
      return done;
    };
    const tally = (target, isSql, name, ...fields) => (...args) =>
      listed([name, ...args.slice(0, isSql ? 1 : 0)].join(" "), () => {
        for (const field of fields) count[field]++;
        const done = target[name](...args);
        return isSql ? done : activity.during(done);
      }, isSql);
    const exec = (...args) =>
      listed(args[0].slice(0, 40), () => {
        const cursor = storage.sql.exec(...args);
        const all = cursor.toArray();
        count.written += cursor.rowsWritten;
        count.read += cursor.rowsRead;
        return { toArray: () => all };
      }, true);
    return around(state, {
      storage: around(storage, {
        kv: around(storage.kv, {
          get: tally(storage.kv, true, "get", "read"),
          put: tally(storage.kv, true, "put", "written"),
          delete: tally(storage.kv, true, "delete", "written"),
        }),
        sql: around(storage.sql, { exec }),
        sync: () => activity.during(storage.sync()),
        // Setting or deleting an alarm is billed as a row.
        getAlarm: tally(storage, false, "getAlarm", "read"),
        setAlarm: tally(storage, false, "setAlarm", "written", "alarmsSet"),
        deleteAlarm: tally(storage, false, "deleteAlarm", "written"),
        deleteAll: tally(storage, false, "deleteAll", "written", "forgotten"),
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
        this.activity = new Activity(count);
        this.built = new Built(counted(kind, count, state, this.activity), calling(env));
      }
      async counted(field, work) {
        count[field]++;
        this.activity.begin();
        current = this.activity;
        try {
          return await work();
        } finally {
          this.activity.end();
          // The size of the largest object.
          count.bytes = Math.max(count.bytes, this.state.storage.sql.databaseSize);
        }
      }
      fetch = (request) => {
        if (!request.url.endsWith("/waiters"))
          return this.counted("requests", () => this.built.fetch(request));
        const open = this.state.getWebSockets().filter(({ readyState }) => readyState === 1);
        return Response.json(open.length);
      };
      alarm = () => this.counted("alarms", () => this.built.alarm());
    };
  };
  export const TokenObject = counting("token", built.TokenObject);
  export const KeyObject = counting("key", built.KeyObject);
  export const IndexObject = counting("index", built.IndexObject);`;

/** The same, which also lists each write at `GET /writes`. It is slower. */
export const LISTING = COUNTING.replace("LISTS = false", "LISTS = true");
