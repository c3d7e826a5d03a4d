/** One thing that was tried of a site, for whoever sets it up: how it is, and what to do when it is not as it should be. */
export interface Finding {
  /** What was looked at, such as `Slack token`. */
  about: string
  state: 'fine' | 'warning' | 'fault'
  fact: string
  remedy: string | null
}
