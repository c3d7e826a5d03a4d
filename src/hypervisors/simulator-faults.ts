import { type FaultInput, FaultRule } from './simulator-rule.ts'

/** What a call is about, as far as it is known. */
export interface Occasion {
  call: FaultRule['on']
  stage?: string
  ref?: string
  name?: string | undefined
  host?: string | undefined
}

export interface FaultPlan {
  add(fault: FaultInput): void
  clear(): void
  /** The first planned fault that fits; it has then happened once more. */
  meet(occasion: Occasion): FaultRule | undefined
}

export function faultPlan(planned: readonly FaultRule[]): FaultPlan {
  let waiting = planned.map((fault) => ({ fault, left: fault.times }))
  return {
    add(input) {
      const fault = FaultRule.parse(input)
      waiting.push({ fault, left: fault.times })
    },
    clear() {
      waiting = []
    },
    meet(occasion) {
      const met = waiting.find(({ fault }) => fits(fault, occasion))
      if (met === undefined) return undefined
      met.left -= 1
      if (met.left === 0) waiting = waiting.filter((entry) => entry !== met)
      return met.fault
    },
  }
}

function fits(fault: FaultRule, { call, stage, ref, name, host }: Occasion): boolean {
  return (
    (fault.on === 'any' || fault.on === call) &&
    (fault.stage === undefined || fault.stage === stage) &&
    (fault.host === undefined || fault.host === host) &&
    (fault.machine === undefined || fault.machine === ref || fault.machine === name)
  )
}
