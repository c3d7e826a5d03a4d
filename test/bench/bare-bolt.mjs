// The peer: a Bolt app over HTTP that acknowledges a command and does nothing else.
import { App, ExpressReceiver, LogLevel } from '@slack/bolt'
import express from 'express'

const server = express()
const receiver = new ExpressReceiver({
  signingSecret: process.argv[3],
  app: server,
  endpoints: '/slack/events',
  logLevel: LogLevel.ERROR,
})
const app = new App({ receiver, authorize: async () => ({}), logLevel: LogLevel.ERROR })
app.command('/vm', async ({ ack }) => ack())
const listening = server.listen(Number(process.argv[2]), '127.0.0.1')
process.on('SIGTERM', () => listening.close(() => process.exit(0)).closeAllConnections())
