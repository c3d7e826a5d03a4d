import { Router } from 'express'
import { z } from 'zod'
import { send, sendTrouble } from '../serve.tsx'
import { callerOf } from '../session.ts'
import type { PortalServices } from '../visit.ts'
import { type Call, type FieldRow, readCalls } from './api-reading.ts'

/** `/api/docs`: what the OpenAPI document says, for people. Open to everybody, like the document. */
export function apiDocs(services: PortalServices): Router {
  const calls = readCalls(services.openapi)
  const about = aboutOf(services.openapi)
  const router = Router()
  router.get('/api/docs', async (request, response) => {
    try {
      const person = await callerOf(request, services.callers)
      const body = <ApiDocs calls={calls} about={about} server={`${services.site.publicUrl}/api/v1`} />
      send(services, response, person, { title: 'API', current: '/api/docs', body })
    } catch (error) {
      sendTrouble(services, request, response, error, null)
    }
  })
  return router
}

function aboutOf(openapi: object): string {
  const parsed = z.object({ info: z.object({ description: z.string() }) }).safeParse(openapi)
  return parsed.success ? parsed.data.info.description : ''
}

function ApiDocs({ calls, about, server }: { calls: readonly Call[]; about: string; server: string }) {
  const groups = [...new Set(calls.map(({ group }) => group))]
  return (
    <>
      <h1>API</h1>
      <p class="lead">{about.replaceAll('`', '')}</p>
      <p>
        The same as data: <a href="/api/openapi.json">openapi.json</a>. Sign in with{' '}
        <code>Authorization: Bearer TOKEN</code>, where the token comes from <code>POST /session</code>, or
        with HTTP Basic. Every POST takes an <code>Idempotency-Key</code>. Errors are{' '}
        <code>application/problem+json</code> (RFC 9457) with a stable <code>code</code>.
      </p>
      <nav aria-label="Calls" class="toc">
        <ul>
          {groups.map((group) => (
            <li>
              <a href={`#group-${group}`}>{group}</a>
            </li>
          ))}
        </ul>
      </nav>
      {groups.map((group) => (
        <section id={`group-${group}`} aria-label={group}>
          <h2>{group}</h2>
          {calls
            .filter((call) => call.group === group)
            .map((call) => (
              <Described call={call} server={server} />
            ))}
        </section>
      ))}
    </>
  )
}

function Described({ call, server }: { call: Call; server: string }) {
  const { id, method, path, summary, fields, answers } = call
  return (
    <details class="call" id={id}>
      <summary>
        <code class={`method ${method}`}>{method.toUpperCase()}</code> <code>{path}</code>{' '}
        <span>{summary}</span>
      </summary>
      {fields.length === 0 ? <p>It takes nothing.</p> : <Fields fields={fields} />}
      <pre tabIndex={0} aria-label="Example">
        <code>{curlOf(call, server)}</code>
      </pre>
      <h3>Answers</h3>
      <ul>
        {answers.map(({ status, description, types, fields: inside }) => (
          <li>
            <strong>{status}</strong> {description} <small>{types.join(', ')}</small>
            {inside.length === 0 ? null : (
              <code class="shape">{inside.map(({ name }) => name).join(', ')}</code>
            )}
          </li>
        ))}
      </ul>
    </details>
  )
}

function Fields({ fields }: { fields: readonly FieldRow[] }) {
  return (
    <div class="table">
      <table>
        <caption class="sr">Input</caption>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Where</th>
            <th scope="col">Type</th>
            <th scope="col">Required</th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ name, where, type, required }) => (
            <tr>
              <td>
                <code>{name}</code>
              </td>
              <td>{where}</td>
              <td>{type}</td>
              <td>{required ? 'yes' : 'no'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The call on a command line: what is required, as a reader would have to fill it in. */
export function curlOf({ method, path, fields, open }: Call, server: string): string {
  const inBody = fields.filter(({ where }) => where === 'body')
  const shown = inBody.some(({ required }) => required)
    ? inBody.filter(({ required }) => required)
    : inBody.slice(0, 2)
  const body = Object.fromEntries(shown.map(({ name, type }) => [name, sampleOf(type)]))
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())
  return [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} ${server}${address}`,
    ...(open ? [] : [`-H 'Authorization: Bearer TOKEN'`]),
    ...(shown.length === 0 ? [] : [`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(body)}'`]),
  ].join(' \\\n  ')
}

function sampleOf(type: string): unknown {
  if (/^(integer|number)/.test(type)) return 1
  if (type.startsWith('list')) return []
  if (type.startsWith('object')) return {}
  return type.startsWith('true') ? true : '…'
}
