// The peer: Hubot with a listener for each verb. Told to, it hears lines, one after the other, and says how fast.
import { performance } from 'node:perf_hooks'
import { Adapter, Robot, TextMessage, User } from 'hubot'

const robot = new Robot(null, false, 'jackdaw')
robot.adapter = new Adapter(robot)
const user = new User('1', { name: 'alice', room: 'servers' })
let heard = 0

process.on('message', async ({ verbs, lines, calls }) => {
  if (robot.listeners.length === 0) {
    for (const verb of verbs) robot.respond(new RegExp(`${verb}( .*)?$`, 'i'), () => (heard += 1))
  }
  heard = 0
  const start = performance.now()
  for (let call = 0; call < calls; call++) {
    await robot.receive(new TextMessage(user, `jackdaw ${lines[call % lines.length]}`, '1'))
  }
  process.send({ perSecond: calls / ((performance.now() - start) / 1000), heard })
})
