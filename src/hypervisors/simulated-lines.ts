import type { Duplex } from 'node:stream'

/** The consoles of simulated machines that somebody has open. */
export interface OpenLines {
  keep(ref: string, line: Duplex): Duplex
  /** Ends those of one machine, as when it loses its power. */
  cut(ref: string): void
  close(): void
}

export function openLines(): OpenLines {
  const open = new Map<Duplex, string>()
  const cutAll = (fits: (ref: string) => boolean) => {
    for (const [line, ref] of open) if (fits(ref)) line.destroy()
  }
  return {
    keep(ref, line) {
      open.set(line, ref)
      line.on('close', () => open.delete(line))
      return line
    },
    cut: (ref) => cutAll((other) => other === ref),
    close: () => cutAll(() => true),
  }
}
