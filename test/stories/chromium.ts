import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { StorySite } from './site.ts'

/**
 * A window in which somebody goes to a page and signs in on the way. What the page complains about is kept, a breach of
 * the content policy included.
 */
export async function signedInAt(
  { browser, site, complaints }: { browser: Browser; site: StorySite; complaints: string[] },
  user: string,
  path: string,
  look: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...look })
  const page = await context.newPage()
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${site.url}${path}`)
  await page.getByLabel('User name').fill(user)
  await page.getByLabel('Password').fill(user)
  await page.getByRole('button', { name: 'Sign in' }).click()
  return page
}
