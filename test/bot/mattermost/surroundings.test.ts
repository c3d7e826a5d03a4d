import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { withClientSurroundings } from '../../../bot/mattermost/surroundings.ts'

test('what the client says goes to the log, also later, and what others say is let through', async () => {
  const shown: unknown[] = []
  vi.spyOn(console, 'log').mockImplementation((...said) => void shown.push(said[0]))
  const logged: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) })

  await withClientSurroundings(log, async () => {
    console.log('the client connects')
    await Promise.resolve()
    console.log({ post: 'what somebody wrote' })
  })
  console.log('the service speaks')

  expect(shown).toEqual(['the service speaks'])
  expect(logged.join('')).toContain('the client connects')
  expect(logged.join('')).not.toContain('what somebody wrote')
})

test('the client finds what it expects of a browser', () => {
  withClientSurroundings(pino({ level: 'silent' }), () => undefined)

  const event = new CloseEvent('close', { code: 4001 })

  expect(event).toMatchObject({ type: 'close', code: 4001, wasClean: false })
  expect(WebSocket.OPEN).toBe(1)
})
