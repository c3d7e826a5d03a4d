/* global document, window, EventSource, fetch, FormData, URLSearchParams, DOMParser, setTimeout */
// Everything here only makes the page quicker: without it, each form is sent as it stands and the page loads anew.

const lines = document.getElementById('chat-lines')
const news = document.getElementById('chat-news')
const trouble = document.getElementById('chat-trouble')
const sayForm = document.getElementById('chat-say')
const dialog = document.getElementById('chat-ask')

/** How near the end counts as being there, in pixels. */
const near = 120

function newest() {
  return [...lines.querySelectorAll('article.line')].at(-1)
}

/** Whether the newest line is in sight. */
function atEnd() {
  const line = newest()
  return line === undefined || line.getBoundingClientRect().top < window.innerHeight - near
}

/** To the newest line: to its end, or to its beginning where it is too tall, since that is what matters. */
function toEnd() {
  const line = newest()
  const tall = line !== undefined && line.offsetHeight > window.innerHeight - 2 * near
  line?.scrollIntoView({ block: tall ? 'start' : 'end' })
}

/** Puts the lines of a fragment in place of those that changed, and leaves all others as they are. */
function show(html) {
  const stay = atEnd()
  const parsed = new DOMParser().parseFromString(html, 'text/html')
  const wanted = [...parsed.querySelectorAll('article.line')]
  const known = new Map([...lines.querySelectorAll('article.line')].map((one) => [one.dataset.id, one]))
  const focus = focusNow()
  const changed = []
  let before = lines.querySelector('article.line')
  for (const line of wanted) {
    const old = known.get(line.dataset.id)
    known.delete(line.dataset.id)
    if (old !== undefined && old.dataset.version === line.dataset.version) {
      if (old !== before) lines.insertBefore(old, before)
      before = old.nextElementSibling
      continue
    }
    changed.push(line)
    if (old === undefined) lines.insertBefore(line, before ?? document.getElementById('end'))
    else {
      if (old === before) before = old.nextElementSibling
      old.replaceWith(line)
    }
  }
  for (const old of known.values()) old.remove()
  if (stay) toEnd()
  putFocus(focus)
  const said = changed.map((line) => line.dataset.summary).filter((summary) => summary)
  if (said.length > 0) news.textContent = said.at(-1)
}

/** Where the focus is, so that it can be put back after what had it was replaced. */
function focusNow() {
  const active = document.activeElement
  return { id: active?.id ?? '', line: active?.closest('article.line')?.dataset.id }
}

/** What took the place of a button gets its focus, else the line that it stood in. */
function putFocus({ id, line }) {
  if (document.activeElement !== document.body && document.activeElement !== null) return
  const same = id === '' ? null : document.getElementById(id)
  if (same !== null) return same.focus({ preventScroll: true })
  const stood = [...lines.querySelectorAll('article.line')].find((one) => one.dataset.id === line)
  if (stood === undefined) return
  stood.tabIndex = -1
  stood.focus({ preventScroll: true })
}

let fetching = false
let again = false

/** Fetches the conversation; what changes while it is on its way is fetched after it. */
async function refresh() {
  if (fetching) {
    again = true
    return
  }
  fetching = true
  try {
    const response = await fetch('/chat/messages', { headers: { Accept: 'text/html' } })
    if (response.redirected) window.location.assign('/?next=/chat')
    else if (response.ok) show(await response.text())
  } catch {
    // The stream says so when the service cannot be reached.
  } finally {
    fetching = false
    if (again) {
      again = false
      refresh()
    }
  }
}

/** Sends a form and shows the answer. The form is at rest meanwhile, so that nothing is sent twice. */
async function send(form, extra = {}) {
  const body = new URLSearchParams(new FormData(form))
  for (const [name, value] of Object.entries(extra)) body.set(name, value)
  const controls = [...form.elements].filter((one) => !one.disabled)
  const focus = focusNow()
  form.setAttribute('aria-busy', 'true')
  for (const one of controls) one.disabled = true
  try {
    const response = await fetch(`${form.dataset.send}?lines=1`, { method: 'POST', body })
    if (response.redirected) window.location.assign('/?next=/chat')
    else if (!response.ok) throw new Error(String(response.status))
    else {
      show(await response.text())
      trouble.textContent = ''
      return true
    }
  } catch {
    trouble.textContent = 'That was not sent: the service does not answer. Try again in a moment.'
  } finally {
    form.removeAttribute('aria-busy')
    for (const one of controls) one.disabled = false
    putFocus(focus)
  }
  return false
}

/** Asks what a button wants to know or to be sure of; gives the answer, or nothing when the person goes back. */
function ask({ title, text, yes, danger, ask: wanted }) {
  const field = document.getElementById('chat-ask-field')
  const answer = document.getElementById('chat-ask-answer')
  const [go] = dialog.querySelectorAll('button')
  document.getElementById('chat-ask-title').textContent = title
  const explanation = document.getElementById('chat-ask-text')
  explanation.textContent = text
  explanation.hidden = text === ''
  go.textContent = yes
  go.className = danger ? 'danger' : ''
  field.hidden = wanted === null
  field.querySelector('label').textContent = wanted?.label ?? ''
  answer.value = ''
  answer.required = wanted?.required ?? false
  answer.disabled = wanted === null
  dialog.returnValue = ''
  dialog.showModal()
  // What loses something is never one careless key away.
  if (wanted === null) dialog.querySelectorAll('button')[1].focus()
  else answer.focus()
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => resolve(dialog.returnValue === 'yes' ? { answer: answer.value } : undefined),
      { once: true },
    )
  })
}

document.addEventListener('submit', async (event) => {
  const form = event.target
  if (form.dataset.send === undefined) return
  event.preventDefault()
  if (form.getAttribute('aria-busy') === 'true') return
  if (form === sayForm) return say()
  if (form.dataset.asks === undefined) {
    await send(form)
    return
  }
  const details = JSON.parse(form.dataset.asks)
  const given = await ask(details)
  if (given !== undefined) await send(form, details.ask === null ? {} : given)
})

/** Each line is sent under a key of its own. What was not sent stays in the field. */
async function say() {
  const line = document.getElementById('chat-line')
  const text = line.value
  if (text.trim() === '') return
  sayForm.elements.key.value = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`
  remember(text)
  toEnd()
  if (await send(sayForm)) line.value = ''
  toEnd()
  line.focus({ preventScroll: true })
}

const said = []
let place = 0

function remember(text) {
  if (said.at(-1) !== text) said.push(text)
  place = said.length
}

// The arrow keys bring back what was said before, as in a terminal.
sayForm.addEventListener('keydown', (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
  if (step === undefined || said.length === 0) return
  event.preventDefault()
  place = Math.min(Math.max(place + step, 0), said.length)
  event.target.value = said[place] ?? ''
})

const events = new EventSource('/chat/events')
events.addEventListener('changed', () => {
  trouble.textContent = ''
  refresh()
})
events.addEventListener('error', () => {
  setTimeout(() => {
    if (events.readyState !== EventSource.OPEN) trouble.textContent = 'Not connected. Trying again…'
  }, 4000)
})
window.addEventListener('pagehide', () => events.close())

toEnd()
document.getElementById('chat-line').focus({ preventScroll: true })
