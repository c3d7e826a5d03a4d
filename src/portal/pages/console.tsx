import { consolePath, type ConsoleKind, ConsoleKind as Kind } from '../../operations/open-console.ts'
import { showMachine } from '../../operations/show-machine.ts'
import { Refusal } from '../../base/errors.ts'
import { assetUrl, novncUrl } from '../assets.ts'
import type { Pages } from '../serve.tsx'

/** What each console is called. */
export const consoleWords = {
  screen: { name: 'Screen', other: 'Serial line' },
  serial: { name: 'Serial line', other: 'Screen' },
} as const satisfies Record<ConsoleKind, { name: string; other: string }>

/**
 * The page of a console. It comes without a ticket: its script takes the one behind `#` in the address, or asks for one as
 * whoever is signed in. So a link in chat leads here, and is worth nothing to anybody else.
 */
export function consolePages(pages: Pages): void {
  pages.get('/console/:name/:kind', async (visit) => {
    const kind = kindOf(visit.param('kind'))
    const machine = await visit.perform(showMachine, { name: visit.param('name') })
    const { name } = consoleWords[kind]
    return {
      title: `${name} of ${machine.name}`,
      current: '/',
      body: <ConsolePage machine={machine.name} kind={kind} />,
      styles: [...(kind === 'serial' ? [assetUrl('xterm.css')] : []), assetUrl('console.css')],
      module: assetUrl('console.js'),
    }
  })
}

function kindOf(text: string): ConsoleKind {
  const kind = Kind.safeParse(text)
  if (kind.success) return kind.data
  throw new Refusal('not_found', `A machine has a screen and a serial line, but no ${text}.`)
}

function ConsolePage({ machine, kind }: { machine: string; kind: ConsoleKind }) {
  const words = consoleWords[kind]
  const other = kind === 'screen' ? 'serial' : 'screen'
  return (
    <article
      class="console"
      id="console"
      data-machine={machine}
      data-kind={kind}
      data-library={kind === 'screen' ? novncUrl : assetUrl('xterm.mjs')}
    >
      <header class="title">
        <h1>{`${words.name} of ${machine}`}</h1>
        <span id="console-state" class="state busy" role="status">
          <noscript>A console needs JavaScript, which this browser does not run.</noscript>
        </span>
        <span class="links">
          <a href={`/machines/${encodeURIComponent(machine)}`}>{machine}</a>{' '}
          <a href={consolePath(machine, other)}>{words.other}</a>
        </span>
      </header>
      <ConsoleButtons kind={kind} />
      <p class="help" id="console-help">
        Keys go to the machine while its {kind === 'screen' ? 'screen' : 'line'} has the focus. Ctrl+Alt+Home
        brings you back to these buttons.
      </p>
      <div id="console-frame" class={`console-frame ${kind}`} aria-describedby="console-help"></div>
      <TextDialog kind={kind} />
    </article>
  )
}

/** They work once the script is there. */
function ConsoleButtons({ kind }: { kind: ConsoleKind }) {
  return (
    <div class="actions">
      <button type="button" id="console-again" disabled>
        Reconnect
      </button>
      {kind === 'serial' ? null : (
        <button type="button" id="console-keys" class="secondary" disabled>
          Ctrl-Alt-Del
        </button>
      )}
      <button type="button" id="console-paste" class="secondary" disabled>
        Paste…
      </button>
      <button type="button" id="console-full" class="secondary" disabled>
        Full screen
      </button>
    </div>
  )
}

/** What cannot be pasted into a screen is typed. */
function TextDialog({ kind }: { kind: ConsoleKind }) {
  return (
    <dialog id="console-text" aria-labelledby="console-text-title">
      <article>
        <form method="dialog">
          <h2 id="console-text-title">Type a text</h2>
          <label for="console-typed">
            {kind === 'screen'
              ? 'It is typed key by key, as on a US keyboard.'
              : 'It is sent as if it were typed.'}
          </label>
          <textarea id="console-typed" rows={6} maxLength={4096} spellcheck={false}></textarea>
          <div class="actions">
            <button type="submit" value="type">
              Type it
            </button>
            <button type="submit" value="" class="secondary">
              Cancel
            </button>
          </div>
        </form>
      </article>
    </dialog>
  )
}
