import { expect, test } from 'vitest'
import { type Caller, nobody } from '../../src/identity/person.ts'
import { openLayout } from '../../src/portal/layout.tsx'
import { inlineParts, tagsOf, textOf } from './markup.ts'

const layout = openLayout({ name: 'Site <b>&"' })
const person: Caller = { ...nobody('portal', '127.0.0.1'), user: 'alice', name: 'Alice <script>' }

test('whatever text comes in stays text', () => {
  const html = layout({
    title: '</title><script>',
    person,
    current: '/',
    body: <p title='"><img'>{'<img onerror=x>'}</p>,
  })

  const tags = tagsOf(html)

  expect(inlineParts(tags)).toEqual([])
  expect(tags.some(({ name }) => name === 'img')).toBe(false)
  expect(html).toContain('&lt;img onerror=x>')
})

test('the first thing that a keyboard reaches leads past the navigation to the content', () => {
  const tags = tagsOf(layout({ title: 'Machines', person, current: '/', body: <h1>Machines</h1> }))

  const first = tags.find(({ name }) => name === 'a')

  expect(first?.attributes.href).toBe('#main')
  expect(tags.find(({ name }) => name === 'main')?.attributes.id).toBe('main')
})

test('the navigation says which page this is', () => {
  const tags = tagsOf(layout({ title: 'Budgets', person, current: '/budgets', body: <h1>Budgets</h1> }))

  const current = tags.filter(({ attributes }) => attributes['aria-current'] === 'page')

  expect(current.map(({ attributes }) => attributes.href)).toEqual(['/budgets'])
})

test.each([
  { roles: [], sees: false },
  { roles: ['operator'] as const, sees: true },
  { roles: ['auditor'] as const, sees: true },
])('with the roles $roles the audit is in the navigation: $sees', ({ roles, sees }) => {
  const html = layout({
    title: 'Machines',
    person: { ...person, roles },
    current: '/',
    body: <h1>Machines</h1>,
  })

  expect(textOf(html).includes('Audit')).toBe(sees)
})

test('a page may bring scripts and styles of its own, and signs nobody out whom it does not know', () => {
  const page = { title: 'Chat', person: null, current: '/chat', body: <h1>Chat</h1> }

  const tags = tagsOf(layout({ ...page, scripts: ['/chat/chat.js'], styles: ['/chat/chat.css'] }))

  expect(tags.some(({ name, attributes }) => name === 'script' && attributes.src === '/chat/chat.js')).toBe(
    true,
  )
  expect(tags.some(({ name, attributes }) => name === 'link' && attributes.href === '/chat/chat.css')).toBe(
    true,
  )
  expect(tags.some(({ attributes }) => attributes.action === '/sign-out')).toBe(false)
})
