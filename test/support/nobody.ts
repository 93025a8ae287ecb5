// Root may do everything, so root becomes somebody else for what only others are refused.

export const NOBODY = 65_534;

/** Until it is disposed of root is nobody, in all threads. Others stay who they are. */
export function becomeNobody(): Disposable {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) {
    process.setegid?.(NOBODY);
    process.seteuid?.(NOBODY);
  }
  return {
    [Symbol.dispose]: () => {
      if (!isRoot) return;
      process.seteuid?.(0);
      process.setegid?.(0);
    },
  };
}
