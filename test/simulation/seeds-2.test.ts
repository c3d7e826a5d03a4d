import { liveThrough } from './seeds.ts'

liveThrough(2)
