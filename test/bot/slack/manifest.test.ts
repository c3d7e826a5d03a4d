import type { webApi } from '@slack/bolt'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { manifestText, scopesFor, slackManifest } from '../../../bot/slack/manifest.ts'
import { slackManifestOf } from '../../../src/cli/slack-manifest.ts'

const site = { name: 'CERN Virtual Infrastructure', publicUrl: 'https://jackdaw.example.org' }

/** What `apps.manifest.validate` takes, as Slack's own client declares it. */
type Manifest = Exclude<webApi.AppsManifestValidateArguments['manifest'], string>

describe('the manifest', () => {
  test('is one that Slack’s own client takes, within its lengths', () => {
    const manifest: Manifest = slackManifest({ mode: 'http' }, site)

    const { display_information: shown, features } = manifest
    expect(shown.name.length).toBeLessThanOrEqual(35)
    expect(shown.description?.length).toBeLessThanOrEqual(140)
    expect(shown.long_description?.length).toBeGreaterThanOrEqual(174)
    expect(shown.long_description?.length).toBeLessThanOrEqual(4000)
    for (const command of features?.slash_commands ?? []) {
      expect(command.command.length).toBeLessThanOrEqual(32)
      expect(command.usage_hint?.length).toBeLessThanOrEqual(1000)
      expect(command.should_escape).toBe(true)
    }
  })

  test('names our address for everything that Slack calls, over HTTP', () => {
    const text = manifestText({ mode: 'http' }, site, 'json')

    expect(text.match(/https:\/\/jackdaw\.example\.org\/slack\/events/g)).toHaveLength(4)
  })

  test('names no address in Socket Mode, since nothing of ours is called', () => {
    const text = manifestText({ mode: 'socket' }, site, 'yaml')

    expect(text).not.toContain('jackdaw.example.org')
    expect(parse(text)).toEqual(slackManifest({ mode: 'socket' }, site))
    expect(parse(text)).toMatchObject({ settings: { socket_mode_enabled: true } })
  })

  test('asks for channels only where the site has one', () => {
    expect(scopesFor({}).filter((scope) => /channels|groups/.test(scope))).toEqual([])
    expect(scopesFor({ channel: 'servers' })).toContain('channels:read')
  })

  test('is printed before there is any token', async () => {
    const text = await slackManifestOf(undefined, {}, 'json')

    expect(JSON.parse(text)).toMatchObject({ display_information: { name: 'Jackdaw' } })
  })
})
