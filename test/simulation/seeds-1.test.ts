import { liveThrough } from './seeds.ts'

liveThrough(1)
