import { createHash } from 'node:crypto'
import { vi } from 'vitest'
import { plusMillis } from '../../src/base/clock.ts'
import { messageOf, Outage } from '../../src/base/errors.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { day, hour, minute } from '../operations/core.ts'
import { seeded } from '../torture/random.ts'
import { Stuck } from './agenda.ts'
import { pictureOf, rowsOf, rowsWrong, unsettled, wrongsOf } from './invariants.ts'
import { type Model, openModel } from './model.ts'
import { type Deed, type Files, somebodyActs } from './people.ts'
import { openService, type Service } from './service.ts'
import { simulatedSite } from './site.ts'
import { fair, openWorld, type World } from './world.ts'

/** How the life of a site went under one seed. */
export interface Life {
  seed: number
  /** What happened, line by line. */
  trace: string[]
  /** Of the trace and of everything that the site had at its end. */
  hash: string
  /** What went wrong, in words; nothing when all was well. */
  wrongs: string[]
}

const steps = 22

const hosts = ['host1', 'host2', 'host3'] as const

/** Days before a change of clocks, the end of a month, of a quarter and of a year. */
const starts = ['2026-10-12', '2026-10-20', '2026-12-21', '2027-02-15', '2027-03-20', '2026-06-22'] as const

/** Some weeks of a site under one seed, with people, faults and crashes, and then some days of peace. */
export async function live(seed: number, say: (line: string) => void = () => undefined): Promise<Life> {
  const random = seeded(seed)
  const start = `${random.pick(starts)}T${String(random.below(24)).padStart(2, '0')}:17:00.000Z`
  const world = await openWorld(simulatedSite(), start, random)
  const deadlines = vi
    .spyOn(AbortSignal, 'timeout')
    .mockImplementation((amount) => world.agenda.deadline(world.process, amount))
  const site = new Site(world, say)
  try {
    await site.open()
    for (let step = 0; step < steps && site.wrongs.length === 0; step++) await site.step(step)
    if (site.wrongs.length === 0) await site.settle()
  } catch (error) {
    if (!(error instanceof Stuck)) throw error
    site.wrongs.push(`stuck: ${error.message}`)
  } finally {
    deadlines.mockRestore()
  }
  const hash = createHash('sha256').update(site.trace.join('\n')).digest('hex')
  return { seed, hash, trace: site.trace, wrongs: site.wrongs }
}

class Site {
  readonly trace: string[] = []
  readonly wrongs: string[] = []
  readonly #world: World
  readonly #say: (line: string) => void
  readonly #model: Model = openModel()
  readonly #files: Files = new Map()
  readonly #log: Log
  #service: Service | undefined

  constructor(world: World, say: (line: string) => void) {
    this.#world = world
    this.#say = say
    this.#log = this.#watching()
  }

  /** Opens the service, however often the world makes it fail. */
  async open(): Promise<void> {
    const { agenda, disk } = this.#world
    for (let attempt = 1; this.#service === undefined; attempt++) {
      try {
        this.#service = await agenda.until(openService(this.#world, this.#log))
      } catch (error) {
        if (!(error instanceof Outage) || attempt > 50) throw error
        this.#tell(`it does not start: ${error.message}`)
        disk.kill()
        await agenda.drop(this.#world.process)
        if (attempt > 5) this.#world.weather = fair
      }
    }
    this.#tell(`process ${this.#service.process} is up`)
  }

  async step(step: number): Promise<void> {
    const { random } = this.#world
    const roll = random.next()
    this.#turnWeather()
    this.#recover()
    if (roll < 0.1) await this.#strike()
    const deeds = await this.#begin(1 + random.below(3))
    if (random.next() < 0.06) await this.#crash(random.below(30))
    else await this.#finish(deeds)
    if (random.next() < 0.75) await this.pass(this.#someTime())
    await this.check(step % 10 === 9)
  }

  /** Faults stop and time passes: everything comes to rest. */
  async settle(): Promise<void> {
    const world = this.#world
    world.weather = fair
    world.platform.away.clear()
    for (const host of hosts) world.farm.setHost(host, { reachable: true })
    this.#tell('peace')
    for (let each = 0; each < 4; each++) await this.pass(12 * hour)
    await this.#clearAway()
    // Whatever began at the very last moment.
    for (let each = 0; each < 6 && (await this.#isBusy()); each++) await this.pass(10 * minute)
    await this.check(true)
    if (this.wrongs.length > 0) return
    const picture = await this.#reading(pictureOf(this.#up().store))
    this.wrongs.push(...unsettled({ picture, model: this.#model, world }, await world.farmRefs()))
    this.#tell(createHash('sha256').update(JSON.stringify(picture)).digest('hex'))
  }

  async #isBusy(): Promise<boolean> {
    const { jobs } = await this.#reading(pictureOf(this.#up().store))
    return jobs.some(
      ({ state, dueAt }) => state === 'running' || (state === 'queued' && dueAt <= this.#world.now()),
    )
  }

  /** What could not be removed, operators were told of: they have it removed now. */
  async #clearAway(): Promise<void> {
    const { store, operations, as } = this.#up()
    const { machines } = await this.#reading(pictureOf(store))
    const left = machines.filter(
      ({ ref, state }) => state === 'failed' && this.#world.farm.machine(ref) !== undefined,
    )
    for (const { id: name } of left) {
      this.#tell(`olga clears ${name} away`)
      await this.#reading(operations.perform(deleteMachine, await as('olga'), { name }))
    }
    await this.pass(hour)
  }

  async pass(amount: number): Promise<void> {
    const { agenda, random } = this.#world
    const end = plusMillis(this.#world.now(), amount)
    this.#tell(`${Math.round(amount / minute)} min pass`)
    for (let stops = 0; ; stops++) {
      const due = await this.#work()
      if (random.next() < 0.004) {
        await this.#crash(random.below(20))
        continue
      }
      const next = [due, agenda.next()].filter((at) => at !== null).sort()[0]
      if (next === undefined || next > end) break
      // What is due again and again is looked at less often as time goes on, as if nobody had come earlier.
      const soonest = plusMillis(this.#world.now(), stops < 30 ? 0 : amount / 15)
      await agenda.advance(next > soonest ? next : soonest < end ? soonest : end)
    }
    await agenda.advance(end)
    await this.#work()
  }

  async check(alsoRows: boolean): Promise<void> {
    const world = this.#world
    const store = this.#up().store
    const look = { picture: await this.#reading(pictureOf(store)), model: this.#model, world }
    this.wrongs.push(...wrongsOf(look))
    if (alsoRows) this.wrongs.push(...rowsWrong(await this.#reading(rowsOf(store)), look))
  }

  /** Does what is due, and gives back when something is due next. */
  async #work(): Promise<string | null> {
    const { agenda } = this.#world
    const { runner } = this.#up()
    try {
      for (;;) {
        const busy = await agenda.until(runner.begin())
        if ((await agenda.calm()) === 0 && !busy) break
      }
      const due = await agenda.until(runner.nextDue())
      if (due === null || due > this.#world.now()) return due
      // What is due waits for something that goes on.
      return agenda.next('deadlines') ?? plusMillis(this.#world.now(), 1000)
    } catch (error) {
      if (!(error instanceof Outage)) throw error
      this.#tell(`work waits: ${error.message}`)
      return plusMillis(this.#world.now(), 1000)
    }
  }

  async #begin(many: number): Promise<Deed[]> {
    const service = this.#up()
    const { requests, machines, leases } = await this.#reading(pictureOf(service.store))
    const scene = {
      ...{ world: this.#world, service, model: this.#model, seen: { requests, machines, leases } },
      fault: (words: string) => void this.wrongs.push(`fault: ${words}`),
    }
    const deeds: Deed[] = []
    for (let each = 0; each < many; each++) {
      const deed = somebodyActs(scene, this.#files)
      if (deed === undefined) continue
      deeds.push(deed)
      this.#tell(deed.says)
      deed.done.then(
        (came) => this.#tell(`  ${deed.says.slice(0, 40)}: ${came}`),
        (error: unknown) => this.wrongs.push(`fault: ${deed.says}: ${messageOf(error)}`),
      )
    }
    // What is due is begun beside them.
    void service.runner.begin().catch(() => undefined)
    return deeds
  }

  async #finish(deeds: readonly Deed[]): Promise<void> {
    for (const { done } of deeds) await this.#world.agenda.until(done.catch(() => ''))
    await this.#world.agenda.calm()
  }

  /** The process is killed, or the power goes, after some more turns of whatever goes on. */
  async #crash(after: number): Promise<void> {
    const { agenda, disk, random } = this.#world
    await agenda.calm(after)
    const power = random.next() < 0.5
    this.#tell(power ? 'the power goes' : 'the process is killed')
    if (power) disk.powerCut(() => random.next())
    else disk.kill()
    await agenda.drop(this.#world.process)
    this.#service = undefined
    if (random.next() < 0.3) await agenda.advance(plusMillis(this.#world.now(), random.below(3 * day)))
    await this.open()
  }

  /** Something befalls the world that nobody of the site has done. */
  async #strike(): Promise<void> {
    const { farm, platform, random, vanished } = this.#world
    const refs = await this.#world.farmRefs()
    const ref = refs[random.below(Math.max(1, refs.length))]
    const host = random.pick(hosts)
    const what = random.pick(['silent', 'stop', 'pause', 'vanish', 'away'])
    const user = random.pick(['alice', 'bob', 'carol', 'dave'])
    const whom = { silent: host, away: user, stop: ref, pause: ref, vanish: ref }[what]
    this.#tell(`the world: ${what} ${whom ?? 'nothing'}`)
    if (what === 'silent') farm.setHost(host, { reachable: false })
    else if (what === 'away') platform.away.add(user)
    else if (ref === undefined) return
    else if (what === 'stop') await farm.stopBehindOurBack(ref)
    else if (what === 'pause') await farm.pauseBehindOurBack(ref)
    else {
      vanished.add(ref)
      await farm.vanish(ref)
    }
  }

  /** What is silent or away is so for hours, seldom for days. */
  #recover(): void {
    const { farm, platform, random } = this.#world
    for (const host of hosts) if (random.next() < 0.3) farm.setHost(host, { reachable: true })
    for (const user of [...platform.away]) if (random.next() < 0.4) platform.away.delete(user)
  }

  #turnWeather(): void {
    const { random } = this.#world
    if (random.next() > 0.25) return
    const often = (most: number) => (random.next() < 0.5 ? 0 : random.next() * most)
    this.#world.weather = {
      disk: random.next() < 0.6 ? 0 : random.next() * 0.2,
      driver: often(0.3),
      refusal: often(0.03),
      hang: often(0.03),
      chat: often(0.6),
      directory: often(0.2),
    }
  }

  #someTime(): number {
    const { random } = this.#world
    const roll = random.next()
    if (roll < 0.25) return (1 + random.below(30)) * minute
    if (roll < 0.65) return (1 + random.below(15)) * hour
    if (roll < 0.96) return (1 + random.below(3)) * day
    return 8 * day
  }

  #reading<T>(work: Promise<T>): Promise<T> {
    return this.#world.agenda.until(work)
  }

  #up(): Service {
    if (this.#service === undefined) throw new Error('the service is not up')
    return this.#service
  }

  #tell(line: string): void {
    const text = `${this.#world.now()} ${line}`
    this.trace.push(text)
    this.#say(text)
  }

  /** What the service logs as an error is its own mistake, save that the disk did not take something, or that it is gone. */
  #watching(): Log {
    const error = (facts: unknown, words?: unknown): void => {
      const text = `${String(words)} ${JSON.stringify(facts)}`
      if (!/ENOSPC|EIO|cannot be written|process is gone/.test(text)) this.wrongs.push(`log: ${text}`)
    }
    const warn = (facts: unknown, words?: unknown): void => {
      if (words === 'job went wrong') this.#tell(`  ${JSON.stringify(facts)}`)
    }
    return { debug: silentLog.debug.bind(silentLog), info: silentLog.info.bind(silentLog), warn, error }
  }
}
