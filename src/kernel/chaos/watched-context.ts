/**
 * A server's context that announces each change the server is about to make: a row, file contents, a kernel call, a copy to
 * or from a process, a wake. Fault injection lets the server die there, in the middle of its writes.
 */
import type { ServerContext } from '../../ipc/server.ts';
import type { Store } from '../../ipc/store.ts';

const STORE_WRITES = new Set(['edit', 'set', 'delete', 'clear', 'copy', 'write', 'truncate', 'punch', 'next']);
/** Kernel calls that change nothing. */
const LOOKS = new Set(
  'process processes threads system servers log fd fds mappings thread residentBytes residentPages readMemory'.split(
    ' ',
  ),
);

/** The object with `before` called ahead of the methods that count. */
const announce = <T extends object>(target: T, counts: (name: string) => boolean, before: () => void): T => {
  const methods = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get: (_, name) => {
      const known = methods.get(name);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = counts(String(name))
        ? (...args: unknown[]): unknown => {
            before();
            return value.apply(target, args);
          }
        : value.bind(target);
      methods.set(name, method);
      return method;
    },
  });
};

const watchedStore = (store: Store, before: () => void): Store => {
  const watch = <T extends object>(part: T): T => announce(part, (name) => STORE_WRITES.has(name), before);
  return {
    table: (name) => watch(store.table(name)),
    sorted: (name) => watch(store.sorted(name)),
    contents: (name) => watch(store.contents(name)),
    sequence: (name) => watch(store.sequence(name)),
  };
};

export const watchedContext = (context: ServerContext, before: () => void): ServerContext => ({
  ...context,
  store: watchedStore(context.store, before),
  kernel: announce(context.kernel, (name) => !LOOKS.has(name), before),
  copyIn: (...args) => {
    before();
    return context.copyIn(...args);
  },
  copyOut: (...args) => {
    before();
    return context.copyOut(...args);
  },
  wake: (channel) => {
    before();
    context.wake(channel);
  },
});
