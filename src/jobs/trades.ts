import { accrueCharges } from './accrue-charges.ts'
import { archiveMachine } from './archive-machine.ts'
import { captureMachine } from './capture-machine.ts'
import { controlMachine } from './control-machine.ts'
import { deleteMachine } from './delete-machine.ts'
import { deliverCopy, deliverNotice } from './deliver-notice.ts'
import {
  makeDesktop,
  resetDesktop,
  restDesktop,
  retireDesktop,
  storeDesktop,
  wakeDesktop,
} from './desktops.ts'
import { drainHost } from './drain-host.ts'
import { expireMachine } from './expire-machine.ts'
import { exportImage } from './export-image.ts'
import { importDisk } from './import-disk.ts'
import { migrateMachine } from './migrate-machine.ts'
import { observeHypervisors } from './observe-hypervisors.ts'
import { provisionMachine } from './provision-machine.ts'
import { rebalance } from './rebalance.ts'
import { redrawCards } from './redraw-cards.ts'
import { announceMachine, forgetMachine } from './register-machine.ts'
import { removeDisk } from './remove-disk.ts'
import { removeImage } from './remove-image.ts'
import { removeLeftover } from './remove-leftover.ts'
import { resizeMachine } from './resize-machine.ts'
import { restoreMachine } from './restore-machine.ts'
import { snapshotMachine } from './snapshot-machine.ts'
import type { Site } from '../operations/site.ts'
import type { Sweep } from './schedule.ts'
import { countDemand, refillPools, rollPools } from './tend-pools.ts'
import { sweepExpiry, sweepLeases, sweepRequests, tidyUp } from './sweeps.ts'
import type { Trades } from './trade.ts'

/** The only list of trades: a new kind of job is one file and one line. */
export const trades: Trades = {
  'provision-machine': provisionMachine,
  'control-machine': controlMachine,
  'resize-machine': resizeMachine,
  'snapshot-machine': snapshotMachine,
  'migrate-machine': migrateMachine,
  'capture-machine': captureMachine,
  'archive-machine': archiveMachine,
  'restore-machine': restoreMachine,
  'import-disk': importDisk,
  'export-image': exportImage,
  'remove-disk': removeDisk,
  'remove-image': removeImage,
  'drain-host': drainHost,
  rebalance,
  'remove-leftover': removeLeftover,
  'announce-address': announceMachine,
  'deregister-machine': forgetMachine,
  'delete-machine': deleteMachine,
  'expire-machine': expireMachine,
  'make-desktop': makeDesktop,
  'wake-desktop': wakeDesktop,
  'reset-desktop': resetDesktop,
  'rest-desktop': restDesktop,
  'store-desktop': storeDesktop,
  'retire-desktop': retireDesktop,
  'deliver-notice': deliverNotice,
  'deliver-copy': deliverCopy,
  'redraw-cards': redrawCards,
}

/** How often the world is looked at where nothing says that it has changed. */
export interface Pace {
  observeMillis: number
  tidyMillis: number
}

export const usualPace: Pace = { observeMillis: 15_000, tidyMillis: 600_000 }

/** What time causes. Made anew for each service, since some remember when they ran last. */
export function sweeps(site: Pick<Site, 'pools' | 'timezone'>, pace: Pace): Sweep[] {
  return [
    observeHypervisors(pace.observeMillis),
    sweepExpiry,
    sweepRequests,
    sweepLeases,
    accrueCharges(),
    countDemand(site),
    refillPools(site),
    rollPools(site),
    tidyUp(pace.tidyMillis),
  ]
}
