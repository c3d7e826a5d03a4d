import { Refusal } from '../../base/errors.ts'

/**
 * Why Active Directory did not let somebody in, by the `data` code that stands in its error 49 (MS-ADTS 3.1.1.5.3;
 * the numbers are Windows system errors in hex). All but `775` come only with the right password.
 */
const words: Readonly<Record<string, string>> = {
  530: 'Your account may not be used at this time of day. Ask whoever looks after accounts.',
  531: 'Your account may not be used from here. Ask whoever looks after accounts.',
  532: 'Your password has expired. Change it on a computer of your domain, then sign in here.',
  533: 'Your account is switched off. Ask whoever looks after accounts.',
  701: 'Your account has expired. Ask whoever looks after accounts.',
  773: 'You must change your password first, on a computer of your domain. Then sign in here.',
  775: 'Your account is locked after too many wrong passwords. Wait, or ask whoever looks after accounts.',
}

/** What a person is to be told beyond "wrong"; nothing when the name or the password is simply wrong. */
export function accountTrouble(message: string): Refusal | undefined {
  const code = /\bdata ([0-9a-f]{1,8})\b/i.exec(message)?.[1]?.toLowerCase()
  const detail = code === undefined ? undefined : words[code]
  return detail === undefined ? undefined : new Refusal('account_unusable', detail)
}
