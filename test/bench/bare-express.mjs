// The peer: an Express handler that reads a JSON body and answers with one, and does nothing else.
import express from 'express'

const app = express()
app.use(express.json())
app.post('/', (request, response) => {
  response.json({ ok: true })
})
const server = app.listen(Number(process.argv[2]), '127.0.0.1')
process.on('SIGTERM', () => server.close(() => process.exit(0)).closeAllConnections())
