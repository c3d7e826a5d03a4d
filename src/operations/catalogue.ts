import { approveRequest } from './approve-request.ts'
import { archiveMachine } from './archive-machine.ts'
import { cancelRequest } from './cancel-request.ts'
import { captureMachine } from './capture-machine.ts'
import { claimMachine } from './claim-machine.ts'
import { cloneMachine } from './clone-machine.ts'
import { closeSession } from './close-session.ts'
import { beginConnection, endConnection, forgetConnections, noteTraffic } from './connections.ts'
import {
  powerOffMachine,
  resetMachine,
  resumeMachine,
  saveMachine,
  shutdownMachine,
  startMachine,
} from './control-machine.ts'
import { collectionFile } from './collection-file.ts'
import { correctCharges } from './correct-charges.ts'
import { deleteMachine } from './delete-machine.ts'
import { denyRequest } from './deny-request.ts'
import { listDiskFiles, readDiskFile, removeDiskFile, storeDiskFile } from './disk-files.ts'
import { drainHost } from './drain-host.ts'
import { editRequest } from './edit-request.ts'
import { endLeaseNow } from './end-lease.ts'
import { explainPlacementOf } from './explain-placement.ts'
import { exportImage } from './export-image.ts'
import { extendLeaseTime } from './extend-lease.ts'
import { extendMachine } from './extend-machine.ts'
import { findAccount, findLink, noteAccount } from './find-link.ts'
import { findTerminal } from './find-terminal.ts'
import { findSession } from './find-session.ts'
import { importDisk } from './import-disk.ts'
import { importMachines } from './import-machines.ts'
import { letGoMachine } from './let-go-machine.ts'
import { confirmLink, listLinks, showLinkOffer, startLink, unlinkAccount } from './links.ts'
import { listAudit } from './list-audit.ts'
import { listHosts } from './list-hosts.ts'
import { listImages } from './list-images.ts'
import { listLeases } from './list-leases.ts'
import { listMachines } from './list-machines.ts'
import { listPools } from './list-pools.ts'
import { listPrices } from './list-prices.ts'
import { listRequests } from './list-requests.ts'
import { listTemplates } from './list-templates.ts'
import {
  closePool,
  discardDesktop,
  drainPool,
  listDesktops,
  reopenPool,
  resetDesktopAgain,
} from './manage-pools.ts'
import {
  enrolTerminal,
  importTerminals,
  listTerminals,
  orderTerminal,
  removeTerminal,
  sightTerminal,
} from './manage-terminals.ts'
import { terminalSession } from './terminal-session.ts'
import { makeQuote } from './make-quote.ts'
import { editMessage, listMessages, postMessage, showMessage } from './messages.ts'
import { migrateMachine } from './migrate-machine.ts'
import { checkConsole, enterConsole, openConsole } from './open-console.ts'
import { openDesktop } from './open-desktop.ts'
import { openSession } from './open-session.ts'
import type { Operation } from './operation.ts'
import { quoteExtension } from './quote-extension.ts'
import { quoteResize } from './quote-resize.ts'
import { quoteTransfer } from './quote-transfer.ts'
import { applyMoves, proposeMoves } from './rebalance.ts'
import { rememberCopy } from './remember-copy.ts'
import { removeImage } from './remove-image.ts'
import { removeLeftover } from './remove-leftover.ts'
import { requestMachine } from './request-machine.ts'
import { restoreMachine } from './restore-machine.ts'
import { resizeMachine } from './resize-machine.ts'
import { rollPool, stopRoll } from './roll-pool.ts'
import { openAtTerminal, routeConnection } from './route-connection.ts'
import { listBudgets, showBudget } from './show-budget.ts'
import { showCosts } from './show-costs.ts'
import { showFigures } from './show-figures.ts'
import { showJob } from './show-job.ts'
import { showLease } from './show-lease.ts'
import { showMachine } from './show-machine.ts'
import { showPool } from './show-pool.ts'
import { showRequest } from './show-request.ts'
import { showSession } from './show-session.ts'
import { showStatement } from './show-statement.ts'
import { returnHost } from './return-host.ts'
import { deleteSnapshot, revertSnapshot, takeSnapshot } from './snapshots.ts'
import { changeSettings, noteZone, showSettings } from './settings.ts'
import { changeKeys, listKeys } from './ssh-keys.ts'
import { snoozeReminder } from './snooze-reminder.ts'
import { transferMachine } from './transfer-machine.ts'
import { issueVoucher, noteOnce, redeemVoucher, siteKey } from './vouchers.ts'

/** Everything that can be done. A new verb is one file and one line here; every face reads this list. */
export const catalogue: readonly Operation[] = [
  openSession,
  showSession,
  closeSession,
  findSession,
  makeQuote,
  requestMachine,
  listRequests,
  showRequest,
  approveRequest,
  denyRequest,
  cancelRequest,
  editRequest,
  listMachines,
  importMachines,
  showMachine,
  claimMachine,
  quoteTransfer,
  transferMachine,
  startMachine,
  shutdownMachine,
  powerOffMachine,
  resetMachine,
  saveMachine,
  resumeMachine,
  quoteExtension,
  extendMachine,
  letGoMachine,
  snoozeReminder,
  quoteResize,
  resizeMachine,
  deleteMachine,
  takeSnapshot,
  revertSnapshot,
  deleteSnapshot,
  captureMachine,
  cloneMachine,
  archiveMachine,
  restoreMachine,
  listImages,
  removeImage,
  importDisk,
  exportImage,
  listDiskFiles,
  removeDiskFile,
  readDiskFile,
  storeDiskFile,
  migrateMachine,
  showFigures,
  openConsole,
  enterConsole,
  checkConsole,
  showJob,
  listHosts,
  explainPlacementOf,
  drainHost,
  returnHost,
  removeLeftover,
  proposeMoves,
  applyMoves,
  listTemplates,
  listPrices,
  listBudgets,
  showBudget,
  showStatement,
  showCosts,
  correctCharges,
  listPools,
  openDesktop,
  drainPool,
  closePool,
  reopenPool,
  showPool,
  rollPool,
  stopRoll,
  listDesktops,
  resetDesktopAgain,
  discardDesktop,
  collectionFile,
  findTerminal,
  listTerminals,
  enrolTerminal,
  importTerminals,
  removeTerminal,
  orderTerminal,
  sightTerminal,
  terminalSession,
  listLeases,
  showLease,
  extendLeaseTime,
  endLeaseNow,
  listAudit,
  routeConnection,
  openAtTerminal,
  beginConnection,
  endConnection,
  forgetConnections,
  noteTraffic,
  postMessage,
  editMessage,
  listMessages,
  showMessage,
  rememberCopy,
  showSettings,
  listKeys,
  changeKeys,
  changeSettings,
  noteZone,
  startLink,
  showLinkOffer,
  confirmLink,
  unlinkAccount,
  listLinks,
  findLink,
  noteAccount,
  findAccount,
  issueVoucher,
  redeemVoucher,
  noteOnce,
  siteKey,
]
