// Stands for desktops: one port sends as many megabytes as its argument says once it was asked, another sends back what
// comes after the first packet, a third hangs up on being asked. Prints the three ports.
import { Buffer } from 'node:buffer'
import { createServer } from 'node:net'

const megabytes = Number(process.argv[2])
const block = Buffer.alloc(1024 * 1024, 'x')

function send(socket) {
  let left = megabytes
  const more = () => {
    while (left > 0) {
      left -= 1
      if (!socket.write(block)) {
        socket.once('drain', more)
        return
      }
    }
    socket.end()
  }
  more()
}

function echo(socket, rest) {
  if (rest.length > 0) socket.write(rest)
  socket.on('data', (bytes) => socket.write(bytes))
}

/** The first packet, of the length that it says; what comes with it belongs to the session. */
function greeted(socket, answer) {
  let bytes = Buffer.alloc(0)
  socket.on('data', function read(chunk) {
    bytes = Buffer.concat([bytes, chunk])
    if (bytes.length < 4 || bytes.length < bytes.readUInt16BE(2)) return
    socket.off('data', read)
    answer(socket, bytes.subarray(bytes.readUInt16BE(2)))
  })
}

const ports = []
for (const answer of [send, echo, (socket) => socket.end('x')]) {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined)
    greeted(socket, answer)
  })
  server.listen(0, '127.0.0.1', 4096)
  await new Promise((resolve) => server.once('listening', resolve))
  ports.push(server.address().port)
}
console.log(ports.join(' '))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
