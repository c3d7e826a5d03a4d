// The router as built, in a process of its own: `msts=LABEL` leads to the desktop on the port that stands beside the label.
// Arguments: the built listener, then `LABEL=PORT`. Prints its port; for each line on standard input, what it has used.
const [listener, ...routes] = process.argv.slice(2)
const { openRouter } = await import(listener)
const known = new Map(routes.map((route) => route.split('=')))
const silent = () => undefined
const router = await openRouter({
  host: '127.0.0.1',
  port: 0,
  log: { debug: silent, info: silent, warn: silent, error: silent },
  now: Date.now,
  find: async ({ routingToken }) => {
    const label = routingToken.slice('Cookie: msts='.length)
    return { lease: label, target: { host: '127.0.0.1', port: Number(known.get(label)) } }
  },
  connected: async () => undefined,
  disconnected: async () => undefined,
})
console.log(router.port)
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
