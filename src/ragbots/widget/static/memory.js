// What is remembered in this browser. Where storage is switched off, it lasts as long as the page.

/** Values by name, in `storage` (localStorage or sessionStorage); null where there is none. */
export function memory(storage) {
  const kept = new Map();
  return {
    get(name) {
      try {
        return storage().getItem(name) ?? kept.get(name) ?? null;
      } catch {
        return kept.get(name) ?? null;
      }
    },
    set(name, value) {
      kept.set(name, value);
      try {
        if (value === null) storage().removeItem(name);
        else storage().setItem(name, value);
      } catch {
        // Off or full: `kept` has it.
      }
    },
  };
}
