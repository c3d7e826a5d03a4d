import type { Outage } from '../../base/errors.ts'
import { refused } from '../outages.ts'

/** An error of PowerShell as data. */
export interface Failure {
  /** `FullyQualifiedErrorId`: the error, a comma, and the class of the cmdlet. It is not translated, as messages are. */
  id: string
  /** `CategoryInfo.Category`. */
  category: string
  /** A Windows error code (MS-ERREF 2.1) as a signed number. */
  hresult: number
  message: string
}

interface Meaning {
  fits: (failure: Failure) => boolean
  transient: boolean
  /** What to do about it, where we know. */
  remedy?: string
}

const begins = (...ids: string[]) => {
  const known = ids.map((id) => id.toLowerCase())
  return ({ id }: Failure) => known.some((start) => id.toLowerCase().startsWith(start))
}
const isOf = (...categories: string[]) => {
  return ({ category }: Failure) => categories.includes(category)
}
const hasCode = (...codes: number[]) => {
  return ({ hresult }: Failure) => codes.includes(hresult >>> 0)
}

/**
 * What errors mean, the most telling first. Windows' own codes are of MS-ERREF 2.1.1: 0x80070005 access denied, 20 and
 * 21 sharing and lock violation, 70 disk full, 5AA no system resources, BA4..BA6 the server of the call is not there.
 */
const meanings: readonly Meaning[] = [
  {
    fits: (failure) => begins('AccessDenied', 'UnauthorizedAccess')(failure) || hasCode(0x80070005)(failure),
    transient: false,
    remedy: 'The account needs more rights there.',
  },
  {
    fits: begins('CommandNotFoundException', 'Modules_ModuleNotFound'),
    transient: false,
    remedy: 'Its PowerShell module is not installed there.',
  },
  {
    fits: begins('NamedParameterNotFound', 'AmbiguousParameterSet', 'ParameterArgument', 'MissingArgument'),
    transient: false,
    remedy: 'That version of Windows has other parameters than we use.',
  },
  // Another job has hold of the machine or its disk: SCVMM's 2606 and 2604 say so too.
  {
    fits: (failure) =>
      isOf('ResourceBusy')(failure) ||
      hasCode(0x80070020, 0x80070021)(failure) ||
      begins('2606', '2604', 'ObjectInUse')(failure),
    transient: true,
  },
  // It was looked at before, so that somebody else was quicker.
  { fits: begins('InvalidState'), transient: true },
  { fits: hasCode(0x800706ba, 0x800706bb, 0x800706be), transient: true },
  { fits: isOf('ConnectionError', 'OperationTimeout', 'ResourceUnavailable'), transient: true },
]

/** What an error of PowerShell means to our callers. */
export function outageOf(failure: Failure, context: { host: string; does: string }): Outage {
  const meaning = meanings.find(({ fits }) => fits(failure))
  const said = inOneLine(failure.message)
  const words = `${context.host} did not ${context.does}: ${said === '' ? inOneLine(failure.id) : said}`
  const detail = /[.!?]$/.test(words) ? words : `${words}.`
  const remedy = meaning?.remedy === undefined ? '' : ` ${meaning.remedy}`
  return refused(detail + remedy, { transient: meaning?.transient ?? false })
}

/** What Windows says is shown to people and kept: one line, no control characters, not without end. */
export function inOneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, 300)
}
