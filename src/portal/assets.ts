import express, { Router } from 'express'
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { z } from 'zod'
import { packagePath } from '../base/package-root.ts'
import { fingerprint } from '../base/seal.ts'

/** Everything that our pages load, by the name under `/assets`. Nothing comes from another site. */
const sources = {
  'pico.css': ['node_modules', '@picocss', 'pico', 'css', 'pico.min.css'],
  'htmx.js': ['node_modules', 'htmx.org', 'dist', 'htmx.min.js'],
  'hx-sse.js': ['node_modules', 'htmx.org', 'dist', 'ext', 'hx-sse.min.js'],
  'jackdaw.css': ['src', 'portal', 'assets', 'jackdaw.css'],
  'console.css': ['src', 'portal', 'assets', 'console.css'],
  'console.js': ['src', 'portal', 'assets', 'console.js'],
  'upload.js': ['src', 'portal', 'assets', 'upload.js'],
  'xterm.css': ['node_modules', '@xterm', 'xterm', 'css', 'xterm.css'],
  'xterm.mjs': ['node_modules', '@xterm', 'xterm', 'lib', 'xterm.mjs'],
  'terminal.css': ['src', 'portal', 'assets', 'terminal.css'],
  'jackdaw.svg': ['src', 'portal', 'assets', 'jackdaw.svg'],
} as const
export type AssetName = keyof typeof sources

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

interface Asset {
  content: Buffer
  version: string
}

const read = new Map<string, Asset>()

function assetOf(name: string, source: readonly string[]): Asset {
  const known = read.get(name)
  if (known !== undefined) return known
  const content = readFileSync(packagePath(...source))
  const asset = { content, version: fingerprint(content.toString('latin1')).slice(0, 10) }
  read.set(name, asset)
  return asset
}

/** Where a browser finds an asset. The address changes with the content, so that it may be kept for good. */
export function assetUrl(name: AssetName): string {
  return `/assets/${name}?v=${assetOf(name, sources[name]).version}`
}

/**
 * noVNC is modules that name each other by where they lie, so its folder is served as it is. Of it `core` and `vendor` are
 * code for browsers.
 */
const novncVersion = z
  .object({ version: z.string() })
  .parse(
    JSON.parse(readFileSync(packagePath('node_modules', '@novnc', 'novnc', 'package.json'), 'utf8')),
  ).version
const novncAt = `/assets/novnc-${novncVersion}`

/** Where a browser finds noVNC. */
export const novncUrl = `${novncAt}/core/rfb.js`

/** Serves `/assets`. */
export function assets(): Router {
  const router = Router()
  for (const part of ['core', 'vendor']) {
    const folder = packagePath('node_modules', '@novnc', 'novnc', part)
    router.use(`${novncAt}/${part}`, express.static(folder, { immutable: true, maxAge: '1y', index: false }))
  }
  for (const [name, source] of Object.entries(sources)) {
    const { content, version } = assetOf(name, source)
    router.get(`/assets/${name}`, (request, response) => {
      const current = request.query.v === version
      response.setHeader(
        'Cache-Control',
        current ? 'public, max-age=31536000, immutable' : 'public, max-age=300',
      )
      response.setHeader('Content-Type', types[extname(name)] ?? 'application/octet-stream')
      response.end(content)
    })
  }
  return router
}
