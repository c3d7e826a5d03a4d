import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { dropImage, usableImage } from './images.ts'
import { change } from './operation.ts'
import { anybody } from './rules.ts'

export const removeImage = change({
  name: 'remove-image',
  summary: 'Take an image out of the library. Machines that were made of it go on.',
  http: { method: 'DELETE', path: '/images/{name}', status: () => 202 },
  input: z.object({ name: z.string().max(40) }),
  output: z.object({ name: z.string() }),
  subject: ({ name }) => `image:${name}`,
  allow: anybody,
  async run(context, { name }) {
    const image = await usableImage(context, name)
    if (image.state === 'making') refuse('busy', `${name} is still being made. Wait until that is done.`)
    if (image.use === 'archive') {
      refuse(
        'wrong_state',
        `${name} holds ${image.from ?? 'a machine'}, which was put away. Restore or delete that one.`,
      )
    }
    await dropImage(context, name, context.caller.user)
    return { name }
  },
})
