import type { RequestHandler } from 'express'
import helmet from 'helmet'

/**
 * What browsers may do with our pages: load only what is ours, run nothing that stands in a page, be framed by nobody.
 * The referrer goes to ourselves only, but does go there: browsers without `Origin` prove by it where a form came from,
 * and without it the others would send `Origin: null`.
 */
export function pageSecurity(site: { publicUrl: string }): RequestHandler {
  const secure = site.publicUrl.startsWith('https:')
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // The style sheet of Pico draws its arrows and ticks with data: images.
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  })
}
