/* global document, window, location, history, fetch, WebSocket, CSSStyleSheet, TextEncoder, setTimeout, ResizeObserver, Element */
// The console of a machine: asks for a ticket, opens the line with it, and hands that to noVNC or to xterm.

const page = document.getElementById('console')
const frame = document.getElementById('console-frame')
const again = document.getElementById('console-again')
const keys = document.getElementById('console-keys')
const paste = document.getElementById('console-paste')
const full = document.getElementById('console-full')
const dialog = document.getElementById('console-text')
const typed = document.getElementById('console-typed')
const { machine, kind, library } = page.dataset

const signs = { good: '●', busy: '◔', bad: '✕' }

/** Says how it stands, in words and with a sign. */
function say(tone, words) {
  const state = document.getElementById('console-state')
  state.className = `state ${tone}`
  state.textContent = `${signs[tone]} ${words}`
  const isOpen = tone === 'good'
  again.disabled = tone === 'busy'
  for (const button of [keys, paste]) if (button !== null) button.disabled = !isOpen
}

/** The ticket that the address brought, which counts once: it is taken out of the address and of the history. */
function broughtTicket() {
  const ticket = location.hash.slice(1)
  if (ticket !== '') history.replaceState(null, '', location.pathname)
  return ticket
}

/** A ticket for whoever is signed in here. Throws what the service says against it. */
async function askTicket() {
  const response = await fetch(`/api/v1/machines/${encodeURIComponent(machine)}/console`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind }),
  })
  const answer = await response.json()
  if (response.ok) return new URL(answer.url).hash.slice(1)
  if (response.status === 401) location.assign(`/?next=${encodeURIComponent(location.pathname)}`)
  throw new Error(answer.detail)
}

/** Resolves with a line that is open, both here and to the machine. */
function openLine(ticket) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const socket = new WebSocket(`${scheme}://${location.host}/api/v1/console/channel`, [
    'jackdaw-console',
    ticket,
  ])
  socket.binaryType = 'arraybuffer'
  return new Promise((resolve, reject) => {
    socket.onmessage = () => resolve(socket)
    socket.onclose = (event) => reject(new Error(endWords(event)))
  })
}

function endWords(event) {
  return event.reason === '' ? 'The connection was lost. Reconnect to go on.' : event.reason
}

let current
let attempt = 0

async function connect(ticket) {
  const mine = ++attempt
  current?.close()
  current = undefined
  say('busy', 'Connecting…')
  try {
    // The line must not open before there is somebody to read it.
    await loaded
    const socket = await openLine(ticket === '' ? await askTicket() : ticket)
    if (mine !== attempt) {
      socket.close()
      return
    }
    socket.addEventListener('close', (event) => {
      if (mine === attempt) say('bad', endWords(event))
    })
    current = await (kind === 'screen' ? showScreen(socket) : showSerial(socket))
    if (mine !== attempt || socket.readyState !== WebSocket.OPEN) return
    say('good', 'Connected.')
    current.focus()
  } catch (error) {
    if (mine === attempt) say('bad', error.message)
  }
}

/** The screen, through noVNC: scaled to the room that there is. */
async function showScreen(socket) {
  const { default: RFB } = await loaded
  frame.replaceChildren()
  const rfb = new RFB(frame, socket, { shared: true })
  rfb.scaleViewport = true
  rfb.background = 'transparent'
  const connected = new Promise((resolve, reject) => {
    rfb.addEventListener('connect', () => resolve())
    rfb.addEventListener('disconnect', () => reject(new Error('The screen was lost. Reconnect to go on.')))
    rfb.addEventListener('securityfailure', () =>
      reject(new Error('The machine does not show its screen to us.')),
    )
    rfb.addEventListener('credentialsrequired', () => {
      rfb.disconnect()
      reject(new Error('The screen asks for a password that Jackdaw does not know. Ask an operator.'))
    })
    socket.addEventListener('close', (event) => reject(new Error(endWords(event))))
  })
  await connected
  rfb.addEventListener('clipboard', () => {
    // What the machine copies stays there: a console does not write into the clipboard of whoever looks.
  })
  return {
    focus: () => rfb.focus(),
    close: () => rfb.disconnect(),
    keys: () => rfb.sendCtrlAltDel(),
    type: (text) => typeKeys(rfb, text),
  }
}

const shifted = /[A-Z~!@#$%^&*()_+{}|:"<>?]/
const shift = 0xffe1

/** X11 keysym of a character: Latin-1 is as in Unicode, what is beyond has an offset (X11 protocol, appendix A). */
function keysymOf(character) {
  const point = character.codePointAt(0)
  if (character === '\n') return 0xff0d
  if (character === '\t') return 0xff09
  return point < 0x100 ? point : 0x01000000 | point
}

/** Key by key, with a pause after each: a keyboard holds but a few strokes that its machine has not read yet. */
async function typeKeys(rfb, text) {
  for (const character of text.replace(/\r\n?/g, '\n')) {
    const keysym = keysymOf(character)
    if (shifted.test(character)) rfb.sendKey(shift, 'ShiftLeft', true)
    rfb.sendKey(keysym, null, true)
    rfb.sendKey(keysym, null, false)
    if (shifted.test(character)) rfb.sendKey(shift, 'ShiftLeft', false)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

let terminal

/** The serial line, through xterm: 24 lines of 80, which is what the other end of such a line takes for granted. */
async function showSerial(socket) {
  terminal ??= await openTerminal()
  const encoder = new TextEncoder()
  const said = terminal.onData((text) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(encoder.encode(text))
  })
  socket.onmessage = ({ data }) => terminal.write(new Uint8Array(data))
  socket.addEventListener('close', () => said.dispose())
  return {
    focus: () => terminal.focus(),
    close: () => socket.close(),
    keys: () => undefined,
    type: (text) => terminal.paste(text),
  }
}

async function openTerminal() {
  const { Terminal } = await loaded
  withoutInlineStyles()
  frame.replaceChildren()
  const made = new Terminal({
    cols: 80,
    rows: 24,
    scrollback: 2000,
    screenReaderMode: true,
    fontSize: sizeFor(frame),
  })
  made.open(frame)
  new ResizeObserver(() => {
    made.options.fontSize = sizeFor(frame)
  }).observe(frame)
  return made
}

/** Letters so large that 80 of them stand side by side, and still can be read: on a phone one scrolls. */
function sizeFor({ clientWidth }) {
  return Math.max(11, Math.min(20, Math.floor(clientWidth / 80 / 0.61)))
}

/**
 * xterm writes style elements and attributes, which the policy of our pages forbids. What it writes into them goes the
 * ways that the policy allows: a sheet of the document, and the properties of the element.
 */
function withoutInlineStyles() {
  const create = document.createElement.bind(document)
  document.createElement = (name, options) =>
    name === 'style' ? sheetElement(create) : create(name, options)
  const set = Element.prototype.setAttribute
  Element.prototype.setAttribute = function (name, value) {
    if (name === 'style') this.style.cssText = value
    else set.call(this, name, value)
  }
}

function sheetElement(create) {
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets.push(sheet)
  const element = create('template')
  Object.defineProperty(element, 'textContent', { set: (text) => sheet.replaceSync(text), get: () => '' })
  return element
}

const loaded = import(library)

again.addEventListener('click', () => void connect(''))
keys?.addEventListener('click', () => {
  current?.keys()
  current?.focus()
})
paste.addEventListener('click', () => dialog.showModal())
dialog.addEventListener('close', () => {
  const text = typed.value
  typed.value = ''
  if (dialog.returnValue === 'type' && text !== '') void current?.type(text)
  dialog.returnValue = ''
  current?.focus()
})
full.disabled = !document.fullscreenEnabled
full.addEventListener('click', async () => {
  await frame.requestFullscreen()
  current?.focus()
})
// Before noVNC and xterm, which take every key.
window.addEventListener(
  'keydown',
  (event) => {
    if (event.key !== 'Home' || !event.ctrlKey || !event.altKey) return
    event.preventDefault()
    event.stopImmediatePropagation()
    if (document.fullscreenElement !== null) void document.exitFullscreen()
    again.focus()
  },
  true,
)

void connect(broughtTicket())
