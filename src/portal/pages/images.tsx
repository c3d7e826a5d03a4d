import type { Refusal } from '../../base/errors.ts'
import type { ImageView } from '../../operations/list-images.ts'
import type { DiskFileView } from '../../operations/disk-files.ts'
import { Cell, Done, Field, type Moment, State, Table, When } from '../parts.tsx'
import type { Fields } from '../visit.ts'
import type { StateWords } from '../words.ts'
import { Refused } from './trouble.tsx'

export interface ImagesProps {
  images: readonly ImageView[]
  /** Of whoever looks; null where the site keeps none. */
  files: readonly DiskFileView[] | null
  templates: readonly { name: string; title: string; kind: 'image' | 'empty' | 'import' }[]
  hypervisors: readonly string[]
  moment: Moment
  typed: Fields
  done?: string | undefined
  refusal?: Refusal | undefined
}

/** The disks that servers can be made of, and the files that they come from and go to. */
export function ImagesPage(props: ImagesProps) {
  const { files, done, refusal } = props
  return (
    <>
      <h1>Library</h1>
      <Refused refusal={refusal} />
      {done === undefined ? null : <Done>{done}</Done>}
      <Images {...props} />
      {files === null ? null : (
        <>
          <Files {...props} files={files} />
          {files.length === 0 ? null : <Import {...props} files={files} />}
          <Upload />
        </>
      )}
    </>
  )
}

const stateWords: Readonly<Record<ImageView['state'], StateWords>> = {
  making: { words: 'being made', tone: 'busy' },
  ready: { words: 'ready', tone: 'good' },
  failed: { words: 'could not be taken in', tone: 'bad' },
}

const useWords = {
  image: 'image',
  copies: 'for one request',
  archive: 'a machine that was put away',
} as const

function Images({ images, files, moment }: ImagesProps) {
  if (images.length === 0) {
    return (
      <p class="empty">
        There is no image of yours. Make one on the page of a machine, under “figures, snapshots, copies and
        the library”.
      </p>
    )
  }
  return (
    <Table caption="Images" columns={['Name', 'State', 'What it is', 'Size', 'Made', 'What to do']}>
      {images.map((image) => (
        <tr role="row" key={image.name}>
          <Cell label="Name">{image.name}</Cell>
          <Cell label="State">
            <State state={stateWords[image.state]} />
            {image.failure === null ? null : <small>{` ${image.failure}`}</small>}
          </Cell>
          <Cell label="What it is">{`${useWords[image.use]}, ${image.template}, from ${image.from ?? 'a file'}`}</Cell>
          <Cell label="Size">{image.sizeGb === null ? '' : `${image.sizeGb} GB`}</Cell>
          <Cell label="Made">
            <When at={image.createdAt} moment={moment} />
          </Cell>
          <Cell label="What to do">
            <ImageActions image={image} exports={files !== null} />
          </Cell>
        </tr>
      ))}
    </Table>
  )
}

function ImageActions({ image, exports }: { image: ImageView; exports: boolean }) {
  const at = `/library/${encodeURIComponent(image.name)}`
  return (
    <div class="actions">
      {image.state === 'ready' && exports ? (
        <form method="post" action={`${at}/export`} class="row">
          <div class="field">
            <select name="format" aria-label={`Format of ${image.name}`}>
              {['qcow2', 'vhd', 'vhdx'].map((format) => (
                <option value={format}>{format}</option>
              ))}
            </select>
          </div>
          <button type="submit" class="secondary">
            Export<span class="sr">{` ${image.name}`}</span>
          </button>
        </form>
      ) : null}
      {image.state === 'making' || image.use === 'archive' ? null : (
        <a href={`/library/image/${encodeURIComponent(image.name)}/delete`} role="button" class="secondary">
          Delete…<span class="sr">{` ${image.name}`}</span>
        </a>
      )}
    </div>
  )
}

function Files({ files, moment }: ImagesProps & { files: readonly DiskFileView[] }) {
  if (files.length === 0) {
    return (
      <section aria-labelledby="files">
        <h2 id="files">Your files</h2>
        <p class="empty">None so far. Images that you export are put here.</p>
      </section>
    )
  }
  return (
    <Table caption="Your files" columns={['Name', 'Size', 'Changed', 'What to do']}>
      {files.map(({ name, bytes, changedAt }) => (
        <tr role="row" key={name}>
          <Cell label="Name">{name}</Cell>
          <Cell label="Size">{sizeOf(bytes)}</Cell>
          <Cell label="Changed">
            <When at={changedAt} moment={moment} />
          </Cell>
          <Cell label="What to do">
            <div class="actions">
              <a href={`/api/v1/files/${encodeURIComponent(name)}/content`} role="button" class="secondary">
                Fetch<span class="sr">{` ${name}`}</span>
              </a>
              <a href={`/library/file/${encodeURIComponent(name)}/delete`} role="button" class="secondary">
                Delete…<span class="sr">{` ${name}`}</span>
              </a>
            </div>
          </Cell>
        </tr>
      ))}
    </Table>
  )
}

/** Too large for a form: its script sends it as it is, and shows how far it has come. */
function Upload() {
  return (
    <section aria-labelledby="upload-title" id="upload">
      <h2 id="upload-title">Send a file</h2>
      <noscript>
        <p class="help">This needs JavaScript, or a program: PUT the file to /api/v1/files/NAME.</p>
      </noscript>
      <div class="row">
        <div class="field">
          <label for="upload-file">A disk, as qcow2, VHD or VHDX</label>
          <input type="file" id="upload-file" accept=".qcow2,.vhd,.vhdx" />
        </div>
        <button type="button" id="upload-send" disabled>
          Send
        </button>
      </div>
      <progress id="upload-progress" max="1" value="0" aria-label="How much of it is sent" hidden></progress>
      <p id="upload-state" role="status"></p>
    </section>
  )
}

function Import({
  files,
  templates,
  hypervisors,
  typed,
  refusal,
}: ImagesProps & { files: readonly DiskFileView[] }) {
  const usual =
    templates.find(({ kind }) => kind === 'import') ?? templates.find(({ kind }) => kind === 'image')
  const chosen = typed.get('template') ?? usual?.name
  return (
    <section aria-labelledby="import">
      <h2 id="import">Make an image of a file</h2>
      <form method="post" action="/library/import">
        <div class="pair">
          <Field name="file" label="File" refusal={refusal}>
            {(attributes) => (
              <Choice names={files.map(({ name }) => name)} chosen={typed.get('file')} {...attributes} />
            )}
          </Field>
          <Field name="image" label="Name of the image" refusal={refusal} help="Empty: one is made up.">
            {(attributes) => <input maxLength={40} value={typed.get('image') ?? ''} {...attributes} />}
          </Field>
          <Field name="template" label="Same system as" refusal={refusal}>
            {(attributes) => (
              <Choice names={templates.map(({ name }) => name)} chosen={chosen} {...attributes} />
            )}
          </Field>
          {hypervisors.length < 2 ? null : (
            <Field name="hypervisor" label="On" refusal={refusal}>
              {(attributes) => (
                <Choice names={hypervisors} chosen={typed.get('hypervisor')} {...attributes} />
              )}
            </Field>
          )}
        </div>
        <button type="submit">Take it in</button>
      </form>
    </section>
  )
}

function Choice({
  names,
  chosen,
  ...attributes
}: {
  names: readonly string[]
  chosen: string | undefined
} & Record<string, unknown>) {
  return (
    <select required {...attributes}>
      {names.map((name) => (
        <option value={name} selected={name === chosen}>
          {name}
        </option>
      ))}
    </select>
  )
}

function sizeOf(bytes: number): string {
  const [amount, unit] =
    bytes < 1e6 ? [bytes / 1e3, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB']
  return `${Math.ceil(amount * 10) / 10} ${unit}`
}

/** The page that asks before a disk is gone. */
export function ConfirmRemoval({ what, name }: { what: 'image' | 'file'; name: string }) {
  return (
    <article class="confirm">
      <h1>{`Delete ${name}?`}</h1>
      <p>
        {what === 'image'
          ? 'It is taken out of the library. Machines that were made of it go on.'
          : 'The file is gone for good. Images that were made of it stay.'}
      </p>
      <form method="post" action={`/library/${what}/${encodeURIComponent(name)}/delete`} class="actions">
        <button type="submit" class="danger">
          Delete
        </button>
        <a href="/library" role="button" class="secondary">
          Leave it as it is
        </a>
      </form>
    </article>
  )
}
