import { claimRows } from './claims.ts'
import { desktopRows } from './desktops.ts'
import { libvirtRows } from './libvirt.ts'
import { print, type Row } from './measure.ts'
import { farmRows } from './farm.ts'
import { placementRows } from './placement.ts'
import { postgresRows } from './postgres.ts'
import { pricingRows, pricingYearRows } from './pricing.ts'
import { routerRows } from './router.ts'
import { slackRows } from './slack.ts'
import { stateRows } from './state.ts'
import { stormRows } from './storms.ts'
import { storeRows } from './store.ts'

/** Every part of the bench by name: `npm run bench`, or `npm run bench -- store` for one part. */
const parts: Readonly<Record<string, () => Promise<Row[]>>> = {
  store: async () => [...(await storeRows()), ...(await postgresRows())],
  state: stateRows,
  claims: claimRows,
  desktops: desktopRows,
  storms: stormRows,
  placement: placementRows,
  farm: farmRows,
  pricing: pricingRows,
  router: routerRows,
  slack: slackRows,
}

/** Parts that take long, and are run only when they are asked for. */
const longParts: Readonly<Record<string, () => Promise<Row[]>>> = {
  'pricing-year': pricingYearRows,
  libvirt: libvirtRows,
}

const wanted = process.argv.slice(2)
const known = { ...parts, ...longParts }
const unknown = wanted.filter((name) => !(name in known))
if (unknown.length > 0) {
  process.stderr.write(
    `There is no part ${unknown.join(', ')}. There are ${Object.keys(known).join(', ')}.\n`,
  )
  process.exitCode = 2
} else {
  process.stdout.write('Ratios, median (lowest to highest round); other work on the machine moves them.\n')
  for (const [name, rows] of Object.entries(wanted.length === 0 ? parts : known)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    for (const row of await rows()) print(row)
  }
}
