/** Something to wait for that opens once, or is shut for good. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
  shut(error: Error): void;
}

export function gate(): Gate {
  let open: () => void = () => undefined;
  let shut: (error: Error) => void = () => undefined;
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    shut = reject;
  });
  opened.catch(() => undefined);
  return { opened, open: () => open(), shut: (error: Error) => shut(error) };
}
