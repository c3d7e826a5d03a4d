// Opens the router in its thread for a desktop on the port given, and then does nothing but work for so many milliseconds
// when it is told to. Says the router's port, `busy`, and `idle` again.
const [target, millis] = process.argv.slice(2).map(Number)
const { openRouterApart } = await import('../../../dist/broker/router/apart.js')
const silent = () => undefined
const router = await openRouterApart({
  host: '127.0.0.1',
  port: 0,
  log: { debug: silent, info: silent, warn: silent, error: silent },
  now: Date.now,
  find: async () => ({ lease: 'L-1', target: { host: '127.0.0.1', port: target } }),
  connected: async () => undefined,
  disconnected: async () => undefined,
})
process.stdout.write(`${router.port}\n`)
process.stdin.once('data', () => {
  process.stdout.write('busy\n', () => {
    const end = Date.now() + millis
    while (Date.now() < end);
    process.stdout.write('idle\n')
  })
})
process.stdin.on('end', () => process.exit(0))
