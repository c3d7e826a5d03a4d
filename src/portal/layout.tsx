import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { type Caller, hasRole } from '../identity/person.ts'
import type { Site } from '../operations/site.ts'
import { assetUrl } from './assets.ts'
import { Logo } from './logo.tsx'

export interface Page {
  title: string
  /** Who is signed in. */
  person: Caller | null
  /** The path of the entry of the navigation that the page belongs to, such as `/budgets`. */
  current: string
  body: VNode
  /** Further scripts and style sheets, as addresses on our own site. */
  scripts?: string[]
  styles?: string[]
  /** A script of modules (`type="module"`), as an address on our own site. */
  module?: string
}

/** A whole HTML document around the body of a page. */
export type Layout = (page: Page) => string

const entries: readonly { path: string; name: string }[] = [
  { path: '/', name: 'Machines' },
  { path: '/chat', name: 'Chat' },
  { path: '/requests', name: 'Requests' },
  { path: '/budgets', name: 'Budgets' },
  { path: '/desktops', name: 'Desktops' },
  { path: '/hosts', name: 'Hosts' },
  { path: '/library', name: 'Library' },
]

/** Inline styles are forbidden to our pages, so htmx may not bring its own; nor does anything in them need `eval`. */
const htmxConfig = JSON.stringify({
  ...{ includeIndicatorCSS: false, history: false, extensions: 'sse' },
  // What somebody has unfolded stays so when the page around it changes.
  morphIgnore: ['data-htmx-powered', 'open'],
})

export function openLayout(site: Pick<Site, 'name'>): Layout {
  return (page) => `<!doctype html>\n${renderToString(<Document site={site.name} page={page} />)}\n`
}

/** Part of a page, for htmx to put in the place of what stands there. */
export function renderFragment(body: VNode): string {
  return renderToString(body)
}

function Document({ site, page }: { site: string; page: Page }) {
  const { title, person, current, body, scripts = [], styles = [], module } = page
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="htmx-config" content={htmxConfig} />
        <title>{`${title} · ${site}`}</title>
        <link rel="icon" type="image/svg+xml" href={assetUrl('jackdaw.svg')} />
        {[assetUrl('pico.css'), assetUrl('jackdaw.css'), ...styles].map((href) => (
          <link rel="stylesheet" href={href} />
        ))}
        {[assetUrl('htmx.js'), assetUrl('hx-sse.js'), ...scripts].map((src) => (
          <script src={src} defer></script>
        ))}
        {module === undefined ? null : <script type="module" src={module}></script>}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <Header site={site} person={person} current={current} />
        <main id="main" class="container-fluid" tabIndex={-1}>
          {body}
        </main>
        <footer class="container-fluid">
          <small>
            {site} runs on Jackdaw. <a href="/api/docs">API</a> · <a href="/desktop">Thin-client page</a>
          </small>
        </footer>
        {person === null ? null : <div id="live" hidden hx-sse:connect="/events" hx-swap="none"></div>}
      </body>
    </html>
  )
}

function Header({ site, person, current }: { site: string; person: Caller | null; current: string }) {
  return (
    <header class="bar">
      <div class="container-fluid">
        <a class="brand" href="/">
          <Logo />
          <span>{site}</span>
        </a>
        {person === null ? null : <Navigation person={person} current={current} />}
        {person === null ? null : <Person person={person} />}
      </div>
    </header>
  )
}

function Navigation({ person, current }: { person: Caller; current: string }) {
  const watches = hasRole(person, 'operator') || hasRole(person, 'auditor')
  const terminals = hasRole(person, 'operator')
    ? [
        { path: '/terminals', name: 'Terminals' },
        { path: '/pools', name: 'Pools' },
      ]
    : []
  const shown = watches ? [...entries, ...terminals, { path: '/audit', name: 'Audit' }] : entries
  return (
    <nav aria-label="Main">
      <ul>
        {shown.map(({ path, name }) => (
          <li>
            <a href={path} {...(path === current ? { 'aria-current': 'page' } : {})}>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Person({ person }: { person: Caller }) {
  return (
    <form class="person" method="post" action="/sign-out">
      <span>
        <span class="sr">Signed in as </span>
        <a href="/settings">{person.name}</a>
        {hasRole(person, 'operator') ? <small> operator</small> : null}
      </span>
      <button type="submit" class="plain">
        Sign out
      </button>
    </form>
  )
}
