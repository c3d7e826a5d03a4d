import { type ErrorRequestHandler, Router } from 'express'
import { Refusal } from '../base/errors.ts'
import { assets } from './assets.ts'
import { live } from './live.ts'
import { apiDocs } from './pages/api-docs.tsx'
import { accountPages } from './pages/accounts.tsx'
import { auditPages } from './pages/audit.tsx'
import { budgetPages } from './pages/budgets.tsx'
import { consolePages } from './pages/console.tsx'
import { costPages } from './pages/costs.tsx'
import { desktopPages } from './pages/desktops.tsx'
import { hostPages } from './pages/hosts.tsx'
import { imagePages } from './pages/images-routes.tsx'
import { libraryPages } from './pages/library-routes.tsx'
import { machinePages } from './pages/machine-routes.tsx'
import { machineListPages } from './pages/machines.tsx'
import { orderPages } from './pages/order-routes.tsx'
import { placementPages } from './pages/placement.tsx'
import { poolCarePages } from './pages/pool-care.tsx'
import { pricePages } from './pages/prices.tsx'
import { rebalancePages } from './pages/rebalance.tsx'
import { requestPages } from './pages/requests.tsx'
import { keyPages } from './pages/keys.tsx'
import { settingsPages } from './pages/settings.tsx'
import { signInPages } from './pages/sign-in.tsx'
import { statementPages } from './pages/statement.tsx'
import { terminalListPages } from './pages/terminals.tsx'
import { terminalPages } from './pages/terminal-routes.tsx'
import { openPages, type Pages, sendTrouble } from './serve.tsx'
import { callerOf } from './session.ts'
import type { PortalServices } from './visit.ts'

const sections: readonly ((pages: Pages) => void)[] = [
  machineListPages,
  imagePages,
  libraryPages,
  consolePages,
  machinePages,
  orderPages,
  requestPages,
  budgetPages,
  costPages,
  statementPages,
  pricePages,
  desktopPages,
  hostPages,
  placementPages,
  rebalancePages,
  terminalListPages,
  poolCarePages,
  auditPages,
  accountPages,
  settingsPages,
  keyPages,
]

/** The pages for people, at `/`. They work as plain forms and links; with JavaScript they are live. */
export function portal(services: PortalServices): Router {
  const router = Router()
  router.use(assets())
  router.get('/events', live(services))
  router.use(signInPages(services))
  router.use(terminalPages(services))
  router.use(apiDocs(services))
  const pages = openPages(services)
  for (const section of sections) section(pages)
  router.use(pages.router)
  router.use(async (request, response, next) => {
    if (!request.accepts('html')) {
      next()
      return
    }
    const caller = await callerOf(request, services.callers)
    const missing = new Refusal('not_found', `There is no page ${request.path}.`)
    sendTrouble(services, request, response, missing, caller)
  })
  router.use(failure(services))
  return router
}

/** What went wrong before a page could say so, such as a form that is too large or a store that does not answer. */
function failure(services: PortalServices): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error)
      return
    }
    sendTrouble(services, request, response, error, null)
  }
}
