import { confirmLink, listLinks, showLinkOffer, unlinkAccount } from '../../operations/links.ts'
import { type Moment, Table, Cell } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { localTime } from '../times.ts'
import { attempt, type Visit } from '../visit.ts'
import { Refused } from './trouble.tsx'

const platformNames = { slack: 'Slack', mattermost: 'Mattermost' } as const
type Platform = keyof typeof platformNames

/** Which chat accounts are somebody's: a link from chat is confirmed here, after signing in. */
export function accountPages(pages: Pages): void {
  pages.get('/accounts', (visit) => accountsPage(visit))
  pages.post('/accounts/unlink', async (visit) => {
    const platform = visit.form.get('platform') === 'mattermost' ? 'mattermost' : 'slack'
    await visit.perform(unlinkAccount, { platform, account: visit.form.get('account') ?? '' })
    return { redirect: '/accounts' }
  })
  pages.get('/accounts/link/:token', (visit) => offerPage(visit))
  pages.post('/accounts/link/:token', async (visit) => {
    const outcome = await attempt(() => visit.perform(confirmLink, { token: visit.param('token') }))
    return 'done' in outcome ? { redirect: '/accounts' } : offerPage(visit)
  })
}

interface AccountView {
  platform: Platform
  account: string
  name: string
  how: 'confirmed' | 'directory' | 'email'
  at: string
}

async function accountsPage(visit: Visit) {
  const { items } = await visit.perform(listLinks, {})
  const moment = { now: visit.now, zone: visit.site.timezone }
  const body = (
    <>
      <h1>Chat accounts</h1>
      <p>Whoever writes from one of these accounts acts as you.</p>
      <Accounts items={items} moment={moment} />
    </>
  )
  return { title: 'Chat accounts', current: '/accounts', body }
}

const hows = {
  confirmed: 'you confirmed it',
  directory: 'the directory says so',
  email: 'it has your e-mail address',
} as const

function Accounts({ items, moment }: { items: readonly AccountView[]; moment: Moment }) {
  if (items.length === 0) {
    return (
      <p class="empty">
        No chat account is linked to you. Say anything to the bot in chat, and it sends you a link.
      </p>
    )
  }
  return (
    <Table caption="Chat accounts that are yours" columns={['Platform', 'Account', 'Since', 'Why', '']}>
      {items.map(({ platform, account, name, how, at }) => (
        <tr role="row">
          <Cell label="Platform">{platformNames[platform]}</Cell>
          <Cell label="Account">
            {name} <small>{account}</small>
          </Cell>
          <Cell label="Since">
            <time dateTime={at}>{localTime(at, moment.zone)}</time>
          </Cell>
          <Cell label="Why">{hows[how]}</Cell>
          <Cell label="">
            <form method="post" action="/accounts/unlink">
              <input type="hidden" name="platform" value={platform} />
              <input type="hidden" name="account" value={account} />
              <button type="submit" class="plain">
                {`Unlink ${name}`}
              </button>
            </form>
          </Cell>
        </tr>
      ))}
    </Table>
  )
}

async function offerPage(visit: Visit) {
  const outcome = await attempt(() => visit.perform(showLinkOffer, { token: visit.param('token') }))
  const body =
    'refusal' in outcome ? (
      <>
        <h1>Link a chat account</h1>
        <Refused refusal={outcome.refusal} />
      </>
    ) : (
      <Offer {...outcome.done} visit={visit} />
    )
  const status = 'refusal' in outcome ? { status: 404 } : {}
  return { title: 'Link a chat account', current: '/accounts', body, ...status }
}

interface OfferProps {
  account: { platform: Platform; id: string; name: string; email: string | null }
  linkedTo: string | null
  expiresAt: string
  visit: Visit
}

/** It says whose account it is, since somebody else may have sent the link on: then it must not be confirmed. */
function Offer({ account, linkedTo, expiresAt, visit }: OfferProps) {
  const { caller, site } = visit
  const platform = platformNames[account.platform]
  return (
    <>
      <h1>{`Is this your ${platform} account?`}</h1>
      <dl class="facts">
        <div>
          <dt>Account</dt>
          <dd>
            {account.name} <small>{account.id}</small>
          </dd>
        </div>
        {account.email === null ? null : (
          <div>
            <dt>E-mail</dt>
            <dd>{account.email}</dd>
          </div>
        )}
        <div>
          <dt>You are</dt>
          <dd>
            {caller.name} <small>{caller.user}</small>
          </dd>
        </div>
      </dl>
      <p>
        Whoever writes from this account will then act as you: request, approve and delete. Confirm only when
        you asked the bot for this link yourself, in {platform}, just now. If somebody sent it to you, close
        this page.
      </p>
      {linkedTo === null || linkedTo === caller.user ? null : (
        <p>
          <strong>{`It is linked to ${linkedTo} at present; that ends when you confirm.`}</strong>
        </p>
      )}
      <form method="post" action={`/accounts/link/${encodeURIComponent(visit.param('token'))}`}>
        <button type="submit">{`This is my account`}</button>
      </form>
      <p>
        <small>{`The link counts once, until ${localTime(expiresAt, site.timezone)}.`}</small>
      </p>
    </>
  )
}
