import { type FieldError, Refusal } from '../base/errors.ts'
import type { Size } from './machine.ts'
import type { Template } from './template.ts'

/**
 * The size of a new machine: what was wished for, or else the template's default.
 * @throws Refusal `bad_size` with the limits, both faults at once.
 */
export function sizeFor(template: Template, wish: { cpus?: number; memoryGb?: number }): Size {
  const size = {
    cpus: wish.cpus ?? template.cpus.default,
    memoryGb: wish.memoryGb ?? template.memoryGb.default,
  }
  const errors = [
    ...fault('cpus', { asked: size.cpus, max: template.cpus.max, unit: 'CPUs' }),
    ...fault('memoryGb', { asked: size.memoryGb, max: template.memoryGb.max, unit: 'GB' }),
  ]
  if (errors.length === 0) return size
  const limits = `1 to ${template.cpus.max} CPUs and 1 to ${template.memoryGb.max} GB`
  throw new Refusal(
    'bad_size',
    `${template.name} takes ${limits}, in whole numbers; ${size.cpus} CPUs and ${size.memoryGb} GB were asked for.`,
    { errors },
  )
}

function fault(path: string, facts: { asked: number; max: number; unit: string }): FieldError[] {
  if (Number.isInteger(facts.asked) && facts.asked >= 1 && facts.asked <= facts.max) return []
  return [{ path, message: `a whole number from 1 to ${facts.max} ${facts.unit}` }]
}
