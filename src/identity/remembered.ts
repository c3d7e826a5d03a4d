import type { Directory } from './directory.ts'
import { Outage } from '../base/errors.ts'

/** How long what a directory said is used again. */
export interface Memory {
  freshMillis: number
  /** While the directory does not answer, what it said last is believed for so long. */
  staleMillis: number
  /** How many answers of each kind. */
  most: number
}

interface Answer<T> {
  at: number
  value: Promise<T>
}

/**
 * A directory whose answers about people are used again for a while, since each request asks who somebody is. Passwords
 * are always asked about. When the directory does not answer, those who are signed in go on for `staleMillis`.
 * @param now milliseconds of a clock that is never set back.
 */
export function remembered(directory: Directory, memory: Memory, now: () => number): Directory {
  const find = remembering(memory, now, (user) => directory.find(user))
  const members = remembering(memory, now, (name) => directory.members(name))
  return {
    ...directory,
    find: (user) => find(user.toLowerCase()),
    members: (name) => members(name.toLowerCase()),
  }
}

function remembering<T>(
  { freshMillis, staleMillis, most }: Memory,
  now: () => number,
  ask: (name: string) => Promise<T>,
): (name: string) => Promise<T> {
  const answers = new Map<string, Answer<T>>()
  return async (name) => {
    const known = answers.get(name)
    if (known !== undefined && now() - known.at < freshMillis) return known.value
    const answer = { at: now(), value: ask(name) }
    keep(answers, name, answer, most)
    try {
      return await answer.value
    } catch (error) {
      if (answers.get(name) === answer) answers.delete(name)
      const mayUse = error instanceof Outage && known !== undefined && now() - known.at < staleMillis
      if (!mayUse) throw error
      answers.set(name, known)
      return known.value
    }
  }
}

function keep<T>(answers: Map<string, Answer<T>>, name: string, answer: Answer<T>, most: number): void {
  answers.delete(name)
  answers.set(name, answer)
  const [oldest] = answers.keys()
  if (answers.size > most && oldest !== undefined) answers.delete(oldest)
}
