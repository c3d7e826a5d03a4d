// The router's thread, which ends without a word when it is told of a lease called `break`.
import { parentPort } from 'node:worker_threads'

// First: whoever listens first gets what was sent so far.
await import('../../../dist/broker/router/thread.js')
parentPort.on('message', ({ name, input }) => {
  if (name === 'limit' && input.lease === 'break') process.exit(1)
})
