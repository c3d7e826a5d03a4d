import type { Instant } from '../../src/base/clock.ts'
import { element, xmlDeclaration } from '../../src/base/xml.ts'

/** Versions of the feed (MS-TSWP 2.2.2). What does not ask for one gets 1.1. */
export const feedVersions = ['1.1', '2.0', '2.1'] as const
export type FeedVersion = (typeof feedVersions)[number]

export interface FeedFacts {
  site: { name: string; publicUrl: string }
  pools: readonly { name: string; title: string }[]
  /** What the feed was made at; it says so itself. */
  now: Instant
}

/** Where each thing of the feed is, from the site's own address. Clients take addresses from the feed alone. */
export const feedPaths = {
  feed: '/RDWeb/Feed/webfeed.aspx',
  login: '/RDWeb/FeedLogin/WebFeedLogin.aspx',
  reconnect: '/RDWeb/Feed/rdwebservice.asmx',
  file: (pool: string) => `/RDWeb/Feed/rdp/${encodeURIComponent(pool)}.rdp`,
  icon: (name: string) => `/RDWeb/Feed/icons/${name}`,
} as const

/** Sizes of the icon that a feed lists after the one for Windows. */
export const iconSizes = [16, 32, 48, 64, 100, 256] as const

const namespace = 'http://schemas.microsoft.com/ts/2007/05/tswf'

/** Which version a client asks for in `Accept: application/x-msts-radc+xml; radc_schema_version=2.0`, as its type says. */
export function askedVersion(accept: string | undefined): FeedVersion {
  const asked = /application\/x-msts-radc\+xml\s*;\s*radc_schema_version\s*=\s*"?([\d.]+)/i.exec(
    accept ?? '',
  )?.[1]
  return feedVersions.find((version) => version === asked && version !== '1.1') ?? '1.1'
}

export function feedType(version: FeedVersion): string {
  return version === '1.1' ? 'text/xml; charset=utf-8' : 'application/x-msts-radc+xml; charset=utf-8'
}

/**
 * The desktops that somebody may open, as Windows' RemoteApp and Desktop Connections, Windows App and thin clients read
 * them (MS-TSWP 2.2.2). Ids are made of the site's address and the pool's name, so they outlive everything else.
 */
export function webFeed({ site, pools, now }: FeedFacts, version: FeedVersion): string {
  const day = `${now.slice(0, 10)}T00:00:00Z`
  const host = new URL(site.publicUrl).hostname
  const reconnects: Record<string, string> = version === '1.1' ? {} : { SupportsReconnect: 'true' }
  const resources = pools.map((pool) => resourceOf({ pool, host, day, version, url: site.publicUrl }))
  const server = element('TerminalServer', { ID: host, Name: host, LastUpdated: day })
  const publisher = element(
    'Publisher',
    { LastUpdated: day, Name: site.name, ID: host, Description: '', ...reconnects },
    version === '1.1' ? '' : element('SubFolders', {}),
    element('Resources', {}, resources),
    element('TerminalServers', {}, server),
  )
  const collection = {
    PubDate: `${now.slice(0, 19)}Z`,
    SchemaVersion: version,
    ...reconnects,
    xmlns: namespace,
  }
  return `${xmlDeclaration}${element('ResourceCollection', collection, publisher)}\r\n`
}

interface ResourceFacts {
  pool: { name: string; title: string }
  host: string
  day: string
  version: FeedVersion
  url: string
}

function resourceOf({ pool, host, day, version, url }: ResourceFacts): string {
  const folders = version === '1.1' ? '' : element('Folders', {}, element('Folder', { Name: '/' }))
  return element(
    'Resource',
    {
      ID: `${host}-${pool.name}`,
      Alias: pool.name,
      Title: pool.title,
      LastUpdated: day,
      Type: 'Desktop',
      ...(version === '2.1' ? { ShowByDefault: 'True' } : {}),
    },
    element('Icons', {}, icons(url)),
    element('FileExtensions', {}),
    folders,
    element(
      'HostingTerminalServers',
      {},
      element(
        'HostingTerminalServer',
        {},
        element('ResourceFile', { FileExtension: '.rdp', URL: `${url}${feedPaths.file(pool.name)}` }),
        element('TerminalServerRef', { Ref: host }),
      ),
    ),
  )
}

function icons(url: string): string[] {
  const windows = element('IconRaw', { FileType: 'Ico', FileURL: `${url}${feedPaths.icon('desktop.ico')}` })
  const others = iconSizes.map((size) =>
    element(`Icon${size}`, {
      Dimensions: `${size}x${size}`,
      FileType: 'Png',
      FileURL: `${url}${feedPaths.icon(`desktop-${size}.png`)}`,
    }),
  )
  return [windows, ...others]
}
