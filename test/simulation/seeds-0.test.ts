import { liveThrough } from './seeds.ts'

liveThrough(0)
